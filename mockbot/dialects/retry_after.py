"""Retry-After on the wire: scenario seconds to wait in, header lines out, and back. Pure.

The header holds whole seconds (RFC 9110 section 10.2.3): rounded up, so that a client that obeys is not early, and at
least one. A wait that exceeds a whole second by a rounding error of floats is that second. When time is compressed,
`retry-after-ms`, which SDKs prefer, is sent beside it. An HTTP-date has whole seconds, too, and is sent alone, as
`retry-after-ms` is when a scenario wants it (Azure sends it so).
"""

import math
from collections.abc import Callable
from contextlib import suppress
from email.utils import formatdate, parsedate_to_datetime

from mockbot.dialects.dialect import Header
from mockbot.units.quantities import WaitForm


def whole_seconds(wait: float) -> int:
    """The value of the header; the fast engine compiles this function too."""
    return max(1, math.ceil(wait - 1e-9))


def retry_headers(retry_after: float | None, speed: float, form: WaitForm, now: float) -> list[Header]:
    """In wall time, from `now` (Unix time) on; no header without a wait."""
    if retry_after is None:
        return []
    wall = retry_after / speed
    if form == "date":
        return [(b"retry-after", formatdate(math.ceil(now + wall), usegmt=True).encode())]
    exact = (b"retry-after-ms", b"%d" % max(1, math.ceil(wall * 1000)))
    if form == "ms":
        return [exact]
    whole = (b"retry-after", b"%d" % whole_seconds(wall))
    return [whole] if speed == 1 else [whole, exact]


def wait_in(header: Callable[[str], str | None], now: float) -> float | None:
    """Wall seconds from `now` (Unix time) on; as SDKs read it, `retry-after-ms` counts first."""
    milliseconds, text = _number(header("retry-after-ms")), header("retry-after")
    if milliseconds is not None:
        return milliseconds / 1000
    seconds = _number(text)
    if seconds is None and text is not None:
        with suppress(ValueError):  # neither a number nor a date: as if there were no header
            seconds = max(0.0, parsedate_to_datetime(text).timestamp() - now)
    return seconds


def _number(text: str | None) -> float | None:
    try:
        return max(0.0, float(text)) if text is not None else None
    except ValueError:
        return None
