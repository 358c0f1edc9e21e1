"""`mockbot serve`: a Scenario in, its outage played with no load until Ctrl-C; point any client at what is printed.

A Conductor plays the phases in the calling thread and does what it is told in between: an order comes from a phase's
end or from the control endpoint (`remote.py`), and either lets time pass from a phase on or goes to one and stays in
it. Every such jump is a new run for the service: requests under way at that moment are lost.
"""

import os
import queue
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from urllib.parse import urlsplit

from rich.console import Console
from rich.text import Text

from mockbot.clock import Clock
from mockbot.driver import Driver
from mockbot.errors import ExitCode, TestbedError, UsageError
from mockbot.evidence.records import Action, ServiceSecond
from mockbot.guest import Cues, environment
from mockbot.proxy.toxiproxy_client import ToxicControl
from mockbot.remote import remote
from mockbot.report.words import fault_words
from mockbot.scenario.derive import held, starting_at
from mockbot.scenario.schema import Scenario
from mockbot.scenario.spans import FaultSpan, PhaseSpan
from mockbot.scenario.timeline import Timeline
from mockbot.scenario.units import duration_text
from mockbot.stage import Addresses, open_stage

ANSWERS_WITHIN = 20.0  # wall seconds in which the conductor does what it was told


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """What the command line asks. `speed` None: the scenario's own; `port`: the first provider's, the others follow."""

    speed: float | None = None
    loop: bool = False
    start_at: str | None = None
    hold: str | None = None
    port: int | None = None
    control_port: int = 0


@dataclass(frozen=True, slots=True)
class State:
    """Where the play is. `phase` None: the outage is over. `held`: stays there until told otherwise. `t`: seconds of
    the scenario since it was last told where to begin.
    """

    phase: str | None
    held: bool
    t: float
    wrong: tuple[str, ...]
    phases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Order:
    """Go to a phase (None: to the next one) and stay there, or let time pass from there on."""

    phase: str | None
    stay: bool
    done: "Future[State]"


def serve(scenario: Scenario, options: ServeOptions, console: Console) -> ExitCode:
    """Play until Ctrl-C. Raises UsageError for a phase that is not there, TestbedError when nothing can be put up."""
    for phase in filter(None, (options.start_at, options.hold)):
        known(scenario, phase)
    speed = options.speed or scenario.speed
    say = _speaker(console)
    try:
        with tempfile.TemporaryDirectory(prefix="mockbot-") as logs, open_stage(scenario, speed, Path(logs)) as opened:
            stage = opened if options.port is None else _listening_from(opened, options.port)
            conductor = Conductor(scenario, stage, options.loop, say)
            with closing(conductor), remote(conductor, options.control_port) as control:
                _tell_addresses(scenario, stage, control, say)
                conductor.play(options.start_at or scenario.phases[0].name, options.hold)
    except KeyboardInterrupt:
        say("stopped")
    return ExitCode.INTERRUPTED


def known(scenario: Scenario, phase: str) -> None:
    """UsageError with the nearest names when there is no such phase."""
    names = [each.name for each in scenario.phases]
    if phase not in names:
        near = get_close_matches(phase, names, n=3, cutoff=0.5) or names
        raise UsageError(f"{scenario.name} has no phase {phase!r}; did you mean {' or '.join(map(repr, near))}?")


class Conductor:
    """Plays the phases of a scenario on a stage. `play` blocks; `order` may be called from any thread."""

    def __init__(self, scenario: Scenario, stage: Addresses, loop: bool, say: Callable[[str], None]) -> None:
        self.scenario = scenario
        self._stage, self._loop, self._say = stage, loop, say
        self._orders: queue.Queue[Order] = queue.Queue()
        self._driver: Driver | None = None
        self._clock = Clock(0.0, stage.speed)
        self._timeline = Timeline(scenario)
        self._names = tuple(phase.name for phase in scenario.phases)
        self._cues = Cues(self._timeline)
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
                self._obey(order)

    def order(self, phase: str | None, *, stay: bool) -> State:
        """Have it done; where the play is then. UsageError when there is no such phase."""
        if phase is not None:
            known(self.scenario, phase)
        order = Order(phase, stay, Future())
        self._orders.put(order)
        return order.done.result(ANSWERS_WITHIN)

    def state(self) -> State:
        """Where the play is."""
        index, now = self._index, max(0.0, self._clock.now())
        wrong = tuple(fault_words(active.span) for active in self._timeline.at(now).faults)
        phase = None if index is None else self._names[index]
        return State(phase, phase is not None and phase == self._hold, round(now, 3), wrong, self._names)

    def close(self) -> None:
        """Leave nothing wrong behind."""
        if self._driver is not None:
            self._driver.stop()
            self._driver = None

    def _obey(self, order: Order) -> None:
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
        """Let time pass from the start of a phase; in `hold` it passes without getting anywhere."""
        self.close()
        self._hold = hold
        self._index = self._first = self._names.index(phase)
        scenario = held(self.scenario, hold, self._stage.speed) if hold else self.scenario
        self._timeline = Timeline(starting_at(scenario, phase))
        self._cues = Cues(self._timeline)
        self._driver = Driver(self._timeline, self._stage, self._saw)
        self._clock = Clock(time.time(), self._stage.speed)
        self._driver.start(self._clock)
        self._cues.wait(0.0)
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
        seconds = self.scenario.phases[index].lasts / self._stage.speed
        lasts = "until told otherwise" if stays else f"{length}, {seconds:.3g} s of your time"
        wrong = "; ".join(_wrong(span, phase) for span in self._timeline.faults if _overlaps(span, phase))
        self._say(f"{self._summary()}{phase.name} ({lasts}): {wrong or 'nothing is wrong'}")

    def _summary(self) -> str:
        """What was seen since the last word."""
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
                self._cues.heard(record)
                if record.error:
                    self._say(f"  {record.fault} could not be changed: {record.error}")


def _overlaps(span: FaultSpan, phase: PhaseSpan) -> bool:
    return span.start < phase.end and span.end > phase.start


def _wrong(span: FaultSpan, phase: PhaseSpan) -> str:
    """A fault of this phase, with its times where these are not the phase's own."""
    begins = f" from {duration_text(round(span.start - phase.start, 3))}" if span.start > phase.start else ""
    ends = f" until {duration_text(round(span.end - phase.start, 3))}" if span.end < phase.end else ""
    return f"{fault_words(span)}{begins}{ends}"


def _speaker(console: Console) -> Callable[[str], None]:
    def say(line: str) -> None:
        console.print(Text(line), soft_wrap=True)

    return say


def _tell_addresses(scenario: Scenario, stage: Addresses, control: str, say: Callable[[str], None]) -> None:
    say(f"{scenario.title}\n")
    for name, value in environment(scenario, stage, os.environ).items():
        if name.isupper():
            say(f"export {name}={value}")
    say(f"\nwhere it is:             curl {control}")
    say(f"step through its phases: curl -X POST {control}/next    (or /go, or /phase/NAME)\n")


def _listening_from(stage: Addresses, port: int) -> Addresses:
    """The providers' proxies moved to ports of the user's choice."""
    providers = {}
    with closing(ToxicControl(stage.proxy_control)) as control:
        for offset, (provider, proxy) in enumerate(stage.proxies.items()):
            host = urlsplit(stage.providers[provider]).hostname
            providers[provider] = f"http://{control.update_proxy(proxy, listen=f'{host}:{port + offset}').listen}"
    return replace(stage, providers=providers)
