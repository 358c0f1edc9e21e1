"""Counters in, measures out: the definition of every measure, for any scope. Pure.

Shares are 0..1, durations scenario seconds, rates per scenario second. A prompt is *good* when it is answered within
the scenario's `slo` of its intended start. A cohort is the prompts intended in the scope's time; numerator and
denominator are always the same prompts, so that no share leaves 0..1. In the scope of a provider the unit is the
attempt. A percentile is over all prompts of the cohort, with the unanswered as infinite, and needs 1/(1-q) of them.

Definitions: SRE workbook ch. 5 (burn rate), Hauer et al. NSDI 2020 (user-uptime), Jain 1984 (fairness),
apdex.org (with T = slo/4), Bronson et al. HotOS 2021 (recovery).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from mockbot.evidence import alerts
from mockbot.evidence.counters import Cohort, Key, RecoverySeries, Work
from mockbot.evidence.hysteresis import hysteresis as margin
from mockbot.evidence.recovery import affected_recovery, first_success, recovery_time, time_to_detect
from mockbot.evidence.run_counters import RunCounters
from mockbot.evidence.scope import Scope, ScopeCounters, counters_of
from mockbot.evidence.sketch import Sketch
from mockbot.evidence.user_uptime import Outages
from mockbot.measures.values import Known, Undefined, Value, ratio

MONTH = 30 * 24 * 3600.0  # seconds; the usual period of an error budget
NO_PROMPTS = "nothing was asked in this scope"

Measure = Callable[[ScopeCounters], Value]


def measure(run: RunCounters, scope: Scope) -> Mapping[str, Value]:
    """All measures of one scope, in the order of the registry."""
    counted = counters_of(run, scope)
    return {name: formula(counted) for name, formula in REGISTRY.items()}


def prompts(counted: ScopeCounters) -> Value:
    """Prompts of the cohort (attempts, for a provider)."""
    return Known(counted.cohort.prompts * counted.run.weight)


def answered(counted: ScopeCounters) -> Value:
    """Share of the prompts that were answered, however late."""
    return ratio(counted.cohort.answered, counted.cohort.prompts, NO_PROMPTS)


def availability(counted: ScopeCounters) -> Value:
    """Share of the prompts that were good."""
    return ratio(counted.cohort.good, counted.cohort.prompts, NO_PROMPTS)


def user_uptime(counted: ScopeCounters) -> Value:
    """Share of the users' time in which their last prompt had been good."""
    if counted.scope.provider is not None:
        return Undefined("users have their uptime with all providers together")
    return ratio(counted.cohort.up, counted.cohort.up + counted.cohort.down, NO_PROMPTS)


def goodput(counted: ScopeCounters) -> Value:
    """Good answers per second, by completion."""
    return ratio(counted.cohort.good_done * counted.run.weight, counted.seconds, "this time was not observed")


def efficiency(counted: ScopeCounters) -> Value:
    """Goodput over the demand or over the providers' capacity, whichever is less."""
    if counted.no_provider_side or counted.scope.provider is not None:
        return Undefined(counted.no_provider_side or "what is asked of one provider depends on the others")
    cost = service_time(counted.run)
    if cost is None or not counted.work.seconds:
        return Undefined("no baseline shows what an answer costs the providers")
    weight, capacity = counted.run.weight, counted.work.capacity / cost
    demand = counted.cohort.prompts * weight
    return ratio(counted.cohort.good_done * weight, min(demand, capacity), "there was no demand, or no capacity")


def attempts_per_prompt(counted: ScopeCounters) -> Value:
    """Attempts made for the prompts of the cohort, whenever they were made."""
    if counted.scope.provider is not None:
        return Undefined("a prompt may visit several providers")
    return ratio(counted.cohort.attempts, counted.cohort.prompts, NO_PROMPTS)


