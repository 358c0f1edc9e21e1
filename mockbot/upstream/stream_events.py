"""Cut a stream into its events and count the answer's tokens: chunks as they come in, whole events out. Pure.

A fault within an answer acts between two events, wherever the chunks end. Tokens are what the dialect's reader counts:
the events that hold text. Of a stream that no dialect knows, every chunk is an event and a token.
"""

import re
from collections.abc import Iterator

from mockbot.dialects.stream_readers import Reader

_BLANK_LINE = re.compile(rb"\r?\n\r?\n")  # the end of a server-sent event (WHATWG HTML, 9.2)


class StreamEvents:
    """One stream; `reader` None: of an API that no dialect knows."""

    def __init__(self, reader: Reader | None) -> None:
        self._reader, self._held = reader, b""
        self._first = 0 if reader is None else reader.wanted  # bytes that begin an event that does not come in lines

    def feed(self, chunk: bytes) -> Iterator[tuple[bytes, bool]]:
        """The events that this chunk completes, each with whether it is a token."""
        reader = self._reader
        if reader is None:
            yield chunk, True
            return
        self._held += chunk
        while length := self._complete():
            event, self._held = self._held[:length], self._held[length:]
            tokens = reader.tokens
            reader.part(event, 0.0)
            yield event, reader.tokens > tokens

    def rest(self) -> bytes:
        """What is left of an event whose end has not come."""
        held, self._held = self._held, b""
        return held

    def _complete(self) -> int:
        """The length of the first event that is there as a whole; 0: none is."""
        if first := self._first:  # which are its length
            length = int.from_bytes(self._held[:first]) if len(self._held) >= first else 0
            return length if first <= length <= len(self._held) else 0
        end = _BLANK_LINE.search(self._held)
        return 0 if end is None else end.end()
