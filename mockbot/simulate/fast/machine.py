"""Turn functions into machine code, once for each of them: numba behind three typed decorators.

Arrays are never kept or made in here, so they are not reference-counted (`_nrt`), which is half of the speed; a
division by zero is infinite, as in numpy. What is called at every event is `small`: a call would copy the shapes of all
arrays.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, Final, TypeVar, cast

import numba
import numpy as np

_F = TypeVar("_F", bound=Callable[..., Any])
_MACHINE: Final[Callable[..., Any]] = partial(
    cast("Callable[..., Any]", numba.njit), cache=True, error_model="numpy", no_cfunc_wrapper=True, _nrt=False
)


def compiled(function: _F) -> _F:
    """Called by compiled code only."""
    return cast("_F", _MACHINE(function, no_cpython_wrapper=True))


def small(function: _F) -> _F:
    """The same, and put into whatever calls it."""
    return cast("_F", _MACHINE(function, no_cpython_wrapper=True, forceinline=True))


def entry(function: _F) -> _F:
    """Called by Python; other threads go on meanwhile, so that an interruption is heard."""
    return cast("_F", _MACHINE(function, nogil=True))


@small
def whole(number: Any) -> int:
    """A number of an array as the one type that functions take, so that each of them is compiled once."""
    return np.int64(number)  # type: ignore[return-value]
