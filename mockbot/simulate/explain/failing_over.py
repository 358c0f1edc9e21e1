"""Does failing over help, or does it take the other provider down too? The inequality, and the outage with each way of
turning to the other provider: not at all, on every retry, behind a breaker with a retry budget.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from mockbot.scenario.policies import Backoff, Guarded
from mockbot.scenario.resilience_specs import ConsecutiveBreaker, FailOver, PerSuccess
from mockbot.scenario.schema import Group, Provider, Scenario
from mockbot.scenario.timeline import Timeline
from mockbot.simulate import theory
from mockbot.simulate.answer_law import mean_seconds
from mockbot.simulate.explain.answer import Answer, Figure, told
from mockbot.simulate.explain.experiment import Experiments, RunResult, answered, measured
from mockbot.simulate.explain.parameters import Setting, groups_of, rate_of, timeout_of
from mockbot.simulate.explain.staged_scenarios import course, staged

RUNS = 4
AFTER = 600.0  # seconds after the outage that are looked at
FELT = 0.05  # of the prompts, from which a difference is told
STAGED_MOST = 1800.0  # seconds of outage that are staged
OTHER = "other-provider"
WORDS = {"nobody": "no fail-over", "on-retry": "on every retry", "breaker": "breaker + budget"}
WHEN: Mapping[str, Literal["retry", "breaker"]] = {"on-retry": "retry", "breaker": "breaker"}


@dataclass(frozen=True, slots=True)
class Pair:
    """Who turns from one provider to the other; rates of prompts per second."""

    scenario: Scenario
    guests: frozenset[str]
    residents: frozenset[str]
    other: str
    guest_rate: float
    resident_rate: float
    capacity: float
    timeout: float
    begin: float
    outage: float

    @property
    def holds(self) -> bool:
        """By the inequality."""
        return theory.failover_holds(self.resident_rate, self.guest_rate, self.capacity, self.outage, self.timeout)


def answer(scenario: Scenario, setting: Setting, lab: Experiments, live: RunResult | None) -> Answer:
    """The answer for this scenario, or for it with a second provider of the same size."""
    own = pair_of(scenario, setting)
    pair = own or staged_pair(setting)
    figures = []
    for way, words in WORDS.items():
        figures += _good(pair, words, lab.lives(with_way(pair, way)))
    if own:
        figures += _good(pair, "as written", lab.lives(scenario, judged=True), live)
    over = pair.guest_rate + pair.resident_rate - pair.capacity
    left, right = over * pair.outage, pair.capacity * pair.timeout
    staging = "One provider and nobody who falls over: a second one of the same size and crowd is staged."
    return Answer(
        "failing-over",
        "Does failing over help, or does it take the other provider down too?",
        _sentence(pair, {figure.what: figure.middle() for figure in figures}),
        "the other survives when (lambda_A + lambda_B - C_B) D < C_B T",
        "fluid limit: the backlog must stay below what is answered within the timeout T",
        (
            f"lambda_A = {pair.guest_rate:.3g}/s, lambda_B = {pair.resident_rate:.3g}/s, C_B = {pair.capacity:.3g}/s",
            f"D = {told('recovery_time', pair.outage)}, T = {told('recovery_time', pair.timeout)}",
            f"({over:+.3g}/s) D = {left:,.0f} {'<' if left < right else '>='} {right:,.3g} = C_B T",
        ),
        tuple(figures),
        staged="" if own else staging,
        notes=("Good: answered within the scenario's slo. Demand is what the users ask when all is well.",),
    )


def pair_of(scenario: Scenario, setting: Setting) -> Pair | None:
    """The scenario's own guests and residents; None when nobody falls over from the provider that is out."""
    at_home = groups_of(scenario, setting.provider)
    guests = frozenset(name for name, group in at_home.items() if group.falls_over_to not in {None, setting.provider})
    if not guests:
        return None
    other = scenario.crowd[min(guests)].falls_over_to or ""
    return _pair(scenario, guests, other, setting.begin, setting.outage)


def _pair(scenario: Scenario, guests: frozenset[str], other: str, begin: float, outage: float) -> Pair:
    residents = groups_of(scenario, other)
    spec = scenario.providers[other]
    patience = [timeout_of(scenario.crowd[name]) for name in (residents or guests)]
    return Pair(
        scenario=scenario,
        guests=guests,
        residents=frozenset(residents),
        other=other,
        guest_rate=rate_of(scenario, guests, begin),
        resident_rate=rate_of(scenario, residents, begin),
        capacity=spec.slots / mean_seconds(spec.answer, spec.slots),
        timeout=min(patience),
        begin=begin,
        outage=outage,
    )


