"""Apply a Timeline to a testbed and a system under test: begin and end each fault when due, record each change.

The driver runs beside the load, on the same Clock. It is one thread (a greenlet inside Locust) that sleeps until the
next moment at which something changes, asks the Timeline what holds then, and sends the difference from what it sent
before. A change that fails is recorded with its error and tried again at the next look, at most a wall second later.
At each look it asks service and proxy for what they noticed about themselves and for the seconds that are over. What
failed, took long or is missing is a record as well ("look"): the testbed's failure must not pass for the client's.
So are a process of the testbed that has ended, faults or proxies that are not as this thread left them (somebody else
uses the same control port), and a provider that does not answer where clients ask it, though it has no fault.
A proxy whose control port has hung is not tried again: each change due there is recorded as failed. `broken` says why
nothing can be learnt any more (that, or a service or proxy that has ended or hangs), so that the load can end the run.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeVar

from mockbot.clock import Clock
from mockbot.errors import TestbedError
from mockbot.evidence.records import WAY_TO, Action, ServiceSecond
from mockbot.faults.base import SYSTEM
from mockbot.faults.effects import ClosedPort, Restarted, Toxic
from mockbot.interception.interceptor_control import InterceptorControl
from mockbot.process.control_port import ask
from mockbot.process.process_group import has_ended
from mockbot.proxy.control_session import LIMITS, ControlPlaneHung
from mockbot.proxy.toxiproxy_client import CLOSED_BY_DISABLE, ToxicControl
from mockbot.scenario.timeline import ActiveFault, Conditions, StatusState, Timeline
from mockbot.service.control_client import ServiceControl
from mockbot.service.control_messages import REACH
from mockbot.testbed.start import Addresses
from mockbot.testbed.system.system_control import change_system
from mockbot.testbed.wire_changes import Change, change_wire_fault
from mockbot.units.formatting import format_wall

Sink = Callable[[Action | ServiceSecond], None]
Faults = Mapping[str, ActiveFault]
T = TypeVar("T")

LOOK = 0.8  # wall seconds between two looks at the service's records, after which an abort has ended every fault
RAMP_STEP = 0.5  # wall seconds between two steps of a ramp
SLOW_LOOK = 1.0  # wall seconds from which a look is on record
GONE = 3  # looks in a row that fail before service or proxy counts as gone
HUNG = 2.0  # wall seconds by which this thread itself may be late
NOBODY_ELSE = "somebody else has changed it; let nobody else use this testbed"


@dataclass(slots=True)
class _Applied:
    """The faults that one provider's service and proxy have, or the system under test, and what is recorded so far."""

    service: Faults = field(default_factory=dict)
    system: Faults = field(default_factory=dict)
    handshakes: Faults = field(default_factory=dict)
    wire: dict[str, ActiveFault] = field(default_factory=dict)
    hits: dict[str, int] = field(default_factory=dict)
    next_second: int = 0


