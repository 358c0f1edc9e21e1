"""Which service faults hit a request: active faults, a request and `now` in, their effect out. Pure, seeded.

One order, stated once. A request meets the faults in this order, and the first that answers it is the last:

    crash > maintenance > http_error > rate_limited          at the edge, before anything is read
          > the provider's own limits > shed > capacity      before it gets a slot
          > slow                                             its answer takes longer; all that hit it add up
          > stall, cut, error_event, malformed_event, blank_answer
                                                             within its answer, at the token that each names;
                                                             at the same token in this order

Rules
- Every fault has random numbers of its own, so that adding one does not change which requests the others hit.
- `keys` draws nothing: a key's place on 0..1 is a hash of the seed and the key, so 30 % are always the same keys, and
  60 % are those and others.
- A ramp is read at the moment of the request, from the fault's own span.
- A fault is `felt` by exactly the requests it changed, counted when it does so.
"""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from mockbot.faults.union import (
    BlankAnswer,
    Capacity,
    Crash,
    Cut,
    ErrorEvent,
    HttpError,
    Maintenance,
    MalformedEvent,
    RateLimited,
    ServiceFault,
    Shed,
    Slow,
    Stall,
)
from mockbot.scenario.timeline import ActiveFault, FaultSpan
from mockbot.service.answer_text import fingerprint
from mockbot.service.job import Slope

EDGE = (Maintenance, HttpError, RateLimited)
WITHIN = (Stall, Cut, ErrorEvent, MalformedEvent, BlankAnswer)
ORDER: tuple[type[ServiceFault], ...] = (Crash, *EDGE, Shed, Capacity, Slow, *WITHIN)


class Failed(NamedTuple):
    """A fault's error instead of an answer. `retry_after` in scenario seconds; None: no Retry-After."""

    fault: str
    status: int
    code: str | None = None
    retry_after: float | None = None
    html: bool = False


class StreamFault(NamedTuple):
    """A fault within an answer, after this many tokens."""

    fault: str
    after_tokens: int
    what: Stall | Cut | ErrorEvent | MalformedEvent | BlankAnswer


@dataclass(frozen=True, slots=True)
class Slowness:
    """How much slower one answer is."""

    factor: float
    added: float
    faults: tuple[str, ...]


@dataclass(slots=True)
class _Draws:
    """A fault's own random numbers, and how many requests it still hits (None: no limit). Kept over updates."""

    random: random.Random
    left: int | None


@dataclass(frozen=True, slots=True)
class _Armed:
    """A fault that holds now."""

    id: str
    span: FaultSpan
    fault: ServiceFault
    share: float
    draws: _Draws

    def hits(self, now: float, tier: str, place: float, endpoint: str) -> bool:
        fault, draws = self.fault, self.draws
        if fault.tier is not None and fault.tier != tier:
            return False
        if fault.endpoint is not None and not endpoint.startswith(fault.endpoint):
            return False
        if fault.keys is not None and place >= fault.keys:
            return False
        share = self.share if fault.share.steady else fault.share.at(self.span.progress(now))
        if share < 1.0 and (share <= 0.0 or draws.random.random() >= share):
            return False
        if draws.left is not None:
            draws.left -= 1
        return draws.left is None or draws.left >= 0


