"""Measures of outages: what each was for each group that it could reach; the worst is the measure's value. Pure.

    begin ─────────── outage ─────────── clear ──────────────────────────► the group's next outage, or the end
      │ time_to_detect → first failure     │ first_success → first good answer
      │ time_to_acknowledge → status page  │ recovery_time → [s, s+10) [s+10, s+20) [s+20, s+30) are all healthy
      │ time_to_page → burn-rate alert     │ affected_recovery → 95 % of the prompts issued during it are over
          ├───────── down_for ─────────────────┤ from the first window that is not healthy to the first of the good ones

A window is healthy when its good share is at least 95 % of the group's own in the baseline *and* at least half as many
prompts were issued as there: in a closed loop all users may be waiting for an answer, and a window in which none can
ask is not healthy (research §5.2, "undefined is bad"). Of a crowd that has become smaller than in the baseline fewer
prompts are asked for, in longer windows. A group that is not well when its next outage begins is still down in the
first one, too. What had not come when the run ended is `Beyond`, never a number (Bronson et al., HotOS
2021, on failures that outlast their cause).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import update_wrapper
from itertools import accumulate
from math import ceil, isinf

from mockbot.measures.counter_protocols import Counters, Outage, Part
from mockbot.measures.measure import WHOLE_RUN, Measure
from mockbot.measures.percentiles import ACCURACY
from mockbot.measures.values import Beyond, Known, Undefined, Value, ratio

WINDOW = 10  # seconds of a window of prompts, or as long as the baseline takes to issue WINDOW_PROMPTS
WINDOW_PROMPTS = 20
HOLD = 30  # seconds for which the windows have to stay healthy
WELL = 0.95  # of the baseline's good share
ISSUED = 0.5  # of the baseline's rate
SMALLEST = 0.01  # of the baseline's crowd; for fewer no window grows any more
AFFECTED = 0.95  # of the prompts issued during the outage

NOTHING_WRONG = "nothing went wrong in this run"
NOTHING_ASKED = "nothing was asked during the outage"
NO_FAILURE = "no client saw a failure"
NEVER_CLEAR = "what was wrong lasted to the end of what was observed"
ENDED_EARLY = "the run ended before it had been well for long enough"

OfOutage = Callable[[Counters, Part, int], Value]  # the measure of one outage, by its index in the part


class WorstOutage:
    """A formula: the greatest value over the outages of all groups in the scope.

    It is a lower bound where the value of one of them is not known. A group that asked nothing, or saw no failure, has
    none, and does not count.
    """

    def __init__(self, of_outage: OfOutage) -> None:
        self.of_outage = of_outage
        update_wrapper(self, of_outage)

    def __call__(self, counted: Counters) -> Value:
        each = [self.of_outage(counted, part, n) for part in counted.parts() for n in range(len(part.outages))]
        bounds = [value for value in each if isinstance(value, Beyond)]
        numbers = [value.number for value in each if isinstance(value, Known)]
        if bounds:
            longest = max(bounds, key=lambda value: value.bound)
            return Beyond(max(longest.bound, *numbers), longest.why) if numbers else longest
        if numbers:
            unknown = (value for value in each if isinstance(value, Undefined))
            why = next((value.why for value in unknown if value.why not in {NOTHING_ASKED, NO_FAILURE}), None)
            return Known(max(numbers)) if why is None else Beyond(max(numbers), why)
        return each[0] if each else Undefined(NOTHING_WRONG)


@dataclass(frozen=True, slots=True)
class _Health:
    """A group's prompts second by second: whether a window is as healthy as in the baseline. `issued`, `good`: sums."""

    issued: list[int]
    good: list[int]
    rate: float  # prompts per second in the baseline
    share: float  # good ones there
    size: Callable[[float], float]  # of the crowd at a second, in multiples of the baseline's; 1 where it is larger

    def end(self, start: int) -> int:
        """Where the window ends that begins with this second."""
        return start + max(WINDOW, ceil(WINDOW_PROMPTS / (self.rate * max(self.size(start), SMALLEST))))

    def holds(self, start: int) -> bool:
        """Whether the window that begins with this second is healthy."""
        end = self.end(start)
        issued, good = self.issued[end] - self.issued[start], self.good[end] - self.good[start]
        expected = self.rate * (end - start) * min(self.size(start), self.size(end))
        return issued >= ISSUED * expected and good >= WELL * self.share * issued and good > 0

    def back(self, start: int, end: int) -> tuple[int, bool]:
        """The first second from which windows are healthy for HOLD, and whether all of them ended before `end`."""
        for second in range(start, end + 1):
            at = second
            while at < max(second + HOLD, self.end(second)):
                if self.end(at) > end:
                    return second, False
                if not self.holds(at):
                    break
                at = self.end(at)
            else:
                return second, True
        return end, False


def _health(counted: Counters, part: Part) -> _Health | Undefined:
    baseline, end = counted.run.disturbance.baseline, ceil(counted.run.observed_until)
    if baseline is None:
        return Undefined("no phase without a fault comes before it, so there is nothing to compare with")
    issued, good = (
        list(accumulate((counts[second] for second in range(end)), initial=0))
        for counts in (part.course.issued, part.course.good)
    )
    last = min(int(baseline[1]), end)
    first = min(ceil(baseline[0]), last)
    calm_issued, calm_good = issued[last] - issued[first], good[last] - good[first]
    if calm_issued < WINDOW_PROMPTS:
        return Undefined(f"the baseline of {part.name} has {calm_issued} prompts, and {WINDOW_PROMPTS} are needed")
    if not calm_good:
        return Undefined("nothing was good in the baseline either")
    group = None if counted.scope.provider else part.name
    calm = (counted.run.crowd_at(first, group) + counted.run.crowd_at(last - 1, group)) / 2

    def size(second: float) -> float:
        return min(1.0, counted.run.crowd_at(second, group) / calm) if calm else 1.0

    return _Health(issued, good, calm_issued / (last - first), calm_good / calm_issued, size)


