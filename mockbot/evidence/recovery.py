"""A RecoverySeries in, detection and recovery times out: four moments around the disturbance. Pure.

    begin ───── disturbance ───── clear ──────────────────────────────► end of what was observed
      │ time_to_detect → first failure │ first_success → first good answer
                                       │ recovery_time → [s, s+10) [s+10, s+20) [s+20, s+30) are all healthy
                                       │ affected_recovery → 95 % of the prompts issued during it are over

A window is healthy when its good share is at least 95 % of the baseline's *and* at least half as many prompts were
issued as in the baseline: in a closed loop all users may be waiting for an answer, and a window in which none can ask
is not healthy (research §5.2, "undefined is bad"). A recovery after the end of the run is `Beyond`, never a number.
"""

from math import ceil, isinf

from mockbot.evidence.counters import RecoverySeries
from mockbot.evidence.run_counters import RunCounters
from mockbot.measures.values import Beyond, Known, Undefined, Value

WINDOW = 10  # seconds of a cohort window, or as long as the baseline takes to issue WINDOW_PROMPTS
WINDOW_PROMPTS = 20
HOLD = 30  # seconds for which the windows have to stay healthy
WELL = 0.95  # of the baseline's good share
ISSUED = 0.5  # of the baseline's rate
AFFECTED = 0.95  # of the prompts issued during the disturbance

NOTHING_WRONG = "nothing went wrong in this run"
NEVER_CLEAR = "what was wrong lasted to the end of what was observed"


def time_to_detect(series: RecoverySeries, run: RunCounters) -> Value:
    """From the measured begin to the first failure that a client saw."""
    begin = run.disturbance.begin
    if begin is None:
        return Undefined(NOTHING_WRONG)
    if isinf(series.first_failure):
        return Beyond(max(0.0, run.observed_until - begin), "no client saw a failure")
    return Known(series.first_failure - begin)


def first_success(series: RecoverySeries, run: RunCounters) -> Value:
    """From the clear to the first good answer to a prompt that was issued after it."""
    clear, horizon = run.disturbance.clear, _horizon(run)
    if isinstance(horizon, Undefined) or clear is None:
        return horizon if isinstance(horizon, Undefined) else Undefined(NOTHING_WRONG)
    if isinf(series.first_success):
        return Beyond(horizon, "no prompt issued after the clear was good")
    return Known(series.first_success - clear)


def affected_recovery(series: RecoverySeries, run: RunCounters) -> Value:
    """From the clear until 95 % of the prompts issued during the disturbance were answered or given up."""
    horizon = _horizon(run)
    if isinstance(horizon, Undefined):
        return horizon
    over = series.settled.quantile(AFFECTED)
    if over is None:
        return Undefined("nothing was asked during the disturbance")
    return Beyond(horizon, "more than 5 % of what was asked during it was never over") if isinf(over) else Known(over)


def recovery_time(series: RecoverySeries, run: RunCounters) -> Value:
    """From the clear to the first second from which all windows are healthy for HOLD seconds."""
    horizon, baseline = _horizon(run), run.disturbance.baseline
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


def _healthy(series: RecoverySeries, start: int, window: int, rate: float) -> bool:
    """Whether `window` seconds from `start` on are healthy. `rate`: prompts per second in the baseline."""
    seconds = range(start, start + window)
    issued = sum(series.issued[second] for second in seconds)
    good = sum(series.good[second] for second in seconds)
    enough = issued >= ISSUED * rate * window
    return enough and good >= WELL * (series.calm_good / series.calm_issued) * issued and good > 0


def _horizon(run: RunCounters) -> float | Undefined:
    """Seconds that were observed after the clear."""
    if run.disturbance.clear is None:
        return Undefined(NOTHING_WRONG)
    after = run.observed_until - run.disturbance.clear
    return after if after > 0 else Undefined(NEVER_CLEAR)
