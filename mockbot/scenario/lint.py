"""What is valid in a scenario but rarely intended, at the speed that it is to run at. Pure.

The rules: a phase lasts at least as long as the longest wait of its clients (a timeout, or their patience when that is
shorter), because a longer wait is decided in a later phase; and an answer takes at least ANSWER of wall time, because a
shorter one is within the machine's scheduling noise, which `speed` does not divide.
"""

from mockbot.scenario.answer_law import mean_seconds
from mockbot.scenario.problems import Problem
from mockbot.scenario.schema import Group, Scenario
from mockbot.units.formatting import format_wall
from mockbot.units.quantities import duration_text

ANSWER = 0.06  # wall seconds


def lint(scenario: Scenario, speed: float | None = None) -> tuple[Problem, ...]:
    """Every doubt, in the order of the file; `speed` None: the scenario's own."""
    doubts: list[Problem] = []
    speed = speed or scenario.speed
    for name, provider in scenario.providers.items():
        takes = mean_seconds(provider.answer)
        if takes / speed < ANSWER:
            message = (
                f"at speed {speed:g} an answer lasts {format_wall(takes / speed)}, below this machine's scheduling "
                f"noise ({format_wall(ANSWER)}): use longer answers or `speed: {takes / ANSWER:.3g}`"
            )
            doubts.append(Problem(("providers", name), message))
    name = max(scenario.crowd, key=lambda name: waits(scenario.crowd[name]))
    wait = waits(scenario.crowd[name])
    for index, phase in enumerate(scenario.phases):
        if phase.lasts < wait:
            message = (
                f"{duration_text(phase.lasts)} is less than {name!r} waits for one attempt, {duration_text(wait)}: "
                "what hangs in this phase is decided in a later one"
            )
            doubts.append(Problem(("phases", index, "lasts"), message))
    return tuple(doubts)


def waits(group: Group) -> float:
    """Seconds that one attempt may hang."""
    timeout: float | None = getattr(group.policy, "timeout", None)
    return group.patience if timeout is None else min(timeout, group.patience)
