"""What the service costs, as ratios against bare ASGI on stock uvicorn in one run, per CPU-second of the server.

Every figure is printed (`pytest -s -m benchmark tests/benchmarks/test_service.py`). What is compared is served at the
same time by one client, or turn by turn, and the median of the ratios counts: a machine that does other things too
slows both sides alike.
"""

import json
import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, cast

import pytest

from mockbot.dialects.families import FAMILIES
from tests.benchmarks.load import Server, cpu_per_token, cpu_side_by_side, listen, request, server
from tests.service.values import scenario_of

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(300)]

CHAT = "/v1/chat/completions"
QUESTION: dict[str, Any] = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "x" * 480}]}
AT_ONCE = {"first_token": "0s", "pace": "1000000000/s", "tokens": {"median": 8, "p95": 8}}
PACED = {"first_token": "10ms", "pace": "50/s", "tokens": {"median": 200, "p95": 200}}
SLOWLY = {"first_token": "1s", "pace": "20/s", "tokens": {"median": 160, "p95": 160}}
ROUNDS = 7
PLAIN, STREAMED, REFUSAL = 0.50, 0.85, 0.95
LIKE_OPENAI = 1.15  # what an answer of another dialect may cost at most
OTHERS = [name for name in FAMILIES if name != "openai"]


@pytest.fixture(scope="module")
def bare() -> Iterator[Server]:
    """The least that uvicorn can serve."""
    with server("tests.benchmarks.bare") as running:
        yield running


@contextmanager
def serving(folder: Path) -> Iterator[Server]:
    """Providers for every figure, in one process."""
    providers: dict[str, Any] = {
        "main": {"slots": 1000, "limits": {"free": "100000/s"}, "answer": AT_ONCE},
        "full": {"slots": 1, "queue": {"limit": 0}, "answer": {**AT_ONCE, "first_token": "10h"}},
        "paced": {"slots": 1000, "answer": PACED},
        "crowded": {"slots": 3000, "answer": SLOWLY},
    }
    file = folder / "scenario.json"
    file.write_text(scenario_of(providers).model_dump_json(), "utf-8")
    with server("mockbot.service", str(file), "--lease-stdin") as running:
        yield running


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The service."""
    with serving(tmp_path_factory.mktemp("service")) as running:
        yield running


@pytest.fixture(scope="module")
def crammed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Another one, so that two figures can be taken at the same time."""
    with serving(tmp_path_factory.mktemp("crammed")) as running:
        yield running


def say(figure: str) -> None:
    """Put a figure before whoever runs this with -s."""
    print(figure)  # noqa: T201


def url(service: Server, provider: str) -> str:
    """Where a provider is."""
    return cast("dict[str, str]", service.ready["providers"])[provider]


def asks(where: str, n: int, path: str = CHAT, **more: object) -> list[bytes]:
    """n different requests of about 600 bytes."""
    return _asked(where, n, path, {**QUESTION, **more})


def asks_in(family: str, where: str, n: int, *, stream: bool) -> list[bytes]:
    """The same question in the dialect of this family, as the crowd asks it."""
    spoken = FAMILIES[family]
    return _asked(where, n, spoken.path_of(QUESTION, stream), spoken.ask(QUESTION, stream))


def _asked(where: str, n: int, path: str, content: dict[str, Any]) -> list[bytes]:
    body = json.dumps(content).encode()
    heads = (f"authorization: Bearer sk-free-{i % 100}\r\nx-mockbot-prompt: p{i}\r\n" for i in range(n))
    return [request(where, path, body, head) for head in heads]


def test_a_plain_answer(bare: Server, service: Server) -> None:
    """Capacity, limits, fingerprint, ledger and counters on, no pacing, against the same bytes made beforehand.

    0.6 is what was wanted, 0.55 to 0.62 is what is reached (0.4 when head and body were written apart). Half of the
    time is uvicorn's own on both sides; of ours (profiled) the largest parts are admission with limits and ledger
    (19 %), reading the request (12 %), the headers and the JSON of the answer (10 %), settling the counters (7 %) and
    the fingerprint (6 %); no single one of them is left to be saved.
    """
    bare_url, main = str(bare.ready["url"]), url(service, "main")
    least_asks, our_asks = asks(bare_url, 4000, "/"), asks(main, 4000)
    ratios = []
    cpu_side_by_side((bare, bare_url, least_asks, b"200"), (service, main, our_asks, b"200"))
    for _ in range(ROUNDS):
        least, ours = cpu_side_by_side((bare, bare_url, least_asks, b"200"), (service, main, our_asks, b"200"))
        ratios.append(least / ours)
        say(f"plain answer: bare {least * 1e6:.0f} us, ours {ours * 1e6:.0f} us, ratio {least / ours:.2f}")

    say(f"plain answer: median ratio {statistics.median(ratios):.2f}")
    assert statistics.median(ratios) >= PLAIN


