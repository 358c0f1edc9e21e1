"""Retry-After on the wire: scenario seconds to wait in, whole seconds or header lines out. Pure.

The header holds whole seconds (RFC 9110 section 10.2.3): rounded up, so that a client that obeys is not early, and at
least one. A wait that exceeds a whole second by a rounding error of floats is that second. When time is compressed,
`retry-after-ms`, which SDKs prefer, is sent beside it.
"""

import math

from mockbot.dialects.dialect import Header


def whole_seconds(wait: float) -> int:
    """The value of the header; the fast engine compiles this function too."""
    return max(1, math.ceil(wait - 1e-9))


def retry_headers(retry_after: float | None, speed: float) -> list[Header]:
    """In wall time; no header without a wait."""
    if retry_after is None:
        return []
    wall = retry_after / speed
    whole = [(b"retry-after", b"%d" % whole_seconds(wall))]
    return whole if speed == 1 else [*whole, (b"retry-after-ms", b"%d" % max(1, math.ceil(wall * 1000)))]
