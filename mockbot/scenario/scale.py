"""The same outage with another number of users: users, arrivals, slots, queues, client processes grow together. Pure.

Times stay, and so do the rates per user; what a crowd of N does to c slots then depends on N only by chance, which
fades with 1/sqrt(N) (research: metastability section 4, "scaled exact").
"""

import math
from dataclasses import dataclass

from mockbot.errors import UsageError
from mockbot.scenario.policies import Guarded
from mockbot.scenario.schema import Scenario
from mockbot.scenario.timeline import Timeline
from mockbot.units.quantities import MOST_USERS, Ramp


@dataclass(frozen=True, slots=True)
class Scaled:
    """A scenario for another crowd; `says`: what was changed, empty when nothing was."""

    scenario: Scenario
    says: str


def scaled_to(scenario: Scenario, users: float | None) -> Scaled:
    """So many users at the fullest moment; None: as it is. Raises UsageError for an impossible crowd."""
    if users is None:
        return Scaled(scenario, "")
    most = sum(Timeline(scenario).max_users().values())
    if not math.isfinite(users) or users < 1 or users > MOST_USERS:
        raise UsageError(f"--users {users:g}; give 1 to {MOST_USERS:,}")
    if not most:
        raise UsageError(f"--users: {scenario.name} has no users, only arrivals; change its arrivals and slots instead")
    return scale_by(scenario, users / most)


def scale_by(scenario: Scenario, factor: float) -> Scaled:
    """All counts of users or answers, multiplied. Slots are whole, and there is at least one."""
    if factor == 1:
        return Scaled(scenario, "")

    def whole(number: int) -> int:
        return max(1, round(number * factor))

    providers, crowd, phases, says = {}, {}, [], []
    for name, provider in scenario.providers.items():
        slots, places = whole(provider.slots), round(provider.queue.limit * factor)
        says.append(
            f"{name}: {provider.slots} slots and {provider.queue.limit} places in its queue became {slots:,} and"
            f" {places:,}"
        )
        answer = provider.answer
        if answer.slowdown_from is not None:
            answer = answer.model_copy(update={"slowdown_from": whole(answer.slowdown_from)})
        queue = provider.queue.model_copy(update={"limit": places})
        providers[name] = provider.model_copy(update={"slots": slots, "queue": queue, "answer": answer})
    for name, group in scenario.crowd.items():
        policy = group.policy
        if isinstance(policy, Guarded):  # budgets and breakers belong to a process, which keeps its number of users
            policy = policy.model_copy(update={"processes": whole(policy.processes)})
        crowd[name] = group.model_copy(update={"policy": policy})
    for phase in scenario.phases:
        users = phase.users and Ramp(round(phase.users.first * factor), round(phase.users.last * factor))
        arrivals = phase.arrivals and Ramp(phase.arrivals.first * factor, phase.arrivals.last * factor)
        phases.append(phase.model_copy(update={"users": users, "arrivals": arrivals}))
    update = {"providers": providers, "crowd": crowd, "phases": tuple(phases)}
    kept = "client processes likewise; times and rates per user as written"
    text = f"users and arrivals times {factor:,.6g}; {'; '.join(says)}; {kept}"
    return Scaled(scenario.model_copy(update=update), text)
