"""slicer: each chunk leaves in pieces of about `average_size` ± `size_variation` bytes, `delay` µs after one another.

The cut is Toxiproxy's (2.12.0, toxics/slicer.go): halve, with a jittered middle, until a piece is small enough. The
delay follows every piece, the last too. Pieces are due at fixed steps from the first, so that a timer's millisecond
does not stretch a delay of microseconds.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import ClassVar

from mockbot.proxy.toxics.base import INPUT, Chunk, Effect, Pipe, Signal, Stub, moment


@dataclass(frozen=True, slots=True)
class Slicer(Effect):
    """`average_size` and `size_variation` in bytes, `delay` in microseconds."""

    type: ClassVar[str] = "slicer"

    average_size: int = 0
    size_variation: int = 0
    delay: int = 0

    def refusal(self) -> str | None:
        """Both ends of this check end the whole process of Toxiproxy 2.12.0 (stack overflow, slice bounds)."""
        if self.average_size < 1:
            return "slicer: average_size must be at least 1"
        if self.size_variation >= self.average_size:
            return "slicer: size_variation must be less than average_size"
        return None

    def cut(self, start: int, end: int, rng: Random) -> Iterator[int]:
        """The end offset of each piece of [start, end)."""
        if end - start - self.average_size <= self.size_variation:
            yield end
            return
        middle = start + (end - start) // 2
        if self.size_variation > 0:
            middle += rng.randrange(-self.size_variation, self.size_variation)
        yield from self.cut(start, middle, rng)
        yield from self.cut(middle, end, rng)

    def pipe(self, stub: Stub) -> Pipe:
        while True:
            match (yield INPUT):
                case Chunk() as chunk:
                    ends = list(self.cut(0, len(chunk.data), stub.rng))
                    if len(ends) > 1 or self.delay > 0:
                        stub.touched()
                    start, due = 0, stub.now()
                    for end in ends:
                        stub.emit(Chunk(chunk.stamp, chunk.data[start:end]))
                        start, due = end, due + self.delay / 1_000_000
                        if (yield moment(due)) is Signal.INTERRUPT:
                            return stub.emit(Chunk(chunk.stamp, chunk.data[start:])) if start < ends[-1] else None
                case Signal.EOF:
                    return stub.close()
                case _:
                    return
