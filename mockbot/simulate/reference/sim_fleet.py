"""A provider of several replicas in virtual time: which replica a user's attempt reaches, by the live service's rule.

Each new connection goes to the replicas in turn, past those that have crashed; a user keeps a connection between its
attempts, and all of these reach the same replica. A connection ends with an attempt that was not answered whole, with
the crash of its replica, and over TLS after KEEP_ALIVE.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from mockbot.clients.policy import KEEP_ALIVE
from mockbot.dialects.dialect import Dialect
from mockbot.evidence.records import Outcome, ServiceSecond
from mockbot.scenario.timeline import ActiveFault
from mockbot.service.chatbot import Chatbot
from mockbot.service.merged_seconds import merged
from mockbot.service.turns import Turns
from mockbot.simulate.reference.event_queue import EventQueue
from mockbot.simulate.reference.sim_handshakes import COMPLETE
from mockbot.simulate.reference.sim_provider import Clients, SimProvider
from mockbot.simulate.reference.sim_user import IdleConnection, User


class SimFleet:
    """The replicas of one provider. Each is a `SimProvider`, which its attempts call from then on."""

    def __init__(
        self, events: EventQueue, chatbot: Callable[[], Chatbot], replicas: int, dialect: Dialect, clients: Clients,
        seed: int, *, over_tls: bool = False,
    ) -> None:  # fmt: skip
        self._events, self._over_tls = events, over_tls
        self._turns = Turns(replicas)
        self._lives = [0] * replicas  # how often each has ended all its connections
        self._replicas: list[SimProvider] = []
        for index in range(replicas):
            each = chatbot()
            each.as_replica(index + 1)
            ended = partial(self._free, index)
            self._replicas.append(SimProvider(events, each, dialect, clients, seed, over_tls=over_tls, ended=ended))
        self._name = self._replicas[0].chatbot.name

    def set_faults(self, faults: Sequence[ActiveFault]) -> None:
        """Exactly these hold from now on, each at its replica or at all of them."""
        for index, replica in enumerate(self._replicas):
            was_gone = replica.gone
            replica.set_faults([each for each in faults if each.span.fault.hits_replica(index + 1)])
            if replica.gone and not was_gone:
                self._lives[index] += 1
            self._turns.set_up(index, up=not replica.chatbot.down)

    def reached_by(self, user: User) -> SimProvider:
        """The replica at the end of the user's idle connection, or of a new one."""
        idle, now = user.idle.get(self._name, []), self._events.now
        while idle:
            replica, life, since = idle.pop()
            if life == self._lives[replica] and (not self._over_tls or now - since <= KEEP_ALIVE):
                return self._replicas[replica]
        return self._replicas[self._turns.next()]

    def _free(self, index: int, user: User, outcome: Outcome) -> None:
        """An attempt is over, and its connection can carry the next one, or is closed."""
        if outcome in COMPLETE:
            kept = IdleConnection(index, self._lives[index], self._events.now)
            user.idle.setdefault(self._name, []).append(kept)

    def seconds(self, since: int) -> Iterator[ServiceSecond]:
        """The complete seconds of all of them together, from `since` on."""
        return merged([replica.seconds(since) for replica in self._replicas])
