"""Measures of detection and recovery: four moments around the disturbance. Pure.

    begin ───── disturbance ───── clear ──────────────────────────────► end of what was observed
      │ time_to_detect → first failure │ first_success → first good answer
                                       │ recovery_time → [s, s+10) [s+10, s+20) [s+20, s+30) are all healthy
                                       │ affected_recovery → 95 % of the prompts issued during it are over

A window is healthy when its good share is at least 95 % of the baseline's *and* at least half as many prompts were
issued as in the baseline: in a closed loop all users may be waiting for an answer, and a window in which none can ask
is not healthy (research §5.2, "undefined is bad"). A recovery after the end of the run is `Beyond`, never a number
(Bronson et al., HotOS 2021, on failures that outlast their cause).
"""

from math import ceil, isinf

from mockbot.measures.counter_protocols import Counters, Recovery
from mockbot.measures.measure import WHOLE_RUN, Measure
from mockbot.measures.values import Beyond, Known, Undefined, Value

WINDOW = 10  # seconds of a cohort window, or as long as the baseline takes to issue WINDOW_PROMPTS
WINDOW_PROMPTS = 20
HOLD = 30  # seconds for which the windows have to stay healthy
WELL = 0.95  # of the baseline's good share
ISSUED = 0.5  # of the baseline's rate
AFFECTED = 0.95  # of the prompts issued during the disturbance

NOTHING_WRONG = "nothing went wrong in this run"
NEVER_CLEAR = "what was wrong lasted to the end of what was observed"


@Measure("duration", "low", WHOLE_RUN, shown=("tile",), sentence="detected after")
def time_to_detect(counted: Counters) -> Value:
    """From the start of the disturbance to the first failure that a client saw."""
    series, run = counted.recovery, counted.run
    begin = run.disturbance.begin
    if begin is None:
        return Undefined(NOTHING_WRONG)
    if isinf(series.first_failure):
        return Beyond(max(0.0, run.observed_until - begin), "no client saw a failure")
    return Known(series.first_failure - begin)


@Measure("duration", "low", WHOLE_RUN, one_client=True, shown=("tile",), sentence="first success")
def first_success(counted: Counters) -> Value:
    """From the end of the disturbance to the first good answer to a prompt issued after it."""
    series, clear, horizon = counted.recovery, counted.run.disturbance.clear, _horizon(counted)
    if isinstance(horizon, Undefined) or clear is None:
        return horizon if isinstance(horizon, Undefined) else Undefined(NOTHING_WRONG)
    if isinf(series.first_success):
        return Beyond(horizon, "no prompt issued after the clear was good")
    return Known(series.first_success - clear)


@Measure(
    "duration", "low", WHOLE_RUN, one_client=True, shown=("tile", "seeds"), sentence="affected prompts settled after"
)
def affected_recovery(counted: Counters) -> Value:
    """From the end of the disturbance until 95 % of the prompts issued during it were answered or given up."""
    horizon = _horizon(counted)
    if isinstance(horizon, Undefined):
        return horizon
    over = counted.recovery.settled.quantile(AFFECTED)
    if over is None:
        return Undefined("nothing was asked during the disturbance")
    return Beyond(horizon, "more than 5 % of what was asked during it was never over") if isinf(over) else Known(over)


@Measure("duration", "low", WHOLE_RUN, one_client=True, shown=("tile", "seeds", "compare"), sentence="recovered after")
def recovery_time(counted: Counters) -> Value:
    """From the end of the disturbance until all has been well for 30 s; never counts as infinite."""
    series, horizon, baseline = counted.recovery, _horizon(counted), counted.run.disturbance.baseline
    if isinstance(horizon, Undefined):
        return horizon
    if baseline is None:
        return Undefined("no phase without a fault comes before it, so there is nothing to compare with")
    if series.calm_issued < WINDOW_PROMPTS:
        return Undefined(f"the baseline has {series.calm_issued} prompts, and {WINDOW_PROMPTS} are needed")
    if not series.calm_good:
        return Undefined("nothing was good in the baseline either")
    rate = series.calm_issued / (baseline[1] - baseline[0])
    window = max(WINDOW, ceil(WINDOW_PROMPTS / rate))
    for second in range(int(horizon) + 1):
        starts = range(second, second + max(HOLD, window), window)
        observed = [start for start in starts if start + window <= int(horizon)]
        if all(_healthy(series, start, window, rate) for start in observed):
            if len(observed) == len(starts):
                return Known(second)
            return Beyond(second, "the run ended before it had been well for long enough")
    return Beyond(int(horizon), "the run ended before it was well")


def _healthy(series: Recovery, start: int, window: int, rate: float) -> bool:
    """Whether `window` seconds from `start` on are healthy. `rate`: prompts per second in the baseline."""
    seconds = range(start, start + window)
    issued = sum(series.issued[second] for second in seconds)
    good = sum(series.good[second] for second in seconds)
    enough = issued >= ISSUED * rate * window
    return enough and good >= WELL * (series.calm_good / series.calm_issued) * issued and good > 0


def _horizon(counted: Counters) -> float | Undefined:
    """Seconds that were observed after the clear."""
    if counted.run.disturbance.clear is None:
        return Undefined(NOTHING_WRONG)
    after = counted.run.observed_until - counted.run.disturbance.clear
    return after if after > 0 else Undefined(NEVER_CLEAR)


MEASURES = (time_to_detect, first_success, recovery_time, affected_recovery)