class ActiveFaults:
    """The service faults of one provider that hold now."""

    def __init__(self, seed: int, provider: str) -> None:
        self._seed, self._provider = seed, provider
        self._draws: dict[str, _Draws] = {}
        self._places: dict[str, float] = {}
        self.edge: tuple[_Armed, ...] = ()
        self.shed: tuple[_Armed, ...] = ()
        self.capacity: tuple[_Armed, ...] = ()
        self.slow: tuple[_Armed, ...] = ()
        self.within: tuple[_Armed, ...] = ()
        self.crash: _Armed | None = None

    def set(self, faults: Sequence[ActiveFault]) -> None:
        """From now on exactly these hold."""
        armed = []
        for active in faults:
            id_, fault = active.span.id, active.span.fault
            if not isinstance(fault, ServiceFault):
                raise TypeError(f"{id_} is a fault of the wire, not of the service")
            if id_ not in self._draws:
                self._draws[id_] = _Draws(random.Random(f"{self._seed}/{self._provider}/{id_}"), active.times)
            armed.append(_Armed(id_, active.span, fault, active.share, self._draws[id_]))
        armed.sort(key=lambda each: ORDER.index(type(each.fault)))
        self.edge = tuple(each for each in armed if isinstance(each.fault, EDGE))
        self.shed = tuple(each for each in armed if isinstance(each.fault, Shed))
        self.capacity = tuple(each for each in armed if isinstance(each.fault, Capacity))
        self.slow = tuple(each for each in armed if isinstance(each.fault, Slow))
        self.within = tuple(each for each in armed if isinstance(each.fault, WITHIN))
        self.crash = next((each for each in armed if isinstance(each.fault, Crash)), None)

    def place(self, key: str) -> float:
        """A key's place on 0..1, always the same."""
        if key not in self._places:
            if len(self._places) > 10_000:
                self._places.clear()
            self._places[key] = fingerprint(self._seed, b"key", key.encode()) / 2**64
        return self._places[key]

    def _hitting(self, armed: Iterable[_Armed], now: float, tier: str, key: str, endpoint: str) -> Iterable[_Armed]:
        for each in armed:
            place = 0.0 if each.fault.keys is None else self.place(key)
            if each.hits(now, tier, place, endpoint):
                yield each

    def at_the_edge(self, now: float, tier: str, key: str, endpoint: str) -> Failed | None:
        """The error that is answered before the request is read."""
        for each in self._hitting(self.edge, now, tier, key, endpoint):
            match each.fault:
                case Maintenance(maintenance=spec):
                    if not endpoint.startswith(spec.exempt):
                        wait = each.span.end - now if spec.retry_after == "until_end" else spec.retry_after
                        return Failed(each.id, 503, "maintenance", max(0.0, wait), spec.body == "html")
                case HttpError(http_error=spec):
                    return Failed(each.id, spec.status, spec.code, spec.retry_after, spec.body == "html")
                case RateLimited(rate_limited=spec):
                    return Failed(each.id, 429, None, spec.retry_after)
        return None

    def shed_by(self, now: float, tier: str, key: str, endpoint: str) -> str | None:
        """The id of the fault that sheds this request; `admit` does not name every tier, and others pass."""
        for each in self.shed:
            admit = each.fault.shed.admit.get(tier) if isinstance(each.fault, Shed) else None
            if admit is not None and each.draws.random.random() >= admit.at(each.span.progress(now)):
                for _ in self._hitting((each,), now, tier, key, endpoint):
                    return each.id
        return None

    def slowness(self, now: float, tier: str, key: str, endpoint: str) -> Slowness | None:
        """How much slower this request's answer is: factors multiply, delays add up."""
        factor, added, faults = 1.0, 0.0, []
        for each in self._hitting(self.slow, now, tier, key, endpoint):
            if isinstance(each.fault, Slow):
                factor *= each.fault.slow.factor
                added += each.fault.slow.first_token.at(each.span.progress(now))
                faults.append(each.id)
        return Slowness(factor, added, tuple(faults)) if faults else None

    def stream_faults(self, now: float, tier: str, key: str, endpoint: str) -> tuple[StreamFault, ...]:
        """The faults within this request's answer, earliest first."""
        found = [
            StreamFault(each.id, _after_tokens(each.fault), each.fault)
            for each in self._hitting(self.within, now, tier, key, endpoint)
            if isinstance(each.fault, WITHIN)
        ]
        return tuple(sorted(found, key=lambda stream_fault: stream_fault.after_tokens))

    def slopes(self) -> tuple[Slope, ...]:
        """The factors on the slots."""
        return tuple(
            Slope(each.span.start, each.span.end, each.fault.capacity.factor.first, each.fault.capacity.factor.last)
            for each in self.capacity
            if isinstance(each.fault, Capacity)
        )


def _after_tokens(fault: ServiceFault) -> int:
    match fault:
        case Stall(stall=spec):
            return spec.after_tokens
        case Cut(cut=spec):
            return spec.after_tokens
        case ErrorEvent(error_event=spec):
            return spec.after_tokens
        case MalformedEvent(malformed_event=spec):
            return spec.after_tokens
        case _:
            return 0
