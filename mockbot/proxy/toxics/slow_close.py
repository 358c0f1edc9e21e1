"""slow_close: data passes; the end of the stream in this direction is held for `delay` milliseconds.

An update starts the wait again and a removal ends it (Toxiproxy 2.12.0, toxics/slow_close.go): the stage remembers that
its input has ended, so a new run meets the EOF again.
"""

from dataclasses import dataclass
from typing import ClassVar

from mockbot.proxy.toxics.base import INPUT, Chunk, Effect, Pipe, Signal, Stub, moment


@dataclass(frozen=True, slots=True)
class SlowClose(Effect):
    """`delay` in milliseconds."""

    type: ClassVar[str] = "slow_close"

    delay: int = 0

    def pipe(self, stub: Stub) -> Pipe:
        while True:
            match (yield INPUT):
                case Chunk() as chunk:
                    stub.emit(chunk)
                case Signal.EOF:
                    if self.delay > 0:
                        stub.touched()
                        if (yield moment(stub.now() + self.delay / 1000)) is Signal.INTERRUPT:
                            return
                    return stub.close()
                case _:
                    return
