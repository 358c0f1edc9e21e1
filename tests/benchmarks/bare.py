"""`python -m tests.benchmarks.bare`: the least that uvicorn can serve, for comparison. Prints one line of JSON when
ready.

POST / reads the body and answers the bytes of a chat completion, headers and all, that were made beforehand; POST
/stream writes as many fixed events as its body says, all at once, or, when a second number gives the wall seconds
between two events, each with a sleep of its own until it is due.
"""

import asyncio
import gc
import json
import socket
import sys
import time

import uvicorn
import uvloop
from starlette.types import Receive, Scope, Send

from mockbot.dialects.answer_parts import Choice, Part
from mockbot.dialects.dialect import Allowance, AnswerMetadata, Question
from mockbot.dialects.openai.chat import OpenAIChat

SAID = AnswerMetadata(Question("gpt-4o-mini"), 2**63, 1_700_000_000, 8)
ANSWER = OpenAIChat().whole(SAID, (Choice((Part("text", ("The short answer is yes, with one condition",)),)),))
ALLOWANCE = Allowance("requests", 6_000_000, 5_999_999, 0.01)
HEADERS = [
    (b"content-type", b"application/json"),
    *OpenAIChat().headers(SAID.mark, 1, (ALLOWANCE,), 1.0),
    (b"content-length", b"%d" % len(ANSWER)),
]
EVENT = OpenAIChat().stream(SAID, (Choice((Part("text", (" word",)),)),)).tokens(0, 1)


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """ASGI."""
    body = (await receive())["body"]
    if scope["path"] == "/stream":
        count, pause = (float(part) for part in body.split())
        await _stream(send, int(count), pause)
        return
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": ANSWER})


async def _stream(send: Send, count: int, pause: float) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
    began = time.monotonic()
    for n in range(count):
        await send({"type": "http.response.body", "body": EVENT, "more_body": True})
        if pause:
            await asyncio.sleep(began + (n + 1) * pause - time.monotonic())
    await send({"type": "http.response.body", "body": b"data: [DONE]\n\n"})


async def main() -> None:
    """Serve until stdin ends."""
    sock = socket.create_server(("127.0.0.1", 0), backlog=2048)
    config = uvicorn.Config(
        app,
        interface="asgi3",
        http="httptools",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[sock]))
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)  # as the service's process
    print(json.dumps({"url": f"http://127.0.0.1:{sock.getsockname()[1]}"}), flush=True)  # noqa: T201 - the ready line
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    server.should_exit = True
    await serving


if __name__ == "__main__":
    uvloop.run(main())
