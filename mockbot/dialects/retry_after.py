"""Retry-After on the wire: seconds to wait in, whole seconds out. Pure.

The header holds whole seconds (RFC 9110 section 10.2.3): rounded up, so that a client that obeys is not early, and at
least one. A wait that exceeds a whole second by a rounding error of floats is that second.
"""

import math


def whole_seconds(wait: float) -> int:
    """The value of the header; the fast engine compiles this function too."""
    return max(1, math.ceil(wait - 1e-9))
