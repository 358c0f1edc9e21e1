"""Counters in, measures out: every definition in one place, for any scope. Pure.

Shares are 0..1, durations scenario seconds, rates per scenario second. A prompt is *good* when it is answered within
the scenario's `slo` of its intended start. A cohort is what was intended in the scope's time; numerator and
denominator are always the same prompts, so that no share leaves 0..1. In the scope of a provider the unit is the
attempt. A percentile is taken over all prompts of the cohort, with the unanswered as infinite, and needs 1/(1-q) of
them. Definitions: SRE workbook ch. 5 (burn rate), Hauer et al. NSDI 2020 (user-uptime), Jain 1984 (fairness),
apdex.org (with T = slo/4), Bronson et al. HotOS 2021 (recovery).
"""

from collections.abc import Callable, Mapping, Sequence

from mockbot.evidence import alerts
from mockbot.evidence.counters import Cohort, Key, RecoverySeries, Work
from mockbot.evidence.hysteresis import hysteresis as margin
from mockbot.evidence.recovery import affected_recovery, first_success, recovery_time, time_to_detect
from mockbot.evidence.run_counters import RunCounters
from mockbot.evidence.scope import Scope, ScopeCounters, counters_of
from mockbot.evidence.sketch import Sketch
from mockbot.evidence.user_uptime import Outages
from mockbot.measures.values import Known, Undefined, Value, ratio

MONTH = 30 * 24 * 3600.0  # seconds that an error budget is for
NO_PROMPTS = "nothing was asked in this scope"


Measure = Callable[[ScopeCounters], Value]


def measure(counters: RunCounters, scope: Scope) -> Mapping[str, Value]:
    """All measures of one scope, in the order of the registry."""
    seen = counters_of(counters, scope)
    return {name: take(seen) for name, take in REGISTRY.items()}


def prompts(seen: ScopeCounters) -> Value:
    """Prompts of the cohort (attempts, for a provider)."""
    return Known(seen.cohort.prompts * seen.counters.weight)


def answered(seen: ScopeCounters) -> Value:
    """Share of the prompts that were answered at all."""
    return ratio(seen.cohort.answered, seen.cohort.prompts, NO_PROMPTS)


def availability(seen: ScopeCounters) -> Value:
    """Share of the prompts that were good."""
    return ratio(seen.cohort.good, seen.cohort.prompts, NO_PROMPTS)


def user_uptime(seen: ScopeCounters) -> Value:
    """Share of the users' time in which their last prompt had been good."""
    if seen.scope.provider is not None:
        return Undefined("users have their uptime with all providers together")
    return ratio(seen.cohort.up, seen.cohort.up + seen.cohort.down, NO_PROMPTS)


def goodput(seen: ScopeCounters) -> Value:
    """Good answers per second, by completion."""
    return ratio(seen.cohort.good_done * seen.counters.weight, seen.seconds, "this time was not observed")


def efficiency(seen: ScopeCounters) -> Value:
    """Goodput over the lesser of what the providers could do and what was asked of them."""
    if seen.people_only or seen.scope.provider is not None:
        return Undefined(seen.people_only or "what is asked of one provider depends on the others")
    cost = service_time(seen.counters)
    if cost is None or not seen.work.seconds:
        return Undefined("no baseline shows what an answer costs the providers")
    weight, could = seen.counters.weight, seen.work.capacity / cost
    demand = seen.cohort.prompts * weight
    return ratio(seen.cohort.good_done * weight, min(demand, could), "nothing was asked, or nothing could be done")


def attempts_per_prompt(seen: ScopeCounters) -> Value:
    """Attempts made for the prompts of the cohort, whenever they were made."""
    if seen.scope.provider is not None:
        return Undefined("a prompt may visit several providers")
    return ratio(seen.cohort.attempts, seen.cohort.prompts, NO_PROMPTS)


def amplification(seen: ScopeCounters) -> Value:
    """Attempts sent over prompts issued in the same time."""
    if seen.scope.provider is not None:
        return Undefined("a prompt may visit several providers")
    return (
        ratio(seen.cohort.sent, seen.cohort.prompts, NO_PROMPTS)
        if seen.cohort.sent
        else Undefined("no attempt is on record")
    )


