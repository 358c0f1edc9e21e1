"""limit_data: the first `bytes` bytes pass, cut inside a chunk if need be; then the connection is closed.

The count is the connection's, from the moment the toxic reached it, and survives updates; reaching the limit exactly
closes at once (Toxiproxy 2.12.0, toxics/limit_data.go).
"""

from dataclasses import dataclass
from typing import ClassVar

from mockbot.proxy.toxics.base import INPUT, Chunk, Effect, Pipe, Signal, Stub


@dataclass(frozen=True, slots=True)
class LimitData(Effect):
    """`bytes` in bytes."""

    type: ClassVar[str] = "limit_data"

    bytes: int = 0

    def pipe(self, stub: Stub) -> Pipe:
        while True:
            match (yield INPUT):
                case Chunk() as chunk:
                    data = chunk.data[: max(0, self.bytes - stub.passed)]
                    if data:
                        stub.emit(Chunk(chunk.stamp, data))
                        stub.passed += len(data)
                    if stub.passed >= self.bytes:
                        stub.touched()
                        return stub.close()
                case Signal.EOF:
                    return stub.close()
                case _:
                    return