def amplification(counted: ScopeCounters) -> Value:
    """Attempts sent over prompts issued in the same time."""
    if counted.scope.provider is not None:
        return Undefined("a prompt may visit several providers")
    if not counted.cohort.sent:
        return Undefined("no attempt is on record")
    return ratio(counted.cohort.sent, counted.cohort.prompts, NO_PROMPTS)


def wasted_work(counted: ScopeCounters) -> Value:
    """Share of the slot-seconds spent on answers for clients that had disconnected."""
    if counted.no_provider_side:
        return Undefined(counted.no_provider_side)
    return ratio(counted.work.wasted, counted.work.work, "no provider reported any work")


def overshoot(counted: ScopeCounters) -> Value:
    """The most requests in one second after the clear, over the provider's capacity; of the worst provider."""
    why = counted.no_provider_side or counted.not_whole_run
    if why or not counted.run.peak_offered:
        return Undefined(why or "no provider was seen after a disturbance")
    cost = service_time(counted.run)
    if cost is None:
        return Undefined("no baseline shows what an answer costs the providers")
    ratios = [
        most * cost / provider.slots
        for name, provider in counted.run.scenario.providers.items()
        if counted.scope.provider in {None, name} and (most := counted.run.peak_offered.get(name)) is not None
    ]
    return Known(max(ratios)) if ratios else Undefined("this provider was not seen after a disturbance")


def service_time(run: RunCounters) -> float | None:
    """Slot-seconds per answer in the baseline; None when it had no answers."""
    total = Work()
    for work in run.calm_work.values():
        total.merge(work)
    return total.work / total.finished if total.finished and total.work else None


def fairness(counted: ScopeCounters) -> Value:
    """Jain's index of the groups' answered shares: 1 when all are equal, 1/n when only one of n groups was answered."""
    if counted.scope.group is not None:
        return Undefined("compares groups")
    groups = sorted({key.group for key in counted.run.cohorts})
    cohorts = [counters_of(counted.run, replace(counted.scope, group=group)).cohort for group in groups]
    shares = [cohort.answered / cohort.prompts for cohort in cohorts if cohort.prompts]
    if len(shares) < 2:
        return Undefined("compares groups, and here is only one")
    return ratio(sum(shares) ** 2, len(shares) * sum(share**2 for share in shares), "no group was answered")


def apdex(counted: ScopeCounters) -> Value:
    """(satisfied + tolerating / 2) / prompts: satisfied within slo/4, tolerating within slo."""
    tolerating = counted.cohort.good - min(counted.cohort.good, counted.cohort.satisfied)
    return ratio(counted.cohort.satisfied + tolerating / 2, counted.cohort.prompts, NO_PROMPTS)


def burn_rate(counted: ScopeCounters) -> Value:
    """The share of bad prompts over the share that the objective allows; 1 spends the budget exactly in its period."""
    objective = counted.run.scenario.objective
    if objective is None:
        return Undefined("the scenario has no objective")
    return ratio((counted.cohort.prompts - counted.cohort.good) / (1 - objective), counted.cohort.prompts, NO_PROMPTS)


def budget_spent(counted: ScopeCounters) -> Value:
    """The share of 30 days' error budget that was spent, at most 1; as in the SRE workbook, ch. 5."""
    rate = burn_rate(counted)
    return Known(min(1.0, rate.number * counted.seconds / MONTH)) if isinstance(rate, Known) else rate


def _over_groups(take: Callable[[RunCounters, Sequence[str]], Value]) -> Measure:
    """A measure of the whole run, of groups or of tiers: it spans phases and counts prompts."""

    def formula(counted: ScopeCounters) -> Value:
        scope = counted.scope
        if counted.not_whole_run or scope.provider is not None:
            return Undefined(
                counted.not_whole_run or "an objective is about prompts, which may visit several providers"
            )
        crowd = counted.run.scenario.crowd.items()
        groups = [name for name, each in crowd if scope.group in {None, name} and scope.tier in {None, each.tier}]
        return take(counted.run, groups)

    return formula


