"""What replicas cost: the CPU of two beside that of one process, and ten thousand idle streams on two.

Ratios of CPU seconds, taken side by side in one run, so that what else the machine does weighs on both.
"""

import asyncio
import json
import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

import psutil
import pytest
import uvloop

from mockbot.clock import Clock
from mockbot.process.self_watch import raise_descriptor_limit
from mockbot.service.control_client import ServiceControl
from tests.benchmarks.load import Server, cpu_side_by_side, request, server
from tests.benchmarks.test_service import AT_ONCE, CHAT, QUESTION, asks, say, url
from tests.service.test_serving import until
from tests.service.values import scenario_of

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(300)]

ROUNDS = 5
MORE = 1.35  # times the CPU of one process, for as many requests
HANDS_OVER = 0.05  # of the CPU; so N replicas can use N cores
IDLE = 10_000  # streams
ANSWER = {"first_token": "0s", "pace": "1/h", "tokens": {"median": 8, "p95": 8}}  # one word, then silence


@contextmanager
def serving(folder: Path, **provider: object) -> Iterator[Server]:
    """One provider."""
    file = folder / f"{len(list(folder.iterdir()))}.json"
    file.write_text(scenario_of({"main": provider}).model_dump_json(), "utf-8")
    with server("mockbot.service", str(file), "--lease-stdin") as running:
        yield running


def processes(running: Server) -> dict[str, psutil.Process]:
    """The service, and its replicas."""
    replicas = cast("dict[str, int]", running.ready["replicas"])
    return {"service": running.process, **{name: psutil.Process(pid) for name, pid in replicas.items()}}


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def test_two_replicas_share_the_work(tmp_path: Path) -> None:
    """What they do together is what one process does for as many requests, and none of it is left to the service."""
    with (
        serving(tmp_path, slots=1000, answer=AT_ONCE) as one,
        serving(tmp_path, slots=1000, answer=AT_ONCE, replicas=2) as two,
    ):
        jobs = [(each, url(each, "main"), asks(url(each, "main"), 6000), b"200") for each in (one, two)]
        cpu_side_by_side(*jobs, connections=64)
        ratios, own = [], []
        for _ in range(ROUNDS):
            before = {name: _cpu(process) for name, process in processes(two).items()}
            alone, _ = cpu_side_by_side(*jobs, connections=64)
            spent = {name: (_cpu(process) - before[name]) / 6000 for name, process in processes(two).items()}
            together = sum(spent.values())
            ratios.append(together / alone)
            own.append(spent["service"] / together)

    say(f"two replicas together: {statistics.median(ratios):.2f} times the CPU of one process for the same requests")
    say(f"the service itself, which hands connections over, has {statistics.median(own):.1%} of it")
    assert statistics.median(ratios) <= MORE
    assert statistics.median(own) <= HANDS_OVER


def test_ten_thousand_idle_streams_on_two_replicas(tmp_path: Path) -> None:
    """All are open and counted, the address goes on answering, and silence costs next to nothing."""
    raise_descriptor_limit()
    with serving(tmp_path, slots=IDLE, answer=ANSWER, replicas=2) as running:
        control, where = ServiceControl(str(running.ready["control"])), urlsplit(url(running, "main"))
        control.start_clock(Clock.start())
        memory = sum(process.memory_info().rss for process in processes(running).values())
        data = request(url(running, "main"), CHAT, json.dumps({**QUESTION, "stream": True}).encode())
        uvloop.run(_idle(where.hostname or "", where.port or 0, data, running, control, memory))


async def _idle(host: str, port: int, data: bytes, running: Server, control: ServiceControl, before: int) -> None:
    async def opened() -> asyncio.StreamWriter:
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(data)
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        await reader.readuntil(b'"content":')
        return writer

    writers: list[asyncio.StreamWriter] = []
    for _ in range(IDLE // 500):
        writers += await asyncio.gather(*(opened() for _ in range(500)))
    await asyncio.to_thread(until, lambda: control.seconds(0)[-1].running == IDLE)
    every = processes(running)
    memory = sum(process.memory_info().rss for process in every.values()) - before
    spent, began = {name: _cpu(process) for name, process in every.items()}, asyncio.get_running_loop().time()
    await asyncio.sleep(10)
    lasted = asyncio.get_running_loop().time() - began
    shares = {name: (_cpu(process) - spent[name]) / lasted for name, process in every.items()}
    writers.append(await asyncio.wait_for(opened(), 5))
    for writer in writers:
        writer.close()

    told = ", ".join(f"{name} {share:.1%}" for name, share in shares.items())
    say(f"{IDLE:,} idle streams: {memory / IDLE / 1024:.0f} KiB each; CPU {told}")
    assert control.troubles() == []
    assert max(shares.values()) < 0.5