def _until(counted: Counters, outage: Outage) -> float:
    """When what the outage did can no longer be seen."""
    return min(outage.until, counted.run.observed_until)


@Measure(
    "duration",
    "low",
    WHOLE_RUN,
    one_client=True,
    shown=("column", "tile", "seeds"),
    heading="down for",
    sentence="down for",
)
@WorstOutage
def down_for(counted: Counters, part: Part, index: int) -> Value:
    """Of the worst outage, how long the group's good share was below 95 % of its own in calm."""
    outage, health = part.outages[index], _health(counted, part)
    if isinstance(health, Undefined):
        return health
    second, end, down = round(outage.begin), int(counted.run.observed_until), 0
    if health.end(second) > end:
        return Beyond(0.0, ENDED_EARLY)
    # A stretch may begin a little after the clear, when what waited for it comes at once; later ones are not its own.
    while second < outage.clear + HOLD and health.end(second) <= end:
        if health.holds(second):
            second += 1
            continue
        back, seen = health.back(second, end)
        down, second = down + back - second, back
        if not seen:
            return Beyond(down, ENDED_EARLY)
    return Known(down)


@Measure("duration", "low", WHOLE_RUN, shown=("tile",), sentence="first failure seen after")
@WorstOutage
def time_to_detect(_: Counters, part: Part, index: int) -> Value:
    """Of the worst outage, from its begin to the first failure that a client saw."""
    first = part.course.of_outage(index).first_failure
    return Undefined(NO_FAILURE) if isinf(first) else Known(first - part.outages[index].begin)


@Measure("duration", "low", WHOLE_RUN, shown=("tile",), sentence="status page after")
@WorstOutage
def time_to_acknowledge(counted: Counters, part: Part, index: int) -> Value:
    """Of the worst outage, from its begin until the status page said that it is being worked on."""
    if not counted.run.has_status_page:
        return Undefined("the scenario has no status page")
    outage = part.outages[index]
    if outage.acknowledged is None:
        return Beyond(max(0.0, _until(counted, outage) - outage.begin), "the status page never admitted it")
    return Known(outage.acknowledged - outage.begin)


@Measure("duration", "low", WHOLE_RUN, one_client=True, shown=("tile",), sentence="first success after the end")
@WorstOutage
def first_success(counted: Counters, part: Part, index: int) -> Value:
    """Of the worst outage, from its clear to the first good answer to a prompt issued after it."""
    outage, first = part.outages[index], part.course.of_outage(index).first_success
    observed = _until(counted, outage) - outage.clear
    if observed <= 0:
        return Beyond(0.0, NEVER_CLEAR)
    return (
        Beyond(observed, "no prompt issued after the clear was good") if isinf(first) else Known(first - outage.clear)
    )


@Measure("duration", "low", WHOLE_RUN, one_client=True, shown=("tile", "seeds", "compare"), sentence="recovered after")
@WorstOutage
def recovery_time(counted: Counters, part: Part, index: int) -> Value:
    """Of the worst outage, from its clear until all is well and stays so for 30s; never counts as infinite."""
    outage, health = part.outages[index], _health(counted, part)
    if counted.run.observed_until <= outage.clear:
        return Beyond(0.0, NEVER_CLEAR)
    if isinstance(health, Undefined):
        return health
    clear = round(outage.clear)
    back, seen = health.back(clear, int(counted.run.observed_until))
    return Known(back - clear) if seen else Beyond(back - clear, ENDED_EARLY)


@Measure(
    "duration",
    "low",
    WHOLE_RUN,
    one_client=True,
    accuracy=ACCURACY,
    shown=("tile", "seeds"),
    sentence="affected prompts settled after",
)
@WorstOutage
def affected_recovery(counted: Counters, part: Part, index: int) -> Value:
    """Of the worst outage, from its clear until 95 % of the prompts issued during it were answered or given up."""
    outage = part.outages[index]
    observed, over = _until(counted, outage) - outage.clear, part.course.of_outage(index).settled.quantile(AFFECTED)
    if observed <= 0:
        return Beyond(0.0, NEVER_CLEAR)
    if over is None:
        return Undefined(NOTHING_ASKED)
    return Beyond(observed, "more than 5 % of what was asked during it was never over") if isinf(over) else Known(over)


@Measure("share", "low", WHOLE_RUN, one_client=True, shown=("tile",), sentence="affected prompts given up")
@WorstOutage
def affected_gave_up(_: Counters, part: Part, index: int) -> Value:
    """Of the worst outage, the share of the settled prompts issued during it that were given up."""
    after = part.course.of_outage(index)
    return ratio(after.gave_up, after.answered + after.gave_up, NOTHING_ASKED)


MEASURES = (
    down_for,
    time_to_detect,
    time_to_acknowledge,
    first_success,
    recovery_time,
    affected_recovery,
    affected_gave_up,
)
