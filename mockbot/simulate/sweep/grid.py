"""A grid of simulated runs: a scenario, axes and seeds in, what became of each combination out.

One engine plays the whole grid. Every point has the same seeds, so that neighbours differ by their values only. What
theory says of a point (`laws`) is independent of its runs.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise, product
from typing import Literal, NamedTuple

from mockbot.errors import UsageError
from mockbot.evidence.records import Prompt
from mockbot.scenario.schema import Scenario
from mockbot.scenario.timeline import Timeline
from mockbot.simulate.change_points import Record
from mockbot.simulate.engines import Engine, EngineName, choose, fastest, start
from mockbot.simulate.sweep.axes import Axis, at_point
from mockbot.simulate.sweep.edges import Count, edge_between
from mockbot.simulate.sweep.laws import margins
from mockbot.simulate.sweep.wellness import Outcome, State, windows

Place = tuple[int, int]  # column, row


class Task(NamedTuple):
    """One run of the grid."""

    place: Place
    seed: int


@dataclass(frozen=True, slots=True)
class Ran:
    """How one run ended: `well` of the users in the end, `calm` of them before, where there is a calm.

    `weight`: the users that each recorded one stands for. `margins` of the laws: above 0 nothing sticks.
    """

    state: State
    well: float
    calm: float | None
    weight: int
    margins: dict[str, float]


@dataclass(frozen=True, slots=True)
class Point:
    """What became of one combination."""

    values: tuple[float, ...]
    runs: tuple[Ran, ...]

    @property
    def state(self) -> State | Literal["mixed"]:
        """That of all its runs."""
        first, *others = {run.state for run in self.runs}
        return "mixed" if others else first

    @property
    def margins(self) -> dict[str, float]:
        """What theory says."""
        return self.runs[0].margins

    @property
    def well(self) -> float:
        """The mean share of the users that are well in the end."""
        return sum(run.well for run in self.runs) / len(self.runs)

    @property
    def count(self) -> Count:
        """Its runs, and those of them that did not recover."""
        asked = [run.state for run in self.runs if run.state != "unasked"]
        return Count(len(asked) - asked.count("recovered"), len(asked))


class Edge(NamedTuple):
    """Where half of the runs recover along the first axis; where a law of theory says that it is.

    None: the row says nothing sure on that side.
    """

    row: int
    low: float | None
    high: float | None
    theory: dict[str, float]


@dataclass(slots=True)
class Sweep:
    """A grid that fills up; what is there when it is interrupted is right."""

    scenario: Scenario
    axes: tuple[Axis, ...]
    engine: Engine
    seeds: int = 1
    ran: dict[Task, Ran] = field(default_factory=dict)

    @property
    def up(self) -> Axis | None:
        """The second axis, the grid's rows; without one there is one row."""
        return self.axes[1] if len(self.axes) > 1 else None

    @property
    def shape(self) -> Place:
        """How many columns and rows."""
        return len(self.axes[0].values), len(self.up.values) if self.up else 1

    @property
    def size(self) -> int:
        """How many points."""
        return self.shape[0] * self.shape[1]

    @property
    def runs(self) -> int:
        """How many in all; those of one point follow each other."""
        return self.size * self.seeds

    def task(self, number: int) -> Task:
        """The run of this number."""
        point, seed = divmod(number, self.seeds)
        column, row = divmod(point, self.shape[1])
        return Task((column, row), self.scenario.seed + seed)

    @property
    def missing(self) -> list[Task]:
        """The runs that are not there yet."""
        return [task for task in map(self.task, range(self.runs)) if task not in self.ran]

    def values(self, place: Place) -> tuple[float, ...]:
        """The axes' values at a point."""
        return tuple(axis.values[index] for axis, index in zip(self.axes, place, strict=False))

    def world(self, place: Place) -> Scenario:
        """The scenario at a point."""
        return at_point(self.scenario, self.axes, self.values(place))

    def points(self) -> dict[Place, Point]:
        """Those with a run, in the grid's order."""
        runs = defaultdict[Place, list[Ran]](list)
        for task in sorted(self.ran):
            runs[task.place].append(self.ran[task])
        return {place: Point(self.values(place), tuple(of_it)) for place, of_it in runs.items()}


def begin(scenario: Scenario, axes: Sequence[Axis], engine: EngineName = "auto", seeds: int = 1) -> Sweep:
    """A grid without runs; `auto` takes the fast engine where it can play all corners.

    Raises UsageError when an axis means nothing here, or the engine cannot play it.
    """
    if not 1 <= len(axes) <= 2 or len({axis.name for axis in axes}) < len(axes):
        raise UsageError("--sweep; give one axis, or two different ones")
    corners = [at_point(scenario, axes, values) for values in product(*((a.values[0], a.values[-1]) for a in axes))]
    chosen = {fastest(each) if engine == "auto" else choose(engine, each) for each in corners}
    return Sweep(scenario, tuple(axes), "reference" if "reference" in chosen else "fast", seeds)


def play(scenario: Scenario, axes: Sequence[Axis], engine: Engine, task: Task) -> Ran:
    """One run of a grid."""
    values = [axis.values[index] for axis, index in zip(axes, task.place, strict=False)]
    world = at_point(scenario, axes, values)
    calm, end = windows(Timeline(world))

    def count(record: Record) -> None:
        if isinstance(record, Prompt):
            end.add(record)
            if calm is not None:
                calm.add(record)

    run = start(engine, world, task.seed, count)
    while run.play(run.latest):
        pass
    run.finish()
    outcome = Outcome(calm.share() if calm is not None else None, end.share())
    usual = None if outcome.calm is None else round(outcome.calm.well, 4)
    return Ran(outcome.state, round(outcome.end.well, 4), usual, run.stride, margins(world))


def edges(sweep: Sweep) -> list[Edge]:
    """One for each row in which some runs recover and some do not."""
    points, found = sweep.points(), []
    for row in range(sweep.shape[1]):
        here = [points[column, row] for column in range(sweep.shape[0]) if (column, row) in points]
        between = edge_between([point.count for point in here])
        if between is not None:
            low, high = (None if index is None else here[index].values[0] for index in between)
            found.append(Edge(row, low, high, _edges_of_theory(here)))
    return found


def _edges_of_theory(row: Sequence[Point]) -> dict[str, float]:
    """Between two neighbours where a law's margin changes its sign, in a straight line."""
    found = {}
    for one, other in pairwise(row):
        for law, margin in one.margins.items():
            after = other.margins.get(law, margin)
            if (margin > 0) != (after > 0):
                (x, *_), (y, *_) = one.values, other.values
                found[law] = x + (y - x) * margin / (margin - after)
    return found
