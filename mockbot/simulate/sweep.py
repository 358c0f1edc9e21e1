"""A scenario and axes in, a map of what becomes of it out: the fluid everywhere, the exact engine at sampled points.

A point is *recovered* when the answers of its last minute come at 95 % of the rate of the calm before; *stuck* when
they do not; *overloaded* when the calm itself leaves a tenth of what is asked unanswered. Both engines are held to the
same rule. What is drawn over it is theory's, from `theory.py`, and knows nothing of the runs.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Literal

import numpy as np

from mockbot.errors import UsageError
from mockbot.evidence.disturbance import disturbance_of
from mockbot.scenario.policies import BackoffBase, Fixed, Refresh, Sdk
from mockbot.scenario.schema import Scenario
from mockbot.scenario.timeline import Timeline
from mockbot.simulate import theory
from mockbot.simulate.engines import prompts, why_not_fluid
from mockbot.simulate.fast import layout as at
from mockbot.simulate.fast.layout import Floats
from mockbot.simulate.fast.run import Fast
from mockbot.simulate.fluid.run import Fluid
from mockbot.simulate.fluid.shape import mean_service
from mockbot.simulate.sweep_axes import Axis, at_point

State = Literal["recovered", "stuck", "overloaded"]
LAST = 60.0  # seconds at the end that are looked at, or a quarter of what follows the disturbance
WELL, CALM = 0.95, 0.9
NOISY = 0.90  # what an exact run needs of the calm's rate: chance moves it
MOST_EXACT = 400_000  # prompts of an exact run
SAMPLES = 12
NOBODY = 1 << 40
Tick = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Point:
    """What became of one combination. `good`: answers over prompts issued after the disturbance."""

    values: tuple[float, ...]
    state: State
    good: float
    margins: dict[str, float]  # of each law: above 0 nothing sticks
    exact: State | None = None


@dataclass(slots=True)
class Sweep:
    """A map that fills up; what is there when it is interrupted is right."""

    scenario: Scenario
    axes: tuple[Axis, ...]
    points: dict[tuple[int, ...], Point] = field(default_factory=dict)
    interrupted: bool = False

    @property
    def size(self) -> int:
        """Points of the whole map."""
        return math.prod(len(axis.values) for axis in self.axes)

    def places(self) -> Iterator[tuple[int, ...]]:
        """Every point's indices."""
        return product(*(range(len(axis.values)) for axis in self.axes))

    @property
    def laws(self) -> tuple[str, ...]:
        """The laws that say something here."""
        return tuple(dict.fromkeys(law for point in self.points.values() for law in point.margins))

    def agreement(self) -> tuple[int, int]:
        """How many exact runs came out as the fluid said, of how many."""
        sampled = [point for point in self.points.values() if point.exact is not None]
        return sum(point.exact == point.state for point in sampled), len(sampled)


def begin(scenario: Scenario, axes: Sequence[Axis]) -> Sweep:
    """A map without points. Raises UsageError when an axis means nothing here or a fluid cannot play it."""
    if not 1 <= len(axes) <= 2 or len({axis.name for axis in axes}) < len(axes):
        raise UsageError("--sweep: one axis, or two different ones")
    corners = ([axis.values[end] for axis in axes] for end in (0, -1))
    for values in corners:
        found = why_not_fluid(at_point(scenario, axes, values))
        if found:
            raise UsageError(f"--sweep plays the fluid engine, and {found.partition(' Take ')[0]}")
    if disturbance_of(Timeline(scenario), ()).baseline is None:
        raise UsageError(f"--sweep: {scenario.name} has no calm before its disturbance to compare with")
    return Sweep(scenario, tuple(axes))


def play_point(sweep: Sweep, place: tuple[int, ...]) -> Point:
    """What the fluid says of one point."""
    values = _values(sweep, place)
    world = at_point(sweep.scenario, sweep.axes, values)
    run = Fluid(world, _step(world)).to_end()
    state, good = outcome(run.timeline, run.totals(), WELL)
    return Point(values, state, good, margins(world))


def _step(world: Scenario) -> float:
    """Coarser than for one run: a third of the shortest service is enough to see an edge."""
    shortest = min(mean_service(provider) for provider in world.providers.values())
    return max(0.02, min(0.1, shortest / 3))


