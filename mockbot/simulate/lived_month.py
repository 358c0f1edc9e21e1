"""A month of incidents lived through by simulated users: a typical month in, what each kind of client lost out.

Only the time around incidents is simulated: from BEFORE a fault until AFTER it, overlapping ones as one stretch. The
rest of the month is taken to be as the quiet hour that is simulated, too; the result says how many hours are which.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType
from typing import NamedTuple

from mockbot.evidence.judgement import Judgement
from mockbot.evidence.verdict import judge
from mockbot.incidents.typical_month import Impact, PostedIncident
from mockbot.measures.scope import Scope
from mockbot.measures.values import Known
from mockbot.scenario.schema import Scenario
from mockbot.simulate.simulation import Memory, Watch, simulate

BEFORE, AFTER, QUIET = 600.0, 1800.0, 3600.0  # seconds
FELT = 0.95  # an incident is felt by those of whose prompts fewer were answered in time
SHARES: Mapping[Impact, float] = MappingProxyType({"none": 0.0, "minor": 0.08, "major": 0.45, "critical": 0.9})
POLICIES: Mapping[str, Mapping[str, object]] = MappingProxyType({
    "gives-up": {"name": "once"},
    "reloads": {"name": "refresh", "every": "30s"},
    "sdk": {"name": "sdk"},
    "backs-off": {"name": "backoff", "attempts": 8, "base": "2s", "cap": "30s"},
})  # fmt: skip
ELSEWHERE = "-and-goes-elsewhere"


class Outage(NamedTuple):
    """Seconds of the month, and the share of the requests that fail."""

    start: float
    end: float
    share: float


@dataclass(slots=True)
class GroupMonth:
    """What one kind of client lived through; `down`: mean seconds in which a user was without good answers."""

    prompts: float = 0.0
    answered: float = 0.0
    down: float = 0.0
    felt: int = 0

    @property
    def lost(self) -> float:
        """Prompts that were not answered in time."""
        return self.prompts - self.answered


@dataclass(frozen=True, slots=True)
class LivedMonth:
    """`simulated`: seconds that were played; `stretches`: around the outages, how many."""

    groups: Mapping[str, GroupMonth]
    users: int
    simulated: float
    stretches: int

    @property
    def told(self) -> str:
        """What was simulated, and what was not."""
        hours = f"{self.simulated / 3600:.1f} h in {self.stretches} stretches and a quiet hour"
        return f"{hours} simulated with {self.users} users; the rest is taken to be as that hour"


def outages(month: Sequence[PostedIncident], product: str, begin: float, end: float) -> list[Outage]:
    """The faults of a product within the month, which begins and ends at these Unix times."""
    found = []
    for each in month:
        start, over = (min(max(moment, begin), end) - begin for moment in each.fault)
        if product in each.products and SHARES[each.impact] > 0 and over > start:
            found.append(Outage(start, over, SHARES[each.impact]))
    return found


def weighted_downtime(found: Sequence[Outage], seconds: float) -> float:
    """The share of the month's requests that fail when they come evenly; of overlapping outages the worst counts."""
    edges = sorted({edge for each in found for edge in (each.start, each.end)})
    lost = 0.0
    for start, end in pairwise(edges):
        lost += (end - start) * max((each.share for each in found if each.start <= start < each.end), default=0.0)
    return lost / seconds


def live(
    main: Sequence[Outage], other: Sequence[Outage], seconds: float, users: int, seed: int, watch: Watch
) -> LivedMonth:
    """Simulate the stretches around the outages of `main`; `other` is the provider that some fail over to."""
    groups = {name: GroupMonth() for name in _crowd()}
    stretches = list(_stretches(main, seconds))
    quiet = _scenario(users, QUIET, (), ())
    _add(groups, _judged(quiet, seed), (seconds - sum(end - start for start, end in stretches)) / QUIET, felt=False)
    for number, (start, end) in enumerate(stretches, 1):
        watch(start, seconds)
        scenario = _scenario(users, end - start, _within(main, start, end), _within(other, start, end))
        _add(groups, _judged(scenario, seed + number), 1.0, felt=True)
    played = QUIET + sum(end - start for start, end in stretches)
    return LivedMonth(groups, users, played, len(stretches))


def _stretches(found: Sequence[Outage], seconds: float) -> Iterator[tuple[float, float]]:
    stretch: tuple[float, float] | None = None
    for each in sorted(found):
        start, end = max(0.0, each.start - BEFORE), min(seconds, each.end + AFTER)
        if stretch is not None and start <= stretch[1]:
            stretch = stretch[0], max(stretch[1], end)
            continue
        if stretch is not None:
            yield stretch
        stretch = start, end
    if stretch is not None:
        yield stretch


def _within(found: Sequence[Outage], start: float, end: float) -> tuple[Outage, ...]:
    cut = (Outage(max(0.0, each.start - start), min(each.end, end) - start, each.share) for each in found)
    return tuple(each for each in cut if each.end > each.start and each.start < end - start)


def _crowd() -> dict[str, dict[str, object]]:
    """Each policy alone, and with a second provider to go to."""
    groups: dict[str, dict[str, object]] = {}
    for name, policy in POLICIES.items():
        groups[name] = {"think": "1m", "patience": "2m", "policy": dict(policy)}
        if policy["name"] != "once":  # whoever asks once never asks another one
            groups[name + ELSEWHERE] = {**groups[name], "falls_over_to": "other"}
    return {name: {**group, "users": 1 / len(groups)} for name, group in groups.items()}


def _scenario(users: int, lasts: float, main: Sequence[Outage], other: Sequence[Outage]) -> Scenario:
    answer = {"first_token": "500ms", "tokens": {"median": 60, "p95": 200}, "pace": "40/s"}
    provider = {"slots": users, "answer": answer}
    faults = [
        {"on": name, "http_error": 503, "share": each.share, "at": each.start, "lasts": each.end - each.start}
        for name, found in (("main", main), ("other", other))
        for each in found
    ]
    return Scenario.model_validate({
        "name": "month", "title": "A stretch of a month", "slo": 60,
        "providers": {"main": provider, "other": provider},
        "crowd": _crowd(),
        "phases": [{"name": "stretch", "lasts": lasts, "users": users, "faults": faults}],
    })  # fmt: skip


def _judged(scenario: Scenario, seed: int) -> Judgement:
    memory = Memory()
    info = simulate(scenario, seed=seed, sink=memory.take)
    if info.ended == "interrupted":
        raise KeyboardInterrupt
    return judge(memory.evidence(scenario, info))


def _add(groups: Mapping[str, GroupMonth], judgement: Judgement, times: float, *, felt: bool) -> None:
    lasts = judgement.run.end
    for row in judgement.measures:
        if row.scope != Scope(group=row.scope.group) or row.scope.group is None:
            continue
        values = {name: value.number for name, value in row.values.items() if isinstance(value, Known)}
        group, good = groups[row.scope.group], values.get("availability", 0.0)
        group.prompts += times * values["prompts"]
        group.answered += times * values["prompts"] * good
        group.down += times * lasts * (1 - values.get("user_uptime", 1.0))
        group.felt += felt and good < FELT
