"""Play a Timeline against a testbed: every fault begins and ends when it is due, and each change is put on record.

The driver runs beside whatever makes the load, on the same Clock. It is one thread (a greenlet inside Locust) which
sleeps until the next moment at which something changes, asks the Timeline what holds then, and sends the difference to
what it sent before. What could not be sent is recorded with its error and tried again at the next look, at most a wall
second later. A proxy whose control port has hung is not tried again: every change that is due there is recorded as
failed, and `broken` says why, so that whoever makes the load can end a run that says nothing any more.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeVar

from mockbot.clock import Clock
from mockbot.errors import TestbedError
from mockbot.evidence.records import Action, ServiceSecond
from mockbot.proxy.control_session import ControlPlaneHung
from mockbot.proxy.toxiproxy_client import CLOSED_BY_DISABLE, ToxicControl
from mockbot.scenario.timeline import ActiveFault, Conditions, StatusState, Timeline
from mockbot.service.control_client import ServiceControl
from mockbot.testbed.start import Addresses
from mockbot.testbed.wire_changes import Change, change_wire_fault

Sink = Callable[[Action | ServiceSecond], None]
Faults = Mapping[str, ActiveFault]
T = TypeVar("T")

LOOK = 1.0  # wall seconds between two looks at what the service saw
RAMP_STEP = 0.5  # wall seconds between two steps of a ramp


@dataclass(slots=True)
class _Told:
    """What one provider's service and proxy were told last, and the wire hits not yet put on record."""

    service: Faults = field(default_factory=dict)
    wire: dict[str, ActiveFault] = field(default_factory=dict)
    felt: dict[str, int] = field(default_factory=dict)


class Driver:
    """Applies one timeline once. `stop` is idempotent, leaves no fault behind, and records the last that was seen."""

    def __init__(self, timeline: Timeline, addresses: Addresses, sink: Sink) -> None:
        self._timeline = timeline
        self._proxies = addresses.proxies
        self._sink = sink
        self._service = ServiceControl(addresses.service_control, addresses.token)
        self._wire = ToxicControl(addresses.proxy_control)
        self._told = {provider: _Told() for provider in addresses.providers}
        self._status: StatusState | None = None
        self._next_second = 0
        self.broken = ""  # why no wire fault can begin or end any more
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, clock: Clock) -> None:
        """Begin at the clock's t0. Raises TestbedError when the service cannot be reached."""
        self._clock = clock
        self._service.start_clock(clock)
        self._thread = threading.Thread(target=self._play, name="mockbot-driver", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End every fault and the thread."""
        if self._thread is None:
            return
        self._stopping.set()
        self._thread.join()
        self._thread = None
        now = self._clock.now()
        self._apply(replace(self._timeline.at(now), faults=()), now)
        threading.Event().wait(self._clock.wall(1.0))  # until the running scenario second is complete
        self._look()
        self._service.close()
        self._wire.close()

    def _play(self) -> None:
        moments = [*self._timeline.changes(), float("inf")]
        while not self._stopping.is_set():
            now = self._clock.now()
            while moments[0] <= now:
                due = moments.pop(0)
                self._apply(self._timeline.at(due), due)
            ramping = self._apply(self._timeline.at(now), now)
            self._look()
            wait = self._clock.wall(moments[0] - self._clock.now())
            self._stopping.wait(max(0.0, min(wait, RAMP_STEP if ramping else LOOK)))

    def _apply(self, wanted: Conditions, due: float) -> bool:
        """Tell everyone what is new; True while something ramps."""
        for provider, told in self._told.items():
            faults = wanted.of(provider)
            self._tell_service(provider, told, _layer(faults, "service"), due)
            self._tell_wire(provider, told, _layer(faults, "wire"), due)
        self._tell_status(wanted.status, due)
        return any(not active.span.fault.share.steady for active in wanted.faults)

    def _tell_status(self, wanted: StatusState | None, due: float) -> None:
        if wanted == self._status:
            return
        if self._try("status_page", "change", due, lambda: self._service.set_status(wanted)):
            self._status = wanted

    def _tell_service(self, provider: str, told: _Told, wanted: Faults, due: float) -> None:
        changes = tuple(_changes(told.service, wanted))
        if not changes:
            return
        sent = self._clock.now()
        error = _error_of(lambda: self._service.set_faults(provider, tuple(wanted.values())))
        for fault, does in changes:
            self._sink(Action(fault, does, due, sent, None if error else self._clock.now(), error))
        if error is None:
            told.service = wanted

    def _tell_wire(self, provider: str, told: _Told, wanted: Faults, due: float) -> None:
        for fault, does in tuple(_changes(told.wire, wanted)):
            active = wanted.get(fault) or told.wire[fault]
            change = partial(change_wire_fault, self._wire, self._proxies[provider], does, active, wanted.values())
            done = self._try(fault, does, due, partial(self._unless_hung, partial(change, self._clock)))
            if not (done or self.broken):
                continue
            if does == "end":
                del told.wire[fault]
            else:
                told.wire[fault] = active

    def _unless_hung(self, call: Callable[[], T]) -> T:
        """Raises ControlPlaneHung at once where a call has hung before."""
        if self.broken:
            raise ControlPlaneHung(self.broken)
        try:
            return call()
        except ControlPlaneHung as error:
            self.broken = str(error)
            raise

    def _try(self, fault: str, does: Change, due: float, act: Callable[[], None]) -> bool:
        sent = self._clock.now()
        error = _error_of(act)
        self._sink(Action(fault, does, due, sent, None if error else self._clock.now(), error))
        return error is None

    def _look(self) -> None:
        """Put on record what each provider saw since the last look, wire hits included."""
        try:
            seconds = self._service.seconds(self._next_second)
        except TestbedError:
            return  # what they saw is asked for again; a dead child shows in the next change, which is on record
        wire = self._felt()
        newest = {second.provider: second.t for second in seconds}
        for second in seconds:
            last = newest[second.provider] == second.t
            self._sink(self._with_wire(second, wire.get(second.provider, {})) if last else second)
        self._next_second = max([self._next_second - 1, *newest.values()]) + 1

    def _felt(self) -> Mapping[str, Mapping[str, int]]:
        """Hits so far, by provider; nothing from a proxy that cannot tell, or not now."""
        try:
            hits = {name: self._unless_hung(partial(self._wire.felt, proxy)) for name, proxy in self._proxies.items()}
        except TestbedError:
            return {}  # they add up, and are asked for again
        return {name: found for name, found in hits.items() if found is not None}

    def _with_wire(self, second: ServiceSecond, felt: Mapping[str, int]) -> ServiceSecond:
        before = self._told[second.provider].felt
        new = {fault: hits - before.get(fault, 0) for fault, hits in felt.items() if hits > before.get(fault, 0)}
        new.pop(CLOSED_BY_DISABLE, None)  # a `down` fault is felt by the clients that it refuses; their journal says so
        before.update(felt)
        return replace(second, felt={**second.felt, **new})


def _layer(faults: tuple[ActiveFault, ...], layer: str) -> Faults:
    return {active.span.id: active for active in faults if active.span.fault.layer == layer}


def _changes(before: Faults, after: Faults) -> Iterator[tuple[str, Change]]:
    """Ends first, so that a fault which makes room is gone before its successor comes."""
    yield from ((fault, "end") for fault in before if fault not in after)
    for fault, active in after.items():
        if fault not in before:
            yield fault, "begin"
        elif active.share != before[fault].share:
            yield fault, "change"


def _error_of(act: Callable[[], None]) -> str | None:
    try:
        act()
    except TestbedError as error:
        return str(error)
    return None
