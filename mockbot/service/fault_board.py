"""Which service faults hit a request: the active faults, the request and `now` in, what happens to it out. Pure,
seeded.

One order, stated once. A request meets the faults in this order, and the first that answers it ends the matter:

    crash > maintenance > http_error > rate_limited          at the edge, before anything is read
          > the provider's own limits > shed > capacity      may it come in?
          > slow                                             its answer takes longer; all that hit it add up
          > stall, cut, error_event, malformed_event, blank_answer
                                                             within its answer, at the token that each names;
                                                             at the same token in this order

Rules
- Every fault draws from a stream of its own, so that adding one does not change whom the others hit.
- `keys` is no chance: a key's place on 0..1 is a hash of the seed and the key, so 30 % are always the same keys, and
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
from mockbot.scenario.timeline import ActiveFault
from mockbot.service.answer_text import fingerprint
from mockbot.service.job import Slope

EDGE = (Maintenance, HttpError, RateLimited)
WITHIN = (Stall, Cut, ErrorEvent, MalformedEvent, BlankAnswer)
ORDER: tuple[type[ServiceFault], ...] = (Crash, *EDGE, Shed, Capacity, Slow, *WITHIN)


class Failed(NamedTuple):
    """A fault answers in the provider's place. `retry_after` in scenario seconds; None: nothing is told."""

    fault: str
    status: int
    code: str | None = None
    retry_after: float | None = None
    html: bool = False


class StreamFault(NamedTuple):
    """Something that will go wrong within an answer, after this many tokens."""

    fault: str
    after_tokens: int
    what: Stall | Cut | ErrorEvent | MalformedEvent | BlankAnswer


@dataclass(frozen=True, slots=True)
class Slowness:
    """How much slower one answer is."""

    factor: float
    added: float
    faults: tuple[str, ...]


class _Left:
    """How many requests a fault still hits; it counts on when the same fault is set again."""

    __slots__ = ("times",)

    def __init__(self, times: int | None) -> None:
        self.times = times

    def take(self) -> bool:
        if self.times is None:
            return True
        self.times -= 1
        return self.times >= 0


class _Armed:
    """A fault that holds now, with its chance stream."""

    __slots__ = ("chance", "fault", "id", "left", "share", "span")

    def __init__(self, active: ActiveFault, fault: ServiceFault, chance: random.Random, left: "_Left") -> None:
        self.left = left
        self.id, self.span, self.share, self.fault, self.chance = (
            active.span.id,
            active.span,
            active.share,
            fault,
            chance,
        )

    def hits(self, now: float, tier: str, place: float, endpoint: str) -> bool:
        fault = self.fault
        if fault.tier is not None and fault.tier != tier:
            return False
        if fault.endpoint is not None and not endpoint.startswith(fault.endpoint):
            return False
        if fault.keys is not None and place >= fault.keys:
            return False
        share = self.share if fault.share.steady else fault.share.at(self.span.progress(now))
        return (share >= 1.0 or (share > 0.0 and self.chance.random() < share)) and self.left.take()


