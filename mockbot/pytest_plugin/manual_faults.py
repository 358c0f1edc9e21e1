"""Single faults that a test adds and removes itself: keyword arguments in, a fault of the scenario language out.

`mockbot.fault(http_error=503, retry_after=0.5, times=2)` means `http_error: {status: 503, retry_after: 500ms}` for the
first two requests. Durations are seconds. A fault holds until its `lasts` is over, its `times` are used up, its `with`
block ends, `remove()` is called, or the test ends.
"""

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Literal, Self

from pydantic import TypeAdapter, ValidationError

from mockbot.clock import Clock
from mockbot.errors import UsageError
from mockbot.faults import KINDS, Fault
from mockbot.faults.base import FaultBase, ServiceFault, WireFault
from mockbot.interception.interceptor_control import InterceptorControl
from mockbot.pytest_plugin.session_testbed import RunningService, SessionTestbed
from mockbot.scenario.spans import FaultSpan
from mockbot.scenario.timeline import ActiveFault
from mockbot.service.control_client import ServiceControl
from mockbot.testbed.wire_changes import change_wire_fault

PHASE = "by_hand"
NO_END = 366 * 86400.0  # seconds; beyond the one phase of the fixture's own scenario
_WIRE = [kind for kind, fault in KINDS.items() if issubclass(fault, WireFault)]
_FAULT: TypeAdapter[FaultBase] = TypeAdapter(Fault)


class ManualFault:
    """A fault that holds from its creation on."""

    def __init__(self, active: ActiveFault, lasts: float | None, faults: "ManualFaults") -> None:
        self._active, self._faults = active, faults
        self._holds = True
        self._lock = threading.Lock()  # the timer below ends the fault on a thread of its own
        faults.change("begin", active)
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
        return self._faults.felt()[self.id]

    def remove(self) -> None:
        """End it. Idempotent."""
        with self._lock:
            if not self._holds:
                return
            self._holds = False
            self._faults.change("end", self._active)
        if self._timer is not None:
            self._timer.cancel()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()


class ManualFaults:
    """All manual faults of one test. They act on `running`, a service of one provider, and on its proxy."""

    def __init__(self, testbed: SessionTestbed, running: RunningService, clock: Clock) -> None:
        self._testbed, self._running, self._clock = testbed, running, clock
        (self._provider,) = running.addresses.providers
        self._service = ServiceControl(running.addresses.service_control)
        self._holding: dict[str, ActiveFault] = {}
        self._added: list[ManualFault] = []
        # The test's thread and the timers of faults that last change what holds and send it: one after the other, or
        # what is sent last could be what held first.
        self._changing = threading.Lock()

    def add(self, fault: FaultBase, times: int | None = None) -> ManualFault:
        """Begin a fault, for `times` requests only if that is given. Raises UsageError."""
        if fault.on not in {None, self._provider} or fault.only_on is not None:
            raise UsageError(f"by hand there is one provider, {self._provider!r}; leave the other one out")
        if fault.layer == "tls" and not self._running.addresses.interceptor:
            raise UsageError("this is a fault of the TLS handshake; mark the test with @pytest.mark.tls")
        if times is not None and not isinstance(fault, ServiceFault):
            raise UsageError(f"{fault.kind} hits connections, not requests; use lasts instead of times")
        replicas = self._running.scenario.providers[self._provider].replicas
        if times is not None and replicas > 1 and getattr(fault, "replica", None) is None:
            raise UsageError(f"each of the {replicas} replicas would count to times={times}; name one by replica=")
        now = max(0.0, self._clock.now())
        id_ = f"{PHASE}.{len(self._added)}.{fault.kind}"
        span = FaultSpan(id_, fault, self._provider, PHASE, now, now + NO_END)
        added = ManualFault(ActiveFault(span, fault.share.first, times), fault.lasts, self)
        self._added.append(added)
        return added

    def change(self, change: Literal["begin", "end"], active: ActiveFault) -> None:
        """Begin or end a fault in the service, of the handshake or at the proxy. Raises TestbedError."""
        with self._changing:
            if change == "begin":
                self._holding[active.span.id] = active
            else:
                del self._holding[active.span.id]
            layer = active.span.fault.layer
            of_layer = [held for held in self._holding.values() if held.span.fault.layer == layer]
            if layer == "service":
                self._service.set_faults(self._provider, of_layer)
            elif layer == "tls":
                interceptor = InterceptorControl(self._running.addresses.interceptor)
                interceptor.set_faults(self._provider, of_layer, self._clock.speed)
            else:
                proxy = self._running.addresses.proxies[self._provider]
                change_wire_fault(self._testbed.control, proxy, change, active, self._holding.values(), self._clock)

    @property
    def hold(self) -> bool:
        """Whether one is in place now."""
        return bool(self._holding)

    def felt(self) -> Counter[str]:
        """Fault id -> hits so far."""
        return self._testbed.felt(self._running)

    def unfelt(self, *, asked: bool) -> str | None:
        """Why a fault shows nothing; None when each was felt, or there is none. `asked`: a model has been asked."""
        hits = self.felt()
        ids = [fault.id for fault in self._added]
        names = [id_.partition(".")[2] for id_ in ids if not felt(id_.rpartition(".")[2], hits[id_], asked=asked)]
        if not names:
            return None
        says = f"no request felt the faults put in place by hand ({', '.join(names)}), so the test shows nothing there"
        closed = any("client" in KINDS[name.partition(".")[2]].counted_by for name in names)
        hint = "; nothing counts what a closed port refuses, so ask before or after it, too" if closed else ""
        return f"{says}; ask a model while each holds{hint}"

    def close(self) -> None:
        """End every fault."""
        for fault in self._added:
            fault.remove()


