"""The load at which a run collapses against the load at which it recovers. Pure.

    hysteresis = (load at which it collapses - load at which it recovers) / capacity          (research §5.17)

    load  ▁▁▂▃▄▅▆▇█▇▆▅▄▃▂▁▁     0: it recovers where it collapsed; 0.4: the load must fall by two fifths of the
               collapses │  │ recovers                                 capacity before the service recovers
                         └──┘

The load is what the scenario's crowd would send if all were well: arrivals per second, plus users over their think time
and the latency of the baseline (Little's law). The run collapses at the first moment from which no window is healthy
for 30 s, and recovers at the first one after it from which all of them are; a window is healthy as in `recovery.py`.
Both are as fine as the steps of the scenario's own ramp. With a fault the measure is undefined, because the load alone
does not decide.
"""

from collections.abc import Iterator
from math import ceil

from mockbot.evidence.counters import Cohort
from mockbot.evidence.recovery import HOLD, ISSUED, NOTHING_WRONG, WELL, WINDOW, WINDOW_PROMPTS
from mockbot.evidence.run_counters import RunCounters
from mockbot.measures.values import Beyond, Known, Undefined, Value

NO_BASELINE = "the baseline has too few good answers to compare with"


def hysteresis(run: RunCounters, cost: float | None) -> Value:
    """`cost`: slot-seconds per answer in the baseline; None when that is not known."""
    if run.timeline.faults:
        return Undefined("a fault was in it, so that the load alone did not decide")
    if run.disturbance.begin is None:
        return Undefined(NOTHING_WRONG)
    slots = sum(each.slots for name, each in run.scenario.providers.items() if run.calm_work[name].offered)
    if cost is None or not slots:
        return Undefined("no baseline shows what an answer costs the providers")
    windows = list(_windows(run))
    if not windows:
        return Undefined(NO_BASELINE)
    hold = max(1, ceil(HOLD / (windows[1][0] - windows[0][0]))) if len(windows) > 1 else 1
    healthy = [each for _, each in windows]
    starts = range(len(windows) - hold + 1)
    collapse = next((n for n in starts if not any(healthy[n : n + hold])), None)
    if collapse is None:
        return Undefined("it never collapsed, so that there is nothing to recover from")
    loads, capacity = [load_at(run, start) for start, _ in windows], slots / cost
    recovery = next((n for n in starts if n > collapse and all(healthy[n : n + hold])), None)
    if recovery is None:
        least = min(loads[collapse:])
        return Beyond((loads[collapse] - least) / capacity, "the run ended before it was well, at any load it tried")
    return Known((loads[collapse] - loads[recovery]) / capacity)


def load_at(run: RunCounters, t: float) -> float:
    """Prompts per second that the crowd of this moment would send if all were well."""
    baseline, crowd, conditions = run.disturbance.baseline, run.scenario.crowd, run.timeline.at(t)
    index = None if baseline is None else run.phase(baseline[0])
    calm = run.select(run.cohorts, lambda key: key.phase == index and not key.provider, Cohort())
    latency = calm.latency.mean() or 0.0
    closed = sum(users / (crowd[group].think + latency) for group, users in conditions.users.items())
    return closed + sum(conditions.arrivals.values())


def _windows(run: RunCounters) -> Iterator[tuple[float, bool]]:
    """(start, healthy) from the end of the baseline to the end of the observed time; none without a baseline."""
    series, baseline = run.series, run.disturbance.baseline
    if baseline is None:
        return
    issued = [sum(each) for each in zip(*series.issued.values(), strict=True)]
    good = [sum(each) for each in zip(*series.good.values(), strict=True)]
    first, last = series.whole_slices(baseline)
    calm_issued, calm_good = sum(issued[first:last]), sum(good[first:last])
    if calm_issued < WINDOW_PROMPTS or not calm_good:
        return
    rate = calm_issued / (last - first)  # per slice
    step = ceil(max(WINDOW / series.width, WINDOW_PROMPTS / rate))
    for at in range(last, int(run.observed_until / series.width) - step + 1, step):
        asked, well = sum(issued[at : at + step]), sum(good[at : at + step])
        enough = asked >= ISSUED * rate * step
        yield at * series.width, enough and well > 0 and well >= WELL * calm_good / calm_issued * asked
