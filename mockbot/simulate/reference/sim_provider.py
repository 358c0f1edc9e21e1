"""One provider as its clients reach it, in virtual time: the wire to it, its chatbot, and the answers on their way.

    open(attempt)       a client sends an attempt; clients.ended(attempt, outcome) follows when the client knows it
    hang_up(attempt)    the client gives it up
    set_faults(...)     exactly these hold from now on

The chatbot is the one that the live service drives. An answer without faults on a wire without faults is reported to
its client once, when it is complete. Anything else is delivered token by token (`sim_delivery.py`), over a connection
if the wire has a fault (`sim_wire.py`).
"""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from mockbot.dialects.dialect import Dialect, Reason, status_within
from mockbot.evidence.records import Outcome, ServiceSecond
from mockbot.faults.base import ToxicFault
from mockbot.scenario.timeline import ActiveFault
from mockbot.service.chatbot import Answer, Chatbot
from mockbot.service.job import REFUSED_LATE, Job, Refused
from mockbot.simulate.reference.event_queue import EventQueue
from mockbot.simulate.reference.sim_attempt import SimAttempt
from mockbot.simulate.reference.sim_delivery import SimDelivery, due_at, tokens_due
from mockbot.simulate.reference.sim_handshakes import Handshakes
from mockbot.simulate.reference.sim_user import User
from mockbot.simulate.reference.sim_wire import Wire


class Clients(Protocol):
    """The clients, as a provider calls them back."""

    def ended(self, attempt: SimAttempt, outcome: Outcome) -> None:
        """The outcome of an attempt is known."""

    def start_timeout(self, attempt: SimAttempt) -> None:
        """The attempt is no longer sure to be answered in time: it is abandoned when its time is over."""


