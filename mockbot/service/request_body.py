"""Request bodies, read whole: each as large as its provider takes, all together no larger than the process can hold."""

import asyncio
from collections.abc import Callable

from starlette.types import Receive

from mockbot.dialects.dialect import ProviderError

SLOWEST = 60.0  # wall seconds for one body
MOST_TOGETHER = 512 * 2**20  # bytes of bodies that have not arrived whole: ten of OpenAI's largest ones


class RequestBodies:
    """All bodies that arrive at one process. `full` is told once each time that they were too many together."""

    def __init__(self, full: Callable[[str], None], most: int = MOST_TOGETHER) -> None:
        self._full, self._most = full, most
        self._held, self._told = 0, False

    async def read(self, receive: Receive, largest: int) -> bytes:
        """The whole body. ProviderError(413): too large; (408): the client left or trickles it; (503): see above."""
        message = await receive()
        if message["type"] == "http.request" and not message["more_body"] and len(message["body"]) <= largest:
            return bytes(message["body"])  # the usual case, without a timer
        body = bytearray()
        try:
            async with asyncio.timeout(SLOWEST):
                while message["type"] == "http.request":
                    self._hold(len(message["body"]))
                    body += message["body"]
                    if len(body) > largest:
                        raise ProviderError(413)
                    if not message["more_body"]:
                        return bytes(body)
                    message = await receive()
        except TimeoutError:
            pass
        finally:
            self._held -= len(body)
            self._told = self._told and self._held > self._most // 2
        raise ProviderError(408)

    def _hold(self, size: int) -> None:
        """ProviderError(503) where it would be too much: this is the testbed's own limit, and it says so."""
        if self._held + size <= self._most:
            self._held += size
            return
        says = f"held {self._most // 2**20} MiB of request bodies at once, and refused one"
        if not self._told:
            self._told = True
            self._full(f"{says}: send fewer large requests at the same time")
        raise ProviderError(503, message=f"mockbot {says}")
