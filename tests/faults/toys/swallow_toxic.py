"""swallow: the toxic of the fault of that name."""

from dataclasses import dataclass
from typing import ClassVar

from mockbot.proxy.toxics.base import INPUT, Chunk, Effect, Pipe, Signal, Stub


@dataclass(frozen=True, slots=True)
class Swallow(Effect):
    """`after` in bytes."""

    type: ClassVar[str] = "swallow"

    after: int = 0

    def pipe(self, stub: Stub) -> Pipe:
        while True:
            match (yield INPUT):
                case Chunk(stamp, data):
                    passes = data[: max(0, self.after - stub.passed)]
                    stub.passed += len(passes)
                    if passes:
                        stub.emit(Chunk(stamp, passes))
                    if len(passes) < len(data):
                        stub.touched()
                case Signal.EOF:
                    return stub.close()
                case _:
                    return
