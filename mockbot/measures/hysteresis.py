"""A measure of load: at which one a run collapses, against at which one it recovers. Pure.

    hysteresis = (load at which it collapses - load at which it recovers) / capacity          (research §5.17)

    load  ▁▁▂▃▄▅▆▇█▇▆▅▄▃▂▁▁     0: it recovers where it collapsed; 0.4: the load must fall by two fifths of the
               collapses │  │ recovers                                 capacity before the service recovers
                         └──┘

The load is what the scenario's crowd would send if all were well: arrivals per second, plus users over their think time
and the latency of the baseline (Little's law). The run collapses at the first moment from which no window is healthy
for 30 s, and recovers at the first one after it from which all of them are; a window is healthy as in `outages.py`.
Both are as fine as the steps of the scenario's own ramp. With a fault the measure is undefined, because the load alone
does not decide.
"""

from collections.abc import Iterator
from math import ceil

from mockbot.measures.counter_protocols import Counters
from mockbot.measures.demand import NO_COST
from mockbot.measures.measure import Measure
from mockbot.measures.outages import HOLD, ISSUED, NOTHING_WRONG, WELL, WINDOW, WINDOW_PROMPTS
from mockbot.measures.scope import SELECTORS
from mockbot.measures.values import Beyond, Known, Undefined, Value


@Measure("number", "low", dict.fromkeys(SELECTORS, "is about the load of the whole run"), shown=("tile",))
def hysteresis(counted: Counters) -> Value:
    """Of an outage by load alone: the load at collapse minus the load at recovery, over the capacity."""
    run = counted.run
    if run.has_faults:
        return Undefined("a fault was in it, so that the load alone did not decide")
    if run.disturbance.begin is None:
        return Undefined(NOTHING_WRONG)
    cost, slots = run.service_time(), run.calm_slots()
    if cost is None or not slots:
        return Undefined(NO_COST)
    windows = list(_windows(counted))
    if not windows:
        return Undefined("the baseline has too few good answers to compare with")
    hold = max(1, ceil(HOLD / (windows[1][0] - windows[0][0]))) if len(windows) > 1 else 1
    healthy = [each for _, each in windows]
    starts = range(len(windows) - hold + 1)
    collapse = next((n for n in starts if not any(healthy[n : n + hold])), None)
    if collapse is None:
        return Undefined("it never collapsed, so that there is nothing to recover from")
    loads, capacity = [run.load_at(start) for start, _ in windows], slots / cost
    recovery = next((n for n in starts if n > collapse and all(healthy[n : n + hold])), None)
    if recovery is None:
        least = min(loads[collapse:])
        return Beyond((loads[collapse] - least) / capacity, "the run ended before it was well, at any load it tried")
    return Known((loads[collapse] - loads[recovery]) / capacity)


def _windows(counted: Counters) -> Iterator[tuple[float, bool]]:
    """(start, healthy) from the end of the baseline to the end of the observed time; none without a baseline."""
    slices = counted.slices()
    if slices.baseline is None:
        return
    (first, last), issued, good = slices.baseline, slices.issued, slices.good
    calm_issued, calm_good = sum(issued[first:last]), sum(good[first:last])
    if calm_issued < WINDOW_PROMPTS or not calm_good:
        return
    rate = calm_issued / (last - first)  # per slice
    step = ceil(max(WINDOW / slices.width, WINDOW_PROMPTS / rate))
    calm_load = counted.run.load_at(last * slices.width - 1e-6)
    for at in range(last, int(counted.run.observed_until / slices.width) - step + 1, step):
        asked, well = sum(issued[at : at + step]), sum(good[at : at + step])
        load = min(1.0, counted.run.load_at(at * slices.width) / calm_load) if calm_load else 1.0
        enough = asked >= ISSUED * rate * step * load
        yield at * slices.width, enough and well > 0 and well >= WELL * calm_good / calm_issued * asked


MEASURES = (hysteresis,)
