"""A small OpenAI-compatible server, run as a process of its own: it is no part of mockbot and stands for a real model.

`python small_server.py` prints its port. A question of N words is answered with N words, "w0 w1 …", one a chunk every
GAP seconds (at once to the user "hasty"), which says when it was sent; `GET /seen` tells every request so far, with its
headers, and whether its client left.
"""

import asyncio
import contextlib
import json
import socket
import struct
import sys
import time
from typing import Any

GAP = 0.02
Seen = dict[str, Any]
seen: list[Seen] = []


async def _read(reader: asyncio.StreamReader) -> Seen | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    line, *lines = head.strip().split("\r\n")
    method, target, _ = line.split(" ")
    headers = {name.lower(): value for name, value in (each.split(": ", 1) for each in lines)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return {"method": method, "target": target, "headers": headers, "body": body.decode("latin-1"), "left": None}


def _event(number: int, text: str | None, reason: str | None) -> bytes:
    delta = {} if text is None else {"content": text}
    chunk = {
        "id": f"chatcmpl-{number}", "object": "chat.completion.chunk", "created": int(time.time()), "model": "small",
        "choices": [{"index": 0, "delta": delta, "finish_reason": reason}], "sent": time.monotonic(),
    }  # fmt: skip
    return b"data: %b\n\n" % json.dumps(chunk).encode()


def _chunked(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


async def _stream(writer: asyncio.StreamWriter, number: int, words: list[str], gap: float) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
    for word in words:
        await asyncio.sleep(gap)
        writer.write(_chunked(_event(number, f"{word} ", None)))
        await writer.drain()
    writer.write(_chunked(_event(number, None, "stop") + b"data: [DONE]\n\n") + b"0\r\n\r\n")


def _json(value: object, status: str = "200 OK", more: str = "") -> bytes:
    body = json.dumps(value).encode()
    head = f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n{more}\r\n"
    return head.encode() + body


async def _answer(request: Seen, writer: asyncio.StreamWriter) -> None:
    number, path = len(seen), request["target"].partition("?")[0]
    if path == "/redirect":
        writer.write(_json({}, "307 Temporary Redirect", "location: http://127.0.0.1:1/stolen\r\n"))
    elif path == "/reset":
        linger = struct.pack("ii", 1, 0)  # RST instead of FIN
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        writer.transport.abort()
    elif path.startswith("/other"):
        writer.write(_json({"echo": request["body"]}, "201 Created", "x-other: yes\r\n"))
    else:
        asked = json.loads(request["body"])
        words = [f"w{n}" for n in range(len(str(asked["messages"][-1]["content"]).split()))]
        gap = asked.get("gap", 0 if asked.get("user") == "hasty" else GAP)
        if asked.get("stream"):
            await _stream(writer, number, words, gap)
        else:
            await asyncio.sleep(gap)
            message = {"role": "assistant", "content": " ".join(words)}
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            writer.write(_json({
                "id": f"chatcmpl-{number}", "object": "chat.completion", "created": int(time.time()), "model": "small",
                "choices": [choice], "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
            }))  # fmt: skip


async def _left(reader: asyncio.StreamReader) -> None:
    while not reader.at_eof() and reader.exception() is None:
        await asyncio.sleep(0.005)


async def _connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.closing(writer):
        while (request := await _read(reader)) is not None:
            if request["target"] == "/seen":
                writer.write(_json(seen))
                continue
            seen.append(request)
            answering = asyncio.ensure_future(_answer(request, writer))
            lost = asyncio.ensure_future(_left(reader))
            await asyncio.wait({answering, lost}, return_when=asyncio.FIRST_COMPLETED)
            if not answering.done():
                request["left"] = time.monotonic()
                answering.cancel()
                return
            with contextlib.suppress(ConnectionError):
                answering.result()
            lost.cancel()


async def _main() -> None:
    server = await asyncio.start_server(_connection, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)  # until its parent ends
    sys.stdout.flush()
    server.close()


if __name__ == "__main__":
    asyncio.run(_main())
