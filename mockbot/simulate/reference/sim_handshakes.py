"""TLS handshakes with one provider in virtual time: which attempts need a new connection, and what fault that meets.

A user's connection is kept for KEEP_ALIVE after an answer, as in the live crowd; an attempt on it meets no handshake.
"""

import math
from collections.abc import Sequence
from random import Random

from mockbot.clients.policy import KEEP_ALIVE
from mockbot.evidence.records import Outcome
from mockbot.faults.effects import Handshake
from mockbot.scenario.timeline import ActiveFault
from mockbot.simulate.reference.sim_user import User

# After these an HTTP message is complete, so its connection can carry the next one.
COMPLETE: frozenset[Outcome] = frozenset({"ok", "http_error", "rate_limited", "blank", "error_event", "truncated"})


class Handshakes:
    """`faults`: those that hold now, in the order of the file; the first that hits a handshake is the only one.

    `over_tls`: whether there is any; else no connections are remembered.
    """

    def __init__(self, seed: str, *, over_tls: bool) -> None:
        self.faults: Sequence[ActiveFault] = ()
        self._over_tls = over_tls
        self._rng = Random(f"{seed}/handshakes")
        self._idle_since: dict[User, float] = {}

    def ended(self, user: User, outcome: Outcome, now: float) -> None:
        """An attempt of this user is over."""
        if outcome not in COMPLETE:
            self._idle_since.pop(user, None)
        elif self._over_tls:
            self._idle_since[user] = now

    def met(self, user: User, now: float) -> tuple[str, Handshake] | None:
        """The fault (its id and effect) that this user's next attempt meets; None: the connection is open or opens."""
        if not self.faults or now - self._idle_since.get(user, -math.inf) <= KEEP_ALIVE:
            return None
        for active in self.faults:
            effect = active.span.fault.effect()
            if isinstance(effect, Handshake) and self._rng.random() < active.share:
                return active.span.id, effect
        return None
