"""A run's requests as a monitoring system would have scraped them: OpenMetrics with times, and the same as CSV.

For backtests: `promtool tsdb create-blocks-from openmetrics metrics.txt DIR` makes Prometheus blocks of it, and alert
rules are then evaluated on the rehearsed outage. One sample every SCRAPE seconds of scenario time, so that a rule's
`for:` and `rate(...[5m])` mean what they mean in production, however fast the run was played. The first sample is at
BEGAN, the same for every run. Requests count when they end, as a server counts them.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import ceil

from mockbot.evidence.journal import RunEvidence
from mockbot.evidence.prompt_result import PROMPTS, RESULTS, result_of
from mockbot.evidence.records import Attempt, Prompt
from mockbot.evidence.sketch import Sketch

SCRAPE = 15  # scenario seconds, Prometheus' usual interval
MOST = 20_000  # samples of a series; a longer run is scraped less often
BEGAN = datetime(2026, 1, 1, tzinfo=UTC).timestamp()  # second 0 of the scenario
BUCKETS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0)  # seconds


@dataclass(slots=True)
class _Scrape:
    """What happened in one interval, for one provider and group."""

    outcomes: Counter[str] = field(default_factory=Counter)
    buckets: Counter[int] = field(default_factory=Counter)  # index of the least bucket that holds a duration
    seconds: float = 0.0
    latency: Sketch = field(default_factory=Sketch)


@dataclass(frozen=True, slots=True)
class Scraped:
    """`every`: seconds between samples; by provider and group the intervals in which something ended."""

    every: int
    samples: int
    weight: int
    by: dict[tuple[str, str], dict[int, _Scrape]]
    prompts: dict[tuple[str, str, str], Counter[int]]  # by group, tier and result, those that were settled in each


def scraped(evidence: RunEvidence) -> Scraped:
    """One pass over the run's requests."""
    end = evidence.timeline.latest
    every = SCRAPE * max(1, ceil(end / SCRAPE / MOST))
    by: dict[tuple[str, str], dict[int, _Scrape]] = {}
    last = 0
    prompts: dict[tuple[str, str, str], Counter[int]] = {}
    for line in evidence.requests():
        if isinstance(line, Prompt):
            number = int(line.end // every) + 1
            last = max(last, number)
            for result in RESULTS:  # all of them from the begin: a series that begins with a failure hides it
                prompts.setdefault((line.group, line.tier, result), Counter())
            prompts[line.group, line.tier, result_of(line, evidence.scenario.slo)][number] += 1
        if not isinstance(line, Attempt) or line.outcome == "unfinished":
            continue
        number = int(line.end // every) + 1
        last = max(last, number)
        scrape = by.setdefault((line.provider, line.group), {}).setdefault(number, _Scrape())
        took = line.end - line.start
        scrape.outcomes[line.outcome] += 1
        scrape.buckets[next((n for n, bound in enumerate(BUCKETS) if took <= bound), len(BUCKETS))] += 1
        scrape.seconds += took
        scrape.latency.add(took)
    return Scraped(every, max(last, ceil(evidence.timeline.end / every)) + 1, evidence.info.weight, by, prompts)


def metrics_text(found: Scraped) -> str:
    """OpenMetrics: requests by outcome, prompts by result, and the histogram `mockbot_request_duration_seconds`."""
    return "\n".join((*_requests(found), *_prompts(found), *_durations(found), "# EOF", ""))


def metrics_csv(found: Scraped) -> str:
    """A line for each interval, provider and group: requests, errors, and the median and 95th percentile in seconds."""
    lines = ["time,provider,group,requests,errors,error_share,latency_p50,latency_p95"]
    for number in range(1, found.samples):
        for (provider, group), scrapes in sorted(found.by.items()):
            scrape = scrapes.get(number, _Scrape())
            total = scrape.outcomes.total()
            errors = total - scrape.outcomes["ok"]
            share = f"{errors / total:.6g}" if total else ""
            latency = ",".join(_seconds(scrape.latency.quantile(q)) for q in (0.5, 0.95))
            at = datetime.fromtimestamp(BEGAN + number * found.every, UTC).isoformat()
            weight = found.weight
            lines.append(f"{at},{provider},{group},{total * weight},{errors * weight},{share},{latency}")
    return "\n".join(lines) + "\n"


def _requests(found: Scraped) -> Iterator[str]:
    yield "# HELP mockbot_requests Requests to providers by how they ended."
    yield "# TYPE mockbot_requests counter"
    for (provider, group), scrapes in sorted(found.by.items()):
        outcomes = sorted({outcome for scrape in scrapes.values() for outcome in scrape.outcomes})
        for outcome in outcomes:
            labels = f'provider="{provider}",group="{group}",outcome="{outcome}"'
            counts = {number: scrape.outcomes[outcome] for number, scrape in scrapes.items()}
            yield from _series(found, "mockbot_requests_total", labels, counts)


def _prompts(found: Scraped) -> Iterator[str]:
    yield f"# HELP {PROMPTS} Prompts by how they ended."
    yield f"# TYPE {PROMPTS} counter"
    for (group, tier, result), counts in sorted(found.prompts.items()):
        labels = f'group="{group}",tier="{tier}",result="{result}"'
        yield from _series(found, f"{PROMPTS}_total", labels, counts)


def _durations(found: Scraped) -> Iterator[str]:
    yield "# HELP mockbot_request_duration_seconds How long requests took, in scenario seconds."
    yield "# TYPE mockbot_request_duration_seconds histogram"
    yield "# UNIT mockbot_request_duration_seconds seconds"
    name = "mockbot_request_duration_seconds"
    for (provider, group), scrapes in sorted(found.by.items()):
        labels = f'provider="{provider}",group="{group}"'
        totals = {number: scrape.outcomes.total() for number, scrape in scrapes.items()}
        bounds: Sequence[float | None] = (*BUCKETS, None)
        held = [
            {number: sum(scrape.buckets[at] for at in range(n + 1)) for number, scrape in scrapes.items()}
            for n in range(len(bounds))
        ]
        sums = {number: scrape.seconds for number, scrape in scrapes.items()}
        columns = [
            (f"{name}_bucket", f'{labels},le="{"+Inf" if bound is None else bound}"', counts)
            for bound, counts in zip(bounds, held, strict=True)
        ]
        columns += [(f"{name}_count", labels, totals)]
        # All samples of a histogram at one time stand together.
        running = [0.0] * (len(columns) + 1)
        for number in range(found.samples):
            for n, (column, column_labels, counts) in enumerate(columns):
                running[n] += found.weight * counts.get(number, 0)
                yield f"{column}{{{column_labels}}} {running[n]:g} {BEGAN + number * found.every:.0f}"
            running[-1] += found.weight * sums.get(number, 0.0)
            yield f"{name}_sum{{{labels}}} {running[-1]:.6f} {BEGAN + number * found.every:.0f}"


def _series(found: Scraped, name: str, labels: str, counts: dict[int, int]) -> Iterator[str]:
    """The running total of the counts, a line for each sample."""
    total = 0
    for number in range(found.samples):
        total += found.weight * counts.get(number, 0)
        yield f"{name}{{{labels}}} {total} {BEGAN + number * found.every:.0f}"


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"
