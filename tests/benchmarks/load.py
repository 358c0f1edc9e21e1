"""A load that costs the measured server only its requests: raw keep-alive connections, and the server's CPU time."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
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


def cpu_per_request(
    measured: Server, url: str, requests: Sequence[bytes], status: bytes = b"200", connections: int = 8
) -> float:
    """CPU seconds of the server for one of these requests, after a tenth of them as warm-up."""
    uvloop.run(_many(url, requests[: len(requests) // 10], connections, status))
    before = measured.cpu()
    uvloop.run(_many(url, requests, connections, status))
    return (measured.cpu() - before) / len(requests)
