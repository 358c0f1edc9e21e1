"""An admitted answer as it is spoken: token by token, with the flaws that faults put into it, in virtual time.

The same story as `service/delivery.py` tells in wall time: a stream says every token when it is due, a stall holds back
what follows it, a plain answer comes whole when its slot is free. Flaws act on the delivery only; the slot is the
capacity model's own affair. Without flaws and without a wire nothing of this is needed: `desk.py` then tells the whole
answer at once.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mockbot.faults.specs import StallSpec
from mockbot.faults.union import BlankAnswer, Cut, ErrorEvent, MalformedEvent, Stall
from mockbot.service.active_faults import StreamFault
from mockbot.service.chatbot import Answer
from mockbot.simulate.reference.event_queue import EventQueue, Timer
from mockbot.simulate.reference.sim_attempt import Listener

if TYPE_CHECKING:
    from mockbot.simulate.reference.sim_provider import SimProvider

_SOON = 1e-9  # a moment that is past by rounding only


class SimDelivery:
    """Speaks one answer to one listener. `wake` when the answer's state has changed."""

    __slots__ = ("_alarm", "_answer", "_desk", "_free", "_out", "_script", "_stalled", "listener", "silent")

    def __init__(self, desk: "SimProvider", answer: Answer, listener: Listener, *, stream: bool, out: int = 0) -> None:
        self._desk, self._answer, self.listener = desk, answer, listener
        self._out = out  # tokens said
        self._free = desk.agenda.now  # since when nothing held it back
        self._alarm: Timer | None = None
        self._stalled = False
        self.silent = False
        self._script: Iterator[float | None] = self._streamed() if stream else self._whole()

    @property
    def _agenda(self) -> EventQueue:
        return self._desk.agenda

    def wake(self) -> None:
        """Go on, if there is something to go on with."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if self.silent:
            return
        try:
            until = next(self._script)
        except StopIteration:
            self.silent = True
            return
        if until is not None and not self.silent:
            self._alarm = self._agenda.after(until - self._agenda.now, self.wake)

    def hush(self) -> None:
        """Nobody listens any more."""
        self.silent = True
        if self._alarm is not None:
            self._alarm.cancel()

    def catch_up(self) -> None:
        """Say what is due by now, for a listener that is about to look."""
        if not self.silent and not self._stalled and self._answer.state == "running":
            self._tell(0, self._answer.tokens)

    # -- a stream ------------------------------------------------------------------------------------------------

    def _streamed(self) -> Iterator[float | None]:
        yield from self._turn()
        answer = self._answer
        for flaw in answer.stream_faults:
            if flaw.after_tokens > answer.tokens:
                break
            yield from self._say(flaw.after_tokens)
            self._desk.felt(flaw.fault)
            if isinstance(flaw.what, Stall):
                yield from self._stall(flaw.what.stall)
            elif isinstance(flaw.what, BlankAnswer):
                while (due := self._due(1)) > self._agenda.now + _SOON:
                    yield due
                return self.listener.ended("blank")
            else:
                return self._break_off(flaw)
        yield from self._say(answer.tokens)
        self.listener.ended("ok")

    def _break_off(self, flaw: StreamFault) -> None:
        self.silent = True  # what follows may wake it
        match flaw.what:
            case Cut(cut=spec) if spec.how == "reset":
                self._desk.leave(self._answer)
                self.listener.reset()
            case Cut():
                self.listener.ended("truncated")
            case ErrorEvent():
                self.listener.ended("error_event")
            case MalformedEvent():
                self.listener.ended("malformed")

    def _turn(self) -> Iterator[None]:
        while self._answer.state == "waiting":
            yield None
        self._free = max(self._free, self._answer.begun)

    def _stall(self, spec: StallSpec) -> Iterator[float | None]:
        self._stalled = True
        if spec.sends == "keepalive":
            self.listener.opened()
        ends = None if spec.resumes is None else self._agenda.now + spec.resumes
        while ends is None or self._agenda.now < ends - _SOON:
            yield ends
        self._free, self._stalled = self._agenda.now, False

    def _say(self, upto: int) -> Iterator[float]:
        while self._out < upto:
            target = self._out + 1 if self.listener.fine else upto
            if (due := self._due(target)) > self._agenda.now + _SOON:
                yield due
            else:
                self._tell(target, upto)

    def _due(self, token: int) -> float:
        """When a token will be out, as things stand; now when it is."""
        answer = self._answer
        if answer.state != "running":
            return self._agenda.now
        return self._desk.chatbot.capacity.reaches(answer, answer.pace.at(token))

    def _tell(self, least: int, most: int) -> None:
        """The tokens that are out by now, each at its own moment, or when the voice became free."""
        due = most
        if self._answer.state == "running":
            progress = self._desk.chatbot.capacity.progress(self._answer, self._agenda.now)
            due = min(most, max(least, self._answer.pace.due(progress + _SOON)))
        said, self._out = self._out, max(self._out, due)
        if due > said:
            first, last = self._moment(said + 1), self._moment(due)
            gap = (last - first) / (due - said - 1) if due - said > 1 else 0.0
            free = self._free
            self.listener.hear(due - said, max(free, first), max(free, last), min(gap, max(0.0, last - free)))

    def _moment(self, token: int) -> float:
        """When a token was out, as things stand."""
        answer = self._answer
        if answer.state != "running":
            return answer.moment(token)
        return self._desk.chatbot.capacity.reaches(answer, answer.pace.at(token))

    # -- a plain answer ------------------------------------------------------------------------------------------

    def _whole(self) -> Iterator[float | None]:
        answer, malformed = self._answer, False
        while answer.state in ("waiting", "running"):
            yield None
        for flaw in answer.stream_faults:
            if flaw.after_tokens > answer.tokens:
                break
            self._desk.felt(flaw.fault)
            match flaw.what:
                case Stall(stall=spec):
                    yield from self._stall(spec)
                case Cut(cut=spec):
                    return self.listener.reset() if spec.how == "reset" else self.listener.ended("malformed")
                case ErrorEvent():
                    return self.listener.failed(500, None)
                case MalformedEvent():
                    malformed = True
                case BlankAnswer():
                    return self.listener.ended("malformed" if malformed else "blank")
        self.listener.ended("malformed" if malformed else "ok")
