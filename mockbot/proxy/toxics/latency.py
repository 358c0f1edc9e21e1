"""latency: each chunk leaves `latency` ± `jitter` milliseconds after it arrived, in order, without slowing the stream.

Delays run from the moment of arrival, so chunks 50 ms apart stay 50 ms apart, and two latencies add. An EOF with
nothing in front of it is not delayed (Toxiproxy 2.12.0, toxics/latency.go). One difference: there a chunk that waited
behind another gets its wait counted twice by a second latency toxic and leaves early; here both delays are whole.
"""

from dataclasses import dataclass
from typing import ClassVar

from mockbot.proxy.timers import EARLY
from mockbot.proxy.toxics.base import INPUT, Chunk, Effect, Pipe, Signal, Stub, moment


@dataclass(frozen=True, slots=True)
class Latency(Effect):
    """`latency` and `jitter` in milliseconds; a negative sum is no delay."""

    type: ClassVar[str] = "latency"
    capacity: ClassVar[int] = 1024

    latency: int = 0
    jitter: int = 0

    def delay(self, stub: Stub) -> float:
        """Seconds; jitter is a whole number of milliseconds in [-jitter, jitter - 1]."""
        jitter = stub.rng.randrange(-self.jitter, self.jitter) if self.jitter > 0 else 0
        return (self.latency + jitter) / 1000

    def pipe(self, stub: Stub) -> Pipe:
        while True:
            match (yield INPUT):
                case Chunk() as chunk:
                    due = chunk.stamp + self.delay(stub)
                    if due > stub.now() + EARLY:  # otherwise it leaves at once
                        stub.touched()
                        if (yield moment(due, emits=True)) is Signal.INTERRUPT:
                            return stub.emit(chunk)
                    stub.emit(Chunk(max(due, chunk.stamp), chunk.data))
                case Signal.EOF:
                    return stub.close()
                case _:
                    return
