"""A server that breaks on purpose: the first part of a request's path names the fault, raw bytes come back."""

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from socket import SO_LINGER, SOL_SOCKET, socket
from struct import pack

GAP = 0.1  # seconds between two tokens
STREAM_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"


class OpenAI:
    """Chat completions: what is inside an answer. Each line of an event ends in a newline."""

    finish = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
    done = b"data: [DONE]\n\n"
    error = b'data: {"error":{"message":"overloaded","type":"server_error","param":null,"code":null}}\n\n'
    broken = b'data: {"choices":[{"delta":{"con\n\n'

    @staticmethod
    def token(text: str) -> bytes:
        return b"data: %b\n\n" % json.dumps({"choices": [{"index": 0, "delta": {"content": text}}]}).encode()

    @staticmethod
    def whole(text: str | None) -> bytes:
        return json.dumps({"choices": [{"message": {"content": text}, "finish_reason": "stop"}]}).encode()


class Anthropic:
    """Messages."""

    finish = b'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn"}}\n\n'
    done = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
    error = b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n'
    broken = b'event: content_block_delta\ndata: {"type":"content_block_d\n\n'

    @staticmethod
    def token(text: str) -> bytes:
        delta = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}
        return b"event: content_block_delta\ndata: %b\n\n" % json.dumps(delta).encode()

    @staticmethod
    def whole(text: str | None) -> bytes:
        blocks = [] if text is None else [{"type": "text", "text": text}]
        return json.dumps({"type": "message", "content": blocks, "stop_reason": "end_turn"}).encode()


Speech = type[OpenAI | Anthropic]


@dataclass(slots=True)
class Call:
    """One request on the wire, and what to answer with."""

    fault: str
    headers: Mapping[str, str]
    body: bytes
    writer: asyncio.StreamWriter
    speech: Speech

    async def send(self, *parts: bytes) -> None:
        self.writer.write(b"".join(parts))
        await self.writer.drain()

    async def chunk(self, data: bytes) -> None:
        await self.send(b"%x\r\n" % len(data), data, b"\r\n")

    async def tokens(self, count: int = 5, text: str = "word ") -> None:
        for _ in range(count):
            await asyncio.sleep(GAP)
            await self.chunk(self.speech.token(text))

    async def chunked(self) -> None:
        await self.send(STREAM_HEAD, b"transfer-encoding: chunked\r\n\r\n")

    async def finish(self) -> None:
        await self.chunk(self.speech.finish)
        await self.chunk(self.speech.done)
        await self.send(b"0\r\n\r\n")

    def reset(self) -> None:
        """A TCP reset instead of an orderly end."""
        raw: socket = self.writer.get_extra_info("socket")
        raw.setsockopt(SOL_SOCKET, SO_LINGER, pack("ii", 1, 0))
        self.writer.transport.abort()


Fault = Callable[[Call], Awaitable[bool | None]]  # True: the connection may be used again
FAULTS: dict[str, Fault] = {}


def fault(act: Fault) -> Fault:
    FAULTS[act.__name__] = act
    return act


def _plain(status: bytes, body: bytes, *headers: bytes) -> bytes:
    lines = (b"HTTP/1.1 " + status, b"content-length: %d" % len(body), *headers)
    return b"\r\n".join((*lines, b"", body))


@fault
async def healthy(call: Call) -> bool:
    await call.chunked()
    await call.tokens()
    await call.finish()
    return True


@fault
async def split_anywhere(call: Call) -> bool:
    await call.chunked()
    accents = json.dumps("\u00e9\u00e8").encode()
    token = call.speech.token("\u00e9\u00e8").replace(accents, '"\u00e9\u00e8"'.encode())  # not escaped: two bytes each
    for byte in token + call.speech.finish + call.speech.done:
        await call.chunk(bytes([byte]))
    await call.send(b"0\r\n\r\n")
    return True


@fault
async def fin_before_last_chunk(call: Call) -> None:
    await call.chunked()
    await call.tokens(2)


@fault
async def content_length_short(call: Call) -> None:
    await call.send(STREAM_HEAD, b"content-length: 5000\r\n\r\n", call.speech.finish)


@fault
async def reset_mid_stream(call: Call) -> None:
    await call.chunked()
    await call.tokens(2)
    call.reset()


@fault
async def stall_mid_stream(call: Call) -> None:
    await call.chunked()
    await call.tokens(2)
    await asyncio.sleep(30)


@fault
async def close_delimited_cut(call: Call) -> None:
    await call.send(STREAM_HEAD, b"connection: close\r\n\r\n")
    await call.send(call.speech.token("half"))


@fault
async def clean_end_without_finish(call: Call) -> bool:
    await call.chunked()
    await call.tokens(2)
    await call.send(b"0\r\n\r\n")
    return True


@fault
async def no_done(call: Call) -> bool:
    await call.chunked()
    await call.tokens(1)
    await call.chunk(call.speech.finish)
    await call.send(b"0\r\n\r\n")
    return True


@fault
async def error_event(call: Call) -> bool:
    await call.chunked()
    await call.tokens(2)
    await call.chunk(call.speech.error)
    await call.send(b"0\r\n\r\n")
    return True


