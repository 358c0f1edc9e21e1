"""Play a scenario's phases with no load: let time pass from a phase on, or go to one phase and stay in it.

A PhaseController plays in the calling thread and takes orders from other threads in between: an order comes from a
phase's end or from the control endpoint (`serve_api.py`). Each jump is a new run for the service: requests under way at
that moment are lost.
"""

import queue
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from difflib import get_close_matches

from mockbot.clock import Clock
from mockbot.errors import TestbedError, UsageError
from mockbot.evidence.records import Action, ServiceSecond
from mockbot.report.phrases import fault_text
from mockbot.scenario.schema import Scenario
from mockbot.scenario.spans import FaultSpan, PhaseSpan
from mockbot.scenario.timeline import Timeline
from mockbot.scenario.transforms import held, starting_at
from mockbot.testbed.driver import Driver
from mockbot.testbed.fault_confirmations import FaultConfirmations
from mockbot.testbed.start import Addresses
from mockbot.units.quantities import duration_text

ANSWERS_WITHIN = 20.0  # wall seconds in which an order is carried out


@dataclass(frozen=True, slots=True)
class State:
    """The phase that is played now. `phase` None: the outage is over. `held`: time passes and the phase stays.
    `t`: scenario seconds since the last jump.
    """

    phase: str | None
    held: bool
    t: float
    wrong: tuple[str, ...]
    phases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Order:
    """Go to a phase (None: to the next one) and stay there, or let time pass from there on."""

    phase: str | None
    stay: bool
    done: "Future[State]"


def known(scenario: Scenario, phase: str) -> None:
    """UsageError with the nearest names when there is no such phase."""
    names = [each.name for each in scenario.phases]
    if phase not in names:
        near = get_close_matches(phase, names, n=3, cutoff=0.5) or names
        raise UsageError(f"{scenario.name} has no phase {phase!r}; did you mean {' or '.join(map(repr, near))}?")


class PhaseController:
    """Plays the phases of a scenario on a testbed. `play` blocks; `order` and `state` may be called from any thread."""

    def __init__(self, scenario: Scenario, testbed: Addresses, loop: bool, say: Callable[[str], None]) -> None:
        self.scenario = scenario
        self._testbed, self._loop, self._say = testbed, loop, say
        self._orders: queue.Queue[_Order] = queue.Queue()
        self._driver: Driver | None = None
        self._clock = Clock(0.0, testbed.speed)
        self._timeline = Timeline(scenario)
        self._names = tuple(phase.name for phase in scenario.phases)
        self._confirmations = FaultConfirmations(self._timeline)
        self._index: int | None = 0  # of the phase that goes on; None: the outage is over
        self._first = 0  # the phase that the clock's second 0 is the beginning of
        self._hold: str | None = None
        self._requests = 0
        self._hits: Counter[str] = Counter()

    def play(self, start: str, hold: str | None) -> None:
        """From the start of one phase, until interrupted; `hold`: the phase that does not end."""
        self._begin(start, hold)
        while True:
            try:
                order = self._orders.get(timeout=self._left())
            except queue.Empty:
                self._advance()
            else:
                self._carry_out(order)

    def order(self, phase: str | None, *, stay: bool) -> State:
        """Carry out an order and return the state after it. UsageError when there is no such phase."""
        if phase is not None:
            known(self.scenario, phase)
        order = _Order(phase, stay, Future())
        self._orders.put(order)
        return order.done.result(ANSWERS_WITHIN)

    def state(self) -> State:
        """The state now."""
        index, now = self._index, max(0.0, self._clock.now())
        wrong = tuple(fault_text(active.span) for active in self._timeline.at(now).faults)
        phase = None if index is None else self._names[index]
        return State(phase, phase is not None and phase == self._hold, round(now, 3), wrong, self._names)

    def close(self) -> None:
        """End every fault."""
        if self._driver is not None:
            self._driver.stop()
            self._driver = None

    def _carry_out(self, order: _Order) -> None:
        target = self._next() if order.phase is None else order.phase
        try:
            self._begin(target, target if order.stay else None)
        except TestbedError as error:
            order.done.set_exception(error)
            raise
        order.done.set_result(self.state())

    def _next(self) -> str:
        return self._names[0 if self._index is None else (self._index + 1) % len(self._names)]

    def _begin(self, phase: str, hold: str | None) -> None:
        """Let time pass from the start of a phase; in `hold` the phase does not end."""
        self.close()
        self._hold = hold
        self._index = self._first = self._names.index(phase)
        scenario = held(self.scenario, hold, self._testbed.speed) if hold else self.scenario
        self._timeline = Timeline(starting_at(scenario, phase))
        self._confirmations = FaultConfirmations(self._timeline)
        self._driver = Driver(self._timeline, self._testbed, self._saw)
        self._clock = Clock(time.time(), self._testbed.speed)
        self._driver.start(self._clock)
        self._confirmations.wait(0.0)
        self._announce()

    def _left(self) -> float | None:
        """Wall seconds to the end of the phase; None when nothing will happen by itself."""
        if self._index is None:
            return None
        return max(0.0, self._clock.wall(self._span(self._index).end - self._clock.now()))

    def _span(self, index: int) -> PhaseSpan:
        return self._timeline.phases[index - self._first]

    def _advance(self) -> None:
        """The phase has ended by itself."""
        index = 0 if self._index is None else self._index
        if self._names[index] == self._hold:
            self._begin(self._hold, self._hold)  # held for longer than a held phase lasts
        elif index + 1 < len(self._names):
            self._index = index + 1
            self._announce()
        elif self._loop:
            self._begin(self._names[0], self._hold)
        else:
            self._index = None
            self._say(f"{self._summary()}the outage is over; everything goes on well until Ctrl-C")

    def _announce(self) -> None:
        index = 0 if self._index is None else self._index
        phase = self._span(index)
        stays = phase.name == self._hold
        length = duration_text(self.scenario.phases[index].lasts)
        seconds = self.scenario.phases[index].lasts / self._testbed.speed
        lasts = "until told otherwise" if stays else f"{length}, {seconds:.3g} s of your time"
        wrong = "; ".join(_wrong(span, phase) for span in self._timeline.faults if _overlaps(span, phase))
        self._say(f"{self._summary()}{phase.name} ({lasts}): {wrong or 'nothing is wrong'}")

    def _summary(self) -> str:
        """Requests and hits since the last line."""
        hits, self._hits = self._hits, Counter()
        requests, self._requests = self._requests, 0
        told = ", ".join(f"{count} by {fault}" for fault, count in sorted(hits.items()))
        return f"  {requests} requests{f'; hit: {told}' if told else ''}\n" if requests else ""

    def _saw(self, record: Action | ServiceSecond) -> None:
        match record:
            case ServiceSecond():
                self._requests += record.offered
                self._hits.update(record.felt)
            case Action():
                self._confirmations.take(record)
                if record.error:
                    self._say(f"  {record.fault} could not be changed: {record.error}")


def _overlaps(span: FaultSpan, phase: PhaseSpan) -> bool:
    return span.start < phase.end and span.end > phase.start


def _wrong(span: FaultSpan, phase: PhaseSpan) -> str:
    """A fault of this phase, with its times where these are not the phase's own."""
    begins = f" from {duration_text(round(span.start - phase.start, 3))}" if span.start > phase.start else ""
    ends = f" until {duration_text(round(span.end - phase.start, 3))}" if span.end < phase.end else ""
    return f"{fault_text(span)}{begins}{ends}"
