"""A real provider through mockbot beside the provider itself, in one run: figures printed, only ratios asserted.

Streams of the small server in `tests/upstream`, whose chunks say when they were sent, so that the distortion of each
gap is known: |gap as received - gap as sent|. Direct streams show how much of it is the machine and the client.
"""

import asyncio
import json
import math
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest

from mockbot.proxy.toxiproxy_client import ToxicControl
from mockbot.proxy.toxiproxy_server import start_embedded
from mockbot.service.control_client import ServiceControl
from mockbot.testbed.start import Addresses, open_testbed
from mockbot.upstream.settings import UpstreamSettings
from tests.service.values import scenario_of
from tests.upstream.conftest import question, seen, upstream

__all__ = ["upstream"]
pytestmark = [pytest.mark.benchmark, pytest.mark.live, pytest.mark.timeout(300)]
STREAMS, WORDS, GAP, ROUNDS = 20, 50, 0.02, 3
REQUESTS, TOGETHER = 1000, 8
PLAIN = """
import json, socket, sys, threading, httpx2, uvicorn
client = httpx2.AsyncClient(base_url=sys.argv[1], timeout=None)
async def app(scope, receive, send):
    asked = (await receive())["body"]
    headers = [each for each in scope["headers"] if each[0] not in (b"host", b"connection")]
    async with client.stream(scope["method"], scope["path"], content=asked, headers=headers) as answer:
        kept = [each for each in answer.headers.raw if each[0].lower() not in (b"transfer-encoding", b"connection")]
        await send({"type": "http.response.start", "status": answer.status_code, "headers": kept})
        async for chunk in answer.aiter_raw():
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})
sock = socket.create_server(("127.0.0.1", 0))
print(json.dumps({"control": f"http://127.0.0.1:{sock.getsockname()[1]}"}), flush=True)
server = uvicorn.Server(uvicorn.Config(app, lifespan="off", access_log=False))
threading.Thread(target=server.run, args=([sock],), daemon=True).start()
sys.stdin.read()
"""
CHAT = "/v1/chat/completions"
_SENT = re.compile(rb'"sent": ([\d.]+)')
Arrivals = list[tuple[float, float]]  # when each chunk was sent, when it came


def message(url: str, *, keep: bool, **more: object) -> bytes:
    """A request, to be written as it is."""
    body = json.dumps(question(**more)).encode()  # type: ignore[arg-type]
    head = f"POST {CHAT} HTTP/1.1\r\nhost: {urlsplit(url).netloc}\r\ncontent-type: application/json\r\n"
    head += f"content-length: {len(body)}\r\nconnection: {'keep-alive' if keep else 'close'}\r\n\r\n"
    return head.encode() + body


async def stream(url: str) -> Arrivals:
    """One stream to its end."""
    place = urlsplit(url)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    writer.write(message(url, keep=False, words=WORDS, stream=True, gap=GAP))
    found: Arrivals = []
    while part := await reader.read(65536):
        now = time.monotonic()
        found += [(float(sent), now) for sent in _SENT.findall(part)]
        if part.endswith(b"0\r\n\r\n"):
            break
    writer.close()
    await writer.wait_closed()
    return found


async def streams(url: str) -> list[Arrivals]:
    """Many at the same time, not in step."""

    async def later(n: int) -> Arrivals:
        await asyncio.sleep(n * GAP / STREAMS)
        return await stream(url)

    return await asyncio.gather(*[later(n) for n in range(STREAMS)])


def distortions(found: Sequence[Arrivals]) -> list[float]:
    """Of every gap, in milliseconds."""
    pairs = [pair for each in found for pair in pairwise(each)]
    return sorted(abs((came - before) - (sent - sent_before)) * 1000 for (sent_before, before), (sent, came) in pairs)


def p99(values: Sequence[float]) -> float:
    """The 99th percentile of sorted values."""
    return values[math.ceil(0.99 * len(values)) - 1]


@pytest.fixture(scope="module")
def testbed(upstream: str) -> Iterator[Addresses]:
    """A service in front of the upstream."""
    settings = UpstreamSettings(urls={"main": upstream})
    with open_testbed(scenario_of({"main": {"upstream": "real"}}), 1.0, None, upstreams=settings) as addresses:
        yield addresses


def test_gaps_between_chunks_are_kept(testbed: Addresses, upstream: str) -> None:
    """Pass-through against the upstream itself, rounds alternating."""
    direct: list[float] = []
    through: list[float] = []
    for _ in range(ROUNDS):
        direct += distortions(asyncio.run(streams(upstream)))
        through += distortions(asyncio.run(streams(testbed.direct["main"])))
    for name, values in (("direct", sorted(direct)), ("through", sorted(through))):
        told = f"{name}: {len(values)} gaps, distortion p50 {statistics.median(values):.2f} p99 {p99(values):.2f} ms"
        print(f"\n{told}")  # noqa: T201

    assert p99(sorted(through)) < max(5.0, 3 * p99(sorted(direct)))


