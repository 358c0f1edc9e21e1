"""reset_peer: the first chunk, or the EOF, is dropped, and `timeout` milliseconds later the connection is closed.

With a TCP reset if the toxic was there when the connection was made: then SO_LINGER 0 is set on both sockets, whatever
the roll (Toxiproxy 2.12.0, link.go); added later it closes with an ordinary EOF. Unlike there the wait can be
interrupted: a removal lets the chunk go on, an update starts the wait again.
"""

from dataclasses import dataclass
from typing import ClassVar

from mockbot.proxy.toxics.base import INPUT, Chunk, Effect, Pipe, Signal, Stub, moment


@dataclass(frozen=True, slots=True)
class ResetPeer(Effect):
    """`timeout` in milliseconds."""

    type: ClassVar[str] = "reset_peer"

    timeout: int = 0

    def pipe(self, stub: Stub) -> Pipe:
        event = yield INPUT
        if event is Signal.INTERRUPT:
            return
        if isinstance(event, Chunk):  # a connection that ends without data loses nothing
            stub.touched()
        if self.timeout > 0 and (yield moment(stub.now() + self.timeout / 1000)) is Signal.INTERRUPT:
            if isinstance(event, Chunk):
                stub.unread(event)
            return
        stub.close()
