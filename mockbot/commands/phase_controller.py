"""Run a scenario's phases without load: let time pass from a phase on, or enter one phase and stay in it.

A PhaseController runs in the calling thread and takes orders from other threads (`serve_api.py`). Each order starts a
new run of the service's clock; requests that the service is handling at that moment are lost.
"""

import queue
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from difflib import get_close_matches

from mockbot.clock import Clock
from mockbot.commands.recording import Recording
from mockbot.errors import TestbedError, UsageError
from mockbot.evidence.records import Action, ServiceSecond
from mockbot.evidence.unserved import sentences
from mockbot.report.phrases import NO_FAULT, fault_text
from mockbot.scenario.schema import Scenario
from mockbot.scenario.spans import PhaseSpan
from mockbot.scenario.timeline import Timeline
from mockbot.scenario.transforms import held, starting_at
from mockbot.testbed.driver import Driver
from mockbot.testbed.fault_confirmations import FaultConfirmations
from mockbot.testbed.start import Addresses
from mockbot.units.formatting import format_counted, format_wall
from mockbot.units.quantities import duration_text

ANSWERS_WITHIN = 20.0  # wall seconds within which an order is carried out
LOOK = 1.0  # wall seconds between two looks at what a recording has to collect


@dataclass(frozen=True, slots=True)
class State:
    """The current phase; None: the outage is over. `held`: the phase does not end. `t`: scenario seconds since the last
    order. `wrong`: the faults that hold now.
    """

    phase: str | None
    held: bool
    t: float
    wrong: tuple[str, ...]
    phases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Order:
    """Begin a phase (None: the next one) and stay in it, or let time pass from there on."""

    phase: str | None
    stay: bool
    done: "Future[State]"


def require_phase(scenario: Scenario, phase: str) -> None:
    """UsageError with the nearest names when the scenario has no such phase."""
    names = [each.name for each in scenario.phases]
    if phase not in names:
        near = get_close_matches(phase, names, n=3, cutoff=0.5) or names
        raise UsageError(f"{scenario.name} has no phase {phase!r}; did you mean {' or '.join(map(repr, near))}?")


