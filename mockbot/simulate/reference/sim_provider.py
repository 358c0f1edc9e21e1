"""One provider as its clients reach it, in virtual time: the wire to it, its chatbot, and the answers on their way.

    open(exchange)      a client sends an attempt         crowd.ended(exchange, outcome) when it knows what became of it
    hang_up(exchange)   the client gives it up
    set_faults(...)     exactly these hold from now on

The chatbot is the one that the live service drives. An answer without flaws on a wire without faults is told to its
client in one go when it is complete; anything else is spoken (`voice.py`), over a cable if something is wrong with the
wire (`wire.py`).
"""

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from mockbot.dialects.dialect import Dialect, Reason
from mockbot.evidence.records import Outcome, ServiceSecond
from mockbot.scenario.timeline import ActiveFault
from mockbot.service.chatbot import Answer, Chatbot
from mockbot.service.job import Job, Refused
from mockbot.simulate.reference.event_queue import EventQueue
from mockbot.simulate.reference.sim_attempt import Listener, SimAttempt
from mockbot.simulate.reference.sim_delivery import SimDelivery
from mockbot.simulate.reference.sim_wire import Wire

if TYPE_CHECKING:
    from mockbot.simulate.reference.sim_crowd import SimCrowd


class Direct:
    """A wire without faults: what is spoken is heard at once."""

    fine = False
    __slots__ = ("_desk", "_exchange")

    def __init__(self, desk: "SimProvider", exchange: SimAttempt) -> None:
        self._desk, self._exchange = desk, exchange

    def opened(self) -> None:
        """As `Listener`."""
        self._exchange.status = 200

    def hear(self, count: int, first: float, last: float, gap: float) -> None:
        """As `Listener`."""
        self._exchange.hear(count, first, last, gap)

    def ended(self, outcome: Outcome) -> None:
        """As `Listener`."""
        self._exchange.status = 200
        self._desk.tell(self._exchange, outcome)

    def failed(self, status: int, retry_after: float | None) -> None:
        """As `Listener`."""
        self._desk.tell_failure(self._exchange, status, retry_after)

    def reset(self) -> None:
        """As `Listener`."""
        self._desk.tell(self._exchange, "reset")


