"""What the tests of the laws measure of a run of the fast engine: rates by time, of everybody."""

from dataclasses import dataclass

from mockbot.scenario.schema import Scenario
from mockbot.simulate.fast import layout as at
from mockbot.simulate.fast.engine import NOBODY, Fast


@dataclass(frozen=True, slots=True)
class Rates:
    """Totals by second."""

    totals: at.Ints

    def offered(self, start: int, end: int) -> float:
        """Attempts per second sent in this time."""
        return float(self.totals[start:end, at.SENT].mean())

    def goodput(self, start: int, end: int) -> float:
        """Answers per second that came in this time."""
        return float(self.totals[start:end, at.SETTLED].mean())


def rates(world: Scenario, seed: int) -> Rates:
    """Of one run, played out."""
    run = Fast(world, seed, lambda _: None, stride=NOBODY)
    while run.play(run.now + 60):
        pass
    return Rates(run.totals())
