"""`users=1e3..1e6` in, an Axis out; an Axis and a value in, the scenario with that value out. Pure.

The service stays as it is while `users` grows: that is what a map is for. (`--users` scales both together.)
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from mockbot.errors import UsageError
from mockbot.scenario.policies import BackoffBase, Fixed, Policy, Refresh, Sdk
from mockbot.scenario.schema import Phase, Provider, Scenario
from mockbot.scenario.timeline import Timeline
from mockbot.units.quantities import MOST_USERS, Ramp, duration_text, parse_duration

MOST_RETRIES = 63
STEPS, MOST_STEPS = 16, 1000  # values of an axis when it does not say how many, and at most


@dataclass(frozen=True, slots=True)
class Kind:
    """What can vary: how a value changes a scenario, its bounds (seconds, or a count), and an example."""

    change: Callable[[Scenario, float], Scenario]
    least: float
    most: float
    example: str
    is_duration: bool = False


@dataclass(frozen=True, slots=True)
class Axis:
    """One thing that varies, and its values, ascending."""

    name: str
    values: tuple[float, ...]

    def words(self, value: float) -> str:
        """As people write it."""
        return duration_text(float(f"{value:.3g}")) if KINDS[self.name].is_duration else f"{value:,.0f}"

    @property
    def title(self) -> str:
        """Its name with its unit."""
        return f"{self.name}, seconds" if KINDS[self.name].is_duration else self.name

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
        raise UsageError(f"--sweep {text}: write it like {name}={KINDS[name].example}")
    first, last = _number(text, name, low), _number(text, name, high)
    if slash and not (count.isdecimal() and 2 <= int(count) <= MOST_STEPS):
        raise UsageError(f"--sweep {text}: {count!r} is not a number of steps, 2 to {MOST_STEPS}")
    if first >= last:
        raise UsageError(f"--sweep {text}: {low} is not less than {high}")
    return Axis(name, _values(name, first, last, int(count) if slash else STEPS))


def _number(text: str, name: str, value: str) -> float:
    kind = KINDS[name]
    try:
        number = parse_duration(value) if kind.is_duration else float(value)
    except ValueError as error:
        raise UsageError(f"--sweep {text}: {error}") from None
    if not math.isfinite(number) or not kind.least <= number <= kind.most:
        raise UsageError(f"--sweep {text}: {value} is not within {kind.least:,g}..{kind.most:,g}")
    return number


def _values(name: str, low: float, high: float, steps: int) -> tuple[float, ...]:
    shares = [step / (steps - 1) for step in range(steps)]
    if high >= 10 * low > 0:
        values = [low * (high / low) ** share for share in shares]
    else:
        values = [low + (high - low) * share for share in shares]
    return tuple(values) if KINDS[name].is_duration else tuple(dict.fromkeys(float(round(value)) for value in values))


def at_point(scenario: Scenario, axes: Sequence[Axis], values: Sequence[float]) -> Scenario:
    """The scenario with these values. Raises UsageError when it has nothing that an axis could change."""
    for axis, value in zip(axes, values, strict=True):
        scenario = KINDS[axis.name].change(scenario, value)
    return scenario


# -- what an axis changes ----------------------------------------------------------------------------------------


def _users(scenario: Scenario, value: float) -> Scenario:
    most = sum(Timeline(scenario).max_users().values())
    if not most:
        raise UsageError(f"--sweep users: {scenario.name} has arrivals and no users")

    def crowded(phase: Phase) -> Phase:
        if phase.users is None:
            return phase
        users = Ramp(round(phase.users.first * value / most), round(phase.users.last * value / most))
        return phase.model_copy(update={"users": users})

    return scenario.model_copy(update={"phases": tuple(map(crowded, scenario.phases))})


def _refresh(scenario: Scenario, value: float) -> Scenario:
    def slower(policy: Policy) -> Policy:
        if not isinstance(policy, Refresh):
            return policy
        return policy.model_copy(update={"every": value, "timeout": max(policy.timeout, 2 * value)})

    return _with_policies(scenario, slower, "refresh", "a group whose policy is refresh")


def _retries(scenario: Scenario, value: float) -> Scenario:
    def more(policy: Policy) -> Policy:
        if isinstance(policy, Fixed | BackoffBase):
            return policy.model_copy(update={"attempts": int(value) + 1})
        return policy.model_copy(update={"retries": int(value)}) if isinstance(policy, Sdk) else policy

    return _with_policies(scenario, more, "retries", "a group whose policy is fixed, backoff or sdk")


def _with_policies(scenario: Scenario, change: Callable[[Policy], Policy], axis: str, needs: str) -> Scenario:
    changed = {name: change(group.policy) for name, group in scenario.crowd.items()}
    if all(changed[name] is group.policy for name, group in scenario.crowd.items()):
        raise UsageError(f"--sweep {axis}: {scenario.name} has not {needs}")
    crowd = {name: group.model_copy(update={"policy": changed[name]}) for name, group in scenario.crowd.items()}
    return scenario.model_copy(update={"crowd": crowd})


def _outage(scenario: Scenario, value: float) -> Scenario:
    faulty = [phase for phase in scenario.phases if phase.faults]
    if not faulty:
        raise UsageError(f"--sweep outage: {scenario.name} has no phase with a fault")
    if any(fault.lasts is not None or fault.at for phase in faulty for fault in phase.faults):
        raise UsageError(f"--sweep outage: a fault of {scenario.name} has a time of its own within its phase")
    total = sum(phase.lasts for phase in faulty)
    phases = (
        phase.model_copy(update={"lasts": phase.lasts * value / total}) if phase.faults else phase
        for phase in scenario.phases
    )
    return scenario.model_copy(update={"phases": tuple(phases)})


def _with_providers(scenario: Scenario, change: Callable[[Provider], dict[str, object]]) -> Scenario:
    providers = {name: each.model_copy(update=change(each)) for name, each in scenario.providers.items()}
    return scenario.model_copy(update={"providers": providers})


def _slots(scenario: Scenario, value: float) -> Scenario:
    return _with_providers(scenario, lambda _: {"slots": int(value)})


def _queue(scenario: Scenario, value: float) -> Scenario:
    return _with_providers(scenario, lambda each: {"queue": each.queue.model_copy(update={"limit": int(value)})})


KINDS: dict[str, Kind] = {
    "users": Kind(_users, 1, MOST_USERS, "1e3..1e6"),
    "refresh": Kind(_refresh, 1.7, 86_400, "2s..60s", is_duration=True),
    "outage": Kind(_outage, 1, 86_400, "1m..30m", is_duration=True),
    "slots": Kind(_slots, 1, MOST_USERS, "10..100"),
    "queue": Kind(_queue, 0, MOST_USERS, "0..500"),
    "retries": Kind(_retries, 0, MOST_RETRIES, "0..8"),
}