def _burn(alert: alerts.Alert) -> Measure:
    return _over_groups(lambda run, groups: alerts.burn(run, groups, alert))


def hysteresis(counted: ScopeCounters) -> Value:
    """The load at which the run collapses less the load at which it recovers, over the capacity."""
    if counted.scope != Scope():
        return Undefined("is about the load of the whole run")
    return margin(counted.run, service_time(counted.run))


def failed_users(counted: ScopeCounters) -> Value:
    """Share of the users with at least one prompt that was given up or never finished."""
    outages = _outages(counted)
    return outages if isinstance(outages, Undefined) else ratio(outages.failed, outages.users, NO_PROMPTS)


def longest_outage_p95(counted: ScopeCounters) -> Value:
    """The 95th percentile of each user's longest time down, over the users who were ever down."""
    outages = _outages(counted)
    return outages if isinstance(outages, Undefined) else percentile(outages.longest, 0.95, "no user had an outage")


def _outages(counted: ScopeCounters) -> Outages | Undefined:
    if counted.not_whole_run or counted.scope.provider is not None:
        return Undefined(counted.not_whole_run or "users have their outages with all providers together")
    total = Outages()
    for group, tier, outages in counted.run.user_uptime.outages():
        if counted.scope.holds(Key(-1, group, tier)):
            total.merge(outages)
    return total


def percentile(sketch: Sketch, q: float, empty: str = NO_PROMPTS) -> Value:
    """The q-quantile, if there are enough values; `empty`: the reason when there are none."""
    value = sketch.quantile(q)
    need = round(1 / (1 - q))
    if value is None:
        return Undefined(empty)
    if len(sketch) < need:
        return Undefined(f"the {100 * q:g}th percentile needs {need} prompts, and there were {len(sketch)}")
    return Known(value)


def answered_only(cohort: Cohort) -> Sketch:
    """Latencies of the answered prompts."""
    only = Sketch()
    only.merge(cohort.latency)
    only.never = 0
    return only


def _percentile(q: float, sketch: Callable[[Cohort], Sketch], empty: str = NO_PROMPTS) -> Measure:
    return lambda counted: percentile(sketch(counted.cohort), q, empty)


def _latency(q: float) -> Measure:
    return _percentile(q, lambda cohort: cohort.latency)


def _first_token(q: float) -> Measure:
    return _percentile(q, lambda cohort: cohort.first_token, "no first token was seen")


def _recovery(take: Callable[[RecoverySeries, RunCounters], Value]) -> Measure:
    def formula(counted: ScopeCounters) -> Value:
        reason = counted.not_whole_run
        return Undefined(reason) if reason else take(counted.recovery_series, counted.run)

    return formula


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
    "answered_p50": _percentile(0.5, answered_only, "nothing was answered"),
    "answered_p95": _percentile(0.95, answered_only, "nothing was answered"),
    "failed_p50": _percentile(0.5, lambda cohort: cohort.failure, "nothing failed"),
    "first_token_p50": _first_token(0.5),
    "first_token_p95": _first_token(0.95),
    "time_to_detect": _recovery(time_to_detect),
    "first_success": _recovery(first_success),
    "recovery_time": _recovery(recovery_time),
    "affected_recovery": _recovery(affected_recovery),
    "wasted_work": wasted_work,
    "overshoot": overshoot,
    "fairness": fairness,
    "apdex": apdex,
    "burn_rate": burn_rate,
    "budget_spent": budget_spent,
    "burn_1h": _burn(alerts.HOUR_1),
    "burn_6h": _burn(alerts.HOURS_6),
    "burn_3d": _burn(alerts.DAYS_3),
    "time_to_page": _over_groups(alerts.time_to_page),
    "hysteresis": hysteresis,
    "failed_users": failed_users,
    "longest_outage_p95": longest_outage_p95,
}
