"""Does failing over help, or does it take the other provider down too? The inequality, and the outage with each way of
failing over: not at all, on every retry, behind a breaker with a retry budget.

Diverted users are those that fail over to the other provider; regular users use it in any case.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from mockbot.scenario.answer_law import answers_per_second
from mockbot.scenario.policies import Backoff, Guarded
from mockbot.scenario.resilience_specs import ConsecutiveBreaker, FailOver, PerSuccess
from mockbot.scenario.schema import Group, Provider, Scenario
from mockbot.scenario.timeline import Timeline
from mockbot.simulate import theory
from mockbot.simulate.explain.answer import Answer, Figure, duration_words, in_words
from mockbot.simulate.explain.experiment import Experiments, RunResult, answered, measured
from mockbot.simulate.explain.parameters import Setting, groups_of, rate_of, timeout_of
from mockbot.simulate.explain.staged_scenarios import course, staged
from mockbot.units.formatting import format_rate

RUNS = 4
AFTER = 600.0  # seconds after the outage that are measured
FELT = 0.05  # of the prompts, from which a difference is reported
STAGED_MOST = 1800.0  # seconds of outage that are staged
OTHER = "other-provider"
NEVER, ON_RETRY, BREAKER = WAYS = ("no fail-over", "on every retry", "breaker + budget")


@dataclass(frozen=True, slots=True)
class Pair:
    """Two providers, and the groups that fail over from one to the other; rates of prompts per second."""

    scenario: Scenario
    diverted: frozenset[str]
    regular: frozenset[str]
    other: str
    diverted_rate: float
    regular_rate: float
    capacity: float
    timeout: float
    begin: float
    outage: float

    @property
    def holds(self) -> bool:
        """By the inequality."""
        return theory.failover_holds(self.regular_rate, self.diverted_rate, self.capacity, self.outage, self.timeout)


def answer(scenario: Scenario, setting: Setting, experiments: Experiments, live: RunResult | None) -> Answer:
    """The answer for this scenario, or for it with a second provider of the same size."""
    own = pair_of(scenario, setting)
    pair = own or staged_pair(setting)
    figures = []
    for way in WAYS:
        figures += _good(pair, way, experiments.runs(with_way(pair, way)))
    if own:
        figures += _good(pair, "as written", experiments.runs(scenario, judged=True), live)
    over = pair.diverted_rate + pair.regular_rate - pair.capacity
    left, right = over * pair.outage, pair.capacity * pair.timeout
    staging = "One provider and nobody who falls over: a second one of the same size and crowd is staged."
    return Answer(
        "failing-over",
        "Does failing over help, or does it take the other provider down too?",
        _sentence(pair, {figure.what: figure.middle() for figure in figures}),
        "the other survives when (lambda_A + lambda_B - C_B) D < C_B T",
        "fluid limit: the backlog must stay below what is answered within the timeout T",
        (
            (
                f"lambda_A = {format_rate(pair.diverted_rate)}, lambda_B = {format_rate(pair.regular_rate)},"
                f" C_B = {format_rate(pair.capacity)}"
            ),
            f"D = {duration_words(pair.outage)}, T = {duration_words(pair.timeout)}",
            f"({over:+.3g}/s) D = {left:,.0f} {'<' if left < right else '>='} {right:,.3g} = C_B T",
        ),
        tuple(figures),
        staged="" if own else staging,
        notes=("Good: answered within the scenario's slo. Demand is what the users ask when all is well.",),
    )


def pair_of(scenario: Scenario, setting: Setting) -> Pair | None:
    """The scenario's own diverted and regular; None when no group fails over from the provider that is out."""
    groups = groups_of(scenario, setting.provider)
    diverted = frozenset(name for name, group in groups.items() if group.falls_over_to not in {None, setting.provider})
    if not diverted:
        return None
    other = scenario.crowd[min(diverted)].falls_over_to or ""
    return _pair(scenario, diverted, other, setting.begin, setting.outage)


def _pair(scenario: Scenario, diverted: frozenset[str], other: str, begin: float, outage: float) -> Pair:
    regular = frozenset(groups_of(scenario, other))
    return Pair(
        scenario=scenario,
        diverted=diverted,
        regular=regular,
        other=other,
        diverted_rate=rate_of(scenario, diverted, begin),
        regular_rate=rate_of(scenario, regular, begin),
        capacity=answers_per_second(scenario.providers[other]),
        timeout=min(timeout_of(scenario.crowd[name]) for name in regular or diverted),
        begin=begin,
        outage=outage,
    )


