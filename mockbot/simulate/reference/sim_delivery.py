"""The delivery of an admitted answer in virtual time: token by token, with the flaws that faults put into it.

The rules are those of `service/delivery.py` in wall time: a stream sends every token when it is due, a stall holds back
what follows it, a plain answer comes whole when its slot is free. Flaws act on the delivery only; the slot belongs to
the capacity model. An answer without flaws on a wire without faults needs no delivery: `sim_provider.py` reports it
whole.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mockbot.faults.specs import StallSpec
from mockbot.faults.union import BlankAnswer, Cut, ErrorEvent, MalformedEvent, Stall
from mockbot.service.active_faults import StreamFault
from mockbot.service.chatbot import Answer
from mockbot.simulate.reference.event_queue import Timer
from mockbot.simulate.reference.sim_attempt import Receiver

if TYPE_CHECKING:
    from mockbot.simulate.reference.sim_provider import SimProvider

_SOON = 1e-9  # a moment that is past by rounding only


class SimDelivery:
    """Delivers one answer to one receiver. Call `wake` when the answer's state has changed.

    The steps are a generator that yields the moment at which it has to go on; None: when it is woken.
    """

    __slots__ = (
        "_answer", "_events", "_free", "_out", "_provider", "_stalled", "_steps", "_stopped", "_timer", "receiver",
    )  # fmt: skip

    def __init__(
        self, provider: "SimProvider", answer: Answer, receiver: Receiver, *, stream: bool, out: int = 0
    ) -> None:
        self._provider, self._answer, self.receiver = provider, answer, receiver
        self._events = provider.events
        self._out = out  # tokens delivered
        self._free = self._events.now  # since when no stall holds it back
        self._timer: Timer | None = None
        self._stalled = self._stopped = False
        self._steps: Iterator[float | None] = self._stream() if stream else self._whole()

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

    # -- a stream ------------------------------------------------------------------------------------------------

    def _stream(self) -> Iterator[float | None]:
        answer = self._answer
        while answer.state == "waiting":
            yield None
        self._free = max(self._free, answer.begun)
        for flaw in answer.stream_faults:
            if flaw.after_tokens > answer.tokens:
                break
            yield from self._deliver_to(flaw.after_tokens)
            self._provider.felt(flaw.fault)
            if isinstance(flaw.what, Stall):
                yield from self._stall(flaw.what.stall)
            elif isinstance(flaw.what, BlankAnswer):
                while (due := self._due(1)) > self._events.now + _SOON:
                    yield due
                return self.receiver.ended("blank")
            else:
                return self._break_off(flaw)
        yield from self._deliver_to(answer.tokens)
        self.receiver.ended("ok")

    def _break_off(self, flaw: StreamFault) -> None:
        self._stopped = True  # the calls below may wake it
        match flaw.what:
            case Cut(cut=spec) if spec.how == "reset":
                self._provider.leave(self._answer)
                self.receiver.reset()
            case Cut():
                self.receiver.ended("truncated")
            case ErrorEvent():
                self.receiver.ended("error_event")
            case MalformedEvent():
                self.receiver.ended("malformed")

    def _stall(self, spec: StallSpec) -> Iterator[float | None]:
        self._stalled = True
        if spec.sends == "keepalive":
            self.receiver.opened()
        ends = None if spec.resumes is None else self._events.now + spec.resumes
        while ends is None or self._events.now < ends - _SOON:
            yield ends
        self._free, self._stalled = self._events.now, False

    def _deliver_to(self, upto: int) -> Iterator[float]:
        while self._out < upto:
            target = self._out + 1 if self.receiver.one_by_one else upto
            if (due := self._due(target)) > self._events.now + _SOON:
                yield due
            else:
                self._deliver(target, upto)

    def _deliver(self, least: int, most: int) -> None:
        """The tokens that are out by now, each at its own moment, or at the end of the stall that held it back."""
        answer, due = self._answer, most
        if answer.state == "running":
            progress = self._provider.chatbot.capacity.progress(answer, self._events.now)
            due = min(most, max(least, answer.pace.due(progress + _SOON)))
        before, self._out = self._out, max(self._out, due)
        if due > before:
            first, last = self._moment(before + 1), self._moment(due)
            gap = (last - first) / (due - before - 1) if due - before > 1 else 0.0
            free = self._free
            self.receiver.hear(due - before, max(free, first), max(free, last), min(gap, max(0.0, last - free)))

    def _due(self, token: int) -> float:
        """When a token will be out; now when the answer is over."""
        return self._moment(token) if self._answer.state == "running" else self._events.now

    def _moment(self, token: int) -> float:
        """When a token is or was out, by the present pace."""
        answer = self._answer
        if answer.state != "running":
            return answer.moment(token)
        return self._provider.chatbot.capacity.reaches(answer, answer.pace.at(token))

    # -- a plain answer ------------------------------------------------------------------------------------------

    def _whole(self) -> Iterator[float | None]:
        answer, malformed = self._answer, False
        while answer.state in ("waiting", "running"):
            yield None
        for flaw in answer.stream_faults:
            if flaw.after_tokens > answer.tokens:
                break
            self._provider.felt(flaw.fault)
            match flaw.what:
                case Stall(stall=spec):
                    yield from self._stall(spec)
                case Cut(cut=spec):
                    return self.receiver.reset() if spec.how == "reset" else self.receiver.ended("malformed")
                case ErrorEvent():
                    return self.receiver.failed(500, None)
                case MalformedEvent():
                    malformed = True
                case BlankAnswer():
                    return self.receiver.ended("malformed" if malformed else "blank")
        self.receiver.ended("malformed" if malformed else "ok")
