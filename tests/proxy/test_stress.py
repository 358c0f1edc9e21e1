"""Thousands of connections under toxics that come, change and go: nothing hangs, nothing is left behind."""

import asyncio
import contextlib
import json
import socket
import struct
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from mockbot.process.event_loop import new_event_loop
from mockbot.proxy.control_request import ApiError
from mockbot.proxy.proxies import Proxy
from mockbot.proxy.proxy_server import Engine, Options

pytestmark = pytest.mark.live

AT_ONCE = 40
PATIENCE = 60.0  # wall seconds; only a hang takes longer, even on a machine that does something else

KINDS: tuple[tuple[str, dict[str, int]], ...] = (
    ("latency", {"latency": 5, "jitter": 5}),
    ("bandwidth", {"rate": 50}),
    ("bandwidth", {"rate": 0}),
    ("slow_close", {"delay": 10}),
    ("timeout", {"timeout": 5}),
    ("timeout", {"timeout": 0}),
    ("reset_peer", {"timeout": 0}),
    ("reset_peer", {"timeout": 10}),
    ("slicer", {"average_size": 64, "size_variation": 32, "delay": 50}),
    ("limit_data", {"bytes": 500}),
    ("noop", {}),
)


async def answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """An upstream that sends three times what it gets; sometimes it hangs up."""
    with contextlib.suppress(OSError):
        while data := await reader.read(4096):
            writer.write(data * 3)
            await writer.drain()
            if data.endswith(b"!"):
                break
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


async def one_client(port: int, rng: Random) -> str:
    """Connect, talk, and leave politely, rudely or with half a goodbye."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return "refused"
    try:
        writer.write(b"x" * rng.choice((1, 100, 3000)) + rng.choice((b"", b"!")))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(rng.choice((0.002, 0.01, 0.05))):
                await reader.read(rng.choice((1, 100_000)))
        sock = writer.get_extra_info("socket")  # None on uvloop once it is closed
        if sock is not None and rng.random() < 0.3:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif rng.random() < 0.3 and not writer.is_closing():
            writer.write_eof()
        return "served"
    except OSError:
        return "cut"
    finally:
        writer.close()
        # With a limit of its own: the caller's has cancelled this task already, when it has passed.
        closing = asyncio.create_task(writer.wait_closed())
        done, _ = await asyncio.wait([closing], timeout=PATIENCE)
        assert done, "a connection did not close"
        closing.exception()


async def meddle(engine: Engine, proxy: Proxy, rng: Random, done: asyncio.Event) -> int:
    """Add, update and remove toxics, take the proxy down and up, until the clients are through."""
    changes = 0
    while not done.is_set():
        await asyncio.sleep(rng.choice((0, 0.001, 0.004)))
        changes += 1
        toxics = proxy.all_toxics()
        roll = rng.random()
        if roll < 0.45 and len(toxics) < 6:
            kind, attributes = rng.choice(KINDS)
            body = {"type": kind, "attributes": attributes, "stream": rng.choice(("upstream", "downstream")),
                    "toxicity": rng.choice((0.3, 1)), "name": f"{kind}{rng.randrange(4)}"}  # fmt: skip
            with contextlib.suppress(ApiError):  # the name is taken
                engine.collection.add_toxic(proxy.name, json.dumps(body).encode())
        elif roll < 0.6 and toxics:
            engine.collection.update_toxic(proxy.name, rng.choice(toxics).name, b'{"toxicity": 0.5}')
        elif roll < 0.95 and toxics:
            engine.collection.remove_toxic(proxy.name, rng.choice(toxics).name)
        elif roll > 0.99:
            proxy.stop()
            await asyncio.sleep(0.001)
            await proxy.start()
    return changes


async def settle(proxy: Proxy, tasks: int) -> None:
    """Wait for the last connections to go; TimeoutError when they do not."""
    async with asyncio.timeout(PATIENCE):
        while proxy.connections or len(asyncio.all_tasks()) > tasks:
            await asyncio.sleep(0.01)


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="descriptors are counted in /proc")
@pytest.mark.parametrize(
    ("loop", "cycles"),
    [
        (new_event_loop, 2_000),
        (asyncio.new_event_loop, 2_000),
        pytest.param(new_event_loop, 10_000, marks=pytest.mark.nightly),
    ],
)
def test_thousands_of_cycles_leave_no_task_no_descriptor_and_no_hang(
    loop: Callable[[], asyncio.AbstractEventLoop], cycles: int
) -> None:
    """Every cycle ends in time, and afterwards the engine is as it was before; on uvloop and on asyncio's own loop."""
    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(stress(cycles))


async def stress(cycles: int) -> None:
    """The seeded storm, and the count of what is left."""
    rng = Random(20241211)
    engine = Engine(Options(host="127.0.0.1", port=0, seed=1))
    await engine.start()
    upstream = await asyncio.start_server(answers, "127.0.0.1", 0)
    body = {"name": "p", "listen": "127.0.0.1:0", "upstream": f"127.0.0.1:{upstream.sockets[0].getsockname()[1]}"}
    proxy = await engine.collection.create(json.dumps(body).encode())
    try:
        await storm(engine, proxy, rng, cycles)
    finally:
        upstream.close()
        await engine.close()


async def storm(engine: Engine, proxy: Proxy, rng: Random, cycles: int) -> None:
    port = int(proxy.listen.rpartition(":")[2])
    tasks = len(asyncio.all_tasks())  # this one, and the engine's watch on itself
    await one_client(port, rng)
    await settle(proxy, tasks)
    before = descriptors()
    outcome: Counter[str] = Counter()
    done = asyncio.Event()
    left = iter(range(cycles))

    async def worker(own: Random) -> None:
        for _ in left:
            async with asyncio.timeout(PATIENCE):
                outcome[await one_client(port, own)] += 1

    meddler = asyncio.create_task(meddle(engine, proxy, rng, done))
    await asyncio.gather(*(worker(Random(number)) for number in range(AT_ONCE)))
    done.set()
    changes = await meddler
    proxy.remove_toxics()
    await settle(proxy, tasks)

    assert sum(outcome.values()) == cycles
    assert outcome["served"] > cycles / 2
    assert changes > cycles / 50
    assert len(proxy.touched) > 10
    assert descriptors() == before
