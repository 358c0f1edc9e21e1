"""The wire to one provider in virtual time: the toxics that are active, and the connections that they act on.

Connections (`sim_connection.py`) exist only while a toxic is active; attempts that are under way when the first one
begins get a connection then.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mockbot.clock import Clock
from mockbot.dialects.dialect import AnswerMetadata, Dialect, Question
from mockbot.faults.union import Down
from mockbot.proxy.toxic import Direction, Toxic
from mockbot.proxy.toxics import effect_type
from mockbot.scenario.timeline import ActiveFault
from mockbot.simulate.reference.sim_attempt import SimAttempt
from mockbot.simulate.reference.sim_connection import CHUNKED, SimConnection
from mockbot.testbed.toxic_mapping import toxic_of

if TYPE_CHECKING:
    from mockbot.simulate.reference.sim_provider import SimProvider


class Sizes:
    """How many bytes the parts of an answer have, as its dialect writes them."""

    def __init__(self, dialect: Dialect) -> None:
        stream = dialect.stream(AnswerMetadata(Question("mockbot"), 0, 0, 60, cut_short=False))
        self.opening = len(stream.opening()) + CHUNKED
        self.event = len(stream.words("")) + CHUNKED
        self.word = 5  # bytes of a token, its blank included
        self.closing = len(stream.closing()) + 2 * CHUNKED
        self.error = 200 + CHUNKED  # an error event, or one that is no JSON
        self.body = 300  # of an error answer


class Wire:
    """What is wrong between the clients and one provider."""

    def __init__(self, provider: "SimProvider", seed: str) -> None:
        self.provider, self.seed = provider, seed
        self.sizes = Sizes(provider.dialect)
        self.down = False
        self.toxics: dict[str, Toxic] = {}
        self._opened = 0
        self._connections: dict[SimConnection, None] = {}

    def set(self, faults: Sequence[ActiveFault], under_way: Sequence[SimAttempt]) -> None:  # noqa: C901 - steps in order
        """Exactly these wire faults hold from now on; ends come first, as the driver sends them."""
        wanted = {active.span.id: active for active in faults if not isinstance(active.span.fault, Down)}
        for name in [name for name in self.toxics if name not in wanted]:
            gone = self.toxics.pop(name)
            for connection in list(self._connections):
                connection.links[gone.direction].remove(gone)
        for name, active in wanted.items():
            if name not in self.toxics:
                self._add(active, under_way)
            elif (toxic := self.toxics[name]).toxicity != active.share:
                toxic.toxicity = active.share
                for connection in list(self._connections):
                    connection.links[toxic.direction].update(toxic)
        if not self.toxics:  # from now on new attempts need no connection; those in use are kept until they are idle
            self._connections = {each: None for each in self._connections if not each.idle}
        was_down, self.down = self.down, any(isinstance(active.span.fault, Down) for active in faults)
        if self.down and not was_down:
            for connection in list(self._connections):
                connection.abort()
            for attempt in under_way:
                self.provider.report(attempt, "reset")
                self.provider.abandon(attempt)

    def _add(self, active: ActiveFault, under_way: Sequence[SimAttempt]) -> None:
        for attempt in under_way:
            if attempt.connection is None and not attempt.over:
                self._connect(attempt)
        spec = toxic_of(active, Clock(0.0, 1.0))
        effect = effect_type(spec.type)
        if effect is None:
            raise TypeError(f"{spec.type} is not a toxic")
        toxic = Toxic(spec.name, spec.stream, Direction(spec.stream), spec.toxicity, effect(**spec.attributes))
        self.toxics[toxic.name] = toxic
        for connection in list(self._connections):
            connection.links[toxic.direction].add(toxic)

    def _connect(self, attempt: SimAttempt) -> None:
        """A connection for an attempt whose request has arrived and whose answer is still to come."""
        connection = self._new_connection(attempt)
        connection.take(attempt)
        if attempt.answer is not None and attempt.delivery is None:
            self.provider.catch_up(attempt)
            self.provider.deliver(attempt, attempt.tokens)
            self.provider.start_timeout(attempt)
        elif attempt.delivery is not None:
            attempt.delivery.catch_up()
            attempt.delivery.receiver = connection
            attempt.delivery.wake()

    def carry(self, attempt: SimAttempt) -> None:
        """Send an attempt over its user's connection, or a new one."""
        connection = attempt.prompt.user.connections.get(attempt.send.provider)
        if connection is None or not connection.idle or connection not in self._connections:
            connection = self._new_connection(attempt)
        connection.request(attempt)

    def _new_connection(self, attempt: SimAttempt) -> SimConnection:
        self._opened += 1
        connection = SimConnection(self, self._opened)
        self._connections[connection] = None
        attempt.prompt.user.connections[attempt.send.provider] = connection
        return connection

    def forget(self, connection: SimConnection) -> None:
        """It is closed at both ends."""
        self._connections.pop(connection, None)
