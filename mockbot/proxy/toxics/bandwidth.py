"""bandwidth: data leaves at `rate` KB/s (1 KB = 1000 bytes), per connection and direction, each chunk after its time.

A chunk of more than 100 ms worth leaves in pieces of 100 ms. There is no credit for idle time. Rate 0 lets nothing
pass, and holds the EOF behind the data that it holds (Toxiproxy 2.12.0, toxics/bandwidth.go).
"""

import math
from collections.abc import Generator
from dataclasses import dataclass
from typing import ClassVar

from mockbot.proxy.timers import EARLY
from mockbot.proxy.toxics.base import INPUT, Chunk, Effect, Event, Pipe, Signal, Stub, Wait, moment

PIECE = 0.1  # seconds


@dataclass(frozen=True, slots=True)
class Bandwidth(Effect):
    """`rate` in KB/s."""

    type: ClassVar[str] = "bandwidth"

    rate: int = 0

    def refusal(self) -> str | None:
        """A negative rate ends the whole process of Toxiproxy 2.12.0 (slice bounds out of range)."""
        return "bandwidth: rate must not be negative" if self.rate < 0 else None

    def pipe(self, stub: Stub) -> Pipe:
        free = stub.now()  # when the line has sent what came before
        while True:
            match (yield INPUT):
                case Chunk() as chunk:
                    now = stub.now()
                    # A chunk that was waiting may start a little in the past: a late timer must not lower the rate.
                    start = free if chunk.stamp <= free and now - free < PIECE else now
                    free = start + len(chunk.data) / (self.rate * 1000) if self.rate else math.inf
                    if free > now + EARLY:  # otherwise it leaves at once
                        stub.touched()
                    if not (yield from self._send(stub, chunk, start, free)):
                        return
                case Signal.EOF:
                    return stub.close()
                case _:
                    return

    def _send(self, stub: Stub, chunk: Chunk, start: float, end: float) -> Generator[Wait, Event, bool]:
        """Emit the chunk between start and end, in pieces; on an interrupt the rest at once. False: interrupted."""
        stamp, data = chunk
        size = int(self.rate * 1000 * PIECE)
        piece = 1
        while len(data) > size:
            if (yield moment(start + piece * PIECE if size else math.inf, emits=True)) is Signal.INTERRUPT:
                stub.emit(Chunk(stamp, data))
                return False
            stub.emit(Chunk(stamp, data[:size]))
            data = data[size:]
            piece += 1
        interrupted = (yield moment(end, emits=True)) is Signal.INTERRUPT
        stub.emit(Chunk(stamp, data))
        return not interrupted
