"""The fluid engine: a scenario in, masses by second and by issue time out. The same scenario, the same numbers."""

from collections.abc import Callable

import numpy as np

from mockbot.scenario.schema import Scenario
from mockbot.scenario.timeline import Timeline
from mockbot.service.dialects import FAMILIES
from mockbot.simulate.fast import layout as at
from mockbot.simulate.fast.world import Plan, plans
from mockbot.simulate.fluid import layout as to
from mockbot.simulate.fluid.kernel import play
from mockbot.simulate.fluid.shape import Shape, shape
from mockbot.simulate.moments import latest

LOOK = 60.0  # scenario seconds between two looks of the watcher


class Fluid:
    """One run, to its end at once or by `play`. `dt`: seconds of a step; from service and timeouts if None."""

    def __init__(self, scenario: Scenario, dt: float | None = None) -> None:
        self.timeline = Timeline(scenario)
        self.latest = latest(self.timeline)
        self.now = 0.0
        dialects = {name: FAMILIES[spec.dialect].dialects[0] for name, spec in scenario.providers.items()}
        self.plans: tuple[Plan, ...] = tuple(plan for plan in plans(scenario, dialects) if plan.groups)
        self.shapes: tuple[Shape, ...] = tuple(shape(self.timeline, plan, dt) for plan in self.plans)

    def play(self, until: float) -> bool:
        """Go on to this moment; False at the end."""
        self.now = min(until, self.latest)
        for plan, made in zip(self.plans, self.shapes, strict=True):
            play(plan.world, made.frame, made.flow, int(self.now / made.frame.dt + 1e-9))
        return self.now < self.latest

    def to_end(self, watch: Callable[[float, float], None] = lambda _now, _end: None) -> "Fluid":
        """Play it out."""
        while self.play(self.now + LOOK):
            watch(self.now, self.latest)
        return self

    def totals(self) -> at.Floats:
        """[second, what] of everybody: ISSUED, SENT, SETTLED (answered), GIVEN_UP."""
        return np.asarray(sum(made.flow.crowd.sum(axis=1) for made in self.shapes))

    def cohorts(self) -> at.Floats:
        """[what] of the whole run: ISSUED, ANSWERED, GOOD, GAVE_UP, SENT."""
        return np.asarray(sum(made.flow.cohort.sum(axis=(0, 1)) for made in self.shapes))[: to.COHORT]
