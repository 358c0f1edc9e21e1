"""The delivery of a response that is kept, or made in the background.

In the background it is an answer like any other, with a slot and the faults within it; only its client is not there.
Whatever breaks it makes it `failed`. A stream ends with its client, also one of a background response.
"""

import asyncio
from functools import partial

from starlette.types import Message

from mockbot.dialects.dialect import ProviderError, StoringDialect
from mockbot.service.delivery import JSON, CutOffError, Delivery
from mockbot.service.stored_responses import StoredResponse


class StoredDelivery(Delivery):
    """Used for questions that have a `storage`."""

    __slots__ = ()

    async def deliver(self) -> None:
        """As any other, or at once with what there is of it: nothing."""
        storage, stored = self.meta.question.storage, self._runtime.stored
        if storage is None or not isinstance(self._dialect, StoringDialect):
            raise TypeError(f"{self._dialect.path} stores nothing")
        choices = self._choices = self._content()
        response = StoredResponse(self._dialect, self.meta, self._answer, choices)
        if storage.background and not self.meta.question.stream:
            over = asyncio.Event()
            task = stored.start(response, self._make(response, over))
            task.add_done_callback(lambda _: over.set())
            task.add_done_callback(lambda _: self._runtime.leave(self._answer))  # no effect unless it was cancelled
            self.opened = True
            await self._runtime.writer.respond(self._send, 200, [JSON, *self._headers()], response.body())
            return
        await super().deliver()
        if self.outcome == "finished" and storage.store:
            response.end(response.whole)
            stored.keep(response)

    async def _make(self, response: StoredResponse, over: asyncio.Event) -> None:
        """Deliver it to nobody."""
        maker = Delivery(
            self._runtime, self._dialect, self._answer, self.meta, self._choices, partial(_stay, over), _ignore,
            self._started,
        )  # fmt: skip
        try:
            await maker.deliver()
        except (ProviderError, CutOffError):
            response.end("failed")
        response.end("failed" if maker.outcome != "finished" else response.whole)


async def _stay(over: asyncio.Event) -> Message:
    """The client counts as there until the response is made."""
    await over.wait()
    return {"type": "http.disconnect"}


async def _ignore(_: Message) -> None:
    """Nobody reads it."""