class SimProvider:
    """One provider at work: the `Server` of its attempts."""

    def __init__(
        self, events: EventQueue, chatbot: Chatbot, dialect: Dialect, clients: Clients, seed: int,
        *, over_tls: bool = False, ended: Callable[[User, Outcome], None] = lambda _user, _outcome: None,
    ) -> None:  # fmt: skip
        self.events, self.chatbot, self._dialect, self._clients = events, chatbot, dialect, clients
        self._ended = ended  # with it the connection that carried an attempt is free, or closed
        self._capacity = chatbot.capacity
        self._next_update = math.inf  # the earliest moment at which `_update_at` is in the event queue
        self._slows_down = chatbot.provider.answer.slowdown_from is not None
        self._refusal_statuses: dict[Reason, int] = {}
        self._under_way: dict[SimAttempt, None] = {}  # in order, so that runs repeat
        self._wire = Wire(self, dialect, f"{seed}/{chatbot.name}")
        self._handshakes = Handshakes(f"{seed}/{chatbot.name}", over_tls=over_tls)

    @property
    def gone(self) -> bool:
        """It has crashed, or its port is closed: no connection to it is open."""
        return self.chatbot.down or self._wire.down

    def reached_by(self, user: User) -> "SimProvider":  # noqa: ARG002 - its replicas differ in that
        """What a user's next attempt reaches."""
        return self

    def set_faults(self, faults: Sequence[ActiveFault]) -> None:
        """Exactly these hold from now on."""
        wire = [active for active in faults if active.span.fault.layer == "wire"]
        self._handshakes.faults = [active for active in faults if active.span.fault.layer == "tls"]
        was_down = self.chatbot.down
        self.chatbot.set_faults([active for active in faults if active.span.fault.layer == "service"], self.events.now)
        self._update()
        if self.chatbot.down and not was_down:
            for attempt in list(self._under_way):
                self._lose(attempt)
        if any(isinstance(active.span.fault, ToxicFault) for active in wire):
            for attempt in list(self._under_way):
                if attempt.connection is None and not attempt.over:
                    self._connect(attempt)
        was_down = self._wire.down
        self._wire.set(wire)
        if self._wire.down and not was_down:
            for attempt in list(self._under_way):
                self.report(attempt, "reset")
                self.abandon(attempt)

    def _connect(self, attempt: SimAttempt) -> None:
        """A connection for an attempt whose request has arrived and whose answer is still to come."""
        connection = self._wire.connect(attempt.prompt.user)
        connection.take(attempt)
        if attempt.delivery is not None:
            attempt.delivery.catch_up()
            attempt.delivery.receiver = connection
            attempt.delivery.wake()
        elif attempt.answer is not None:
            self.catch_up(attempt)
            self._deliver(attempt, attempt.answer, out=attempt.tokens)
            self._clients.start_timeout(attempt)

    def _lose(self, attempt: SimAttempt) -> None:
        """The server's end of a connection is gone."""
        if attempt.connection is not None:
            attempt.connection.close_server(reset=True)
        else:
            self.report(attempt, "reset")

    def felt(self, fault: str) -> None:
        self.chatbot.felt(fault, self.events.now)

    # -- attempts ------------------------------------------------------------------------------------------------

    def open(self, attempt: SimAttempt) -> None:
        """A client sends an attempt."""
        if self._wire.down:
            self._clients.ended(attempt, "refused")
            return
        self._under_way[attempt] = None
        if (met := self._handshakes.met(attempt.prompt.user, self.events.now)) is None:
            self._carry(attempt)
            return
        fault, handshake = met
        self.felt(fault)
        if handshake.how == "slow":
            self.events.at(self.events.now + handshake.delay, self._carry, attempt)
        else:
            self.report(attempt, "tls_error")

    def _carry(self, attempt: SimAttempt) -> None:
        """Its connection is open: send the request."""
        if attempt.over or attempt not in self._under_way:
            return
        if self._wire.toxics:
            self._wire.carry(attempt, reachable=not self.chatbot.down)
        else:
            self.serve(attempt)

    def serve(self, attempt: SimAttempt) -> None:
        chatbot, prompt = self.chatbot, attempt.prompt
        if chatbot.down:
            self._lose(attempt)
            return
        outcome = chatbot.ask(prompt.user.caller, prompt.mark, self.events.now, self._dialect.path)
        if isinstance(outcome, Answer):
            attempt.answer, outcome.owner = outcome, attempt
            if outcome.stream_faults or attempt.connection is not None:
                self._deliver(attempt, outcome)
            if outcome.state == "running":
                self._schedule_update()
            else:
                self._update()
            return
        if self._capacity.has_changes:  # capacity that ramps was read again, and has let somebody in
            self._update()
        if isinstance(outcome, Refused):
            self._refuse(attempt, outcome.reason, outcome.retry_after)
        else:
            attempt.told = outcome.answer
            self._fail(attempt, outcome.answer.status, outcome.retry_after)

    def is_sure(self, attempt: SimAttempt, by: float) -> bool:
        """Only a crash, or a fault of the wire, can keep this attempt from being answered by then."""
        answer = attempt.answer
        if answer is None or answer.state != "running" or attempt.delivery is not None or self._slows_down:
            return False
        return answer.begun + answer.work <= by

    def _deliver(self, attempt: SimAttempt, answer: Answer, out: int = 0) -> None:
        """From now on this answer is reported token by token; `out` of them are."""
        stream, receiver = attempt.prompt.user.group.spec.stream, attempt.connection or attempt
        attempt.delivery = SimDelivery(
            self.events, self.chatbot, self._leave, answer, receiver,
            stream=stream, out=out, failed_within=status_within(self._dialect),
        )  # fmt: skip
        attempt.delivery.wake()

    def hang_up(self, attempt: SimAttempt) -> None:
        """Its client has closed the connection."""
        self._free(attempt.prompt.user, "timeout")
        self._under_way.pop(attempt, None)
        if attempt.connection is not None:
            attempt.connection.close_client()
        else:
            self.abandon(attempt)

    def abandon(self, attempt: SimAttempt) -> None:
        if attempt.delivery is not None:
            attempt.delivery.stop()
        if attempt.answer is not None:
            self._leave(attempt.answer)

    def _leave(self, answer: Answer) -> None:
        """No client waits for this answer any more."""
        self._capacity.leave(answer, self.events.now)
        self._update()

    def catch_up(self, attempt: SimAttempt) -> None:
        """Report to the client what has come by now; that may settle the attempt."""
        self._update()
        answer = attempt.answer
        if attempt.over or answer is None:
            return
        if attempt.delivery is not None:
            attempt.delivery.catch_up()
        elif attempt.prompt.user.group.spec.stream and answer.state == "running":
            out = tokens_due(answer, self._capacity, self.events.now)
            if out:
                first, last = due_at(answer, self._capacity, 1), due_at(answer, self._capacity, out)
                attempt.status, attempt.tokens, attempt.first, attempt.last = 200, out, first, last
                attempt.worst_gap = (last - first) / (out - 1) if out > 1 else None

    # -- what the client learns ----------------------------------------------------------------------------------

    def report(self, attempt: SimAttempt, outcome: Outcome) -> None:
        self._under_way.pop(attempt, None)
        self._free(attempt.prompt.user, outcome)
        if not attempt.over:
            if outcome == "malformed" and attempt.connection is None:
                self.abandon(attempt)  # the client closes the connection when it reads this
            self._clients.ended(attempt, outcome)

    def _free(self, user: User, outcome: Outcome) -> None:
        self._handshakes.ended(user, outcome, self.events.now)
        self._ended(user, outcome)

    def _refuse(self, attempt: SimAttempt, reason: Reason, retry_after: float | None) -> None:
        if reason not in self._refusal_statuses:
            self._refusal_statuses[reason] = self._dialect.refusal(reason, None).status
        self._fail(attempt, self._refusal_statuses[reason], retry_after)

    def _fail(self, attempt: SimAttempt, status: int, retry_after: float | None) -> None:
        outcome: Outcome = "rate_limited" if status == 429 else "http_error"
        (attempt.connection or attempt).ended(outcome, status, retry_after)

    # -- the capacity model's own events -------------------------------------------------------------------------

    def _update(self) -> None:
        """Report every change of the capacity model that is due by now, and schedule the next update."""
        for job in self._capacity.advance(self.events.now):
            self._report_change(job)
        self._schedule_update()

    def _schedule_update(self) -> None:
        # Later entries stay in the queue and do nothing: a heap has no cheap removal.
        at = self._capacity.next_event()
        if at < self._next_update:
            self._next_update = at
            self.events.at(at, self._update_at, at)

    def _update_at(self, at: float) -> None:
        if at == self._next_update:  # otherwise an earlier update replaced this one
            self._next_update = math.inf
            self._update()

    def _report_change(self, job: Job) -> None:
        attempt = job.owner
        if not isinstance(attempt, SimAttempt) or attempt.over:
            return
        match job.state:
            case "running" | "done" if attempt.delivery is not None:
                attempt.delivery.wake()
            case "done":
                answer = attempt.answer
                if answer is not None and attempt.prompt.user.group.spec.stream:
                    attempt.first, attempt.tokens = answer.moment(1), answer.tokens
                    if answer.tokens > 1:
                        attempt.worst_gap = (answer.ended - attempt.first) / (answer.tokens - 1)
                attempt.ended("ok")
            case "expired" | "displaced" as state:
                self._refuse(attempt, REFUSED_LATE[state], self.chatbot.provider.retry_after)
            case _:
                pass  # "lost" is reported by the crash; of "left" the client knows

    def seconds(self, since: int) -> Iterator[ServiceSecond]:
        """The complete seconds from `since` on."""
        self._update()
        return self.chatbot.stats.seconds(since)