@pytest.mark.parametrize("family", OTHERS)
def test_a_plain_answer_costs_in_every_dialect_what_it_does_in_openais(
    service: Server, crammed: Server, family: str
) -> None:
    """The same question and answer, each dialect in a process of its own."""
    openai_url, main = url(service, "main"), url(crammed, "main")
    openais = asks_in("openai", openai_url, 4000, stream=False)
    ours = asks_in(family, main, 4000, stream=False)
    ratios = []
    cpu_side_by_side((service, openai_url, openais, b"200"), (crammed, main, ours, b"200"))
    for _ in range(ROUNDS):
        least, spent = cpu_side_by_side((service, openai_url, openais, b"200"), (crammed, main, ours, b"200"))
        ratios.append(spent / least)

    say(f"plain answer, {family}: median {statistics.median(ratios):.2f} of OpenAI's")
    assert statistics.median(ratios) <= LIKE_OPENAI


def test_a_refusal(service: Server, crammed: Server) -> None:
    """503 against an answer of the same service, each in a process of its own.

    0.6 is out of reach behind uvicorn: bare ASGI, which decides nothing, costs 0.6 of an answer by itself (parsing the
    request, the task and the cycle of uvicorn, the system calls). Of what is ours, a refusal saves the answer's words,
    its JSON and its slot (about a quarter), and has to do the rest: who asks, what is asked (a body that is no request
    is 400 even now), the limits and their headers, the error's body.
    """
    main, full = url(service, "main"), url(crammed, "full")
    answer_asks, refusal_asks = asks(main, 4000), asks(full, 4000)
    ratios = []
    with listen(full, asks(full, 1, stream=True)):
        for _ in range(ROUNDS):
            answered, refused = cpu_side_by_side(
                (service, main, answer_asks, b"200"), (crammed, full, refusal_asks, b"503")
            )
            ratios.append(refused / answered)
            say(f"refusal: {refused * 1e6:.0f} us, answer {answered * 1e6:.0f} us, ratio {refused / answered:.2f}")

    say(f"refusal: median ratio {statistics.median(ratios):.2f}")
    assert statistics.median(ratios) <= REFUSAL


def test_a_streamed_token(bare: Server, service: Server) -> None:
    """A hundred streams of 200 tokens, 20 ms apart, each an event; bare ASGI sleeps as long between fixed events."""
    bare_url, paced = str(bare.ready["url"]), url(service, "paced")
    ratios = []
    for _ in range(ROUNDS):
        fixed = [request(bare_url, "/stream", b"200 0.02")] * 100
        least = cpu_per_token(bare, bare_url, fixed, 200)
        ours = cpu_per_token(service, paced, asks(paced, 100, stream=True), 200)
        ratios.append(least / ours)
        say(f"streamed token: bare {least * 1e6:.1f} us, ours {ours * 1e6:.1f} us, ratio {least / ours:.2f}")

    say(f"streamed token: median ratio {statistics.median(ratios):.2f}")
    assert statistics.median(ratios) >= STREAMED


@pytest.mark.parametrize("family", OTHERS)
def test_a_streamed_token_costs_in_every_dialect_what_it_does_in_openais(service: Server, family: str) -> None:
    """A hundred streams, turn by turn."""
    paced, ratios = url(service, "paced"), []
    for _ in range(ROUNDS):
        least, spent = (
            cpu_per_token(service, paced, asks_in(name, paced, 100, stream=True), 200) for name in ("openai", family)
        )
        ratios.append(spent / least)

    say(f"streamed token, {family}: median {statistics.median(ratios):.2f} of OpenAI's")
    assert statistics.median(ratios) <= LIKE_OPENAI


def test_two_thousand_streams(bare: Server, service: Server) -> None:
    """At 20 tokens a second each: how late tokens come, how much of a core it takes, and the memory of a stream.

    A machine that is busy with other things makes every server late, so bare ASGI's streams are measured beside ours,
    and ours may be late by 100 ms or by as much as those.
    """
    bare_url, crowded = str(bare.ready["url"]), url(service, "crowded")
    fixed = [request(bare_url, "/stream", b"160 0.05")] * 2000
    least = _hear("bare", bare, bare_url, fixed)
    ours = _hear("ours", service, crowded, asks(crowded, 2000, stream=True))

    assert ours.tokens >= 0.99 * 2000 * 160
    assert ours.p99 <= max(0.1, least.p99)
    assert ours.cores <= 1
    assert ours.memory <= 30_000


class Heard(NamedTuple):
    """What 2,000 streams were like: tokens heard, seconds of lateness, cores of the server, bytes a stream."""

    tokens: int
    p99: float
    cores: float
    memory: float


def _hear(name: str, measured: Server, where: str, requests: list[bytes]) -> Heard:
    before, memory = measured.cpu(), measured.process.memory_info().rss
    with listen(where, requests) as crowd:
        peak = crowd.hear_out(lambda: measured.process.memory_info().rss)
    late = sorted(crowd.lateness(per_second=20))
    p99, cores = late[int(0.99 * len(late))], (measured.cpu() - before) / crowd.seconds
    per_stream = (peak - memory) / len(requests)
    say(f"2000 streams, {name}: p99 {p99 * 1e3:.0f} ms late, worst {late[-1] * 1e3:.0f} ms")
    say(f"2000 streams, {name}: {cores:.2f} cores, {per_stream / 1e3:.1f} kB each")
    return Heard(len(late), p99, cores, per_stream)