class FaultBoard:
    """The service faults of one provider that hold now."""

    def __init__(self, seed: int, provider: str) -> None:
        self._seed, self._provider = seed, provider
        self._streams: dict[str, random.Random] = {}
        self._places: dict[str, float] = {}
        self._left: dict[str, _Left] = {}
        self.edge: tuple[_Armed, ...] = ()
        self.shed: tuple[_Armed, ...] = ()
        self.capacity: tuple[_Armed, ...] = ()
        self.slow: tuple[_Armed, ...] = ()
        self.within: tuple[_Armed, ...] = ()
        self.crash: _Armed | None = None

    def set(self, faults: Sequence[ActiveFault]) -> None:
        """From now on exactly these hold."""
        armed = sorted((self._arm(active) for active in faults), key=lambda each: ORDER.index(type(each.fault)))
        self.edge = tuple(each for each in armed if isinstance(each.fault, EDGE))
        self.shed = tuple(each for each in armed if isinstance(each.fault, Shed))
        self.capacity = tuple(each for each in armed if isinstance(each.fault, Capacity))
        self.slow = tuple(each for each in armed if isinstance(each.fault, Slow))
        self.within = tuple(each for each in armed if isinstance(each.fault, WITHIN))
        self.crash = next((each for each in armed if isinstance(each.fault, Crash)), None)

    def _arm(self, active: ActiveFault) -> _Armed:
        fault = active.span.fault
        if not isinstance(fault, ServiceFault):
            raise TypeError(f"{active.span.id} is a fault of the wire, not of the service")
        stream = f"{self._seed}/{self._provider}/{active.span.id}"
        left = self._left.setdefault(active.span.id, _Left(active.times))
        return _Armed(active, fault, self._streams.setdefault(stream, random.Random(stream)), left)

    def place(self, key: str) -> float:
        """Where on 0..1 a key lies, always the same."""
        if key not in self._places:
            if len(self._places) > 10_000:
                self._places.clear()
            self._places[key] = fingerprint(self._seed, b"key", key.encode()) / 2**64
        return self._places[key]

    def _struck(self, armed: Iterable[_Armed], now: float, tier: str, key: str, endpoint: str) -> Iterable[_Armed]:
        for each in armed:
            place = 0.0 if each.fault.keys is None else self.place(key)
            if each.hits(now, tier, place, endpoint):
                yield each

    def at_the_edge(self, now: float, tier: str, key: str, endpoint: str) -> Failed | None:
        """The error that is answered before the request is even read."""
        for each in self._struck(self.edge, now, tier, key, endpoint):
            failed = _failure(each, now, endpoint)
            if failed is not None:
                return failed
        return None

    def shed_by(self, now: float, tier: str, key: str, endpoint: str) -> str | None:
        """The id of the fault that sheds this request; a tier that is not named is let in."""
        for each in self.shed:
            admit = each.fault.shed.admit.get(tier) if isinstance(each.fault, Shed) else None
            if admit is None or each.chance.random() < admit.at(each.span.progress(now)):
                continue
            place = 0.0 if each.fault.keys is None else self.place(key)
            if each.hits(now, tier, place, endpoint):
                return each.id
        return None

    def slowness(self, now: float, tier: str, key: str, endpoint: str) -> Slowness | None:
        """How much slower this request's answer is: factors multiply, delays add up."""
        factor, added, faults = 1.0, 0.0, []
        for each in self._struck(self.slow, now, tier, key, endpoint):
            if isinstance(each.fault, Slow):
                factor *= each.fault.slow.factor
                added += each.fault.slow.first_token.at(each.span.progress(now))
                faults.append(each.id)
        return Slowness(factor, added, tuple(faults)) if faults else None

    def stream_faults(self, now: float, tier: str, key: str, endpoint: str) -> tuple[StreamFault, ...]:
        """What will go wrong within this request's answer, earliest first."""
        found = [
            StreamFault(each.id, _position(each.fault), each.fault)
            for each in self._struck(self.within, now, tier, key, endpoint)
            if isinstance(each.fault, WITHIN)
        ]
        return tuple(sorted(found, key=lambda stream_fault: stream_fault.after_tokens))

    def slopes(self) -> tuple[Slope, ...]:
        """What the slots are multiplied by."""
        return tuple(
            Slope(each.span.start, each.span.end, each.fault.capacity.factor.first, each.fault.capacity.factor.last)
            for each in self.capacity
            if isinstance(each.fault, Capacity)
        )


def _failure(armed: _Armed, now: float, endpoint: str) -> Failed | None:
    match armed.fault:
        case Maintenance(maintenance=spec):
            if endpoint.startswith(spec.exempt):
                return None
            wait = armed.span.end - now if spec.retry_after == "until_end" else spec.retry_after
            return Failed(armed.id, 503, "maintenance", max(0.0, wait), spec.body == "html")
        case HttpError(http_error=spec):
            return Failed(armed.id, spec.status, spec.code, spec.retry_after, spec.body == "html")
        case RateLimited(rate_limited=spec):
            return Failed(armed.id, 429, None, spec.retry_after)
        case other:
            raise TypeError(f"{other.kind} is no fault of the edge")


def _position(fault: ServiceFault) -> int:
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
