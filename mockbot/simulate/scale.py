"""The same outage with another number of people: users, arrivals, slots, queues, client processes grow together. Pure.

Times stay, and so do the rates per person; what a crowd of N does to c slots then depends on N only by chance, which
fades with 1/sqrt(N) (research: metastability section 4, "scaled exact").
"""

import math
from dataclasses import dataclass

from mockbot.errors import UsageError
from mockbot.scenario.policies import Guarded
from mockbot.scenario.schema import Group, Phase, Provider, Scenario
from mockbot.scenario.timeline import Timeline
from mockbot.units.quantities import MOST_USERS, Ramp


@dataclass(frozen=True, slots=True)
class Scaled:
    """A scenario for another crowd, and what was done to it, for people; `says` is empty when nothing was."""

    scenario: Scenario
    factor: float
    says: str


def scaled_to(scenario: Scenario, users: float | None) -> Scaled:
    """The scenario as it is when nobody said how many users."""
    return Scaled(scenario, 1.0, "") if users is None else scale(scenario, users)


def scale(scenario: Scenario, users: float) -> Scaled:
    """So many users at the scenario's fullest moment. Raises UsageError for a crowd that cannot be."""
    most = sum(Timeline(scenario).max_users().values())
    if not math.isfinite(users) or users < 1 or users > MOST_USERS:
        raise UsageError(f"--users {users:g}: a crowd has 1 to {MOST_USERS:,} users")
    if not most:
        raise UsageError(f"--users: {scenario.name} has no users, only arrivals; change its arrivals and slots instead")
    return scale_by(scenario, users / most)


def scale_by(scenario: Scenario, factor: float) -> Scaled:
    """Everything that counts people or answers, multiplied. Slots are whole, and there is at least one."""
    if factor == 1:
        return Scaled(scenario, 1.0, "")
    providers = {name: _provider(provider, factor) for name, provider in scenario.providers.items()}
    update = {
        "providers": providers,
        "crowd": {name: _group(group, factor) for name, group in scenario.crowd.items()},
        "phases": tuple(_phase(phase, factor) for phase in scenario.phases),
    }
    return Scaled(scenario.model_copy(update=update), factor, _words(scenario, providers, factor))


def _provider(provider: Provider, factor: float) -> Provider:
    queue = provider.queue.model_copy(update={"limit": round(provider.queue.limit * factor)})
    answer = provider.answer
    if answer.slowdown_from is not None:
        answer = answer.model_copy(update={"slowdown_from": _whole(answer.slowdown_from, factor)})
    return provider.model_copy(update={"slots": _whole(provider.slots, factor), "queue": queue, "answer": answer})


def _group(group: Group, factor: float) -> Group:
    """Budgets and breakers belong to client processes: each keeps its number of users."""
    policy = group.policy
    if isinstance(policy, Guarded):
        policy = policy.model_copy(update={"processes": _whole(policy.processes, factor)})
    return group.model_copy(update={"policy": policy})


def _phase(phase: Phase, factor: float) -> Phase:
    users = None if phase.users is None else _ramp(phase.users, factor)
    whole = None if users is None else Ramp(round(users.first), round(users.last))
    arrivals = None if phase.arrivals is None else _ramp(phase.arrivals, factor)
    return phase.model_copy(update={"users": whole, "arrivals": arrivals})


def _ramp(ramp: Ramp, factor: float) -> Ramp:
    return Ramp(ramp.first * factor, ramp.last * factor)


def _whole(number: int, factor: float) -> int:
    return max(1, round(number * factor))


def _words(scenario: Scenario, providers: dict[str, Provider], factor: float) -> str:
    slots = "; ".join(
        f"{name}: {scenario.providers[name].slots} slots and {scenario.providers[name].queue.limit} places in its queue"
        f" became {provider.slots:,} and {provider.queue.limit:,}"
        for name, provider in providers.items()
    )
    kept = "client processes likewise; times and rates per user as written"
    return f"users and arrivals times {factor:,.6g}; {slots}; {kept}"
