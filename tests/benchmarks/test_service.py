"""What the service costs, as ratios against bare ASGI on the same uvicorn in one run, per CPU-second of the server.

Every figure is printed (`pytest -s -m benchmark tests/benchmarks/test_service.py`). The bounds asserted leave room for
a machine that does other things at the same time.
"""

import json
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from tests.benchmarks.load import Server, cpu_per_request, cpu_per_token, listen, request, server
from tests.service.values import scenario_of

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(300)]

CHAT = "/v1/chat/completions"
AT_ONCE = {"first_token": "0s", "pace": "1000000000/s", "tokens": {"median": 8, "p95": 8}}
PACED = {"first_token": "10ms", "pace": "50/s", "tokens": {"median": 200, "p95": 200}}
SLOWLY = {"first_token": "1s", "pace": "20/s", "tokens": {"median": 160, "p95": 160}}
ROUNDS = 3


@pytest.fixture(scope="module")
def bare() -> Iterator[Server]:
    """The least that uvicorn can serve."""
    with server("tests.benchmarks.bare") as running:
        yield running


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Providers for every figure, in one process."""
    providers: dict[str, Any] = {
        "main": {"slots": 1000, "limits": {"free": "100000/s"}, "answer": AT_ONCE},
        "full": {"slots": 1, "queue": {"limit": 0}, "answer": {**AT_ONCE, "first_token": "10h"}},
        "paced": {"slots": 1000, "answer": PACED},
        "crowded": {"slots": 3000, "answer": SLOWLY},
    }
    file: Path = tmp_path_factory.mktemp("service") / "scenario.json"
    file.write_text(scenario_of(providers).model_dump_json(), "utf-8")
    with server("mockbot.service", str(file), "--lease-stdin") as running:
        yield running


def say(figure: str) -> None:
    """Put a figure before whoever runs this with -s."""
    print(figure)  # noqa: T201


def url(service: Server, provider: str) -> str:
    """Where a provider is."""
    return cast("dict[str, str]", service.ready["providers"])[provider]


def asks(where: str, n: int, path: str = CHAT, **more: object) -> list[bytes]:
    """n different requests of about 600 bytes."""
    content = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "x" * 480}], **more}
    body = json.dumps(content).encode()
    heads = (f"authorization: Bearer sk-free-{i % 100}\r\nx-mockbot-prompt: p{i}\r\n" for i in range(n))
    return [request(where, path, body, head) for head in heads]


def test_a_plain_answer(bare: Server, service: Server) -> None:
    """Capacity, limits, fingerprint, ledger and counters on, no pacing, against the same bytes made beforehand."""
    bare_url, main = str(bare.ready["url"]), url(service, "main")
    ratios = []
    for _ in range(ROUNDS):
        least = cpu_per_request(bare, bare_url, asks(bare_url, 5000, "/"))
        ours = cpu_per_request(service, main, asks(main, 5000))
        ratios.append(least / ours)
        say(f"plain answer: bare {least * 1e6:.0f} us, ours {ours * 1e6:.0f} us, ratio {least / ours:.2f}")

    assert statistics.median(ratios) >= 0.3


def test_a_refusal(service: Server) -> None:
    """503 against an answer of the same service: a retry storm must not cost much more than the work it wants."""
    main, full = url(service, "main"), url(service, "full")
    ratios = []
    with listen(full, asks(full, 1, stream=True)):
        for _ in range(ROUNDS):
            answered = cpu_per_request(service, main, asks(main, 5000))
            refused = cpu_per_request(service, full, asks(full, 5000), status=b"503")
            ratios.append(refused / answered)
            say(f"refusal: {refused * 1e6:.0f} us, answer {answered * 1e6:.0f} us, ratio {refused / answered:.2f}")

    assert statistics.median(ratios) <= 1.3


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

    assert statistics.median(ratios) >= 0.6


def test_two_thousand_streams(service: Server) -> None:
    """At 20 tokens a second each: how late tokens come, how much of a core it takes, and the memory of a stream."""
    crowded = url(service, "crowded")
    before, memory = service.cpu(), service.process.memory_info().rss
    with listen(crowded, asks(crowded, 2000, stream=True)) as crowd:
        peak = crowd.hear_out(lambda: service.process.memory_info().rss)

    late = sorted(crowd.lateness(per_second=20))
    p99 = late[int(0.99 * len(late))]
    cores = (service.cpu() - before) / crowd.seconds
    per_stream = (peak - memory) / 2000
    say(f"2000 streams: p99 {p99 * 1e3:.0f} ms late, worst {late[-1] * 1e3:.0f} ms")
    say(f"2000 streams: {cores:.2f} cores, {per_stream / 1e3:.1f} kB each")

    assert len(late) >= 0.99 * 2000 * 160
    assert per_stream <= 60_000