def staged_pair(setting: Setting) -> Pair:
    """The setting's crowd twice, at home at two providers of the same size; the first one is out."""
    other: Provider = setting.spec.model_copy(update={"limits": {}, "token_limits": {}, "retry_after": None})
    group = {"think": setting.think, "patience": max(120.0, 10 * setting.service)}
    backs_off = {"name": "backoff", "timeout": max(10.0, 3 * setting.service)}
    impatient = {"name": "refresh", "every": max(setting.every, 1.5 * setting.service)}
    crowd: Mapping[str, dict[str, object]] = {
        "guests": group | {"users": 0.5, "policy": backs_off, "falls_over_to": OTHER},
        "residents": group | {"users": 0.5, "policy": impatient, "uses": OTHER},
    }
    outage = min(setting.outage, STAGED_MOST)
    phases = course(setting, {"http_error": 503}, outage, AFTER, users=2 * setting.users)
    slo = max(30.0, 10 * setting.service)
    world = staged(setting, crowd, phases, slo=slo, others={OTHER: other})
    return _pair(world, frozenset({"guests"}), OTHER, Timeline(world).phases[1].start, outage)


def with_way(pair: Pair, way: str) -> Scenario:
    """The scenario whose guests turn to the other provider this way."""
    crowd = {
        name: _turning(group, way) if name in pair.guests else group for name, group in pair.scenario.crowd.items()
    }
    return pair.scenario.model_copy(update={"crowd": crowd})


def _turning(group: Group, way: str) -> Group:
    """The same retries without any part around them; back-off for clients that cannot be told how to fall over."""
    policy = group.policy if isinstance(group.policy, Guarded) else Backoff()
    parts = dict.fromkeys(("fail_over", "breaker", "budget", "throttle", "hedge"))
    policy = policy.model_copy(update=parts)
    if way == "nobody":
        return group.model_copy(update={"falls_over_to": None, "policy": policy})
    if way == "breaker":
        guards = {"breaker": ConsecutiveBreaker(failures=3), "budget": PerSuccess()}
        policy = policy.model_copy(update=guards)
    return group.model_copy(update={"policy": policy.model_copy(update={"fail_over": FailOver(when=WHEN[way])})})


def _good(pair: Pair, words: str, lives: list[RunResult], live: RunResult | None = None) -> list[Figure]:
    """Guests during it; residents, if there are any, during it and after it."""
    slo, begin, end = pair.scenario.slo, pair.begin, pair.begin + pair.outage
    takes = {"guests good, in it": answered(begin, end, slo, pair.guests)}
    if pair.residents:
        takes["residents good, in it"] = answered(begin, end, slo, pair.residents)
        takes["residents good, after"] = answered(end + AFTER / 3, end + AFTER, slo, pair.residents)
    return [measured(f"{words}: {who}", "availability", take, lives, live) for who, take in takes.items()]


def _sentence(pair: Pair, share: Mapping[str, float]) -> str:
    """`share`: of good answers, by the figure that says it."""
    guests = {way: share[f"{words}: guests good, in it"] for way, words in WORDS.items()}
    after = {way: share.get(f"{words}: residents good, after", 1.0) for way, words in WORDS.items()}
    helped = guests["on-retry"] > guests["nobody"] + FELT
    hurt = after["on-retry"] < after["nobody"] - FELT
    verdict = {
        (True, False): "It helps, and hurts nobody",
        (True, True): f"It helps those who move on, and takes {pair.other!r} down with them",
        (False, True): f"It helps nobody, and takes {pair.other!r} down too",
        (False, False): "It changes little",
    }[helped, hurt]
    words = {way: told("availability", some) for way, some in guests.items()}
    first = (
        f"{verdict} ({pair.other!r} has {'' if pair.holds else 'no '}room for the guests). Of the guests' prompts"
        f" {words['nobody']} are good during the outage without fail-over, {words['on-retry']} with it on every retry,"
        f" {words['breaker']} behind breaker and budget."
    )
    if not pair.residents:
        return f"{first} Nobody lives there who could be hurt."
    left = {way: told("availability", some) for way, some in after.items()}
    return (
        f"{first} Afterwards those at home there get {left['nobody']} without guests, {left['on-retry']} after guests "
        f"on every retry, {left['breaker']} after guests behind breaker and budget."
    )
