"""The responses of one provider that clients may ask for again: of answers that are whole or made in the background.

The oldest are forgotten first, so that all together stay below MOST bytes; a new run of the service's clock forgets
all. Ids are made from requests: an equal request replaces the response of the one before.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Literal

from mockbot.dialects.answer_parts import Choice
from mockbot.dialects.dialect import AnswerMetadata, Json, ProviderError, Question, StoringDialect
from mockbot.service.chatbot import Answer

MOST = 32 * 2**20  # bytes
_OVERHEAD = 2_000  # bytes of a response without its tokens
_TOKEN = 64  # bytes of a short string, and of its place in a tuple

Ended = Literal["completed", "incomplete", "failed", "cancelled"]


@dataclass(slots=True)
class StoredResponse:
    """One response; `ended` is None while `task` makes it in the background."""

    dialect: StoringDialect
    meta: AnswerMetadata
    answer: Answer
    choices: tuple[Choice, ...]
    ended: Ended | None = None
    task: "asyncio.Task[None] | None" = None

    @property
    def size(self) -> int:
        """About so many bytes of memory."""
        storage = self.meta.question.storage
        return _OVERHEAD + _TOKEN * self.choices[0].tokens() + (0 if storage is None else storage.size)

    def body(self) -> bytes:
        """What a client gets that asks for it now."""
        if self.ended in ("completed", "incomplete"):
            return self.dialect.whole(self.meta, self.choices)
        waiting = "queued" if self.answer.state == "waiting" else "in_progress"
        return self.dialect.unfinished(self.meta, self.ended or waiting)

    @property
    def whole(self) -> Ended:
        """How it ends when nothing breaks it."""
        return "incomplete" if self.choices[0].ending == "length" else "completed"

    def end(self, how: Ended) -> None:
        """It is over, unless it was before."""
        self.ended = self.ended or how

    def cancel(self) -> None:
        """Stop making it; no effect once it has ended. ProviderError(400) when a client waited for it."""
        if self.task is None:
            raise ProviderError(400, "invalid_value", "Cannot cancel a synchronous response.")
        self.end("cancelled")
        self.task.cancel()


class StoredResponses:
    """By id, oldest first."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, StoredResponse] = OrderedDict()
        self._size = 0
        self._tasks: set[asyncio.Task[None]] = set()  # also of those that are forgotten

    def keep(self, response: StoredResponse) -> None:
        """Keep one, and forget the oldest where there is no room."""
        id_ = response.dialect.id_of(response.meta)
        self._forget(id_)
        self._kept[id_] = response
        self._size += response.size
        while self._size > MOST:
            self._forget(next(iter(self._kept)))

    def start(self, response: StoredResponse, making: Coroutine[None, None, None]) -> "asyncio.Task[None]":
        """Make it in the background, and keep it."""
        response.task = task = asyncio.create_task(making)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self.keep(response)
        return task

    def of(self, id_: str) -> StoredResponse:
        """The response with this id, or ProviderError(404)."""
        if id_ not in self._kept:
            # The code is null on the wire.
            raise ProviderError(404, "unknown_url", f"Response with id '{id_}' not found.")
        return self._kept[id_]

    def delete(self, id_: str) -> None:
        """Forget it, or ProviderError(404)."""
        self.of(id_)
        self._forget(id_)

    def continued(self, question: Question, body: bytes) -> Question:
        """The question with the tokens of the response that it continues, and with the calls that are left after those
        of the whole conversation; ProviderError(400) when that response is not kept.
        """
        storage = question.storage
        if storage is None or storage.previous is None:
            return question
        before = self._kept.get(storage.previous)
        if before is None or before.ended not in ("completed", "incomplete"):
            message = f"Previous response with id '{storage.previous}' not found."
            raise ProviderError(400, "previous_response_not_found", message, param="previous_response_id")
        tokens = before.meta.question.prompt_tokens + before.meta.tokens
        question = question._replace(prompt_tokens=question.prompt_tokens + tokens)
        if question.form.calls:
            calls = before.dialect.calls_after(body, self._conversation(before))
            question = question._replace(form=question.form._replace(calls=calls))
        return question

    def _conversation(self, last: StoredResponse) -> list[Json]:
        """What was asked and answered up to this response, as far back as it is kept."""
        items: list[Json] = []
        response: StoredResponse | None = last
        while response is not None:
            dialect, meta, storage = response.dialect, response.meta, response.meta.question.storage
            items = [*dialect.items(meta), *dialect.output(meta, response.choices), *items]
            response = self._kept.get(storage.previous) if storage is not None and storage.previous else None
        return items

    def _forget(self, id_: str) -> None:
        if (old := self._kept.pop(id_, None)) is not None:
            self._size -= old.size