def felt(kind: str, hits: int, *, asked: bool) -> bool:
    """Whether a client felt a fault of this kind. `asked`: it has sent a request to a model.

    A list of models is no such request, but what ends in the proxy or in a handshake, before a provider can record it,
    may be one. What only clients can count, such as refused connections, is not known in a test: there, any question
    shows a client.
    """
    counted_by = KINDS[kind].counted_by
    return hits > 0 if counted_by & {"proxy", "terminator"} else asked and (hits > 0 or "client" in counted_by)


def read_fault(given: Mapping[str, Any]) -> FaultBase:
    """Keyword arguments as a fault: its own fields (`share`, `lasts`, …) beside the kind, all others within it.

    Raises UsageError that names each mistake.
    """
    kinds = [name for name in given if name in KINDS]
    if len(kinds) != 1:
        raise UsageError(f"name one kind of fault, not {kinds or 'none'}; there are {', '.join(KINDS)}")
    kind, spec = kinds[0], given[kinds[0]]
    fields = KINDS[kind].model_fields
    if not isinstance(spec, dict):  # the value of the Spec's main field, as in `http_error: 503`
        spec = {KINDS[kind].spec_type().main: spec}
    extra = {name: value for name, value in given.items() if name not in fields}
    rest = {name: value for name, value in given.items() if name in fields and name != kind}
    try:
        return _FAULT.validate_python({**rest, kind: {**spec, **extra}})
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, each['loc'][1:]))}: {each['msg']}" for each in error.errors())
        raise UsageError(f"{kind}: {problems}") from None


class WireFaults:
    """Faults of the connection, in Toxiproxy's own units (milliseconds, kB/s, bytes, for `slicer` microseconds).

    `wire.latency(300, jitter=50, share=0.5)`: a method for each, which takes the values of the fault in their order in
    `mockbot/faults/<name>.py`, then where and when it holds.
    """

    def __init__(self, add: Callable[..., ManualFault]) -> None:
        self._add = add

    def __getattr__(self, kind: str) -> Callable[..., ManualFault]:
        fault = KINDS.get(kind)
        if fault is None or not issubclass(fault, WireFault):
            raise AttributeError(f"{kind!r} is not a fault of the connection; there are {', '.join(_WIRE)}")
        units = fault.units()

        def add(*values: float, **more: Any) -> ManualFault:
            if len(values) > len(units):
                names = ", ".join(units) or "none"
                raise UsageError(f"{kind} takes at most {len(units)} values without a name: {names}")
            given = dict(zip(units, values, strict=False)) | more
            spec = {name: units[name].from_wire(given.pop(name)) for name in units if name in given}
            return self._add(**{kind: spec}, **given)

        return add

    def __dir__(self) -> list[str]:
        return _WIRE
