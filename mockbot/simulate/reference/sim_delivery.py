"""The delivery of an admitted answer in virtual time: the steps of `service.delivery_script` on the run's event queue.

A stream sends every token when it is due, a silence holds back what follows it, a plain answer comes whole when its
slot is free. An answer without faults on a wire without faults needs no delivery: `sim_provider.py` reports it whole.
"""

from collections.abc import Callable, Iterator
from typing import Protocol

from mockbot.evidence.records import Outcome
from mockbot.faults.effects import End, Silence
from mockbot.service.capacity import Capacity
from mockbot.service.chatbot import Answer, Chatbot
from mockbot.service.delivery_script import script
from mockbot.simulate.reference.event_queue import EventQueue, Timer

_ROUNDING = 1e-9  # scenario seconds, or work: a moment that is past but for the rounding of floats


class Receiver(Protocol):
    """Where an answer is delivered: its client's attempt, or the connection that leads to it."""

    one_by_one: bool  # every token is reported when it comes; otherwise several at once, with their times

    def opened(self) -> None:
        """The response has begun."""

    def hear(self, count: int, first: float, last: float, gap: float) -> None:
        """`count` more tokens, the first and last of them at these moments, at most `gap` apart."""

    def ended(self, outcome: Outcome, status: int = 200, retry_after: float | None = None) -> None:
        """Nothing more comes, and this is the outcome; "reset": the connection is torn down."""


class SimDelivery:
    """Delivers one answer to one receiver. Call `wake` when the answer's state has changed.

    The steps are a generator that yields the moment at which it has to go on; None: when it is woken.
    """

    __slots__ = (
        "_answer", "_chatbot", "_events", "_failed_within", "_free", "_leave", "_out", "_stalled", "_steps", "_stopped",
        "_stream", "_timer", "receiver",
    )  # fmt: skip

    def __init__(
        self, events: EventQueue, chatbot: Chatbot, leave: Callable[[Answer], None], answer: Answer, receiver: Receiver,
        *, stream: bool, out: int = 0, failed_within: int = 500,
    ) -> None:  # fmt: skip
        self._events, self._chatbot, self._leave = events, chatbot, leave
        self._answer, self.receiver, self._stream = answer, receiver, stream
        self._out, self._failed_within = out, failed_within  # tokens delivered; `status_within` of the dialect
        self._free = events.now  # since when no silence holds it back
        self._timer: Timer | None = None
        self._stalled = self._stopped = False
        self._steps = self._play()

    def wake(self) -> None:
        """Take the next step, if there is one."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._stopped:
            return
        try:
            until = next(self._steps)
        except StopIteration:
            self._stopped = True
            return
        if until is not None and not self._stopped:
            self._timer = self._events.after(until - self._events.now, self.wake)

    def stop(self) -> None:
        """The client is gone."""
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()

    def catch_up(self) -> None:
        """Deliver what is due by now, before the receiver's state is read."""
        if not self._stopped and not self._stalled and self._answer.state == "running":
            self._deliver(0, self._answer.tokens)

    def _play(self) -> Iterator[float | None]:
        answer, malformed = self._answer, False
        while answer.state == "waiting" or (answer.state == "running" and not self._stream):
            yield None
        self._free = max(self._free, answer.begun)
        for step in script(answer):
            if self._stream:
                yield from self._deliver_to(step.upto)
            if step.fault is not None:
                self._chatbot.felt(step.fault, self._events.now)
            if isinstance(step.then, Silence):
                yield from self._hold(step.then)
            elif isinstance(step.then, End):
                token = step.then.not_before
                while self._stream and token > self._out and (due := self._due(token)) > self._events.now + _ROUNDING:
                    yield due
                return self._end(step.then.outcome, malformed)
            elif self._stream:  # its client gives up when it reads this
                return self._end("malformed")
            else:
                malformed = True

    def _end(self, outcome: Outcome, malformed: bool = False) -> None:
        self._stopped = True  # the calls below may wake it
        cut = outcome in {"reset", "closed"}
        if cut:
            self._leave(self._answer)
        if outcome == "error_event" and not self._stream and self._failed_within >= 400:
            self.receiver.ended("http_error", self._failed_within)
        else:
            malformed = malformed or (outcome == "truncated" and not self._stream)
            self.receiver.ended("malformed" if malformed and not cut else outcome)

    def _hold(self, silence: Silence) -> Iterator[float | None]:
        self._stalled = True
        if silence.keepalive and self._stream:
            self.receiver.opened()
        ends = None if silence.seconds is None else self._events.now + silence.seconds
        while ends is None or self._events.now < ends - _ROUNDING:
            yield ends
        self._free, self._stalled = self._events.now, False

    def _deliver_to(self, upto: int) -> Iterator[float]:
        while self._out < upto:
            target = self._out + 1 if self.receiver.one_by_one else upto
            if (due := self._due(target)) > self._events.now + _ROUNDING:
                yield due
            else:
                self._deliver(target, upto)

    def _deliver(self, least: int, most: int) -> None:
        """The tokens that are out by now, each at its own moment, or at the end of the silence that held it back."""
        answer, capacity = self._answer, self._chatbot.capacity
        due = min(most, max(least, tokens_due(answer, capacity, self._events.now)))
        before, self._out = self._out, max(self._out, due)
        if due > before:
            first, last = due_at(answer, capacity, before + 1), due_at(answer, capacity, due)
            gap = (last - first) / (due - before - 1) if due - before > 1 else 0.0
            free = self._free
            self.receiver.hear(due - before, max(free, first), max(free, last), min(gap, max(0.0, last - free)))

    def _due(self, token: int) -> float:
        """When a token will be out; now when the answer is over."""
        running = self._answer.state == "running"
        return due_at(self._answer, self._chatbot.capacity, token) if running else self._events.now


def tokens_due(answer: Answer, capacity: Capacity, now: float) -> int:
    """How many tokens are due by now, of an answer that has got a slot; all of them when it has ended."""
    if answer.state != "running":
        return answer.tokens
    return min(answer.tokens, answer.pace.due(capacity.progress(answer, now) + _ROUNDING))


def due_at(answer: Answer, capacity: Capacity, token: int) -> float:
    """When token k = 1, 2, ... is or was due, as things stand."""
    return answer.moment(token) if answer.state != "running" else capacity.reaches(answer, answer.pace.at(token))