def wasted_work(seen: ScopeCounters) -> Value:
    """Share of the slot-seconds that went into answers whose client had gone."""
    if seen.people_only:
        return Undefined(seen.people_only)
    return ratio(seen.work.wasted, seen.work.work, "no provider reported any work")


def overshoot(seen: ScopeCounters) -> Value:
    """The most requests in a second after the clear, over what the provider can answer in one; the worst of them."""
    why = seen.people_only or seen.whole_run
    if why or not seen.counters.peak_offered:
        return Undefined(why or "no provider was seen after a disturbance")
    cost = service_time(seen.counters)
    if cost is None:
        return Undefined("no baseline shows what an answer costs the providers")
    providers = seen.counters.scenario.providers
    peaks = seen.counters.peak_offered.items()
    chosen = [
        most * cost / providers[name].slots
        for name, most in peaks
        if seen.scope.provider in {None, name} and name in providers
    ]
    return Known(max(chosen)) if chosen else Undefined("this provider was not seen after a disturbance")


def service_time(counters: RunCounters) -> float | None:
    """Slot-seconds that one answer cost in the baseline."""
    total = Work()
    for work in counters.calm_work.values():
        total.merge(work)
    return total.work / total.finished if total.finished and total.work else None


def fairness(seen: ScopeCounters) -> Value:
    """Jain's index of the groups' answered shares: 1 when all groups fared alike, 1/n when one of n had everything."""
    if seen.scope.group is not None:
        return Undefined("compares groups")
    groups = sorted({key.group for key in seen.counters.cohorts})
    cohorts = [counters_of(seen.counters, _narrow(seen.scope, group)).cohort for group in groups]
    shares = [cohort.answered / cohort.prompts for cohort in cohorts if cohort.prompts]
    if len(shares) < 2:
        return Undefined("compares groups, and here is only one")
    return ratio(sum(shares) ** 2, len(shares) * sum(share**2 for share in shares), "no group was answered")


def _narrow(scope: Scope, group: str) -> Scope:
    return Scope(scope.phase, group, scope.tier, scope.provider)


def apdex(seen: ScopeCounters) -> Value:
    """Satisfied within slo/4, tolerating within slo, everybody else frustrated."""
    tolerating = seen.cohort.good - min(seen.cohort.good, seen.cohort.satisfied)
    return ratio(seen.cohort.satisfied + tolerating / 2, seen.cohort.prompts, NO_PROMPTS)


def burn_rate(seen: ScopeCounters) -> Value:
    """The share of bad prompts over the share that the objective allows; 1 spends the budget as fast as it grows."""
    objective = seen.counters.scenario.objective
    if objective is None:
        return Undefined("the scenario has no objective")
    return ratio((seen.cohort.prompts - seen.cohort.good) / (1 - objective), seen.cohort.prompts, NO_PROMPTS)


def budget_spent(seen: ScopeCounters) -> Value:
    """The share of 30 days' error budget that this time cost, at most all of it; as in the SRE workbook, ch. 5."""
    rate = burn_rate(seen)
    return Known(min(1.0, rate.number * seen.seconds / MONTH)) if isinstance(rate, Known) else rate


def _over_the_groups(take: Callable[[RunCounters, Sequence[str]], Value]) -> Measure:
    """Of the whole run, of groups or of tiers: what spans phases and is counted in prompts."""

    def taken(seen: ScopeCounters) -> Value:
        if seen.whole_run or seen.scope.provider is not None:
            return Undefined(seen.whole_run or "an objective is about prompts, and those may visit several providers")
        crowd = seen.counters.scenario.crowd.items()
        scope = seen.scope
        groups = [name for name, each in crowd if scope.group in {None, name} and scope.tier in {None, each.tier}]
        return take(seen.counters, groups)

    return taken


def _burn(alert: alerts.Alert) -> Measure:
    return _over_the_groups(lambda counters, groups: alerts.burn(counters, groups, alert))


