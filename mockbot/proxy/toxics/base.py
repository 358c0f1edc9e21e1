"""What a toxic is: given chunks and the time, it decides what leaves its stage and when. No socket, no clock, no task.

A toxic's `pipe` is a generator, one run per stage. It yields a `Wait` (for input, for a moment, or for whichever comes
first) and is sent what happened: a `Chunk`, or one of `Signal`. Three rules keep Toxiproxy's semantics:

- on `INTERRUPT` (the chain is changing) emit or `unread` whatever is held, and return at once;
- on `EOF` return after `stub.close()`; nothing leaves a closed stage;
- call `stub.touched()` when, and only when, the traffic really was changed: verdicts count the connections hit.

    inbox --> [ pipe: yield Wait -> Chunk | Signal ] --> stub.emit(chunk) / stub.close()
"""

from abc import ABC, abstractmethod
from collections.abc import Generator
from dataclasses import dataclass
from enum import Enum, auto
from random import Random
from typing import ClassVar, NamedTuple, Protocol


class Chunk(NamedTuple):
    """Bytes and the moment they arrived (seconds, monotonic); a toxic that delays moves the moment on."""

    stamp: float
    data: bytes


class Signal(Enum):
    """What can happen to a pipe other than a chunk."""

    EOF = auto()  # the source has ended and everything before its end has been handled
    TIME = auto()  # the moment waited for has come
    INTERRUPT = auto()  # the toxic is updated or removed, or the stage after it changes: return now


class Wait(NamedTuple):
    """What a pipe waits for: the next chunk or EOF, the moment `until`, or the first of the two.

    A chunk, and a moment at which the pipe emits one, come only when the next stage has room.
    """

    input: bool
    until: float | None = None
    emits: bool = False


Event = Chunk | Signal
Pipe = Generator[Wait, Event, None]

INPUT = Wait(input=True)


def moment(when: float, *, emits: bool = False) -> Wait:
    """Wait for a moment only; input stays in the inbox."""
    return Wait(input=False, until=when, emits=emits)


class Stub(Protocol):
    """What a pipe may do: the stage it runs on."""

    passed: int
    """A counter that survives updates of the toxic: how many bytes `limit_data` has let through on this connection."""

    @property
    def rng(self) -> Random: ...

    def now(self) -> float: ...

    def emit(self, chunk: Chunk) -> None: ...

    def unread(self, chunk: Chunk) -> None:
        """Put a chunk back to the front of the inbox: the next run, or the release at removal, finds it there."""

    def close(self) -> None: ...

    def touched(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Effect(ABC):
    """The attributes of one toxic type (its fields: int64 on the wire, 0 when not given) and what it does with them."""

    type: ClassVar[str]
    capacity: ClassVar[int] = 2
    """Chunks that may wait in front of it before the source is paused (Toxiproxy 2.12.0: 0, and 1024 for latency)."""
    closes_when_removed: ClassVar[bool] = False

    def refusal(self) -> str | None:
        """Why these attributes cannot be used, or None. Only what makes no sense; Toxiproxy checks nothing at all."""
        return None

    @abstractmethod
    def pipe(self, stub: Stub) -> Pipe: ...
