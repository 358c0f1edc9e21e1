"""timeout: all data is dropped, and the connection is closed after `timeout` milliseconds without any.

Every dropped chunk starts the wait again. With 0 the connection just hangs. An EOF of the source passes. Removing the
toxic closes the connections it held, since their data is gone (Toxiproxy 2.12.0, toxics/timeout.go).
"""

from dataclasses import dataclass
from typing import ClassVar

from mockbot.proxy.toxics.base import INPUT, Chunk, Effect, Pipe, Signal, Stub, Wait


@dataclass(frozen=True, slots=True)
class Timeout(Effect):
    """`timeout` in milliseconds; 0 and less: for ever."""

    type: ClassVar[str] = "timeout"
    closes_when_removed: ClassVar[bool] = True

    timeout: int = 0

    def pipe(self, stub: Stub) -> Pipe:
        while True:
            wait = Wait(input=True, until=stub.now() + self.timeout / 1000) if self.timeout > 0 else INPUT
            match (yield wait):
                case Chunk():
                    stub.touched()
                case Signal.TIME:
                    stub.touched()
                    return stub.close()
                case Signal.EOF:
                    return stub.close()
                case Signal.INTERRUPT:
                    return