def hysteresis(seen: ScopeCounters) -> Value:
    """The load at which it collapses less the one at which it recovers, over the capacity."""
    if seen.scope != Scope():
        return Undefined("is about the load of the whole run")
    return margin(seen.counters, service_time(seen.counters))


def failed_users(seen: ScopeCounters) -> Value:
    """Share of the users who had at least one prompt that was given up or never finished."""
    people = _people(seen)
    return people if isinstance(people, Undefined) else ratio(people.failed, people.users, NO_PROMPTS)


def longest_outage_p95(seen: ScopeCounters) -> Value:
    """Each user's longest time without a good answer; its 95th percentile over the users who had any."""
    people = _people(seen)
    return people if isinstance(people, Undefined) else percentile(people.longest, 0.95, "no user had an outage")


def _people(seen: ScopeCounters) -> Outages | Undefined:
    if seen.whole_run or seen.scope.provider is not None:
        return Undefined(seen.whole_run or "users have their outages with all providers together")
    total = Outages()
    for group, tier, outages in seen.counters.user_uptime.outages():
        if seen.scope.holds(Key(-1, group, tier)):
            total.merge(outages)
    return total


def percentile(sketch: Sketch, q: float, nothing: str = NO_PROMPTS) -> Value:
    """The q-quantile, when there are enough to have one."""
    value = sketch.quantile(q)
    need = round(1 / (1 - q))
    if value is None:
        return Undefined(nothing)
    if len(sketch) < need:
        return Undefined(f"the {100 * q:g}th percentile needs {need} prompts, and there were {len(sketch)}")
    return Known(value)


def _latency(q: float) -> Measure:
    return lambda seen: percentile(seen.cohort.latency, q)


def _first_token(q: float) -> Measure:
    return lambda seen: percentile(seen.cohort.first_token, q, "no first token was seen")


def _answered_latency(q: float) -> Measure:
    return lambda seen: percentile(answered_only(seen.cohort), q, "nothing was answered")


def answered_only(cohort: Cohort) -> Sketch:
    """Latencies of the answered prompts alone."""
    only = Sketch()
    only.merge(cohort.latency)
    only.never = 0
    return only


def _failure_latency(q: float) -> Measure:
    return lambda seen: percentile(seen.cohort.failure, q, "nothing failed")


def _around_the_clear(take: Callable[[RecoverySeries, RunCounters], Value]) -> Measure:
    def taken(seen: ScopeCounters) -> Value:
        return Undefined(seen.whole_run) if seen.whole_run else take(seen.recovery_series, seen.counters)

    return taken


REGISTRY: Mapping[str, Measure] = {
    "prompts": prompts,
    "answered": answered,
    "availability": availability,
    "user_uptime": user_uptime,
    "goodput": goodput,
    "efficiency": efficiency,
    "attempts_per_prompt": attempts_per_prompt,
    "amplification": amplification,
    "latency_p50": _latency(0.5),
    "latency_p95": _latency(0.95),
    "latency_p99": _latency(0.99),
    "latency_p999": _latency(0.999),
    "answered_p50": _answered_latency(0.5),
    "answered_p95": _answered_latency(0.95),
    "failed_p50": _failure_latency(0.5),
    "first_token_p50": _first_token(0.5),
    "first_token_p95": _first_token(0.95),
    "time_to_detect": _around_the_clear(time_to_detect),
    "first_success": _around_the_clear(first_success),
    "recovery_time": _around_the_clear(recovery_time),
    "affected_recovery": _around_the_clear(affected_recovery),
    "wasted_work": wasted_work,
    "overshoot": overshoot,
    "fairness": fairness,
    "apdex": apdex,
    "burn_rate": burn_rate,
    "budget_spent": budget_spent,
    "burn_1h": _burn(alerts.HOUR_1),
    "burn_6h": _burn(alerts.HOURS_6),
    "burn_3d": _burn(alerts.DAYS_3),
    "time_to_page": _over_the_groups(alerts.time_to_page),
    "hysteresis": hysteresis,
    "failed_users": failed_users,
    "longest_outage_p95": longest_outage_p95,
}
