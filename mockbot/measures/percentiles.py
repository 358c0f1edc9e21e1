"""Measures of time, each from the intended start of a prompt. Pure.

A percentile is over all prompts of the scope, with the unanswered as infinite, and needs 1/(1-q) of them.
Apdex: apdex.org, with T = slo/4.
"""

from collections.abc import Callable
from dataclasses import dataclass

from mockbot.measures.counter_protocols import Cohort, Counters, Durations
from mockbot.measures.measure import NO_PROMPTS, Measure, Place
from mockbot.measures.values import Known, Undefined, Value, ratio

ACCURACY = 0.002  # relative, of every finite percentile

_Times = tuple[str, Callable[[Cohort], Durations], str]  # what they are, where they are counted, why there are none


def percentile(durations: Durations, q: float, empty: str = NO_PROMPTS) -> Value:
    """The q-quantile, if there are enough values; `empty`: the reason when there are none."""
    value = durations.quantile(q)
    need = round(1 / (1 - q))
    if value is None:
        return Undefined(empty)
    if len(durations) < need:
        return Undefined(f"the {100 * q:g}th percentile needs {need} prompts, and there were {len(durations)}")
    return Known(value)


@dataclass(frozen=True, slots=True)
class Percentile:
    """A formula: the `q`-quantile of what `take` finds in a cohort."""

    take: Callable[[Cohort], Durations]
    q: float
    empty: str

    def __call__(self, counted: Counters) -> Value:
        return percentile(self.take(counted.cohort), self.q, self.empty)


def _measure(name: str, of: _Times, shown: tuple[Place, ...] = (), heading: str = "") -> Measure:
    """The percentile that the end of the name says."""
    text, take, empty = of
    q = float(f"0.{name.rpartition('_p')[2]}")
    return Measure(
        "duration",
        "low",
        one_client=True,
        accuracy=ACCURACY,
        shown=shown,
        heading=heading,
        name=name,
        text=f"{'Median' if q == 0.5 else f'{100 * q:g}th percentile'} of {text}.",
        formula=Percentile(take, q, empty),
    )


@Measure("number", "high", one_client=True, shown=("column",), heading="apdex")
def apdex(counted: Counters) -> Value:
    """Share of the prompts that were satisfied (answered within `slo`/4), plus half of those only within `slo`."""
    tolerating = counted.cohort.good - min(counted.cohort.good, counted.cohort.satisfied)
    return ratio(counted.cohort.satisfied + tolerating / 2, counted.cohort.prompts, NO_PROMPTS)


_LATENCY: _Times = (
    "the time to the whole answer; never answered counts as infinite",
    lambda cohort: cohort.latency,
    NO_PROMPTS,
)
_ANSWERED: _Times = (
    "the time to the whole answer, of the answered prompts alone",
    lambda cohort: cohort.answered_latency,
    "nothing was answered",
)
_FAILED: _Times = ("the time that failed prompts took", lambda cohort: cohort.failure, "nothing failed")
_FIRST_TOKEN: _Times = ("the time to the first token", lambda cohort: cohort.first_token, "no first token was seen")

MEASURES = (
    _measure("latency_p50", _LATENCY, ("narrow", "seeds", "compare"), "p50"),
    _measure("latency_p95", _LATENCY, ("narrow", "seeds", "compare"), "p95"),
    _measure("latency_p99", _LATENCY, ("column",), "p99"),
    _measure("latency_p999", _LATENCY),
    _measure("answered_p50", _ANSWERED),
    _measure("answered_p95", _ANSWERED),
    _measure("failed_p50", _FAILED),
    _measure("first_token_p50", _FIRST_TOKEN, ("column",), "first token"),
    _measure("first_token_p95", _FIRST_TOKEN),
    apdex,
)
