"""Read the events of OpenAI's chat and completions: chunks with choices, then `[DONE]`; the first choice is read."""

import json
from typing import Any

from mockbot.dialects.stream_readers import EventReader

DONE = b"data: [DONE]\n\n"


class ChunkReader(EventReader):
    """A subclass says where a choice has its text."""

    __slots__ = ()

    def data(self, data: bytes, now: float) -> None:
        if data == b"[DONE]":
            self.over = True
        elif "error" in (chunk := json.loads(data)):
            self.fail("error_event")
        else:
            for choice in chunk["choices"]:  # the usage chunk has none
                if choice.get("index", 0) == 0:  # the words of others come in between
                    self.words(choice, now)
                    self.finished = self.finished or choice.get("finish_reason") is not None

    def words(self, choice: Any, now: float) -> None:
        """Take the text of a choice's next piece; may raise one of NOT_PROMISED."""
        raise NotImplementedError
