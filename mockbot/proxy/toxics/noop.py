"""noop: everything passes. Toxiproxy lists it among the toxics, so clients may add one."""

from dataclasses import dataclass
from typing import ClassVar

from mockbot.proxy.toxics.base import INPUT, Chunk, Effect, Pipe, Signal, Stub


@dataclass(frozen=True, slots=True)
class Noop(Effect):
    """No attributes."""

    type: ClassVar[str] = "noop"

    def pipe(self, stub: Stub) -> Pipe:
        while True:
            match (yield INPUT):
                case Chunk() as chunk:
                    stub.emit(chunk)
                case Signal.EOF:
                    return stub.close()
                case _:
                    return