def staged_pair(setting: Setting) -> Pair:
    """The setting's crowd twice, on two providers of the same size; the first one is out."""
    other: Provider = setting.spec.model_copy(update={"limits": {}, "token_limits": {}, "retry_after": None})
    group = {"users": 0.5, "think": setting.think, "patience": max(120.0, 10 * setting.service)}
    backs_off = {"name": "backoff", "timeout": max(10.0, 3 * setting.service)}
    impatient = {"name": "refresh", "every": max(setting.every, 1.5 * setting.service)}
    crowd: Mapping[str, dict[str, object]] = {
        "diverted": group | {"policy": backs_off, "falls_over_to": OTHER},
        "regular": group | {"policy": impatient, "uses": OTHER},
    }
    outage = min(setting.outage, STAGED_MOST)
    phases = course(setting, {"http_error": 503}, outage, AFTER, users=2 * setting.users)
    world = staged(setting, crowd, phases, slo=max(30.0, 10 * setting.service), others={OTHER: other})
    return _pair(world, frozenset({"diverted"}), OTHER, Timeline(world).phases[1].start, outage)


def with_way(pair: Pair, way: str) -> Scenario:
    """The scenario whose diverted turn to the other provider this way."""

    def changed(group: Group) -> Group:
        # The same retries without any guard around them; back-off for clients that cannot fail over.
        policy = group.policy if isinstance(group.policy, Guarded) else Backoff()
        parts: dict[str, object] = dict.fromkeys(("fail_over", "breaker", "budget", "throttle", "hedge"))
        if way == NEVER:
            return group.model_copy(update={"falls_over_to": None, "policy": policy.model_copy(update=parts)})
        if way == BREAKER:
            parts |= {"breaker": ConsecutiveBreaker(failures=3), "budget": PerSuccess()}
        parts["fail_over"] = FailOver(when="breaker" if way == BREAKER else "retry")
        return group.model_copy(update={"policy": policy.model_copy(update=parts)})

    groups = pair.scenario.crowd.items()
    crowd = {name: changed(group) if name in pair.diverted else group for name, group in groups}
    return pair.scenario.model_copy(update={"crowd": crowd})


def _good(pair: Pair, way: str, runs: list[RunResult], live: RunResult | None = None) -> list[Figure]:
    """Diverted users during the outage; regular, if there are any, during and after it."""
    slo, begin, end = pair.scenario.slo, pair.begin, pair.begin + pair.outage
    takes = {"diverted good, in it": answered(begin, end, slo, pair.diverted)}
    if pair.regular:
        takes["regular good, in it"] = answered(begin, end, slo, pair.regular)
        takes["regular good, after"] = answered(end + AFTER / 3, end + AFTER, slo, pair.regular)
    return [measured(f"{way}: {what}", "availability", take, runs, live) for what, take in takes.items()]


def _sentence(pair: Pair, share: Mapping[str, float]) -> str:
    """`share`: of good answers, by the name of its figure."""
    diverted = {way: share[f"{way}: diverted good, in it"] for way in WAYS}
    after = {way: share.get(f"{way}: regular good, after", 1.0) for way in WAYS}
    helped = diverted[ON_RETRY] > diverted[NEVER] + FELT
    hurt = after[ON_RETRY] < after[NEVER] - FELT
    verdict = {
        (True, False): "It helps, and harms nobody",
        (True, True): f"It helps the diverted users, and takes {pair.other!r} down",
        (False, True): f"It helps nobody, and takes {pair.other!r} down too",
        (False, False): "It changes little",
    }[helped, hurt]
    never, on_retry, breaker = (in_words("availability", diverted[way]) for way in WAYS)
    first = (
        f"{verdict} ({pair.other!r} has {'' if pair.holds else 'no '}room for the diverted users). Of their prompts"
        f" {never} are good during the outage without fail-over, {on_retry} with it on every retry,"
        f" {breaker} behind breaker and budget."
    )
    if not pair.regular:
        return f"{first} That provider has no regular users."
    never, on_retry, breaker = (in_words("availability", after[way]) for way in WAYS)
    return (
        f"{first} After the outage its regular users get {never} without fail-over, {on_retry} after fail-over "
        f"on every retry, {breaker} after fail-over behind breaker and budget."
    )