class Driver:
    """Applies one timeline once. `stop` is idempotent, ends every fault, and records the last seconds."""

    def __init__(
        self, timeline: Timeline, addresses: Addresses, sink: Sink, aborted: Callable[[], bool] = lambda: False
    ) -> None:
        self.timeline = timeline
        self._aborted = aborted  # asked at each look; once it is true no fault holds any more
        self._proxies = addresses.proxies
        self._processes = dict(addresses.processes)
        self._sink = sink
        self._service = ServiceControl(addresses.service_control, addresses.token)
        self._wire = ToxicControl(addresses.proxy_control)
        self._system = addresses.system_control
        self._providers = addresses.providers
        self._authority = addresses.authority
        self._interceptor = InterceptorControl(addresses.interceptor) if addresses.interceptor else None
        on_system = [SYSTEM] if self._system or SYSTEM in addresses.proxies else []
        self._applied = {name: _Applied() for name in (*self._providers, *on_system)}
        self._status: StatusState | None = None
        self._listening: dict[str, str] = {}  # proxy -> its address at the first look
        self._told: dict[str, int] = {}  # how many of the troubles of service and proxy are known
        self._unanswered = Counter[str]()  # looks in a row, by part of the testbed
        self.broken = ""  # why nothing can be learnt any more; from then on no wire fault begins or ends
        self._wanted: Callable[[float], Conditions] = timeline.at
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, clock: Clock) -> None:
        """Begin at the clock's second 0. Raises TestbedError when the service cannot be reached."""
        self._clock = clock
        for provider, hits in self._wire_hits().items():  # of an earlier run at the same proxy
            self._applied[provider].hits.update(hits)
        self._service.start_clock(clock)
        self._thread = threading.Thread(target=self._run, name="mockbot-driver", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End every fault and the thread."""
        if self._thread is None:
            return
        self._stopping.set()
        self._thread.join()
        self._thread = None
        now = self._clock.now()
        self._apply(self._without_faults(now), now)
        threading.Event().wait(self._clock.wall(1.0))  # until the running scenario second is complete
        self._look()
        for provider in self._providers:
            applied = self._applied[provider]
            if applied.next_second < int(now):
                self._failed("service", now, f"{provider} has no record of seconds {applied.next_second} to {int(now)}")

    def _run(self) -> None:
        moments = [*self.timeline.changes(), float("inf")]
        while not self._stopping.is_set():
            now = self._clock.now()
            while moments[0] <= now:
                due = moments.pop(0)
                self._apply(self._wanted(due), due)
            if self._aborted():
                moments, self._wanted = [float("inf")], self._without_faults
            ramping = self._apply(self._wanted(now), now)
            self._look()
            wait = self._clock.wall(moments[0] - self._clock.now())
            wait, before = max(0.0, min(wait, RAMP_STEP if ramping else LOOK)), self._clock.now()
            self._stopping.wait(wait)
            if (late := self._clock.wall(self._clock.now() - before) - wait) >= HUNG:
                self._failed("driver", before, f"stood still for {format_wall(late)}: load this machine less")

    def _without_faults(self, now: float) -> Conditions:
        return replace(self.timeline.at(now), faults=())

    def _apply(self, wanted: Conditions, due: float) -> bool:
        """Send what differs from what was sent before; True while the share of a fault ramps."""
        for provider, applied in self._applied.items():
            faults = wanted.of(provider)
            self._apply_to_service(provider, applied, _layer(faults, "service"), due)
            self._apply_to_handshakes(provider, applied, _layer(faults, "tls"), due)
            self._apply_to_wire(provider, applied, _layer(faults, "wire"), due)
            self._restart_system(applied, _layer(faults, "system"), due)
        status = wanted.status
        page: list[tuple[str, Change]] = [("status_page", "change")]
        if status != self._status and self._try(page, due, lambda: self._service.set_status(status)):
            self._status = status
        return any(not active.span.fault.share.steady for active in wanted.faults)

    def _apply_to_service(self, provider: str, applied: _Applied, wanted: Faults, due: float) -> None:
        """One call sets all faults of a provider."""
        changes = tuple(_changes(applied.service, wanted))
        if changes and self._try(changes, due, lambda: self._service.set_faults(provider, tuple(wanted.values()))):
            applied.service = wanted

    def _apply_to_handshakes(self, provider: str, applied: _Applied, wanted: Faults, due: float) -> None:
        """One call sets all faults of a provider's handshakes."""
        changes, interceptor = tuple(_changes(applied.handshakes, wanted)), self._interceptor
        if changes and interceptor is not None:
            send = partial(interceptor.set_faults, provider, tuple(wanted.values()), self._clock.speed)
            if self._try(changes, due, send):
                applied.handshakes = wanted

    def _apply_to_wire(self, provider: str, applied: _Applied, wanted: Faults, due: float) -> None:
        """One call for each fault."""
        for fault, does in tuple(_changes(applied.wire, wanted)):
            active = wanted.get(fault) or applied.wire[fault]
            change = partial(change_wire_fault, self._wire, self._proxies[provider], does, active, wanted.values())
            done = self._try([(fault, does)], due, partial(self._unless_hung, partial(change, self._clock)))
            if not (done or self.broken):  # where the port has hung, nothing is tried again
                continue
            if does == "end":
                del applied.wire[fault]
            else:
                applied.wire[fault] = active

    def _restart_system(self, applied: _Applied, wanted: Faults, due: float) -> None:
        """One call to stop it, one to start it."""
        for fault, does in tuple(_changes(applied.system, wanted)):
            active = wanted.get(fault) or applied.system[fault]
            effect = active.span.fault.effect()
            if isinstance(effect, Restarted):
                change = partial(change_system, self._system, effect, begins=does == "begin")
                if self._try([(fault, does)], due, change):
                    kept = {name: each for name, each in applied.system.items() if name != fault}
                    applied.system = kept | ({fault: active} if does == "begin" else {})

    def _unless_hung(self, call: Callable[[], T]) -> T:
        """Raises ControlPlaneHung at once where a call has hung before."""
        if self.broken:
            raise ControlPlaneHung(self.broken)
        try:
            return call()
        except ControlPlaneHung as error:
            self.broken = str(error)
            raise

    def _try(self, changes: Sequence[tuple[str, Change]], due: float, send: Callable[[], None]) -> bool:
        """Send what makes all these changes, and record each with its times or the error."""
        sent, error = self._clock.now(), None
        try:
            send()
        except TestbedError as failure:
            error = str(failure)
        for fault, does in changes:
            self._sink(Action(fault, does, due, sent, None if error else self._clock.now(), error))
        return error is None

    def _look(self) -> None:
        """Record each provider's seconds since the last look; the newest of each carries the new wire hits."""
        self._note_ended_processes()
        # Every provider has its own number: a second may end for one of them while the service answers for another.
        since = min(self._applied[provider].next_second for provider in self._providers)
        every: tuple[ServiceSecond, ...] = ()
        if self._note_troubles("service", self._service.troubles):
            own = {name: self._applied[name].service for name in self._providers}
            self._note_foreign_faults("service", self._service.faults, own)
            every = self._asked("service", lambda: self._service.seconds(since)) or ()
        seconds = [second for second in every if second.t >= self._applied[second.provider].next_second]
        if not self.broken and self._note_troubles("proxy", lambda: self._unless_hung(self._wire.troubles)):
            self._note_foreign_toxics()
        if self._interceptor is not None and self._note_troubles("interceptor", self._interceptor.troubles):
            own = {name: self._applied[name].handshakes for name in self._providers}
            self._note_foreign_faults("interceptor", self._interceptor.faults, own)
        for provider, applied in self._applied.items():
            if provider != SYSTEM and not (self.broken or applied.service or applied.handshakes or applied.wire):
                self._asked(f"{WAY_TO}{provider}", partial(self._reach, provider))
        hits = self._wire_hits()
        newest = {second.provider: second.t for second in seconds}
        for second in seconds:
            new: dict[str, int] = {}
            if newest[second.provider] == second.t:
                recorded, now = self._applied[second.provider].hits, hits.get(second.provider, {})
                new = {fault: n - recorded.get(fault, 0) for fault, n in now.items() if n > recorded.get(fault, 0)}
                recorded.update(now)
                # A connection that `down` refuses never reaches the proxy: the clients' journal has those hits.
                new.pop(CLOSED_BY_DISABLE, None)
            applied = self._applied[second.provider]
            if second.t > applied.next_second:
                missing = f"{second.provider} has no record of seconds {applied.next_second} to {second.t}"
                self._failed("service", self._clock.now(), missing)
            applied.next_second = second.t + 1
            self._sink(replace(second, felt={**second.felt, **new}))

    def _note_ended_processes(self) -> None:
        for name, pid in [*self._processes.items()]:
            if has_ended(pid):
                del self._processes[name]
                self._failed(name, self._clock.now(), f"its process {pid} has ended or was killed")
                self.broken = self.broken or f"the {name} ended or was killed while it was needed"

    def _reach(self, provider: str) -> None:
        """Take the way of a client's request, with one that counts nowhere; the provider answers it with 404."""
        try:
            ask(self._providers[provider], "GET", REACH, limits=LIMITS, authority=self._authority)
        except (ConnectionError, TimeoutError) as error:
            raise TestbedError(f"{provider} does not answer at {self._providers[provider]}: {error}") from None

    def _asked(self, part: str, question: Callable[[], T]) -> T | None:
        """The answer of a part of the testbed; None where it failed. What failed or took long is recorded."""
        sent = self._clock.now()
        try:
            answer = question()
        except TestbedError as failure:
            self._note_ended_processes()  # why it fails, where that is it; since the beginning of this look
            self._failed(part, sent, str(failure))
            self._unanswered[part] += 1
            if self._unanswered[part] == GONE:
                self.broken = self.broken or f"the {part} has gone or hangs: {failure}"
            return None
        self._unanswered[part] = 0
        now = self._clock.now()
        if self._clock.wall(now - sent) >= SLOW_LOOK:
            self._sink(Action(part, "look", sent, sent, now))
        return answer

    def _note_troubles(self, part: str, question: Callable[[], list[str]]) -> bool:
        """Record what service or proxy has noticed about itself since the last look, and say whether it answered.

        What was before the first look is not of this run.
        """
        troubles = self._asked(part, question)
        if troubles is None:
            return False
        for trouble in troubles[self._told.get(part, len(troubles)) :]:
            self._failed(part, self._clock.now(), trouble)
        self._told[part] = len(troubles)
        return True

    def _note_foreign_faults(
        self, part: str, question: Callable[[], Mapping[str, list[str]]], own: Mapping[str, Faults]
    ) -> None:
        """Record each provider whose faults at this part of the testbed are not those that this driver has set."""
        if (holding := self._asked(part, question)) is None:
            return
        for provider, faults in own.items():
            found = sorted(holding.get(provider, []))
            if found != sorted(faults):
                why = f"{provider} has the faults {_names(found)} instead of {_names(faults)}"
                self._failed(part, self._clock.now(), f"{why}: {NOBODY_ELSE}")

    def _note_foreign_toxics(self) -> None:
        """Record each proxy that is not as this driver left it."""
        if (states := self._asked("proxy", lambda: self._unless_hung(self._wire.states))) is None:
            return
        for provider, proxy in self._proxies.items():
            effects = {fault: active.span.fault.effect() for fault, active in self._applied[provider].wire.items()}
            toxics = {fault for fault, effect in effects.items() if isinstance(effect, Toxic)}
            enabled = not any(isinstance(effect, ClosedPort) for effect in effects.values())
            if (state := states.get(proxy)) is None:
                why = "was deleted"
            elif state.listen != self._listening.setdefault(proxy, state.listen):
                why = f"was moved to {state.listen}"
            elif state.enabled != enabled:
                why = "was enabled" if state.enabled else "was disabled"
            elif (found := set(state.toxics)) != toxics:
                why = f"has the toxics {_names(found)} instead of {_names(toxics)}"
            else:
                continue
            self._failed("proxy", self._clock.now(), f"{proxy} {why}: {NOBODY_ELSE}")

    def _failed(self, part: str, when: float, why: str) -> None:
        self._sink(Action(part, "look", when, when, None, why))

    def _wire_hits(self) -> Mapping[str, Mapping[str, int]]:
        """Hits from the beginning, by provider; nothing where the proxy does not count them or does not answer."""
        try:
            hits = {name: self._unless_hung(partial(self._wire.felt, proxy)) for name, proxy in self._proxies.items()}
            handshakes = {} if self._interceptor is None else self._interceptor.felt()
        except TestbedError:
            return {}  # they are totals: the next look has them too
        counted = {name: {**(found or {}), **handshakes.get(name, {})} for name, found in hits.items()}
        if SYSTEM in counted:  # it has no seconds of its own; ids of faults are unique
            first = next(iter(self._providers))
            counted[first] = {**counted.get(first, {}), **counted.pop(SYSTEM)}
        return counted


def _layer(faults: tuple[ActiveFault, ...], layer: str) -> Faults:
    return {active.span.id: active for active in faults if active.span.fault.layer == layer}


def _names(ids: Iterable[str]) -> str:
    return ", ".join(sorted(ids)) or "none"


def _changes(before: Faults, after: Faults) -> Iterator[tuple[str, Change]]:
    """Ends come first: a fault may only begin once the one that it replaces has ended."""
    yield from ((fault, "end") for fault in before if fault not in after)
    for fault, active in after.items():
        if fault not in before:
            yield fault, "begin"
        elif active.share != before[fault].share:
            yield fault, "change"
