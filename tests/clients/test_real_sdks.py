"""The presets beside the real SDKs: the same faults, scripted on a real socket, and the same attempts and waits.

The SDK's own code decides; only `time.sleep`, in which it waits, is replaced where a wait of hours or exact bounds are
the question. The last test lets it really wait.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from random import Random
from typing import TYPE_CHECKING

import pytest

from mockbot.clients.policy import AttemptResult
from mockbot.evidence.records import Outcome
from tests.clients.play import answers, play, policies
from tests.clients.scripted import Answer, scripted

if TYPE_CHECKING:
    import httpx2

pytestmark = pytest.mark.live


Ask = Callable[[str, bool], None]


@pytest.fixture(scope="module")
def http() -> "Iterator[httpx2.Client]":
    """One HTTP client for all; to make one takes a third of a second."""
    import httpx2  # noqa: PLC0415 - the SDKs take two seconds to import, which the pure tests need not pay

    with httpx2.Client(trust_env=False) as client:
        yield client


@pytest.fixture(params=["openai-python", "anthropic-python"])
def sdk(request: pytest.FixtureRequest) -> str:
    """The preset's name."""
    return str(request.param)


@pytest.fixture
def ask(sdk: str, http: "httpx2.Client") -> Ask:
    """Ask one question with the real client, at an address, streamed or not; how it fails is its own affair."""
    return _openai(http) if sdk == "openai-python" else _anthropic(http)


def _openai(http: "httpx2.Client") -> Ask:
    import openai  # noqa: PLC0415 - as above

    def ask(url: str, stream: bool) -> None:
        client = openai.OpenAI(base_url=f"{url}/v1", api_key="sk-free-1", timeout=0.4, http_client=http)
        with suppress(openai.OpenAIError):
            answer = client.chat.completions.create(
                model="m", messages=[{"role": "user", "content": "?"}], stream=stream
            )
            _ = [*answer] if stream else answer

    return ask


def _anthropic(http: "httpx2.Client") -> Ask:
    import anthropic  # noqa: PLC0415 - as above
    import httpx2  # noqa: PLC0415 - as above

    def ask(url: str, stream: bool) -> None:
        client = anthropic.Anthropic(base_url=url, api_key="sk-free-1", timeout=0.4, http_client=http)
        with suppress(anthropic.AnthropicError, httpx2.ReadError):
            answer = client.messages.create(
                model="m", max_tokens=9, messages=[{"role": "user", "content": "?"}], stream=stream
            )
            _ = [*answer] if stream else answer

    return ask


class Edge(Random):
    """Chance at one end of its range: 0 or nearly 1."""

    def __init__(self, value: float) -> None:
        super().__init__(0)
        self._value = value

    def random(self) -> float:
        """Always the same."""
        return self._value


@dataclass(frozen=True)
class Fault:
    """The same fault for both: what the server does, and what a client sees of it."""

    does: Answer
    seen: AttemptResult


