"""The wire to one provider in virtual time: the toxics that are active, and the connections that they act on.

Connections (`sim_connection.py`) exist only while a toxic is active; attempts that are under way when the first one
begins get a connection then.
"""

from collections.abc import Sequence

from mockbot.dialects.dialect import Dialect
from mockbot.faults.effects import ClosedPort
from mockbot.faults.effects import Toxic as ToxicEffect
from mockbot.proxy.toxic import Direction, Toxic
from mockbot.proxy.toxics import effect_type
from mockbot.scenario.timeline import ActiveFault
from mockbot.simulate.reference.sim_attempt import Server, SimAttempt
from mockbot.simulate.reference.sim_connection import Shared, SimConnection
from mockbot.simulate.reference.sim_user import User


class Wire:
    """What is wrong between the clients and one provider."""

    def __init__(self, server: Server, dialect: Dialect, seed: str) -> None:
        self._shared = Shared(server, dialect, seed)
        self.toxics = self._shared.toxics
        self.down = False
        self._opened = 0
        self._latest: dict[User, SimConnection] = {}  # of each user, for its next attempt

    def set(self, faults: Sequence[ActiveFault]) -> None:  # noqa: C901 - steps in order
        """Exactly these wire faults hold from now on; ends come first, as the driver sends them."""
        connections = self._shared.connections
        effects = [(active, active.span.fault.effect()) for active in faults]
        wanted = {active.span.id: (active, effect) for active, effect in effects if isinstance(effect, ToxicEffect)}
        for name in [name for name in self.toxics if name not in wanted]:
            gone = self.toxics.pop(name)
            for connection in list(connections):
                connection.links[gone.direction].remove(gone)
        for name, (active, effect) in wanted.items():
            if name not in self.toxics:
                self._add(active, effect)
            elif (toxic := self.toxics[name]).toxicity != active.share:
                toxic.toxicity = active.share
                for connection in list(connections):
                    connection.links[toxic.direction].update(toxic)
        if not self.toxics:  # from now on new attempts need no connection; those in use are kept until they are idle
            for connection in [each for each in connections if each.idle]:
                del connections[connection]
            self._latest = {user: each for user, each in self._latest.items() if each in connections}
        self.down = any(isinstance(effect, ClosedPort) for _, effect in effects)
        if self.down:
            for connection in list(connections):
                connection.abort()

    def _add(self, active: ActiveFault, effect: ToxicEffect) -> None:
        pipe = effect_type(effect.type)
        if pipe is None:
            raise TypeError(f"{effect.type} is not a toxic")
        attributes, direction = effect.attributes(speed=1.0), Direction(effect.stream)
        toxic = Toxic(active.span.id, effect.stream, direction, active.share, pipe(**attributes))
        self.toxics[toxic.name] = toxic
        for connection in list(self._shared.connections):
            connection.links[toxic.direction].add(toxic)

    def carry(self, attempt: SimAttempt, *, reachable: bool) -> None:
        """Send an attempt over its user's connection, or a new one."""
        connection = self._latest.get(attempt.prompt.user)
        if connection is None or not connection.idle or connection not in self._shared.connections:
            connection = self.connect(attempt.prompt.user)
        connection.request(attempt, reachable=reachable)

    def connect(self, user: User) -> SimConnection:
        """A new connection of this user."""
        self._opened += 1
        connection = SimConnection(self._shared, self._opened)
        self._shared.connections[connection] = None
        self._latest[user] = connection
        return connection
