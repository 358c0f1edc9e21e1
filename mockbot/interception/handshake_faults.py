"""What is wrong with the TLS handshakes at one provider: faults of the driver in, what the next handshake meets out."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Literal

from pydantic import TypeAdapter

# RFC 8446, 5.1 and 6.2: a record of type alert (21), version 3.3, 2 bytes: fatal (2), handshake_failure (40).
HANDSHAKE_FAILURE = bytes([21, 3, 3, 0, 2, 2, 40])


@dataclass(frozen=True, slots=True)
class HandshakeFault:
    """One fault; `delay`, of slow, in wall seconds; `share` of the handshakes."""

    id: str
    how: Literal["expired", "wrong_host", "slow", "refused"]
    delay: float
    share: float


FAULTS = TypeAdapter(tuple[HandshakeFault, ...])


class Handshakes:
    """`faults`: in the order of the file; the first that hits a handshake is the only one. `felt`: handshakes hit."""

    def __init__(self, seed: str) -> None:
        self.faults: tuple[HandshakeFault, ...] = ()
        self.felt = Counter[str]()
        self._rng = Random(seed)

    def next(self) -> HandshakeFault | None:
        """The fault of the handshake that begins now; it counts as felt."""
        for fault in self.faults:
            if self._rng.random() < fault.share:
                self.felt[fault.id] += 1
                return fault
        return None

    def state(self) -> Mapping[str, object]:
        """For the control API."""
        return {"faults": [fault.id for fault in self.faults], "felt": self.felt}
