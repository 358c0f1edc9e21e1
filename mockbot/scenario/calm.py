"""How a scenario's users fare while nothing is wrong: each provider's load and times, answers that come late. Pure.

The calm is the end of the first phase without a fault. The formulas take no queue into account: a load near 100 % says
that there will be one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from mockbot.scenario.answer_law import P95, answers_per_second, mean_seconds, pace_of, share_above, sigma, tokens_at
from mockbot.scenario.policies import Refresh
from mockbot.scenario.schema import Answer, Group, Scenario
from mockbot.scenario.timeline import Conditions, Timeline

_BEFORE = 1e-6  # seconds; the moment before a change


@dataclass(frozen=True, slots=True)
class Calm:
    """Of the providers that somebody asks and mockbot answers for: demand over capacity, median and p95 of the seconds.

    `late`: of each group the share of answers, 0 to 1, that take longer than its users wait for one attempt.
    """

    phase: int
    load: Mapping[str, float]
    p50: Mapping[str, float]
    p95: Mapping[str, float]
    late: Mapping[str, float]


def calm_of(scenario: Scenario) -> Calm | None:
    """None where every phase has a fault, or nobody asks a provider whose answers mockbot makes up."""
    timeline = Timeline(scenario)
    for index, phase in enumerate(timeline.phases):
        if not any(span.start < phase.end and phase.start < span.end for span in timeline.faults):
            return _calm(scenario, index, timeline.at(phase.end - _BEFORE))
    return None


def _calm(scenario: Scenario, phase: int, state: Conditions) -> Calm | None:
    asked = {name: prompts_per_second(scenario, state, groups_of(scenario, name)) for name in scenario.providers}
    own = {name: provider for name, provider in scenario.providers.items() if provider.makes_answers and asked[name]}
    load = {name: asked[name] / answers_per_second(provider) for name, provider in own.items()}
    answers = {name: scenario.providers[name].answer for name in load}
    late = {
        name: share_above(answers[provider], timeout_of(group))
        for provider in load
        for name, group in groups_of(scenario, provider).items()
    }
    median, high = ({name: _seconds(answer, z) for name, answer in answers.items()} for z in (0.0, P95))
    return Calm(phase, load, median, high, late) if load else None


def _seconds(answer: Answer, z: float) -> float:
    """What an answer takes that is z deviations from the median."""
    return pace_of(answer).work(tokens_at(answer.tokens.median, sigma(answer.tokens), z))


def prompts_per_second(scenario: Scenario, state: Conditions, names: Iterable[str]) -> float:
    """Of these groups, when every answer takes its mean time and nobody waits for a slot."""
    total = 0.0
    for name in sorted(names):  # a sum of floats depends on the order
        group = scenario.crowd[name]
        own = scenario.providers[group.uses or scenario.first_provider]
        total += state.users.get(name, 0) / (group.think + mean_seconds(own.answer))
        total += state.arrivals.get(name, 0.0) * group.session
    return total


def groups_of(scenario: Scenario, provider: str) -> dict[str, Group]:
    """The groups that ask it first."""
    return {n: group for n, group in scenario.crowd.items() if (group.uses or scenario.first_provider) == provider}


def timeout_of(group: Group) -> float:
    """Seconds that one attempt of the group may take."""
    limit = getattr(group.policy, "timeout", None) or group.patience
    if isinstance(group.policy, Refresh) and group.policy.every:
        limit = min(limit, group.policy.every)
    return float(min(limit, group.patience))
