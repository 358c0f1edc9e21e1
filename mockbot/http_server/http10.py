"""Answers to clients of HTTP/1.0: no chunks, the body ends with the connection (RFC 9112, 6.3 and 7.1).

uvicorn closes such a connection, but sends an answer of unknown length in chunks all the same.
"""

from starlette.types import Message, Send
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle


def ended_by_close(send: Send) -> Send:
    """uvicorn's `send` for one answer, without chunks; any other `send` as it is."""
    cycle = getattr(send, "__self__", None)
    if not isinstance(cycle, RequestResponseCycle):
        return send
    cycle.chunked_encoding = False

    async def plain(message: Message) -> None:
        if message["type"] == "http.response.body":
            cycle.expected_content_length = len(message.get("body", b""))  # else uvicorn would compare with none
        await send(message)

    return plain
