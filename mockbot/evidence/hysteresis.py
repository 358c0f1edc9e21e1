"""How much further the load must fall before it is well again than it had to rise to go wrong. Pure.

    hysteresis = (load at which it collapses - load at which it recovers) / capacity          (research §5.17)

    load  ▁▁▂▃▄▅▆▇█▇▆▅▄▃▂▁▁     0: it recovers where it collapsed; 0.4: two fifths of the capacity must be given up
               collapses │  │ recovers                                 before those who were hurt are well again
                         └──┘

The load is what the scenario's crowd asks for when all is well: arrivals per second, and users over their think time
and what an answer takes in the baseline (Little's law). It collapses at the first moment from which no window is
healthy for 30 s, and recovers at the first one after it from which all of them are; a window is healthy as in
`recovery.py`. Both are as fine as the steps of the scenario's own ramp. Where a fault helps to bring it down it is not
the load, and nothing is said.
"""

from collections.abc import Iterator
from math import ceil

from mockbot.evidence.counters import Cohort
from mockbot.evidence.recovery import HOLD, ISSUED, NOTHING_WRONG, WELL, WINDOW, WINDOW_PROMPTS
from mockbot.evidence.run_counters import RunCounters
from mockbot.measures.values import Beyond, Known, Undefined, Value

NO_BASELINE = "the baseline has too few good answers to compare with"


def hysteresis(counters: RunCounters, cost: float | None) -> Value:
    """`cost`: slot-seconds of an answer in the baseline; None when that is not known."""
    if counters.timeline.faults:
        return Undefined("a fault was in it, so that the load alone did not decide")
    if counters.disturbance.begin is None:
        return Undefined(NOTHING_WRONG)
    asked = [counters.calm_work[name].offered > 0 for name in counters.scenario.providers]
    slots = sum(each.slots for each, used in zip(counters.scenario.providers.values(), asked, strict=True) if used)
    if cost is None or not slots:
        return Undefined("no baseline shows what an answer costs the providers")
    windows = list(_windows(counters))
    return _margin(counters, windows, slots / cost) if windows else Undefined(NO_BASELINE)


def _margin(counters: RunCounters, windows: list[tuple[float, bool]], capacity: float) -> Value:
    hold = max(1, ceil(HOLD / (windows[1][0] - windows[0][0]))) if len(windows) > 1 else 1
    well = [healthy for _, healthy in windows]
    starts = range(len(windows) - hold + 1)
    collapse = next((n for n in starts if not any(well[n : n + hold])), None)
    if collapse is None:
        return Undefined("it never collapsed, so that there is nothing to recover from")
    loads = [load_at(counters, start) for start, _ in windows]
    recovery = next((n for n in starts if n > collapse and all(well[n : n + hold])), None)
    if recovery is None:
        least = min(loads[collapse:])
        return Beyond((loads[collapse] - least) / capacity, "the run ended before it was well, at any load it tried")
    return Known((loads[collapse] - loads[recovery]) / capacity)


def load_at(counters: RunCounters, t: float) -> float:
    """Prompts per second that the crowd of this moment asks for when all is well."""
    conditions, answer = counters.timeline.at(t), _calm_latency(counters)
    crowd = counters.scenario.crowd
    closed = sum(users / (crowd[group].think + answer) for group, users in conditions.users.items())
    return closed + sum(conditions.arrivals.values())


def _calm_latency(counters: RunCounters) -> float:
    index = None if counters.disturbance.baseline is None else counters.phase(counters.disturbance.baseline[0])
    calm = counters.select(counters.cohorts, lambda key: key.phase == index and not key.provider, Cohort())
    return calm.latency.mean() or 0.0


def _windows(counters: RunCounters) -> Iterator[tuple[float, bool]]:
    """(start, healthy) from the end of the baseline to the end of what was observed; none without a baseline."""
    series = counters.series
    issued, good = (
        [sum(each) for each in zip(*counts.values(), strict=True)] for counts in (series.issued, series.good)
    )
    if counters.disturbance.baseline is None:
        return
    first, last = (
        ceil(counters.disturbance.baseline[0] / series.width),
        int(counters.disturbance.baseline[1] / series.width),
    )
    calm_issued, calm_good = sum(issued[first:last]), sum(good[first:last])
    if calm_issued < WINDOW_PROMPTS or not calm_good:
        return
    rate = calm_issued / (last - first)  # per slice
    step = ceil(max(WINDOW / series.width, WINDOW_PROMPTS / rate))
    for at in range(last, int(counters.seen_until / series.width) - step + 1, step):
        asked, well = sum(issued[at : at + step]), sum(good[at : at + step])
        enough = asked >= ISSUED * rate * step
        yield at * series.width, enough and well > 0 and well >= WELL * calm_good / calm_issued * asked
