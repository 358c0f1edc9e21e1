"""Single faults, put in place and taken away by hand: keyword arguments in, a fault of the scenario language out.

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
FOR_EVER = 366 * 86400.0
_FAULT: TypeAdapter[FaultBase] = TypeAdapter(Fault)
_KINDS = {fault.kind: fault for fault in (*SERVICE_FAULTS, *WIRE_FAULTS)}


@dataclass(frozen=True, slots=True)
class Hand:
    """What one fault by hand needs of the theatre."""

    begin: Callable[[ActiveFault], None]
    end: Callable[[ActiveFault], None]
    hits: Callable[[str], int]


class HandFault:
    """A fault that holds from the moment it is made."""

    def __init__(self, active: ActiveFault, lasts: float | None, hand: Hand) -> None:
        self._active, self._hand = active, hand
        self._holds = True
        self._hits: int | None = None
        self._lock = threading.Lock()
        hand.begin(active)
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
        return self._hand.hits(self.id)

    def remove(self) -> None:
        """Take it away; once is enough, twice is fine."""
        with self._lock:
            if not self._holds:
                return
            self._holds = False
            self._hand.end(self._active)
        if self._timer is not None:
            self._timer.cancel()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.remove()


def read_fault(given: Mapping[str, Any]) -> FaultBase:
    """Keyword arguments as a fault. UsageError says what is wrong with them."""
    kinds = [name for name in given if name in _KINDS]
    if len(kinds) != 1:
        raise UsageError(f"name one kind of fault, not {kinds or 'none'}; there are {', '.join(_KINDS)}")
    kind = kinds[0]
    own = set(_KINDS[kind].model_fields)
    spec = given[kind] if isinstance(given[kind], dict) else _alone(kind, given[kind])
    extra = {name: value for name, value in given.items() if name not in own}
    rest = {name: value for name, value in given.items() if name in own and name != kind}
    try:
        return _FAULT.validate_python({**rest, kind: {**spec, **extra}})
    except ValidationError as error:
        says = "; ".join(f"{'.'.join(map(str, each['loc'][1:]))}: {each['msg']}" for each in error.errors())
        raise UsageError(f"{kind}: {says}") from None


def _alone(kind: str, value: object) -> dict[str, object]:
    annotation = _KINDS[kind].model_fields[kind].annotation
    return {getattr(annotation, "main"): value}  # noqa: B009 - every Spec has one, which mypy cannot see here


def active_fault(fault: FaultBase, provider: str, number: int, now: float, times: int | None) -> ActiveFault:
    """As the driver would have it."""
    if times is not None and not isinstance(fault, ServiceFault):
        raise UsageError(f"{fault.kind} hits connections, not requests; use lasts instead of times")
    span = FaultSpan(f"{PHASE}.{number}.{fault.kind}", fault, fault.on or provider, PHASE, now, now + FOR_EVER)
    return ActiveFault(span, fault.share.first, times)


class Wire:
    """Faults of the connection, in Toxiproxy's own units: milliseconds, kB/s, bytes. Each method puts one in place."""

    def __init__(self, put: Callable[..., HandFault]) -> None:
        self._put = put

    def latency(self, latency: float, jitter: float = 0.0, **where: Any) -> HandFault:
        """Each piece of data `latency` ms later, give or take `jitter` ms."""
        return self._put(latency={"latency": latency / 1000, "jitter": jitter / 1000}, **where)

    def bandwidth(self, rate: float, **where: Any) -> HandFault:
        """At most `rate` kB/s."""
        return self._put(bandwidth={"rate": rate * 1000}, **where)

    def slow_close(self, delay: float, **where: Any) -> HandFault:
        """The end of a connection held back for `delay` ms."""
        return self._put(slow_close={"delay": delay / 1000}, **where)

    def timeout(self, timeout: float = 0.0, **where: Any) -> HandFault:
        """Nothing passes; closed after `timeout` ms, or never when 0."""
        return self._put(timeout={"timeout": timeout / 1000}, **where)

    def reset_peer(self, timeout: float = 0.0, **where: Any) -> HandFault:
        """New connections are reset `timeout` ms after their first data."""
        return self._put(reset_peer={"timeout": timeout / 1000}, **where)

    def slicer(self, average_size: int, size_variation: int = 0, delay: float = 0.0, **where: Any) -> HandFault:
        """Pieces of about `average_size` bytes, `delay` microseconds apart."""
        spec = {"average_size": average_size, "size_variation": size_variation, "delay": delay / 1e6}
        return self._put(slicer=spec, **where)

    def limit_data(self, bytes: int, **where: Any) -> HandFault:  # noqa: A002 - Toxiproxy's word
        """Closed after so many bytes."""
        return self._put(limit_data={"bytes": bytes}, **where)

    def down(self, **where: Any) -> HandFault:
        """Nothing listens. Who is refused leaves no trace, so that this fault does not have to be felt."""
        return self._put(down=True, **where)


def begin_on_wire(control: ToxicControl, proxy: str, active: ActiveFault, clock: Clock) -> None:
    """Add its toxic, or close the door."""
    if active.span.fault.kind == "down":
        control.disable(proxy)
    else:
        control.add_toxic(proxy, toxic_of(active, clock))


def end_on_wire(control: ToxicControl, proxy: str, active: ActiveFault) -> None:
    """Take it away again."""
    if active.span.fault.kind == "down":
        control.enable(proxy)
    else:
        control.remove_toxic(proxy, active.span.id)
