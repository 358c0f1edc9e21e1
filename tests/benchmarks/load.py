"""A load that costs the measured server only its requests: raw keep-alive connections, and the server's CPU time."""

import asyncio
import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import cast
from urllib.parse import urlsplit

import psutil
import uvloop


@dataclass(frozen=True, slots=True)
class Server:
    """A child process that serves."""

    ready: dict[str, object]
    process: psutil.Process

    def cpu(self) -> float:
        """CPU seconds it has used so far."""
        times = self.process.cpu_times()
        return float(times.user + times.system)


@contextmanager
def server(*arguments: str) -> Iterator[Server]:
    """`python -m arguments` until the block ends; its stdin is its lease."""
    command = [sys.executable, "-m", *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield Server(cast("dict[str, object]", json.loads(process.stdout.readline())), psutil.Process(process.pid))
        process.communicate()


def request(url: str, path: str, body: bytes, headers: str = "") -> bytes:
    """The bytes of a POST."""
    head = f"POST {path} HTTP/1.1\r\nhost: {urlsplit(url).netloc}\r\ncontent-type: application/json\r\n{headers}"
    return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body


async def _one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, data: bytes) -> bytes:
    writer.write(data)
    head = await reader.readuntil(b"\r\n\r\n")
    lowered = head.lower()
    if b"content-length: " in lowered:
        length = int(lowered.split(b"content-length: ", 1)[1].split(b"\r\n", 1)[0])
        return head + await reader.readexactly(length)
    return head + await reader.readuntil(b"\r\n0\r\n\r\n")


async def _many(url: str, requests: Sequence[bytes], connections: int, status: bytes) -> int:
    address, todo, size = urlsplit(url), iter(requests), 0

    async def work() -> None:
        nonlocal size
        reader, writer = await asyncio.open_connection(address.hostname, address.port, limit=2**24)
        for data in todo:
            answer = await _one(reader, writer, data)
            assert answer.startswith(b"HTTP/1.1 " + status), answer[:400]
            size += len(answer)
        writer.close()

    await asyncio.gather(*(work() for _ in range(connections)))
    return size


Job = tuple[Server, str, Sequence[bytes], bytes]  # who serves, where, these requests, answered with this status


def cpu_side_by_side(*jobs: Job, connections: int = 8) -> list[float]:
    """CPU seconds of each server for one of its requests, all served at the same time.

    What else the machine does, and how busy the client is, weighs on all of them alike.
    """

    async def at_once() -> None:
        await asyncio.gather(*(_many(url, requests, connections, status) for _, url, requests, status in jobs))

    before = [measured.cpu() for measured, *_ in jobs]
    uvloop.run(at_once())
    return [
        (measured.cpu() - start) / len(requests) for (measured, _, requests, _), start in zip(jobs, before, strict=True)
    ]


def cpu_per_token(measured: Server, url: str, requests: Sequence[bytes], tokens: int) -> float:
    """CPU seconds of the server for one event of these streams, all open at the same time."""
    before = measured.cpu()
    uvloop.run(_many(url, requests, len(requests), b"200"))
    return (measured.cpu() - before) / (len(requests) * tokens)


_SAID = re.compile(rb'"delta":\{"content":"([^"]+)"')


class Stream(asyncio.Protocol):
    """One open stream: when how many of its words came.

    (An event that two reads share is missed, and so are its words.)
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._rest = b""
        self.came: list[tuple[float, int]] = []
        self.ended = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast("asyncio.Transport", transport).write(self._data)

    def data_received(self, data: bytes) -> None:
        words = sum(len(text.split()) for text in _SAID.findall(data))
        if words:
            self.came.append((time.monotonic(), words))
        if b"[DONE]" in data and not self.ended.done():
            self.ended.set_result(None)


class Crowd:
    """Streams that are listened to in a thread of their own."""

    def __init__(self, url: str, requests: Sequence[bytes]) -> None:
        self._url, self._requests = url, requests
        self.streams: list[Stream] = []
        self.seconds = 0.0
        self._loop = uvloop.new_event_loop()
        self._open, self._stop = threading.Event(), asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._listen(),))

    async def _listen(self) -> None:
        address = urlsplit(self._url)
        host, port = cast("str", address.hostname), cast("int", address.port)
        transports: list[asyncio.Transport] = []
        for data in self._requests:
            connected = await self._loop.create_connection(partial(Stream, data), host, port)
            transports.append(cast("asyncio.Transport", connected[0]))
            self.streams.append(connected[1])
        self._open.set()
        await self._stop.wait()
        for transport in transports:
            transport.close()

    def hear_out(self, sample: Callable[[], int]) -> int:
        """Until every stream has ended; the largest of the samples taken meanwhile."""
        began, most = time.monotonic(), 0
        while not all(stream.ended.done() for stream in self.streams):
            most = max(most, sample())
            threading.Event().wait(0.2)
        self.seconds = time.monotonic() - began
        return most

    def lateness(self, per_second: float) -> Iterator[float]:
        """For every event, how much later it came than its place after the stream's first one says."""
        for stream in self.streams:
            first, n = stream.came[0][0], 0
            for at, words in stream.came:
                for _ in range(words):
                    yield max(0.0, at - first - n / per_second)
                    n += 1

    def __enter__(self) -> "Crowd":
        self._thread.start()
        self._open.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._loop.close()


def listen(url: str, requests: Sequence[bytes]) -> Crowd:
    """Open these streams and listen, until the block ends."""
    return Crowd(url, requests)
