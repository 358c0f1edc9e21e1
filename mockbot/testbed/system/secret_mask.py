"""Replace secrets in a stream of bytes, however it is split into chunks. Pure: chunks in, chunks out.

A line is passed on when its end has come. A line that has no end yet is passed on up to what could be the beginning of
a secret, once it is long.
"""

import json
import re
from collections.abc import Iterable
from urllib.parse import quote

MASK = b"***"
SHORTEST = 4  # characters; to mask shorter values would mask the words of a log
_LONG_LINE = 64 * 1024  # bytes


class SecretMask:
    """Masks each secret as it is, as a part of a URL, and as a JSON string."""

    def __init__(self, secrets: Iterable[str]) -> None:
        lines = {line for secret in secrets for line in secret.splitlines() if len(line) >= SHORTEST}
        forms = {form.encode() for line in lines for form in (line, quote(line, safe=""), json.dumps(line)[1:-1])}
        ordered = sorted(forms, key=len, reverse=True)  # a secret that contains another one is masked whole
        self._pattern = re.compile(b"|".join(map(re.escape, ordered)) or rb"(?!)")
        self._longest = max(map(len, forms), default=1)
        self._held = b""

    def feed(self, chunk: bytes) -> bytes:
        """What can be passed on now."""
        self._held += chunk
        end = self._held.rfind(b"\n") + 1
        if not end and len(self._held) > _LONG_LINE:
            end = len(self._held) - self._longest  # a secret that is not whole yet begins after it
            end = min([end, *(found.start() for found in self._pattern.finditer(self._held) if found.end() > end)])
        out, self._held = self._held[:end], self._held[end:]
        return self._pattern.sub(MASK, out)

    def flush(self) -> bytes:
        """The rest, at the end of the stream."""
        out, self._held = self._held, b""
        return self._pattern.sub(MASK, out)