class PhaseController:
    """Runs the phases on a testbed. `run` blocks; `order` and `state` may be called from any thread."""

    def __init__(
        self, scenario: Scenario, testbed: Addresses, loop: bool, echo: Callable[[str], None],
        recording: Recording | None = None, tell: Callable[[str, float, Sequence[str]], None] = lambda *_: None,
    ) -> None:  # fmt: skip
        """`tell` is told of each phase that begins, and with "" of the end; it must not wait."""
        self.scenario = scenario
        self._recording, self._tell = recording, tell
        self._testbed, self._loop, self._echo = testbed, loop, echo
        self._orders = queue.SimpleQueue[_Order | None]()  # None: stop; a signal's handler may put it
        self._driver: Driver | None = None
        self._clock = Clock(0.0, testbed.speed)
        self._timeline = Timeline(scenario)
        self._names = tuple(phase.name for phase in scenario.phases)
        self._confirmations = FaultConfirmations(self._timeline)
        self._index = 0  # of the current phase, or of the last one when the outage is over
        self._first = 0  # of the phase that begins at second 0 of the clock
        self._over = False
        self._hold: str | None = None
        self._requests: Counter[str] = Counter()  # by provider
        self._hits: Counter[tuple[str, str]] = Counter()  # by provider and fault
        self.unserved: Counter[str] = Counter()  # as in ServiceSecond
        self._error = ""  # the last one that was printed
        self._changing = threading.RLock()  # `state` is read in other threads

    def run(self, start: str, hold: str | None) -> None:
        """Run from the start of a phase until `stop` or an interrupt; the phase `hold` does not end."""
        self._begin(start, hold)
        while True:
            remaining = LOOK if self._over else self._clock.wall(self._span().end - self._clock.now())
            try:
                order = self._orders.get(timeout=max(0.0, min(LOOK, remaining)))
            except queue.Empty:
                with self._changing:
                    if self._recording is not None:
                        self._recording.look()
                    if not self._over and self._clock.now() >= self._span().end:
                        self._advance()
                continue
            if order is None:
                return
            if not order.done.set_running_or_notify_cancel():
                continue
            phase = order.phase or self._names[(self._index + 1) % len(self._names)]
            try:
                with self._changing:
                    self._begin(phase, phase if order.stay else None)
            except TestbedError as error:
                order.done.set_exception(error)
                raise
            order.done.set_result(self.state())

    def stop(self) -> None:
        """End `run` once what it is doing is done. A signal's handler may call it."""
        self._orders.put(None)

    def order(self, phase: str | None, *, stay: bool) -> State:
        """Carry out an order and return the state after it. UsageError when there is no such phase."""
        if phase is not None:
            require_phase(self.scenario, phase)
        order = _Order(phase, stay, Future())
        self._orders.put(order)
        try:
            return order.done.result(ANSWERS_WITHIN)
        except TimeoutError:
            order.done.cancel()  # nobody waits for it any more
            raise TestbedError(f"the order was not carried out within {ANSWERS_WITHIN:g} s; try again") from None

    def state(self) -> State:
        """The state now; while an order is carried out, that after it."""
        with self._changing:
            phase, now = None if self._over else self._names[self._index], max(0.0, self._clock.now())
            wrong = tuple(fault_text(active.span) for active in self._timeline.at(now).faults)
            return State(phase, phase is not None and phase == self._hold, round(now, 3), wrong, self._names)

    def close(self) -> None:
        """End every fault."""
        if self._driver is None:
            return
        at = self._clock.now()
        self._driver.stop()
        self._driver = None
        if self._recording is not None:
            self._recording.end(at)

    def _begin(self, phase: str, hold: str | None) -> None:
        """Start the clock at the beginning of a phase."""
        self.close()
        self._hold, self._over = hold, False
        self._index = self._first = self._names.index(phase)
        scenario = held(self.scenario, hold, self._testbed.speed) if hold else self.scenario
        scenario = starting_at(scenario, phase)
        self._timeline = Timeline(scenario)
        self._confirmations = FaultConfirmations(self._timeline)
        self._driver = Driver(self._timeline, self._testbed, self._take)
        self._clock = Clock.start(self._testbed.speed)
        if self._recording is not None:
            self._recording.begin(scenario, self._clock)
        self._driver.start(self._clock)
        self._confirmations.wait(0.0)
        if self._recording is not None:
            self._recording.look()  # connections that ended before are not of this stretch
        self._announce()

    def _span(self) -> PhaseSpan:
        return self._timeline.phases[self._index - self._first]

    def _advance(self) -> None:
        """The current phase has ended by itself."""
        if self._names[self._index] == self._hold:
            self._begin(self._hold, self._hold)  # even a held phase has an end, which is far away
        elif self._index + 1 < len(self._names):
            self._index += 1
            self._announce()
        elif self._loop:
            self._begin(self._names[0], self._hold)
        else:
            self._over = True
            self._tell("", self._clock.now(), ())
            self._echo(f"{self._summary()}the outage is over; no fault holds from now on; Ctrl-C ends mockbot")

    def _announce(self) -> None:
        """Print the phase, how long it lasts, and its faults with the times that are not the phase's own."""
        phase, lasts = self._span(), self.scenario.phases[self._index].lasts
        seconds = f"{duration_text(lasts)}, {format_wall(lasts / self._testbed.speed)} of your time"
        faults = []
        for span in self._timeline.faults:
            if span.start < phase.end and span.end > phase.start:
                begins = (
                    f" from {duration_text(round(span.start - phase.start, 3))}" if span.start > phase.start else ""
                )
                ends = f" until {duration_text(round(span.end - phase.start, 3))}" if span.end < phase.end else ""
                faults.append(f"{fault_text(span)}{begins}{ends}")
        now = max(0.0, self._clock.now())
        self._tell(phase.name, now, [fault_text(active.span) for active in self._timeline.at(now).faults])
        length = "held" if phase.name == self._hold else seconds
        self._echo(f"{self._summary()}{phase.name} ({length}): {'; '.join(faults) or NO_FAULT}")

    def _summary(self) -> str:
        """Requests and hits since the last line, a line for each provider that had any."""
        hits, self._hits = self._hits, Counter()
        requests, self._requests = self._requests, Counter()
        lines = []
        for provider, count in requests.items():
            by_fault = ", ".join(f"{n} by {fault}" for (at, fault), n in sorted(hits.items()) if at == provider)
            hit = f"; hit: {by_fault}" if by_fault else ""
            lines.append(f"  {provider}: {format_counted(count, 'request')}{hit}\n")
        return "".join(lines)

    def _take(self, record: Action | ServiceSecond) -> None:
        """A record of the driver, in its thread."""
        if self._recording is not None:
            self._recording.take(record)
        match record:
            case ServiceSecond():
                if record.offered or record.felt:
                    self._requests[record.provider] += record.offered
                new = {key: n for key, n in record.unserved.items() if key not in self.unserved}
                self.unserved.update(record.unserved)
                for sentence in sentences(new, self.scenario):
                    self._echo(f"  {sentence}")
                self._hits.update({(record.provider, fault): hits for fault, hits in record.felt.items()})
            case Action():
                self._confirmations.take(record)
                if record.error and record.error != self._error:  # a service that has gone fails at every look
                    failed = "failed" if record.does == "look" else "could not be changed"
                    self._echo(f"  {record.fault} {failed}: {record.error}")
                    self._error = record.error
