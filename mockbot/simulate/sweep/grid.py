"""A grid of simulated runs: a scenario and axes in, what became of each combination out.

A point is *recovered* when the answers of its last minute come at 90 % of the rate of the calm before; *stuck* when
they do not; *overloaded* when the calm itself leaves a tenth of what is asked unanswered. Each by two standard
deviations, because a minute of a small crowd easily has a few answers less by chance. One engine plays the whole grid.
The margins are those of `theory.py`, independent of the runs.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from mockbot.errors import UsageError
from mockbot.evidence.outage_spans import outages_of
from mockbot.evidence.records import Prompt
from mockbot.scenario.answer_law import answers_per_second
from mockbot.scenario.policies import BackoffBase, Fixed, Refresh, Sdk
from mockbot.scenario.schema import Provider, Scenario
from mockbot.scenario.timeline import Timeline
from mockbot.simulate import theory
from mockbot.simulate.change_points import Record
from mockbot.simulate.engines import Engine, EngineName, choose, fastest, start
from mockbot.simulate.sweep.axes import Axis, at_point

Place = tuple[int, int]  # column, row
State = Literal["recovered", "stuck", "overloaded"]
LAST = 60.0  # seconds at the end that are looked at, or a quarter of what follows the disturbance
WELL = 0.9  # of the calm's rate
CALM = 0.9  # of what is asked in the calm has to be answered


@dataclass(frozen=True, slots=True)
class Point:
    """What became of one combination. `good`: answers over prompts issued after the disturbance."""

    values: tuple[float, ...]
    state: State
    good: float
    margins: dict[str, float]  # of each law: above 0 nothing sticks


@dataclass(slots=True)
class Sweep:
    """A grid that fills up; what is there when it is interrupted is right."""

    scenario: Scenario
    axes: tuple[Axis, ...]
    engine: Engine
    points: dict[Place, Point] = field(default_factory=dict)
    interrupted: bool = False

    @property
    def up(self) -> Axis | None:
        """The second axis, the grid's rows; without one there is one row."""
        return self.axes[1] if len(self.axes) > 1 else None

    @property
    def shape(self) -> Place:
        """How many columns and rows."""
        return len(self.axes[0].values), len(self.up.values) if self.up else 1

    def values(self, place: Place) -> tuple[float, ...]:
        """The axes' values at a point."""
        return tuple(axis.values[index] for axis, index in zip(self.axes, place, strict=False))

    @property
    def laws(self) -> tuple[str, ...]:
        """The laws that say something here."""
        return tuple(dict.fromkeys(law for point in self.points.values() for law in point.margins))


def begin(scenario: Scenario, axes: Sequence[Axis], engine: EngineName = "auto") -> Sweep:
    """A grid without points; `auto` takes the fast engine where it can play both corners.

    Raises UsageError when an axis means nothing here, or the engine cannot play it.
    """
    if not 1 <= len(axes) <= 2 or len({axis.name for axis in axes}) < len(axes):
        raise UsageError("--sweep: one axis, or two different ones")
    corners = [at_point(scenario, axes, [axis.values[end] for axis in axes]) for end in (0, -1)]
    if outages_of(Timeline(scenario)).whole.baseline is None:
        raise UsageError(f"--sweep: {scenario.name} has no calm before its disturbance to compare with")
    chosen = {fastest(each) if engine == "auto" else choose(engine, each) for each in corners}
    return Sweep(scenario, tuple(axes), "reference" if "reference" in chosen else "fast")


def play_point(sweep: Sweep, place: Place) -> Point:
    """Simulate one point, with the scenario's seed; of a large crowd a part is recorded, and that part counts."""
    world = at_point(sweep.scenario, sweep.axes, sweep.values(place))
    issued, answered = Counter[int](), Counter[int]()  # prompts in each second

    def count(record: Record) -> None:
        if isinstance(record, Prompt):
            issued[int(record.intended)] += 1
            if record.settled == "answered":
                answered[int(record.end)] += 1

    run = start(sweep.engine, world, world.seed, count)
    while run.play(run.latest):
        pass
    run.finish()
    state, good = outcome(Timeline(world), issued, answered)
    return Point(sweep.values(place), state, round(good, 4), margins(world))


def outcome(timeline: Timeline, issued: Counter[int], answered: Counter[int]) -> tuple[State, float]:
    """The state, and the share that was answered after the disturbance."""

    def total(counts: Counter[int], begin: float, end: float) -> int:
        return sum(counts[second] for second in range(int(begin), int(end)))

    what = outages_of(timeline).whole
    calm = what.baseline or (0.0, timeline.end)
    clear = what.clear if what.clear is not None else calm[1]
    last = max(1.0, min(LAST, (timeline.end - clear) / 4))
    usual, share = total(answered, *calm), last / (calm[1] - calm[0])
    good = min(1.0, total(answered, clear, timeline.end) / max(1, total(issued, clear, timeline.end)))
    if _falls_short(usual, CALM, total(issued, *calm)):
        return "overloaded", good
    is_stuck = _falls_short(total(answered, timeline.end - last, timeline.end), WELL * share, usual)
    return ("stuck" if is_stuck else "recovered"), good


def _falls_short(count: int, share: float, other: int) -> bool:
    """Less than this share of another count, by more than chance: both are Poisson, whose variance is the mean."""
    return count < share * other - 2 * math.sqrt(share * other + share**2 * other)


def margins(world: Scenario) -> dict[str, float]:
    """The laws of `theory.py`: each a ratio less 1, above 0 where the law says that nothing sticks.

    Refreshing counts for the first provider that is refreshed, retries for the group that tries most often.
    """
    timeline = Timeline(world)
    last, what = timeline.at(timeline.end - 1e-6), outages_of(timeline).whole
    found = {}
    every = {n: g.policy.every for n, g in world.crowd.items() if isinstance(g.policy, Refresh) and g.policy.every > 0}
    users = sum(last.users.get(name, 0) for name in every)
    if users:
        name, seconds = next(iter(every.items()))
        spec = _provider(world, name)
        queue, capacity = spec.queue.limit, answers_per_second(spec)
        safe = theory.refresh_safe(users, queue, spec.slots, capacity)
        found["r = min(N, q + s)/C: above it nothing sticks"] = seconds / safe - 1 if safe > 0 else math.inf
        if what.begin is not None and what.clear is not None and timeline.faults:
            waiting = theory.waiting_after(users, world.crowd[name].think, what.clear - what.begin)
            tips = theory.refresh_tips(waiting, queue, spec.slots, capacity)
            found["r = min(Ns/2, q + s)/C: below it this outage sticks"] = seconds / tips - 1 if tips > 0 else math.inf
    loads = (_attempts(world, n) * r / answers_per_second(_provider(world, n)) for n, r in last.arrivals.items())
    load = max(loads, default=0.0)
    if load > 0:
        found["m rho = 1: below it retries cannot keep it down"] = 1 / load - 1
    return {law: round(margin, 4) for law, margin in found.items() if math.isfinite(margin)}


def _provider(world: Scenario, group: str) -> Provider:
    return world.providers[world.crowd[group].uses or world.first_provider]


def _attempts(world: Scenario, group: str) -> int:
    """m: the most attempts that the group makes of a prompt."""
    match world.crowd[group].policy:
        case Fixed(attempts=attempts) | BackoffBase(attempts=attempts):
            return attempts
        case Sdk(retries=retries):
            return retries + 1
        case _:
            return 1