@fault
async def malformed_event(call: Call) -> bool:
    await call.chunked()
    await call.tokens(1)
    await call.chunk(call.speech.broken)
    await call.finish()
    return True


@fault
async def reset_before_headers(call: Call) -> None:
    call.reset()


@fault
async def close_before_headers(call: Call) -> None:
    pass


@fault
async def half_a_header(call: Call) -> None:
    await call.send(b"HTTP/1.1 200 OK\r\ncontent-ty")


@fault
async def bad_chunk_size(call: Call) -> None:
    await call.chunked()
    await call.tokens(1)
    await call.send(b"nothex\r\ndata\r\n")
    await asyncio.sleep(30)


@fault
async def no_answer(call: Call) -> None:
    await asyncio.sleep(30)


@fault
async def comments_only(call: Call) -> None:
    await call.chunked()
    for _ in range(300):
        await call.chunk(b": keep-alive\n\n")
        await asyncio.sleep(0.1)


@fault
async def blank(call: Call) -> bool:
    await call.chunked()
    await call.finish()
    return True


@fault
async def html_with_200(call: Call) -> bool:
    await call.send(_plain(b"200 OK", b"<html><body>We are back soon</body></html>", b"content-type: text/html"))
    return True


@fault
async def unavailable(call: Call) -> bool:
    await call.send(_plain(b"503 Service Unavailable", b'{"error":{"message":"busy"}}', b"retry-after: 7"))
    return True


@fault
async def limited_exactly(call: Call) -> bool:
    told = (b"retry-after: 1", b"retry-after-ms: 250", b"x-should-retry: true")
    await call.send(_plain(b"429 Too Many Requests", b"{}", *told))
    return True


@fault
async def bad_gateway_page(call: Call) -> bool:
    await call.send(_plain(b"502 Bad Gateway", b"<html>502</html>", b"retry-after: soon", b"x-should-retry: false"))
    return True


@fault
async def redirect(call: Call) -> bool:
    await call.send(_plain(b"302 Found", b"", b"location: /elsewhere"))
    return True


@fault
async def whole(call: Call) -> bool:
    await call.send(_plain(b"200 OK", call.speech.whole("At four.")))
    return True


@fault
async def whole_cut(call: Call) -> None:
    await call.send(b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n", b'{"choices":[{"mess')


@fault
async def whole_blank(call: Call) -> bool:
    await call.send(_plain(b"200 OK", call.speech.whole(None)))
    return True


INCIDENT = {
    "incidents": [
        {
            "incident_updates": [
                {"status": "identified", "body": "Back at four.", "created_at": "2024-11-08T16:06:20.000Z"},
                {"status": "investigating", "body": "We look.", "created_at": "2024-11-08T16:06:00.000Z"},
            ]
        }
    ],
    "scheduled_maintenances": [],
}


@fault
async def incident(call: Call) -> bool:
    """A status page that shows an open incident."""
    await call.send(_plain(b"200 OK", json.dumps(INCIDENT).encode()))
    return True


@fault
async def all_well(call: Call) -> bool:
    """A status page that shows none."""
    await call.send(_plain(b"200 OK", b'{"incidents": [], "scheduled_maintenances": []}'))
    return True


CHANCE = Random(20241211)
FIRST: set[int] = set()


@fault
async def fails_half(call: Call) -> bool:
    """503 with probability 1/2."""
    return bool(await (unavailable if CHANCE.random() < 0.5 else whole)(call))


@fault
async def hangs_first(call: Call) -> bool:
    """The first request of a server's life never gets an answer."""
    if not FIRST:
        FIRST.add(1)
        await asyncio.sleep(30)
    return bool(await whole(call))


@fault
async def stalls(call: Call) -> bool:
    """Stands still for 3 s of every 10; else it answers at once."""
    if (rest := asyncio.get_running_loop().time() % 10) > 7:
        await asyncio.sleep(10 - rest)
    return bool(await whole(call))


@fault
async def closes_after_answer(call: Call) -> None:
    await healthy(call)


@dataclass(slots=True)
class FaultServer:
    """`url`, and what it was asked: (fault, headers, body)."""

    url: str
    seen: list[tuple[str, Mapping[str, str], bytes]] = field(default_factory=list)


async def _serve(server: FaultServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            path = head[0].split()[1]
            name = path.split("/")[1]
            server.seen.append((name, headers, body))
            speech: Speech = Anthropic if path.endswith("/v1/messages") else OpenAI
            if not await FAULTS[name](Call(name, headers, body, writer, speech)):
                return
    except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):  # gone, or the end of the test
        pass
    finally:
        writer.close()


@contextmanager
def fault_server() -> Iterator[FaultServer]:
    """On a free loopback port until the block ends."""
    loop = asyncio.new_event_loop()
    found = FaultServer("")
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    serving = asyncio.start_server(lambda reader, writer: _serve(found, reader, writer), "127.0.0.1", 0)
    listener = asyncio.run_coroutine_threadsafe(serving, loop).result(5)
    found.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    try:
        yield found
    finally:
        loop.call_soon_threadsafe(listener.close)
        asyncio.run_coroutine_threadsafe(_cancel_all(), loop).result(5)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()


async def _cancel_all() -> None:
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