def play_exact(sweep: Sweep, place: tuple[int, ...]) -> State:
    """What the exact engine says of it."""
    run = Fast(at_point(sweep.scenario, sweep.axes, _values(sweep, place)), sweep.scenario.seed, lambda _: None, NOBODY)
    while run.play(run.now + LAST):
        pass
    return outcome(run.timeline, np.asarray(run.totals(), dtype=np.float64), NOISY)[0]


def _values(sweep: Sweep, place: tuple[int, ...]) -> tuple[float, ...]:
    return tuple(axis.values[index] for axis, index in zip(sweep.axes, place, strict=True))


def samples(sweep: Sweep) -> list[tuple[int, ...]]:
    """Where the exact engine looks: evenly over the map, as far as it is quick enough."""
    each = [_spread(len(axis.values), 4 if len(sweep.axes) > 1 else SAMPLES // 2) for axis in sweep.axes]
    chosen = [
        place
        for place in product(*each)
        if prompts(at_point(sweep.scenario, sweep.axes, _values(sweep, place))) <= MOST_EXACT
    ]
    return chosen[:: max(1, math.ceil(len(chosen) / SAMPLES))]


def _spread(size: int, count: int) -> list[int]:
    count = min(count, size)
    return sorted({int((number + 0.5) * size / count) for number in range(count)})


def outcome(timeline: Timeline, totals: Floats, well: float) -> tuple[State, float]:
    """The state, and the share that was answered after the disturbance."""
    what = disturbance_of(timeline, ())
    calm = what.baseline or (0.0, timeline.end)
    clear = what.clear if what.clear is not None else calm[1]
    last = max(1.0, min(LAST, (timeline.end - clear) / 4))
    issued, answered = (
        float(totals[int(calm[0]) : int(calm[1]), what_].sum()) / (calm[1] - calm[0])
        for what_ in (at.ISSUED, at.SETTLED)
    )
    ends = float(totals[int(timeline.end - last) : int(timeline.end), at.SETTLED].sum()) / last
    after = totals[int(clear) : int(timeline.end)]
    good = min(1.0, float(after[:, at.SETTLED].sum()) / max(1e-9, float(after[:, at.ISSUED].sum())))
    if answered < CALM * issued:
        return "overloaded", good
    return ("recovered" if ends >= well * answered else "stuck"), good


def margins(world: Scenario) -> dict[str, float]:
    """What the laws of `theory.py` say, each as a number above 0 where it says that nothing sticks, as a ratio less 1.

    Refreshing is seen for the first provider that those who reload use, retries for the group that tries most often.
    """
    found: dict[str, float] = {}
    timeline = Timeline(world)
    what = disturbance_of(timeline, ())
    crowd = timeline.at(timeline.end - 1e-6)
    reload = {name: group for name, group in world.crowd.items() if isinstance(group.policy, Refresh)}
    reload = {name: group for name, group in reload.items() if isinstance(p := group.policy, Refresh) and p.every > 0}
    users = sum(crowd.users.get(name, 0) for name in reload)
    if reload and users:
        first = next(iter(reload.values()))
        provider = world.providers[first.uses or world.first_provider]
        capacity = provider.slots / mean_service(provider)
        every = first.policy.every if isinstance(first.policy, Refresh) else 0.0
        safe = theory.refresh_safe(users, provider.queue.limit, capacity)
        found["r = min(N, q)/C: above it nothing sticks"] = every / safe - 1 if safe > 0 else math.inf
        if what.begin is not None and what.clear is not None and timeline.faults:
            waiting = theory.waiting_after(users, first.think, what.clear - what.begin)
            tips = theory.refresh_tips(waiting, provider.queue.limit, capacity)
            found["r = min(Ns/2, q)/C: below it this outage sticks"] = every / tips - 1 if tips > 0 else math.inf
    tries = [_load(world, name, crowd.arrivals.get(name, 0.0)) for name in crowd.arrivals]
    if tries and max(tries) > 0:
        found["m rho = 1: below it retries cannot keep it down"] = 1 / max(tries) - 1
    return {law: margin for law, margin in found.items() if math.isfinite(margin)}


def _load(world: Scenario, name: str, rate: float) -> float:
    """m rho of an open group."""
    group = world.crowd[name]
    policy = group.policy
    many = 1
    if isinstance(policy, Fixed | BackoffBase):
        many = policy.attempts
    elif isinstance(policy, Sdk):
        many = policy.retries + 1
    provider = world.providers[group.uses or world.first_provider]
    return many * rate * mean_service(provider) / provider.slots