def refusal(code: int, **headers: str) -> Fault:
    """An error status with headers."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    told = float(named["retry-after-ms"]) / 1000 if "retry-after-ms" in named else None
    told = float(named["retry-after"]) if told is None and "retry-after" in named else told
    should = {"true": True, "false": False}.get(named.get("x-should-retry", ""))
    outcome: Outcome = "rate_limited" if code == 429 else "http_error"
    return Fault(
        Answer(code, tuple(named.items())),
        AttemptResult(outcome, "main", 0.0, code, retry_after=told, should_retry=should),
    )


SSE = (("content-type", "text/event-stream"),)
CHUNK = b'event: ping\ndata: {"type": "ping"}\n\n'
RESET = Fault(Answer(then="reset"), AttemptResult("reset", "main", 0.0))
CLOSED = Fault(Answer(), AttemptResult("reset", "main", 0.0))
HUNG = Fault(Answer(then="hang"), AttemptResult("timeout", "main", 0.0))
CUT = Fault(Answer(200, SSE, CHUNK, then="reset"), AttemptResult("reset", "main", 0.0, 200, streamed=True))
FINE = Fault(Answer(200, (("content-type", "application/json"),)), AttemptResult("ok", "main", 0.0, 200))

SCRIPTS: dict[str, list[Fault]] = {
    "503 for ever": [refusal(503)],
    "a millisecond, then seconds": [refusal(503, retry_after_ms="30"), refusal(429, retry_after="2"), refusal(500)],
    "both headers: milliseconds count": [refusal(503, retry_after_ms="30", retry_after="40")],
    "0 is no Retry-After": [refusal(429, retry_after="0")],
    "a negative one neither": [refusal(503, retry_after="-3")],
    "60 s": [refusal(503, retry_after="60")],
    "61 s": [refusal(503, retry_after="61")],
    "120 s": [refusal(429, retry_after="120")],
    "121 s": [refusal(429, retry_after="121")],
    "an hour": [refusal(503, retry_after="3600")],
    "two months": [refusal(503, retry_after="5000000")],
    "an hour, but do retry": [refusal(503, retry_after="3600", x_should_retry="true")],
    "do not retry": [refusal(503, x_should_retry="false")],
    "do retry a wrong request": [refusal(400, x_should_retry="true")],
    **{
        str(code): [refusal(code)]
        for code in (400, 401, 403, 404, 408, 409, 413, 422, 425, 429, 499, 500, 502, 504, 529)
    },
    "reset before a byte": [RESET],
    "closed before a byte": [CLOSED],
    "hung": [HUNG],
    "one of each": [RESET, refusal(529), FINE],
    "an answer at last": [refusal(503), FINE],
}


def _attempts_of_the_sdk(ask: Ask, script: Sequence[Fault], *, stream: bool = False) -> list[float]:
    """When the real client asked."""
    with scripted([fault.does for fault in script]) as server:
        ask(server.url, stream)
        return server.came


def _waits_of_the_preset(sdk: str, script: Sequence[Fault], rng: Random, *, stream: bool = False) -> list[float]:
    """The gaps that our client makes for the same answers."""
    client = policies(sdk, patience="4800h", stream=stream).new_client(rng)
    told = play(client, answers(*(fault.seen for fault in script)))
    hung = [send.timeout * (script[min(n, len(script) - 1)] is HUNG) for n, send in enumerate(told.sends)]
    return [gap - waited for gap, waited in zip(told.gaps, hung, strict=False)]


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_preset_does_as_the_sdk(sdk: str, ask: Ask, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many attempts, and every wait of the real client within the bounds of the preset's."""
    script, waits = SCRIPTS[name], list[float]()
    monkeypatch.setattr(time, "sleep", waits.append)

    attempts = len(_attempts_of_the_sdk(ask, script))

    least, most = (_waits_of_the_preset(sdk, script, Edge(edge)) for edge in (1 - 1e-9, 0.0))
    assert attempts == len(least) + 1
    for wait, *bounds in zip(waits, least, most, strict=True):
        assert min(bounds) - 1e-6 <= wait <= max(bounds) + 1e-6


def test_neither_retries_a_stream_that_has_begun(sdk: str, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    """A chunk, then a reset: one attempt."""
    monkeypatch.setattr(time, "sleep", lambda _: None)

    attempts = len(_attempts_of_the_sdk(ask, [CUT], stream=True))

    assert attempts == 1
    assert _waits_of_the_preset(sdk, [CUT], Random(1), stream=True) == []


def test_the_sdk_really_waits(sdk: str, ask: Ask) -> None:
    """Without touching its clock: 150 ms as told, then its own back-off of at least 0.75 s."""
    script = [refusal(503, retry_after_ms="150"), refusal(503), refusal(503)]

    came = _attempts_of_the_sdk(ask, script)

    gaps = [later - sooner for sooner, later in pairwise(came)]
    least = _waits_of_the_preset(sdk, script, Edge(0.0))
    assert least == pytest.approx([0.15, 0.75])
    assert len(gaps) == len(least)
    assert all(gap >= low - 0.005 for gap, low in zip(gaps, least, strict=True))
