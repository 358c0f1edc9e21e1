"""Single faults that a test adds and removes itself: keyword arguments in, a fault of the scenario language out.

`mockbot.fault(http_error=503, retry_after=0.5, times=2)` means `http_error: {status: 503, retry_after: 500ms}` for the
first two requests. Durations are seconds. A fault holds until its `lasts` is over, its `times` are used up, its `with`
block ends, `remove()` is called, or the test ends.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from pydantic import TypeAdapter, ValidationError

from mockbot.clock import Clock
from mockbot.errors import UsageError
from mockbot.faults.union import SERVICE_FAULTS, WIRE_FAULTS, Fault, FaultBase, ServiceFault
from mockbot.proxy.toxiproxy_client import ToxicControl
from mockbot.scenario.spans import FaultSpan
from mockbot.scenario.timeline import ActiveFault
from mockbot.testbed.toxic_mapping import toxic_of

PHASE = "by_hand"
NO_END = 366 * 86400.0  # seconds; beyond the one phase of the fixture's own scenario
_FAULT: TypeAdapter[FaultBase] = TypeAdapter(Fault)
_KINDS = {fault.kind: fault for fault in (*SERVICE_FAULTS, *WIRE_FAULTS)}


@dataclass(frozen=True, slots=True)
class FaultControl:
    """How a manual fault acts on the testbed."""

    begin: Callable[[ActiveFault], None]
    end: Callable[[ActiveFault], None]
    hits: Callable[[str], int]


class ManualFault:
    """A fault that holds from the moment it is made."""

    def __init__(self, active: ActiveFault, lasts: float | None, control: FaultControl) -> None:
        self._active, self._control = active, control
        self._holds = True
        self._lock = threading.Lock()  # the timer below ends the fault on a thread of its own
        control.begin(active)
        self._timer = None if lasts is None else threading.Timer(lasts, self.remove)
        if self._timer is not None:
            self._timer.daemon = True
            self._timer.start()

    @property
    def id(self) -> str:
        """Its name in `felt`."""
        return self._active.span.id

    @property
    def hits(self) -> int:
        """How many requests (connections, for a fault of the wire) it has hit so far."""
        return self._control.hits(self.id)

    def remove(self) -> None:
        """End it. Idempotent."""
        with self._lock:
            if not self._holds:
                return
            self._holds = False
            self._control.end(self._active)
        if self._timer is not None:
            self._timer.cancel()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.remove()


def read_fault(given: Mapping[str, Any]) -> FaultBase:
    """Keyword arguments as a fault: its own fields (`share`, `lasts`, …) beside the kind, all others within it.

    Raises UsageError, which says what is wrong with them.
    """
    kinds = [name for name in given if name in _KINDS]
    if len(kinds) != 1:
        raise UsageError(f"name one kind of fault, not {kinds or 'none'}; there are {', '.join(_KINDS)}")
    kind = kinds[0]
    fields = _KINDS[kind].model_fields
    spec = given[kind]
    if not isinstance(spec, dict):  # the value of the Spec's main field, as in `http_error: 503`
        spec = {getattr(fields[kind].annotation, "main"): spec}  # noqa: B009 - every Spec has one; mypy cannot see it
    extra = {name: value for name, value in given.items() if name not in fields}
    rest = {name: value for name, value in given.items() if name in fields and name != kind}
    try:
        return _FAULT.validate_python({**rest, kind: {**spec, **extra}})
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, each['loc'][1:]))}: {each['msg']}" for each in error.errors())
        raise UsageError(f"{kind}: {problems}") from None


def active_fault(fault: FaultBase, provider: str, number: int, now: float, times: int | None) -> ActiveFault:
    """The fault as a timeline would have it at `now`."""
    if times is not None and not isinstance(fault, ServiceFault):
        raise UsageError(f"{fault.kind} hits connections, not requests; use lasts instead of times")
    span = FaultSpan(f"{PHASE}.{number}.{fault.kind}", fault, fault.on or provider, PHASE, now, now + NO_END)
    return ActiveFault(span, fault.share.first, times)


class WireFaults:
    """Faults of the connection, in Toxiproxy's own units: milliseconds, kB/s, bytes. Each method adds one."""

    def __init__(self, add: Callable[..., ManualFault]) -> None:
        self._add = add

    def latency(self, latency: float, jitter: float = 0.0, **where: Any) -> ManualFault:
        """Each piece of data `latency` ms later, give or take `jitter` ms."""
        return self._add(latency={"latency": latency / 1000, "jitter": jitter / 1000}, **where)

    def bandwidth(self, rate: float, **where: Any) -> ManualFault:
        """At most `rate` kB/s."""
        return self._add(bandwidth={"rate": rate * 1000}, **where)

    def slow_close(self, delay: float, **where: Any) -> ManualFault:
        """The end of a connection held back for `delay` ms."""
        return self._add(slow_close={"delay": delay / 1000}, **where)

    def timeout(self, timeout: float = 0.0, **where: Any) -> ManualFault:
        """Nothing passes; closed after `timeout` ms, or never when 0."""
        return self._add(timeout={"timeout": timeout / 1000}, **where)

    def reset_peer(self, timeout: float = 0.0, **where: Any) -> ManualFault:
        """New connections are reset `timeout` ms after their first data."""
        return self._add(reset_peer={"timeout": timeout / 1000}, **where)

    def slicer(self, average_size: int, size_variation: int = 0, delay: float = 0.0, **where: Any) -> ManualFault:
        """Pieces of about `average_size` bytes, `delay` microseconds apart."""
        spec = {"average_size": average_size, "size_variation": size_variation, "delay": delay / 1e6}
        return self._add(slicer=spec, **where)

    def limit_data(self, bytes: int, **where: Any) -> ManualFault:  # noqa: A002 - Toxiproxy's word
        """Closed after so many bytes."""
        return self._add(limit_data={"bytes": bytes}, **where)

    def down(self, **where: Any) -> ManualFault:
        """The port is closed. Refused connections cannot be counted, so this fault does not have to be felt."""
        return self._add(down=True, **where)


def begin_on_wire(control: ToxicControl, proxy: str, active: ActiveFault, clock: Clock) -> None:
    """Add the fault's toxic, or close the listener."""
    if active.span.fault.kind == "down":
        control.disable(proxy)
    else:
        control.add_toxic(proxy, toxic_of(active, clock))


def end_on_wire(control: ToxicControl, proxy: str, active: ActiveFault) -> None:
    """Undo `begin_on_wire`."""
    if active.span.fault.kind == "down":
        control.enable(proxy)
    else:
        control.remove_toxic(proxy, active.span.id)
