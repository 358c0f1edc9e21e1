"""Does failing over help, or does it take the other provider down too? The inequality, and the outage with each way of
turning to the other provider: not at all, on every retry, behind a breaker with a retry budget.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from mockbot.scenario.policies import Backoff, Guarded, Policy
from mockbot.scenario.resilience_specs import ConsecutiveBreaker, FailOver, PerSuccess
from mockbot.scenario.schema import Group, Provider, Scenario
from mockbot.scenario.timeline import Timeline
from mockbot.simulate import theory
from mockbot.simulate.explain.answer import Answer, Figure, middle, told
from mockbot.simulate.explain.lab import Lab, Life
from mockbot.simulate.explain.setting import Setting, groups_of, service_time, timeout_of
from mockbot.simulate.explain.stages import course, staged
from mockbot.simulate.spread import Interval

RUNS = 4
AFTER = 600.0  # seconds after the outage that are looked at
FELT = 0.05  # of the prompts, from which a difference is told
STAGED_MOST = 1800.0  # seconds of outage that are staged
OTHER = "other-provider"
WAYS = ("nobody", "on-retry", "breaker")
WORDS = {"nobody": "no fail-over", "on-retry": "on every retry", "breaker": "breaker + budget"}


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


def answer(scenario: Scenario, setting: Setting, lab: Lab, live: Life | None) -> Answer:
    """The answer for this scenario, or for it with a second provider of the same size."""
    pair = pair_of(scenario, setting)
    why = "" if pair else "One provider and nobody who falls over: a second one of the same size and crowd is staged."
    live = live if pair else None
    pair = pair or staged_pair(setting)
    lives = {way: lab.lives(with_way(pair, way)) for way in WAYS}
    as_written = lab.lives(scenario, judged=True) if not why else []
    figures = _figures(pair, lab, lives, as_written, live)
    return Answer(
        "failing-over",
        "Does failing over help, or does it take the other provider down too?",
        _sentence(pair, {way: _good(pair, lab, some) for way, some in lives.items()}),
        "the other survives when (lambda_A + lambda_B - C_B) D < C_B T",
        "fluid limit: the backlog must stay below what is answered within the timeout T",
        _put_in(pair),
        figures,
        staged=why,
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
        guest_rate=_rate(scenario, guests, begin),
        resident_rate=_rate(scenario, frozenset(residents), begin),
        capacity=spec.slots / service_time(spec.answer, spec.slots),
        timeout=min(patience),
        begin=begin,
        outage=outage,
    )


def _rate(scenario: Scenario, names: frozenset[str], begin: float) -> float:
    """Prompts per second of these groups just before it goes wrong."""
    now = Timeline(scenario).at(max(0.0, begin - 1e-6))
    users = sum(now.users.get(name, 0) / max(1.0, scenario.crowd[name].think) for name in names)
    return users + sum(now.arrivals.get(name, 0.0) for name in names)


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
    if way == "nobody":
        return group.model_copy(update={"falls_over_to": None, "policy": _plain(group.policy)})
    parts = {"fail_over": FailOver(when="retry")}
    if way == "breaker":
        guards = {"breaker": ConsecutiveBreaker(failures=3), "budget": PerSuccess()}
        parts = {"fail_over": FailOver(when="breaker"), **guards}  # type: ignore[dict-item]
    return group.model_copy(update={"policy": _plain(group.policy).model_copy(update=parts)})


def _plain(policy: Policy) -> Guarded:
    """The same retries without any part around them; back-off for clients that cannot be told how to fall over."""
    kept = policy if isinstance(policy, Guarded) else Backoff()
    return kept.model_copy(update={"fail_over": None, "breaker": None, "budget": None, "throttle": None, "hedge": None})


def _good(pair: Pair, lab: Lab, lives: list[Life]) -> tuple[Interval, Interval, Interval]:
    """Guests during it, residents during it, residents after it."""
    slo, begin, end = pair.scenario.slo, pair.begin, pair.begin + pair.outage
    after = end + AFTER / 3, end + AFTER
    return (
        lab.spread(lives, lambda life: life.answered(begin, end, slo, pair.guests)),
        lab.spread(lives, lambda life: life.answered(begin, end, slo, pair.residents)),
        lab.spread(lives, lambda life: life.answered(*after, slo, pair.residents)),
    )


def _figures(
    pair: Pair, lab: Lab, lives: Mapping[str, list[Life]], as_written: list[Life], live: Life | None
) -> tuple[Figure, ...]:
    rows = {WORDS[way]: (_good(pair, lab, some), None) for way, some in lives.items()}
    measured = _measured(pair, live) if live else None
    told_rows = {**rows, **({"as written": (_good(pair, lab, as_written), measured)} if as_written else {})}
    figures = []
    for words, (good, seen) in told_rows.items():
        for number, who in enumerate(("guests good, in it", "residents good, in it", "residents good, after")):
            if number == 0 or pair.residents:
                figures.append(
                    Figure(
                        f"{words}: {who}", "availability", None, good[number], None if seen is None else seen[number]
                    )
                )
    return tuple(figures)


def _measured(pair: Pair, live: Life) -> tuple[float | None, float | None, float | None]:
    slo, begin, end = pair.scenario.slo, pair.begin, pair.begin + pair.outage
    return (
        live.answered(begin, end, slo, pair.guests),
        live.answered(begin, end, slo, pair.residents),
        live.answered(end + AFTER / 3, end + AFTER, slo, pair.residents),
    )


def _sentence(pair: Pair, good: Mapping[str, tuple[Interval, Interval, Interval]]) -> str:
    room = "has room for the guests" if pair.holds else "has no room for the guests"
    guests, after = ({way: middle(some[number]) for way, some in good.items()} for number in (0, 2))
    helped = guests["on-retry"] > guests["nobody"] + FELT
    hurt = bool(pair.residents) and after["on-retry"] < after["nobody"] - FELT
    verdict = {
        (True, False): "It helps, and hurts nobody",
        (True, True): f"It helps those who move on, and takes {pair.other!r} down with them",
        (False, True): f"It helps nobody, and takes {pair.other!r} down too",
        (False, False): "It changes little",
    }[helped, hurt]
    words = {way: told("availability", share) for way, share in guests.items()}
    first = f"{verdict} ({pair.other!r} {room}). Of the guests' prompts {words['nobody']} are good during the outage "
    first += (
        f"without fail-over, {words['on-retry']} with it on every retry, {words['breaker']} behind breaker and budget."
    )
    if not pair.residents:
        return f"{first} Nobody lives there who could be hurt."
    left = {way: told("availability", share) for way, share in after.items()}
    return (
        f"{first} Afterwards those at home there get {left['nobody']} without guests, {left['on-retry']} after guests "
        f"on every retry, {left['breaker']} after guests behind breaker and budget."
    )


def _put_in(pair: Pair) -> tuple[str, ...]:
    over = pair.guest_rate + pair.resident_rate - pair.capacity
    left, right = over * pair.outage, pair.capacity * pair.timeout
    return (
        f"lambda_A = {pair.guest_rate:.3g}/s, lambda_B = {pair.resident_rate:.3g}/s, C_B = {pair.capacity:.3g}/s",
        f"D = {told('recovery_time', pair.outage)}, T = {told('recovery_time', pair.timeout)}",
        f"({over:+.3g}/s) D = {left:,.0f} {'<' if left < right else '>='} {right:,.3g} = C_B T",
    )
