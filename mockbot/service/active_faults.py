"""Which service faults hit a request: active faults, a request and `now` in, their effect out. Pure, seeded.

A request meets the faults in the order of `mockbot.faults.FAULTS`, and the first that answers it is the last.

Rules
- Every fault has random numbers of its own, so that adding one does not change which requests the others hit.
- `keys` draws nothing: a key's place on 0..1 is a hash of the seed and the key, so 30 % are always the same keys, and
  60 % are those and others.
- A ramp is read at the moment of the request, from the fault's own span.
- A fault is `felt` by exactly the requests it changed, counted when it does so.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from mockbot.faults import rank
from mockbot.faults.base import ServiceFault
from mockbot.faults.effects import (
    Admission,
    Crashed,
    EdgeAnswer,
    Effect,
    End,
    Garbled,
    Silence,
    SlotFactor,
    Slowdown,
    StreamChange,
)
from mockbot.scenario.timeline import ActiveFault, FaultSpan
from mockbot.service.answer_text import fingerprint
from mockbot.service.job import Slope

E = TypeVar("E", bound=Effect)


class Failed(NamedTuple):
    """A fault's error instead of an answer. `retry_after`: what is left of `answer`'s, in scenario seconds."""

    fault: str
    answer: EdgeAnswer
    retry_after: float | None = None


class Step(NamedTuple):
    """After `upto` tokens of an answer, this happens; `fault` is felt then (None: it is the answer's regular end)."""

    upto: int
    fault: str | None
    then: Silence | Garbled | End


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
        # Who was told by Retry-After when it ends may come back before the driver's word that it has ended.
        if now >= self.span.end:
            return False
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
    """The service faults of one provider that hold now: those with each kind of effect, in order."""

    def __init__(self, seed: int, provider: str) -> None:
        self._seed, self._provider = seed, provider
        self._draws: dict[str, _Draws] = {}
        self._places: dict[str, float] = {}
        self.set(())

    def set(self, faults: Sequence[ActiveFault]) -> None:
        """From now on exactly these hold."""
        armed = []
        for active in sorted(faults, key=lambda active: rank(active.span.fault)):
            id_, fault = active.span.id, active.span.fault
            if not isinstance(fault, ServiceFault):
                raise TypeError(f"{id_} is a fault of the wire, not of the service")
            if id_ not in self._draws:
                self._draws[id_] = _Draws(random.Random(f"{self._seed}/{self._provider}/{id_}"), active.times)
            armed.append((_Armed(id_, active.span, fault, active.share, self._draws[id_]), fault.effect()))
        self.crash = next(iter(_with(armed, Crashed)), None)
        self.edge = _with(armed, EdgeAnswer)
        self.shed = _with(armed, Admission)
        self.capacity = _with(armed, SlotFactor)
        self.slow = _with(armed, Slowdown)
        self.within = _with(armed, StreamChange)

    def place(self, key: str) -> float:
        """A key's place on 0..1, always the same."""
        if key not in self._places:
            if len(self._places) > 10_000:
                self._places.clear()
            self._places[key] = fingerprint(self._seed, b"key", key.encode()) / 2**64
        return self._places[key]

    def _hitting(
        self, armed: Sequence[tuple[_Armed, E]], now: float, tier: str, key: str, endpoint: str
    ) -> Iterator[tuple[_Armed, E]]:
        for each, effect in armed:
            place = 0.0 if each.fault.keys is None else self.place(key)
            if each.hits(now, tier, place, endpoint):
                yield each, effect

    def at_the_edge(self, now: float, tier: str, key: str, endpoint: str) -> Failed | None:
        """The error that is answered before the request is read."""
        for each, answer in self._hitting(self.edge, now, tier, key, endpoint):
            if not endpoint.startswith(answer.exempt):
                wait = answer.retry_after
                if wait == "until_end":
                    wait = max(0.0, each.span.end - now)
                return Failed(each.id, answer, wait)
        return None

    def shed_by(self, now: float, tier: str, key: str, endpoint: str) -> str | None:
        """The id of the fault that sheds this request; it does not name every tier, and others pass."""
        for each, admission in self.shed:
            admit = admission.shares.get(tier)
            if admit is not None and each.draws.random.random() >= admit.at(each.span.progress(now)):
                for _ in self._hitting(((each, admission),), now, tier, key, endpoint):
                    return each.id
        return None

    def slowness(self, now: float, tier: str, key: str, endpoint: str) -> Slowness | None:
        """How much slower this request's answer is: factors multiply, delays add up."""
        factor, added, faults = 1.0, 0.0, []
        for each, slowdown in self._hitting(self.slow, now, tier, key, endpoint):
            factor *= slowdown.factor
            added += slowdown.first_token.at(each.span.progress(now))
            faults.append(each.id)
        return Slowness(factor, added, tuple(faults)) if faults else None

    def stream_faults(self, now: float, tier: str, key: str, endpoint: str) -> tuple[Step, ...]:
        """The faults within this request's answer, earliest first."""
        hitting = self._hitting(self.within, now, tier, key, endpoint)
        found = [Step(change.after_tokens, each.id, change.then) for each, change in hitting]
        return tuple(sorted(found, key=lambda step: step.upto))

    def slopes(self) -> tuple[Slope, ...]:
        """The factors on the slots."""
        spans = ((each.span, slots.factor) for each, slots in self.capacity)
        return tuple(Slope(span.start, span.end, factor.first, factor.last) for span, factor in spans)


def _with(armed: Sequence[tuple[_Armed, Effect]], kind: type[E]) -> tuple[tuple[_Armed, E], ...]:
    return tuple((each, effect) for each, effect in armed if isinstance(effect, kind))
