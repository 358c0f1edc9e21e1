"""The wire to one provider in virtual time: which toxics hold, and the connections that they hold for.

Only while something is wrong with it are there cables (`cable.py`), one for each connection; attempts that are under
way when it begins get one then.
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

_NOW = Clock(0.0, 1.0)


def _toxic(active: ActiveFault) -> Toxic:
    asked = toxic_of(active, _NOW)
    effect = effect_type(asked.type)
    if effect is None:
        raise TypeError(f"{asked.type} is not a toxic")
    return Toxic(asked.name, asked.stream, Direction(asked.stream), asked.toxicity, effect(**asked.attributes))


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

    def __init__(self, desk: "SimProvider", seed: str) -> None:
        self.desk, self.seed = desk, seed
        self.sizes = Sizes(desk.dialect)
        self.down = False
        self.toxics: dict[str, Toxic] = {}
        self.opened = 0
        self._cables: dict[SimConnection, None] = {}
        self._downs: set[str] = set()

    @property
    def plain(self) -> bool:
        """Nothing is wrong with it."""
        return not self.toxics

    def set(self, faults: Sequence[ActiveFault], under_way: Sequence[SimAttempt]) -> None:
        """Exactly these wire faults hold from now on; ends come first, as the driver sends them."""
        wanted = {active.span.id: active for active in faults if not isinstance(active.span.fault, Down)}
        for name in [name for name in self.toxics if name not in wanted]:
            gone = self.toxics.pop(name)
            for cable in list(self._cables):
                cable.links[gone.direction].remove(gone)
        for name, active in wanted.items():
            if name not in self.toxics:
                self._add(_toxic(active), under_way)
            elif (toxic := self.toxics[name]).toxicity != active.share:
                toxic.toxicity = active.share
                for cable in list(self._cables):
                    cable.links[toxic.direction].update(toxic)
        if self.plain:
            self._cables = {cable: None for cable in self._cables if not cable.idle}
        self._disable(faults, under_way)

    def _disable(self, faults: Sequence[ActiveFault], under_way: Sequence[SimAttempt]) -> None:
        was = self.down
        self.down = any(isinstance(active.span.fault, Down) for active in faults)
        if not self.down or was:
            return
        for cable in list(self._cables):
            cable.abort()
        for exchange in under_way:
            self.desk.tell(exchange, "reset")
            self.desk.abandon(exchange)

    def _add(self, toxic: Toxic, under_way: Sequence[SimAttempt]) -> None:
        for exchange in under_way:
            if exchange.cable is None and not exchange.over:
                self._lay(exchange)
        self.toxics[toxic.name] = toxic
        for cable in list(self._cables):
            cable.links[toxic.direction].add(toxic)

    def carry(self, exchange: SimAttempt) -> None:
        """Send an attempt over its user's connection, or a new one."""
        cables: dict[str, SimConnection] = exchange.asking.user.cables
        cable = cables.get(exchange.provider)
        if cable is None or not cable.idle or cable not in self._cables:
            cable = self._cable()
            cables[exchange.provider] = cable
        cable.request(exchange)

    def _lay(self, exchange: SimAttempt) -> None:
        """A cable for an attempt whose request has arrived and whose answer is still to come."""
        cable = self._cable()
        exchange.asking.user.cables[exchange.provider] = cable
        cable.take(exchange)
        if exchange.answer is not None and exchange.voice is None:
            self.desk.catch_up(exchange)
            self.desk.speak(exchange, exchange.tokens)
            self.desk.give_time(exchange)
        elif exchange.voice is not None:
            exchange.voice.catch_up()
            exchange.voice.listener = cable
            exchange.voice.wake()

    def _cable(self) -> SimConnection:
        self.opened += 1
        cable = SimConnection(self, self.opened)
        self._cables[cable] = None
        return cable

    def forget(self, cable: SimConnection) -> None:
        """It is closed at both ends."""
        self._cables.pop(cable, None)
