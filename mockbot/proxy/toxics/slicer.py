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
        """Both ends the whole process of Toxiproxy 2.12.0: a single byte that is halved for ever (stack overflow), and
        a middle outside of what it halves (slice bounds), which takes a variation of two more than the average.
        """
        if self.average_size + self.size_variation < 1:
            return "slicer: average_size + size_variation must be at least 1"
        if self.size_variation > self.average_size + 1:
            return "slicer: size_variation must be at most average_size + 1"
        return None

    def cut(self, size: int, rng: Random) -> Iterator[int]:
        """The end offset of each piece of `size` bytes, as they are asked for."""
        start, ends = 0, [size]
        while ends:
            end = ends[-1]
            if end - start - self.average_size <= self.size_variation:
                start = end
                yield ends.pop()
                continue
            middle = start + (end - start) // 2
            if self.size_variation > 0:
                middle += rng.randrange(-self.size_variation, self.size_variation)
            ends.append(middle)

    def pipe(self, stub: Stub) -> Pipe:
        while True:
            match (yield INPUT):
                case Chunk(stamp, data):
                    start, due, size = 0, stub.now(), len(data)
                    for end in self.cut(size, stub.rng):
                        if end < size or self.delay > 0:
                            stub.touched()
                        stub.emit(Chunk(stamp, data[start:end]))
                        start, due = end, due + self.delay / 1_000_000
                        if (yield moment(due, emits=True)) is Signal.INTERRUPT:
                            return stub.emit(Chunk(stamp, data[start:])) if start < size else None
                case Signal.EOF:
                    return stub.close()
                case _:
                    return
