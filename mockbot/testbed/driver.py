"""Apply a Timeline to a testbed and a system under test: begin and end each fault when due, record each change.

The driver runs beside the load, on the same Clock. It is one thread (a greenlet inside Locust) that sleeps until the
next moment at which something changes, asks the Timeline what holds then, and sends the difference from what it sent
before. A change that fails is recorded with its error and tried again at the next look, at most a wall second later.
At each look it lets `health_check` look after the testbed, and asks the service for the seconds that are over; one that
is missing is a failure of the testbed. A proxy whose control port has hung is not tried again: each change due there is
recorded as failed.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from mockbot.clock import Clock
from mockbot.errors import TestbedError
from mockbot.evidence.records import Action, ServiceSecond
from mockbot.faults.base import SYSTEM
from mockbot.faults.effects import Restarted
from mockbot.interception.interceptor_control import InterceptorControl
from mockbot.process.self_watch import HUNG
from mockbot.proxy.toxiproxy_client import CLOSED_BY_DISABLE, ToxicControl
from mockbot.scenario.timeline import Conditions, StatusState, Timeline
from mockbot.service.control_client import ServiceControl
from mockbot.testbed.applied_faults import AppliedFaults, Faults, changes, of_layer
from mockbot.testbed.health_check import HealthCheck
from mockbot.testbed.start import Addresses
from mockbot.testbed.system.system_control import change_system
from mockbot.testbed.wire_changes import Change, change_wire_fault
from mockbot.units.formatting import format_wall

Sink = Callable[[Action | ServiceSecond], None]

LOOK = 0.8  # wall seconds between two looks at the service's records, after which an abort has ended every fault
RAMP_STEP = 0.5  # wall seconds between two steps of a ramp


class Driver:
    """Applies one timeline once. `stop` is idempotent, ends every fault, and records the last seconds."""

    def __init__(
        self, timeline: Timeline, addresses: Addresses, sink: Sink, aborted: Callable[[], bool] = lambda: False
    ) -> None:
        self.timeline = timeline
        self._aborted = aborted  # asked at each look; once it is true no fault holds any more
        self._proxies = addresses.proxies
        self._sink = sink
        self._service = ServiceControl(addresses.service_control, addresses.token)
        self._wire = ToxicControl(addresses.proxy_control)
        self._system = addresses.system_control
        self._providers = addresses.providers
        self._interceptor = InterceptorControl(addresses.interceptor) if addresses.interceptor else None
        on_system = [SYSTEM] if self._system or SYSTEM in addresses.proxies else []
        self._applied = {name: AppliedFaults() for name in (*self._providers, *on_system)}
        self._status: StatusState | None = None
        self._health = HealthCheck(addresses, self._service, self._wire, self._interceptor, sink)
        self._hits: dict[str, dict[str, int]] = {name: {} for name in self._applied}  # on record so far, by fault
        self._next_second = dict.fromkeys(self._providers, 0)  # the first that is not on record
        self._wanted: Callable[[float], Conditions] = timeline.at
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def broken(self) -> str:
        """Why nothing can be learnt any more, so that the load can end the run; "" while all is well."""
        return self._health.broken

    def start(self, clock: Clock) -> None:
        """Begin at the clock's second 0. Raises TestbedError when the service cannot be reached."""
        self._clock = clock
        for provider, hits in self._wire_hits().items():  # of an earlier run at the same proxy
            self._hits[provider].update(hits)
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
            self._note_missing(provider, int(now), now)

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
                self._health.failed("driver", before, f"stood still for {format_wall(late)}: load this machine less")

    def _without_faults(self, now: float) -> Conditions:
        return replace(self.timeline.at(now), faults=())

    def _apply(self, wanted: Conditions, due: float) -> bool:
        """Send what differs from what was sent before; True while the share of a fault ramps."""
        for provider, applied in self._applied.items():
            faults = wanted.of(provider)
            self._apply_to_service(provider, applied, of_layer(faults, "service"), due)
            self._apply_to_handshakes(provider, applied, of_layer(faults, "tls"), due)
            self._apply_to_wire(provider, applied, of_layer(faults, "wire"), due)
            self._restart_system(applied, of_layer(faults, "system"), due)
        status = wanted.status
        page: list[tuple[str, Change]] = [("status_page", "change")]
        if status != self._status and self._try(page, due, lambda: self._service.set_status(status)):
            self._status = status
        return any(not active.span.fault.share.steady for active in wanted.faults)

    def _apply_to_service(self, provider: str, applied: AppliedFaults, wanted: Faults, due: float) -> None:
        """One call sets all faults of a provider."""
        differing = tuple(changes(applied.service, wanted))
        if differing and self._try(differing, due, lambda: self._service.set_faults(provider, tuple(wanted.values()))):
            applied.service = wanted

    def _apply_to_handshakes(self, provider: str, applied: AppliedFaults, wanted: Faults, due: float) -> None:
        """One call sets all faults of a provider's handshakes."""
        differing, interceptor = tuple(changes(applied.handshakes, wanted)), self._interceptor
        if differing and interceptor is not None:
            send = partial(interceptor.set_faults, provider, tuple(wanted.values()), self._clock.speed)
            if self._try(differing, due, send):
                applied.handshakes = wanted

    def _apply_to_wire(self, provider: str, applied: AppliedFaults, wanted: Faults, due: float) -> None:
        """One call for each fault."""
        for fault, does in tuple(changes(applied.wire, wanted)):
            active = wanted.get(fault) or applied.wire[fault]
            change = partial(change_wire_fault, self._wire, self._proxies[provider], does, active, wanted.values())
            done = self._try([(fault, does)], due, partial(self._health.unless_hung, partial(change, self._clock)))
            if not (done or self._health.broken):  # where the port has hung, nothing is tried again
                continue
            if does == "end":
                del applied.wire[fault]
            else:
                applied.wire[fault] = active

    def _restart_system(self, applied: AppliedFaults, wanted: Faults, due: float) -> None:
        """One call to stop it, one to start it."""
        for fault, does in tuple(changes(applied.system, wanted)):
            active = wanted.get(fault) or applied.system[fault]
            effect = active.span.fault.effect()
            if isinstance(effect, Restarted):
                change = partial(change_system, self._system, effect, begins=does == "begin")
                if self._try([(fault, does)], due, change):
                    kept = {name: each for name, each in applied.system.items() if name != fault}
                    applied.system = kept | ({fault: active} if does == "begin" else {})

    def _try(self, made: Sequence[tuple[str, Change]], due: float, send: Callable[[], None]) -> bool:
        """Send what makes all the changes `made`, and record each with its times or the error."""
        sent, error = self._clock.now(), None
        try:
            send()
        except TestbedError as failure:
            error = str(failure)
        for fault, does in made:
            self._sink(Action(fault, does, due, sent, None if error else self._clock.now(), error))
        return error is None

    def _look(self) -> None:
        """Look after the testbed, and record each provider's seconds since the last look."""
        seconds: list[ServiceSecond] = []
        if self._health.look(self._clock, self._applied):
            # Every provider has its own number: a second may end for one of them while the service answers for another.
            since = min(self._next_second.values())
            every = self._health.asked(self._clock, "service", lambda: self._service.seconds(since)) or ()
            seconds = [second for second in every if second.t >= self._next_second[second.provider]]
        hits = self._wire_hits()
        newest = {second.provider: second.t for second in seconds}
        for second in seconds:
            last = newest[second.provider] == second.t
            self._record(second, hits.get(second.provider, {}) if last else {})

    def _record(self, second: ServiceSecond, hits: Mapping[str, int]) -> None:
        """Record it with the wire hits that no second before it has; `hits`: from the beginning, by fault."""
        provider, recorded = second.provider, self._hits[second.provider]
        new = {fault: n - recorded.get(fault, 0) for fault, n in hits.items() if n > recorded.get(fault, 0)}
        recorded.update(hits)
        # A connection that `down` refuses never reaches the proxy: the clients' journal has those hits.
        new.pop(CLOSED_BY_DISABLE, None)
        self._note_missing(provider, second.t, self._clock.now())
        self._next_second[provider] = second.t + 1
        self._sink(replace(second, felt={**second.felt, **new}))

    def _note_missing(self, provider: str, until: int, when: float) -> None:
        if (first := self._next_second[provider]) < until:
            self._health.failed("service", when, f"{provider} has no record of seconds {first} to {until}")

    def _wire_hits(self) -> Mapping[str, Mapping[str, int]]:
        """Hits from the beginning, by provider; nothing where the proxy does not count them or does not answer."""
        try:
            ask = self._health.unless_hung
            hits = {name: ask(partial(self._wire.felt, proxy)) for name, proxy in self._proxies.items()}
            handshakes = {} if self._interceptor is None else self._interceptor.felt()
        except TestbedError:
            return {}  # they are totals: the next look has them too
        counted = {name: {**(found or {}), **handshakes.get(name, {})} for name, found in hits.items()}
        if SYSTEM in counted:  # it has no seconds of its own; ids of faults are unique
            first = next(iter(self._providers))
            counted[first] = {**counted.get(first, {}), **counted.pop(SYSTEM)}
        return counted