class SimProvider:
    """One provider at work."""

    def __init__(self, agenda: EventQueue, chatbot: Chatbot, dialect: Dialect, crowd: "SimCrowd", seed: int) -> None:
        self.agenda, self.chatbot, self.dialect = agenda, chatbot, dialect
        self._crowd = crowd
        self._capacity = chatbot.capacity
        self._wakes = math.inf  # the earliest moment at which `_wake` is on the agenda
        self._shares = chatbot.provider.answer.slowdown_from is not None
        self._told: dict[Reason, int] = {}
        self._under_way: dict[SimAttempt, None] = {}  # in order, so that runs repeat
        self.wire = Wire(self, f"{seed}/{chatbot.name}")

    # -- faults --------------------------------------------------------------------------------------------------

    def set_faults(self, service: Sequence[ActiveFault], wire: Sequence[ActiveFault]) -> None:
        """Exactly these hold from now on."""
        was_down = self.chatbot.down
        self.chatbot.set_faults(service, self.agenda.now)
        self._look()
        if self.chatbot.down and not was_down:
            for exchange in list(self._under_way):
                self._lose(exchange)
        self.wire.set(wire, list(self._under_way))

    def _lose(self, exchange: SimAttempt) -> None:
        """The server's end of a connection is gone."""
        if exchange.cable is not None:
            exchange.cable.server_gone()
        else:
            self.tell(exchange, "reset")

    def felt(self, fault: str) -> None:
        """A fault has really hit a request."""
        self.chatbot.felt(fault, self.agenda.now)

    # -- attempts ------------------------------------------------------------------------------------------------

    def open(self, exchange: SimAttempt) -> None:
        """A client sends an attempt."""
        if self.wire.down:
            self._crowd.ended(exchange, "refused")
            return
        self._under_way[exchange] = None
        if self.wire.plain:
            self.serve(exchange)
        else:
            self.wire.carry(exchange)

    def serve(self, exchange: SimAttempt) -> None:
        """The whole request has reached the server."""
        chatbot, asking = self.chatbot, exchange.asking
        if chatbot.down:
            self._lose(exchange)
            return
        outcome = chatbot.ask(asking.user.caller, asking.mark, self.agenda.now, self.dialect.path)
        if isinstance(outcome, Answer):
            exchange.answer, outcome.owner = outcome, exchange
            if outcome.stream_faults or exchange.cable is not None:
                self.speak(exchange)
            if outcome.state == "running":
                self._come_back()
            else:
                self._look()
        elif isinstance(outcome, Refused):
            self._turn_away(exchange, outcome.reason, outcome.retry_after)
        else:
            self._respond(exchange, outcome.status, outcome.retry_after)

    def is_sure(self, exchange: SimAttempt, by: float) -> bool:
        """Only a crash, or a fault of the wire, can keep this attempt from being answered by then."""
        answer = exchange.answer
        if answer is None or answer.state != "running" or exchange.voice is not None or self._shares:
            return False
        return answer.begun + answer.work <= by

    def speak(self, exchange: SimAttempt, out: int = 0) -> None:
        """From now on this answer is told token by token; `out` of them are."""
        listener: Listener = exchange.cable or Direct(self, exchange)
        if exchange.answer is not None:
            stream = exchange.asking.user.part.group.stream
            exchange.voice = SimDelivery(self, exchange.answer, listener, stream=stream, out=out)
            exchange.voice.wake()

    def hang_up(self, exchange: SimAttempt) -> None:
        """Its client has closed the connection."""
        self._under_way.pop(exchange, None)
        if exchange.cable is not None:
            exchange.cable.client_gone()
        else:
            self.abandon(exchange)

    def abandon(self, exchange: SimAttempt) -> None:
        """The server has seen that its client is gone."""
        if exchange.voice is not None:
            exchange.voice.hush()
        if exchange.answer is not None:
            self.leave(exchange.answer)

    def leave(self, answer: Answer) -> None:
        """Nobody is there for this answer any more."""
        self._capacity.leave(answer, self.agenda.now)
        self._look()

    def catch_up(self, exchange: SimAttempt) -> None:
        """Let the client know what has come by now; it may have been answered by that."""
        self._look()
        if exchange.over:
            return
        if exchange.voice is not None:
            exchange.voice.catch_up()
        elif exchange.answer is not None and exchange.asking.user.part.group.stream:
            self._hear_so_far(exchange, exchange.answer)

    # -- what the client learns ----------------------------------------------------------------------------------

    def give_time(self, exchange: SimAttempt) -> None:
        """What was sure is so no more: its client looks at the clock again."""
        self._crowd.give_time(exchange)

    def tell(self, exchange: SimAttempt, outcome: Outcome) -> None:
        """The client knows what became of its attempt."""
        self._under_way.pop(exchange, None)
        if not exchange.over:
            if outcome == "malformed" and exchange.cable is None:
                self.abandon(exchange)  # it closes the connection on seeing this
            self._crowd.ended(exchange, outcome)

    def tell_failure(self, exchange: SimAttempt, status: int, retry_after: float | None) -> None:
        """The client has read an error answer."""
        exchange.status, exchange.retry_after = status, on_the_wire(retry_after)
        self.tell(exchange, "rate_limited" if status == 429 else "http_error")

    def _turn_away(self, exchange: SimAttempt, reason: Reason, retry_after: float | None) -> None:
        if reason not in self._told:
            self._told[reason] = self.dialect.refusal(reason, None).status
        self._respond(exchange, self._told[reason], retry_after)

    def _respond(self, exchange: SimAttempt, status: int, retry_after: float | None) -> None:
        if exchange.cable is not None:
            exchange.cable.failed(status, retry_after)
        else:
            self.tell_failure(exchange, status, retry_after)

    # -- what happens by itself ----------------------------------------------------------------------------------

    def _wake(self, at: float) -> None:
        if at == self._wakes:  # otherwise something earlier came up, and was seen to
            self._wakes = math.inf
            self._look()

    def _look(self) -> None:
        """Hear of everything due by now, and come back for what is next."""
        for job in self._capacity.advance(self.agenda.now):
            self._changed(job)
        self._come_back()

    def _come_back(self) -> None:
        at = self._capacity.next_event()
        if at < self._wakes:
            self._wakes = at
            self.agenda.at(at, self._wake, at)

    def _changed(self, job: Job) -> None:
        exchange = job.owner
        if not isinstance(exchange, SimAttempt) or exchange.over:
            return
        match job.state:
            case "running" | "done" if exchange.voice is not None:
                exchange.voice.wake()
            case "done":
                self._answered(exchange)
            case "expired":
                self._turn_away(exchange, "max_wait", self.chatbot.provider.retry_after)
            case "displaced":
                self._turn_away(exchange, "displaced", self.chatbot.provider.retry_after)
            case _:
                pass  # lost: the crash tells; left: the client knows

    def _answered(self, exchange: SimAttempt) -> None:
        answer = exchange.answer
        exchange.status = 200
        if answer is not None and exchange.asking.user.part.group.stream:
            exchange.first, exchange.tokens = answer.moment(1), answer.tokens
            if answer.tokens > 1:
                exchange.worst_gap = (answer.ended - exchange.first) / (answer.tokens - 1)
        self.tell(exchange, "ok")

    def _hear_so_far(self, exchange: SimAttempt, answer: Answer) -> None:
        if answer.state == "running":
            progress = self._capacity.progress(answer, self.agenda.now)
            out = min(answer.tokens, answer.pace.due(progress + 1e-9))
            if out:
                first = self._capacity.reaches(answer, answer.pace.at(1))
                last = self._capacity.reaches(answer, answer.pace.at(out))
                exchange.status, exchange.tokens, exchange.first, exchange.last = 200, out, first, last
                exchange.worst_gap = (last - first) / (out - 1) if out > 1 else None

    def seconds(self, since: int) -> Iterator[ServiceSecond]:
        """The complete seconds from `since` on."""
        self._look()
        return self.chatbot.stats.seconds(since)


def on_the_wire(retry_after: float | None) -> float | None:
    """Retry-After is whole seconds, at least one (RFC 9110 section 10.2.3), and a simulated run has speed 1."""
    return None if retry_after is None else float(max(1, math.ceil(retry_after - 1e-9)))
