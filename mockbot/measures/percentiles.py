"""Measures of time, each from the intended start of a prompt. Pure.

A percentile is over all prompts of the scope, with the unanswered as infinite, and needs 1/(1-q) of them.
Apdex: apdex.org, with T = slo/4.
"""

from collections.abc import Callable

from mockbot.measures.counter_protocols import Cohort, Counters, Durations
from mockbot.measures.measure import NO_PROMPTS, Measure, Place
from mockbot.measures.values import Known, Undefined, Value, ratio

QUANTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "p999": 0.999}


def percentile(durations: Durations, q: float, empty: str = NO_PROMPTS) -> Value:
    """The q-quantile, if there are enough values; `empty`: the reason when there are none."""
    value = durations.quantile(q)
    need = round(1 / (1 - q))
    if value is None:
        return Undefined(empty)
    if len(durations) < need:
        return Undefined(f"the {100 * q:g}th percentile needs {need} prompts, and there were {len(durations)}")
    return Known(value)


def _percentiles(
    of: str, text: str, take: Callable[[Cohort], Durations], empty: str, **shown: tuple[tuple[Place, ...], str]
) -> tuple[Measure, ...]:
    """A measure for each quantile of `shown`: where it is shown, and its heading."""
    return tuple(
        Measure(
            "duration",
            "low",
            one_client=True,
            shown=places,
            heading=heading,
            name=f"{of}_{quantile}",
            text=f"{'Median' if quantile == 'p50' else f'{100 * QUANTILES[quantile]:g}th percentile'} of {text}.",
            formula=lambda counted, q=QUANTILES[quantile]: percentile(take(counted.cohort), q, empty),  # type: ignore[misc]
        )
        for quantile, (places, heading) in shown.items()
    )


@Measure("number", "high", one_client=True, shown=("column",), heading="apdex")
def apdex(counted: Counters) -> Value:
    """Share of the prompts that were satisfied (answered within `slo`/4), plus half of those only within `slo`."""
    tolerating = counted.cohort.good - min(counted.cohort.good, counted.cohort.satisfied)
    return ratio(counted.cohort.satisfied + tolerating / 2, counted.cohort.prompts, NO_PROMPTS)


NOT: tuple[tuple[Place, ...], str] = ((), "")  # in no table
MEASURES = (
    *_percentiles(
        "latency", "the time to the whole answer; never answered counts as infinite",
        lambda cohort: cohort.latency, NO_PROMPTS,
        p50=(("narrow", "seeds", "compare"), "p50"), p95=(("narrow", "seeds", "compare"), "p95"),
        p99=(("column",), "p99"), p999=NOT,
    ),
    *_percentiles(
        "answered", "the time to the whole answer, of the answered prompts alone",
        lambda cohort: cohort.answered_latency, "nothing was answered", p50=NOT, p95=NOT,
    ),
    *_percentiles(
        "failed", "the time that failed prompts took", lambda cohort: cohort.failure, "nothing failed", p50=NOT,
    ),
    *_percentiles(
        "first_token", "the time to the first token", lambda cohort: cohort.first_token, "no first token was seen",
        p50=(("column",), "first token"), p95=NOT,
    ),
    apdex,
)  # fmt: skip
