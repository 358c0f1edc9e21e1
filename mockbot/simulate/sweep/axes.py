"""`users=1e3..1e6` in, an Axis out; an Axis and a value in, the scenario with that value out. Pure.

The service stays as it is while `users` grows: that is what a map is for. (`--users` scales both together.)
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import chain
from typing import Literal

from mockbot.errors import UsageError
from mockbot.evidence.outage_spans import outages_of
from mockbot.scenario.policies import BackoffBase, Fixed, Policy, Refresh, Sdk
from mockbot.scenario.schema import Provider, Scenario
from mockbot.scenario.shorten import stretched
from mockbot.scenario.spans import FaultSpan, PhaseSpan
from mockbot.scenario.timeline import Timeline
from mockbot.simulate.policy_override import with_policies
from mockbot.units.quantities import MOST_USERS, Ramp, duration_text, parse_duration

DAY = 86_400.0
MOST_RETRIES = 63
STEPS, MOST_STEPS = 16, 1000  # values of an axis when it does not say how many, and at most


@dataclass(frozen=True, slots=True)
class Kind:
    """What can vary: how a value changes a scenario, its bounds in its unit, and an example."""

    change: Callable[[Scenario, float], Scenario]
    least: float
    most: float
    example: str
    unit: Literal["count", "seconds", "per second"] = "count"


@dataclass(frozen=True, slots=True)
class Axis:
    """One thing that varies, and its values, ascending."""

    name: str
    values: tuple[float, ...]

    def words(self, value: float) -> str:
        """As people write it."""
        match KINDS[self.name].unit:
            case "seconds":
                return duration_text(float(f"{value:.3g}"))
            case "per second":
                return f"{value:.3g}/s"
            case _:
                return f"{value:,.0f}"

    @property
    def geometric(self) -> bool:
        """The values lie evenly on a logarithmic scale."""
        return self.values[-1] >= 10 * self.values[0] > 0


def parse_axis(text: str) -> Axis:
    """`NAME=FROM..TO` or `NAME=FROM..TO/STEPS`. Raises UsageError."""
    name, equals, span = text.partition("=")
    if name not in KINDS:
        near = get_close_matches(name, KINDS, 1, 0.4)
        hint = f"did you mean {near[0]}?" if near else f"there is {', '.join(KINDS)}"
        raise UsageError(f"--sweep {text}: {name!r} is not an axis; {hint}")
    ends, slash, count = span.partition("/")
    low, dots, high = ends.partition("..")
    if not equals or not dots:
        raise UsageError(f"--sweep {text}; write it like {name}={KINDS[name].example}")
    first, last = _number(text, name, low), _number(text, name, high)
    if slash and not (count.isdecimal() and 2 <= int(count) <= MOST_STEPS):
        raise UsageError(f"--sweep {text}: {count!r} is not a number of steps; give 2 to {MOST_STEPS}")
    if first >= last:
        raise UsageError(f"--sweep {text}: {low} is not less than {high}; write the smaller one first")
    steps = int(count) if slash else STEPS
    shares = [step / (steps - 1) for step in range(steps)]
    if Axis(name, (first, last)).geometric:
        values = [first * (last / first) ** share for share in shares]
    else:
        values = [first + (last - first) * share for share in shares]
    if KINDS[name].unit == "count":  # a count: each once
        values = list(dict.fromkeys(float(round(value)) for value in values))
    return Axis(name, tuple(values))


def _number(text: str, name: str, value: str) -> float:
    kind = KINDS[name]
    try:
        number = parse_duration(value) if kind.unit == "seconds" else float(value)
    except ValueError as error:
        raise UsageError(f"--sweep {text}: {error}") from None
    if not math.isfinite(number) or not kind.least <= number <= kind.most:
        raise UsageError(
            f"--sweep {text}: {value} is not within {kind.least:,g}..{kind.most:,g}; take a value in there"
        )
    return number


def at_point(scenario: Scenario, axes: Sequence[Axis], values: Sequence[float]) -> Scenario:
    """The scenario with these values. Raises UsageError when it has nothing that an axis could change."""
    for axis, value in zip(axes, values, strict=True):
        scenario = KINDS[axis.name].change(scenario, value)
    return scenario


# -- what an axis changes ----------------------------------------------------------------------------------------


def _crowd(axis: Literal["users", "arrivals"], other: str) -> Callable[[Scenario, float], Scenario]:
    """A change of the most users, or of the highest rate of arrivals; the other moments in proportion."""

    def changed(scenario: Scenario, value: float) -> Scenario:
        ramps = [ramp for phase in scenario.phases if (ramp := getattr(phase, axis)) is not None]
        most = max((end for ramp in ramps for end in (ramp.first, ramp.last)), default=0)
        if not most:
            raise UsageError(f"--sweep {axis}: {scenario.name} has {other} and no {axis}; take --sweep {other}")
        factor, whole = value / most, round if axis == "users" else float
        phases = []
        for phase in scenario.phases:
            ramp = getattr(phase, axis)
            ends = ramp and Ramp(whole(ramp.first * factor), whole(ramp.last * factor))
            phases.append(phase.model_copy(update={axis: ends}))
        return scenario.model_copy(update={"phases": tuple(phases)})

    return changed


def _refresh(policy: Policy, value: float) -> Policy:
    if not isinstance(policy, Refresh):
        return policy
    return policy.model_copy(update={"every": value, "timeout": max(policy.timeout, 2 * value)})


def _retries(policy: Policy, value: float) -> Policy:
    if isinstance(policy, Fixed | BackoffBase):
        return policy.model_copy(update={"attempts": int(value) + 1})
    return policy.model_copy(update={"retries": int(value)}) if isinstance(policy, Sdk) else policy


def _of_policies(axis: str, change: Callable[[Policy, float], Policy], needs: str) -> Callable[..., Scenario]:
    """A change of every policy that has what the axis varies."""

    def changed(scenario: Scenario, value: float) -> Scenario:
        if all(change(group.policy, value) is group.policy for group in scenario.crowd.values()):
            raise UsageError(
                f"--sweep {axis}: {scenario.name} has not a group whose policy is {needs}; sweep another axis"
            )
        return with_policies(scenario, lambda policy: change(policy, value))

    return changed


def _outage(scenario: Scenario, value: float) -> Scenario:
    """The phases with faults, or else with a larger crowd, so long that what is wrong lasts for so many seconds."""
    timeline = Timeline(scenario)
    spans: Sequence[FaultSpan | PhaseSpan] = timeline.faults
    wrong = {span.phase for span in timeline.faults}
    if not wrong:
        outages = chain.from_iterable(outages_of(timeline).by_provider.values())
        wrong = {cause for outage in outages for cause in outage.causes}
        spans = [phase for phase in timeline.phases if phase.name in wrong]
    total = reached = 0.0
    for start, end in sorted((span.start, span.end) for span in spans):
        total, reached = total + max(0.0, end - max(start, reached)), max(end, reached)
    if not total:
        raise UsageError(f"--sweep outage: nothing goes wrong in {scenario.name}; sweep another axis")
    return stretched(scenario, [value / total if phase.name in wrong else 1.0 for phase in scenario.phases])


def _of_providers(change: Callable[[Provider, int], dict[str, object]]) -> Callable[[Scenario, float], Scenario]:
    """A change of every provider."""

    def changed(scenario: Scenario, value: float) -> Scenario:
        providers = {n: each.model_copy(update=change(each, int(value))) for n, each in scenario.providers.items()}
        return scenario.model_copy(update={"providers": providers})

    return changed


KINDS: dict[str, Kind] = {
    "users": Kind(_crowd("users", "arrivals"), 1, MOST_USERS, "1e3..1e6"),
    "arrivals": Kind(_crowd("arrivals", "users"), 1e-3, MOST_USERS, "1..100", unit="per second"),
    "refresh": Kind(_of_policies("refresh", _refresh, "refresh"), 1.7, DAY, "2s..60s", unit="seconds"),
    "outage": Kind(_outage, 1, DAY, "1m..30m", unit="seconds"),
    "slots": Kind(_of_providers(lambda _, count: {"slots": count}), 1, MOST_USERS, "10..100"),
    "queue": Kind(
        _of_providers(lambda each, count: {"queue": each.queue.model_copy(update={"limit": count})}),
        0, MOST_USERS, "0..500",
    ),
    "retries": Kind(_of_policies("retries", _retries, "fixed, backoff or sdk"), 0, MOST_RETRIES, "0..8"),
}  # fmt: skip
