"""The cheapest chatbot there can be, for figures; prints its port and serves until stdin ends."""

import asyncio
import json
import sys

WHOLE = json.dumps({"choices": [{"message": {"content": "At four."}, "finish_reason": "stop"}]}).encode()
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(WHOLE), WHOLE)
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


def _chunk(data: bytes) -> bytes:
    return b"%x\r\ndata: %b\n\n\r\n" % (len(data) + 8, data)


TOKEN = _chunk(b'{"choices":[{"index":0,"delta":{"content":"word "},"finish_reason":null}]}')
END = _chunk(b'{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}') + _chunk(b"[DONE]") + b"0\r\n\r\n"


class Chat(asyncio.Protocol):
    """One connection; a request is over when its body is."""

    def __init__(self, tokens: int, pace: float) -> None:
        self.tokens, self.pace = tokens, pace
        self.seen = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep it."""
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer every complete request."""
        self.seen += data
        head, mark, body = self.seen.partition(b"\r\n\r\n")
        if not mark or len(body) < int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0]):
            return
        self.seen = b""
        if b'"stream": true' in body:
            self._write(HEAD)
            self._token(self.tokens)
        else:
            self._write(ANSWER)

    def _token(self, left: int) -> None:
        self._write(TOKEN if left else END)
        if left:
            asyncio.get_running_loop().call_later(1 / self.pace, self._token, left - 1)

    def _write(self, data: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(data)  # type: ignore[attr-defined]


async def main(tokens: int, pace: float) -> None:
    """On a free loopback port."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Chat(tokens, pace), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201 - its address
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), float(sys.argv[2])))