def test_a_client_that_leaves_is_soon_gone_upstream(testbed: Addresses, upstream: str) -> None:
    """From the client's close to the end of the upstream's connection; its server looks every 5 ms."""

    async def leave() -> float:
        place = urlsplit(testbed.direct["main"])
        reader, writer = await asyncio.open_connection(place.hostname, place.port)
        writer.write(message(testbed.direct["main"], keep=False, words=500, stream=True, gap=GAP))
        await reader.readuntil(b'"sent"')
        writer.transport.abort()
        left = time.monotonic()
        await writer.wait_closed()
        return left

    took = []
    for _ in range(20):
        left = asyncio.run(leave())
        while (told := seen(upstream)[-1]["left"]) is None:
            time.sleep(0.02)
        took.append((told - left) * 1000)
    print(f"\ncancelled after p50 {statistics.median(took):.1f}, at most {max(took):.1f} ms")  # noqa: T201

    assert statistics.median(took) < 100


async def load(url: str, *, streamed: bool) -> None:
    """REQUESTS over kept connections."""
    place, asked = urlsplit(url), message(url, keep=True, words=20, stream=streamed, user="hasty")
    end = b"0\r\n\r\n" if streamed else b"}}"

    async def connection() -> None:
        reader, writer = await asyncio.open_connection(place.hostname, place.port)
        for _ in range(REQUESTS // TOGETHER):
            writer.write(asked)
            await reader.readuntil(end)
        writer.close()
        await writer.wait_closed()

    await asyncio.gather(*[connection() for _ in range(TOGETHER)])


@pytest.mark.parametrize("streamed", [False, True], ids=["plain", "stream"])
def test_cpu_of_a_request(testbed: Addresses, upstream: str, streamed: bool) -> None:
    """The service's beside that of a plain HTTP proxy (uvicorn and httpx2, no faults), of the embedded proxy, which
    copies bytes and knows nothing of HTTP, and of the mock.
    """
    mock = {"answer": {"first_token": "0s", "tokens": {"median": 20, "p95": 20}, "pace": "100000/s"}, "slots": 1000}
    with (
        subprocess.Popen(
            [sys.executable, "-c", PLAIN, upstream], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as plain,
        start_embedded(1, None) as proxy,
        open_testbed(scenario_of({"main": mock}), 1.0, None) as mocked,
    ):
        assert plain.stdout is not None and plain.stdin is not None  # noqa: PT018
        copied = f"http://{ToxicControl(proxy.url).create('main', urlsplit(upstream).netloc)}"
        ways = {
            "plain HTTP proxy": (json.loads(plain.stdout.readline())["control"], plain.pid),
            "bytes proxy": (copied, proxy.pid),
            "upstream": (testbed.direct["main"], testbed.processes["service"]),
            "mock": (mocked.direct["main"], mocked.processes["service"]),
        }
        cost: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(ROUNDS):
            for name, (url, pid) in ways.items():
                process = psutil.Process(pid)
                before = sum(process.cpu_times()[:2])
                asyncio.run(load(url, streamed=streamed))
                cost[name].append((sum(process.cpu_times()[:2]) - before) / REQUESTS * 1e6)
        plain.stdin.close()
    middle = {name: round(statistics.median(each)) for name, each in cost.items()}
    ratios = {name: round(middle["upstream"] / each, 2) for name, each in middle.items()}
    print(f"\n{'stream of 20' if streamed else 'plain'}: CPU us a request {middle}, upstream / each {ratios}")  # noqa: T201

    assert middle["upstream"] < 1.05 * middle["plain HTTP proxy"]


@pytest.mark.parametrize("speed", [1.0, 10.0])
def test_a_replay_keeps_the_pace(tmp_path: Path, upstream: str, speed: float) -> None:
    """First token and gaps of a replay against the recording, scaled by the speed."""
    file = tmp_path / "answers.jsonl"
    settings = UpstreamSettings(urls={"main": upstream}, record={"main": file})
    with open_testbed(scenario_of({"main": {"upstream": "real"}}), 1.0, None, upstreams=settings) as recording:
        asyncio.run(stream(recording.direct["main"]))
    record = json.loads(file.read_text("utf-8").splitlines()[1])
    chunks = [at for at, data in record["chunks"] for _ in _SENT.findall(data.encode())]
    with open_testbed(
        scenario_of({"main": {"replay": True}}), speed, None, upstreams=UpstreamSettings(replay={"main": file})
    ) as replaying:
        assert ServiceControl(replaying.service_control).ports()
        firsts, off = [], []
        for _ in range(10):
            began = time.monotonic()
            came = [(at - began) * speed for _, at in asyncio.run(stream(replaying.direct["main"]))]
            firsts.append((came[0] - chunks[0]) / speed)
            off += [abs(at - was) / speed for at, was in zip(came, chunks, strict=True)]
    off.sort()
    first = f"{statistics.median(firsts) * 1000:+.1f} ms"
    print(  # noqa: T201
        f"\nspeed {speed:g}: first chunk {first} of {chunks[0] / speed * 1000:.1f}; all chunks off their time by "
        f"p50 {statistics.median(off) * 1000:.1f}, p99 {p99(off) * 1000:.1f} ms; gap {GAP / speed * 1000:.1f} ms"
    )

    assert statistics.median(off) < GAP
