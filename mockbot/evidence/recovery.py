"""When it was noticed, and when it was well again: four moments around the disturbance, from one RecoverySeries. Pure.

    begin ───── disturbance ───── clear ──────────────────────────────► end of what was observed
      │ time_to_detect → first failure │ first_success → first good answer
                                       │ recovery_time → [s, s+10) [s+10, s+20) [s+20, s+30) are all healthy
                                       │ affected_recovery → 95 % of what was asked during it is over

A window is healthy when its good share is at least 95 % of the baseline's *and* at least half as many prompts were
issued as in the baseline: in a closed loop everybody may be stuck waiting, and a window in which nobody can ask
anything is not well (research §5.2, "undefined is bad"). A recovery that the run did not live to see is `Beyond`,
never a number.
"""

from dataclasses import dataclass
from math import ceil, isinf

from mockbot.evidence.counters import RecoverySeries
from mockbot.evidence.run_counters import RunCounters
from mockbot.measures.values import Beyond, Known, Undefined, Value

WINDOW = 10  # seconds of a cohort window, or as long as the baseline takes to issue WINDOW_PROMPTS
WINDOW_PROMPTS = 20
HOLD = 30  # seconds for which it has to stay well
WELL = 0.95  # of the baseline's good share
ISSUED = 0.5  # of the baseline's rate
AFFECTED = 0.95

NOTHING_WRONG = "nothing went wrong in this run"
NEVER_CLEAR = "what was wrong lasted to the end of what was observed"


@dataclass(frozen=True, slots=True)
class _Baseline:
    rate: float  # prompts per second
    good: float  # share


def time_to_detect(series: RecoverySeries, counters: RunCounters) -> Value:
    """From the measured begin to the first failure that a client saw."""
    if counters.disturbance.begin is None:
        return Undefined(NOTHING_WRONG)
    if isinf(series.first_failure):
        return Beyond(max(0.0, counters.seen_until - counters.disturbance.begin), "no client saw a failure")
    return Known(series.first_failure - counters.disturbance.begin)


def first_success(series: RecoverySeries, counters: RunCounters) -> Value:
    """From the clear to the first good answer to a prompt that was issued after it."""
    horizon = _horizon(counters)
    if isinstance(horizon, Undefined) or counters.disturbance.clear is None:
        return horizon if isinstance(horizon, Undefined) else Undefined(NOTHING_WRONG)
    if isinf(series.first_success):
        return Beyond(horizon, "no prompt issued after the clear was good")
    return Known(series.first_success - counters.disturbance.clear)


def affected_recovery(series: RecoverySeries, counters: RunCounters) -> Value:
    """From the clear until 95 % of the prompts issued during the disturbance were answered or given up."""
    horizon = _horizon(counters)
    if isinstance(horizon, Undefined):
        return horizon
    over = series.settled.quantile(AFFECTED)
    if over is None:
        return Undefined("nothing was asked during the disturbance")
    return Beyond(horizon, "more than 5 % of what was asked during it was never over") if isinf(over) else Known(over)


def recovery_time(series: RecoverySeries, counters: RunCounters) -> Value:
    """From the clear to the first second from which it was well for 30 s."""
    horizon = _horizon(counters)
    if isinstance(horizon, Undefined):
        return horizon
    baseline = _baseline(series, counters)
    if isinstance(baseline, Undefined):
        return baseline
    return _first_well(series, baseline, int(horizon))


def _horizon(counters: RunCounters) -> float | Undefined:
    """Seconds that were observed after the clear."""
    if counters.disturbance.clear is None:
        return Undefined(NOTHING_WRONG)
    after = counters.seen_until - counters.disturbance.clear
    return after if after > 0 else Undefined(NEVER_CLEAR)


def _baseline(series: RecoverySeries, counters: RunCounters) -> _Baseline | Undefined:
    if counters.disturbance.baseline is None:
        return Undefined("no phase without a fault comes before it, so there is nothing to compare with")
    start, end = counters.disturbance.baseline
    if series.calm_issued < WINDOW_PROMPTS:
        return Undefined(f"the baseline has {series.calm_issued} prompts, and {WINDOW_PROMPTS} are needed")
    if not series.calm_good:
        return Undefined("nothing was good in the baseline either")
    return _Baseline(series.calm_issued / (end - start), series.calm_good / series.calm_issued)


def _first_well(series: RecoverySeries, baseline: _Baseline, horizon: int) -> Value:
    """The first second from which the whole hold is healthy; a lower bound when the run ends within that hold."""
    window = max(WINDOW, ceil(WINDOW_PROMPTS / baseline.rate))
    for second in range(horizon + 1):
        starts = range(second, second + max(HOLD, window), window)
        seen = [start for start in starts if start + window <= horizon]
        if all(_healthy(series, baseline, start, window) for start in seen):
            return (
                Known(second)
                if len(seen) == len(starts)
                else Beyond(second, "the run ended before it had been well for long enough")
            )
    return Beyond(horizon, "the run ended before it was well")


def _healthy(series: RecoverySeries, baseline: _Baseline, start: int, window: int) -> bool:
    seconds = range(start, start + window)
    issued = sum(series.issued[second] for second in seconds)
    good = sum(series.good[second] for second in seconds)
    return issued >= ISSUED * baseline.rate * window and good >= WELL * baseline.good * issued and good > 0
