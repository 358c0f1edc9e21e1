"""`users=1e3..1e6` in, an Axis out; an Axis and a value in, the scenario with that value out. Pure.

The service stays as it is while `users` grows: that is what a map is for. (`--users` scales both together.)
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from mockbot.errors import UsageError
from mockbot.scenario.policies import BackoffBase, Fixed, Policy, Refresh, Sdk
from mockbot.scenario.schema import Phase, Scenario
from mockbot.scenario.timeline import Timeline
from mockbot.units.quantities import MOST_USERS, Ramp, duration_text, parse_duration

Change = Callable[[Scenario, float], Scenario]
MOST_RETRIES = 63
STEPS = 16  # values of an axis when it does not say how many
MOST_STEPS = 1000


@dataclass(frozen=True, slots=True)
class Axis:
    """One thing that varies, and its values, ascending."""

    name: str
    values: tuple[float, ...]

    def words(self, value: float) -> str:
        """As people write it."""
        return duration_text(float(f"{value:.3g}")) if self.name in _SECONDS else f"{value:,.0f}"

    @property
    def geometric(self) -> bool:
        """The values lie evenly on a logarithmic scale."""
        return self.values[-1] >= 10 * self.values[0] > 0


def parse_axis(text: str) -> Axis:
    """`NAME=FROM..TO` or `NAME=FROM..TO/STEPS`. Raises UsageError."""
    name, equals, span = text.partition("=")
    if name not in CHANGES:
        near = get_close_matches(name, CHANGES, 1, 0.4)
        hint = f"did you mean {near[0]}?" if near else f"there is {', '.join(CHANGES)}"
        raise UsageError(f"--sweep {text}: {name!r} is not an axis; {hint}")
    ends, slash, count = span.partition("/")
    low, dots, high = ends.partition("..")
    if not equals or not dots:
        raise UsageError(f"--sweep {text}: write it like {name}={_EXAMPLES[name]}")
    first, last = _number(text, name, low), _number(text, name, high)
    steps = _steps(text, count) if slash else STEPS
    if first >= last:
        raise UsageError(f"--sweep {text}: {low} is not less than {high}")
    return Axis(name, _values(name, first, last, steps))


def _number(text: str, name: str, value: str) -> float:
    try:
        number = parse_duration(value) if name in _SECONDS else float(value)
    except ValueError as error:
        raise UsageError(f"--sweep {text}: {error}") from None
    least, most = _BOUNDS[name]
    if not math.isfinite(number) or not least <= number <= most:
        raise UsageError(f"--sweep {text}: {value} is not within {least:,g}..{most:,g}")
    return number


def _steps(text: str, count: str) -> int:
    if not count.isdecimal() or not 2 <= int(count) <= MOST_STEPS:
        raise UsageError(f"--sweep {text}: {count!r} is not a number of steps, 2 to {MOST_STEPS}")
    return int(count)


def _values(name: str, low: float, high: float, steps: int) -> tuple[float, ...]:
    shares = [step / (steps - 1) for step in range(steps)]
    if high >= 10 * low > 0:
        values = [low * (high / low) ** share for share in shares]
    else:
        values = [low + (high - low) * share for share in shares]
    return tuple(values) if name in _SECONDS else tuple(dict.fromkeys(float(round(value)) for value in values))


# -- what an axis changes ----------------------------------------------------------------------------------------


def _users(scenario: Scenario, value: float) -> Scenario:
    most = sum(Timeline(scenario).max_users().values())
    if not most:
        raise UsageError(f"--sweep users: {scenario.name} has arrivals and no users")
    phases = tuple(_crowded(phase, value / most) for phase in scenario.phases)
    return scenario.model_copy(update={"phases": phases})


def _crowded(phase: Phase, factor: float) -> Phase:
    if phase.users is None:
        return phase
    users = Ramp(round(phase.users.first * factor), round(phase.users.last * factor))
    return phase.model_copy(update={"users": users})


def _refresh(scenario: Scenario, value: float) -> Scenario:
    def slower(policy: Policy) -> Policy:
        if not isinstance(policy, Refresh):
            return policy
        return policy.model_copy(update={"every": value, "timeout": max(policy.timeout, 2 * value)})

    return _policies(scenario, slower, "refresh", "a group whose policy is refresh")


def _retries(scenario: Scenario, value: float) -> Scenario:
    def more(policy: Policy) -> Policy:
        if isinstance(policy, Fixed | BackoffBase):
            return policy.model_copy(update={"attempts": int(value) + 1})
        return policy.model_copy(update={"retries": int(value)}) if isinstance(policy, Sdk) else policy

    return _policies(scenario, more, "retries", "a group whose policy is fixed, backoff or sdk")


def _policies(scenario: Scenario, change: Callable[[Policy], Policy], axis: str, needs: str) -> Scenario:
    changed = {name: change(group.policy) for name, group in scenario.crowd.items()}
    if all(changed[name] is group.policy for name, group in scenario.crowd.items()):
        raise UsageError(f"--sweep {axis}: {scenario.name} has not {needs}")
    crowd = {name: group.model_copy(update={"policy": changed[name]}) for name, group in scenario.crowd.items()}
    return scenario.model_copy(update={"crowd": crowd})


def _outage(scenario: Scenario, value: float) -> Scenario:
    faulty = [number for number, phase in enumerate(scenario.phases) if phase.faults]
    if not faulty:
        raise UsageError(f"--sweep outage: {scenario.name} has no phase with a fault")
    total = sum(scenario.phases[number].lasts for number in faulty)
    if any(fault.lasts is not None or fault.at for number in faulty for fault in scenario.phases[number].faults):
        raise UsageError(f"--sweep outage: a fault of {scenario.name} has a time of its own within its phase")
    phases = [
        phase.model_copy(update={"lasts": phase.lasts * value / total}) if phase.faults else phase
        for phase in scenario.phases
    ]
    return scenario.model_copy(update={"phases": tuple(phases)})


def _slots(scenario: Scenario, value: float) -> Scenario:
    providers = {
        name: provider.model_copy(update={"slots": int(value)}) for name, provider in scenario.providers.items()
    }
    return scenario.model_copy(update={"providers": providers})


def _queue(scenario: Scenario, value: float) -> Scenario:
    providers = {
        name: provider.model_copy(update={"queue": provider.queue.model_copy(update={"limit": int(value)})})
        for name, provider in scenario.providers.items()
    }
    return scenario.model_copy(update={"providers": providers})


CHANGES: dict[str, Change] = {
    "users": _users,
    "refresh": _refresh,
    "outage": _outage,
    "slots": _slots,
    "queue": _queue,
    "retries": _retries,
}
_SECONDS = frozenset({"refresh", "outage"})
_BOUNDS = {
    "users": (1, MOST_USERS),
    "refresh": (1.7, 86_400),
    "outage": (1, 86_400),
    "slots": (1, MOST_USERS),
    "queue": (0, MOST_USERS),
    "retries": (0, MOST_RETRIES),
}
_EXAMPLES = {
    "users": "1e3..1e6",
    "refresh": "2s..60s",
    "outage": "1m..30m",
    "slots": "10..100",
    "queue": "0..500",
    "retries": "0..8",
}


def at_point(scenario: Scenario, axes: Sequence[Axis], values: Sequence[float]) -> Scenario:
    """The scenario with these values."""
    for axis, value in zip(axes, values, strict=True):
        scenario = CHANGES[axis.name](scenario, value)
    return scenario
