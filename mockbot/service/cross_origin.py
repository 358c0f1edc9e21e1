"""Programs in a browser: a preflight and answers with the headers that let them read, as both providers send them.

OpenAI allows every origin and names every header that the preflight asks for; so does Anthropic for programs that say
`anthropic-dangerous-direct-browser-access`, as its SDK does in a browser (anthropic-sdk-typescript, README).
"""

from typing import Final

from starlette.types import Message, Send

EXPOSED: Final = ["x-request-id", "request-id"]
_HEADERS = [(b"access-control-allow-origin", b"*"), (b"access-control-expose-headers", ", ".join(EXPOSED).encode())]


def readable(send: Send) -> Send:
    """`send` for an answer to a request that has an `Origin`."""

    async def allowed(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message["headers"], *_HEADERS]
        await send(message)

    return allowed
