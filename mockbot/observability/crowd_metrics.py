"""`GET /metrics` of a run: the crowd as Prometheus text, made of the journals when it is scraped. Wall seconds.

The crowd's process pays nothing; mockbot's own follows its journals. All label values are known before the run, except
outcomes: a series that appears only with the first failure would hide that failure from `rate`.
"""

import threading
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from mockbot.errors import UsageError
from mockbot.evidence.prompt_result import PROMPTS, RESULTS, result_of
from mockbot.evidence.records import Progress, Prompt, RunInfo
from mockbot.runs.folder import RunFile, RunFolder
from mockbot.runs.journal_files import CROWD, Follower, read_run_info
from mockbot.scenario.timeline import Timeline

_Labels = TypeVar("_Labels", bound=tuple[str, ...])
_BOUNDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0)


@dataclass(slots=True)
class _Durations:
    """Counts up to each bound, and the sum."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(_BOUNDS) + 1))
    total: float = 0.0

    def add(self, seconds: float) -> None:
        """One more."""
        self.counts[bisect_left(_BOUNDS, seconds)] += 1
        self.total += seconds


class CrowdMetrics(Collector):
    """Reads what is new in the journals of a run at each scrape."""

    def __init__(self, folder: RunFolder, timeline: Timeline) -> None:
        self._folder, self._timeline = folder, timeline
        self._info: RunInfo | None = None
        self._attempts_of = Follower(folder / RunFile.JOURNAL, CROWD)
        self._progress_of = Follower(folder / RunFile.PROGRESS, Progress)
        crowd = timeline.scenario.crowd
        self._prompts: Counter[tuple[str, str, str]] = Counter()
        self._prompts.update({(name, group.tier, result): 0 for name, group in crowd.items() for result in RESULTS})
        self._attempts: Counter[tuple[str, str, str]] = Counter()
        self._took = {name: _Durations() for name in crowd}
        self._first = {name: _Durations() for name in timeline.scenario.providers}
        self._progress: Progress | None = None
        self._scraping = threading.Lock()

    def collect(self) -> Iterable[Metric]:
        """Everything, as the journals have it now."""
        with self._scraping:
            self._read()
            yield from self._counted()
            yield from self._now()

    def _read(self) -> None:
        if self._info is None or self._info.t0 is None:
            self._info = read_run_info(self._folder)
        speed = 1.0 if self._info is None else self._info.speed
        while records := self._attempts_of.new():
            for record in records:
                if isinstance(record, Prompt):
                    self._settled(record, speed)
                else:
                    # With a system in between the crowd asks no provider, and does not know which one answered.
                    asked = (self._info.system if self._info is not None else "") or record.provider
                    self._attempts[record.group, asked, record.outcome] += 1
                    if record.first_token is not None:
                        self._first.setdefault(asked, _Durations()).add(record.first_token / speed)
        while snapshots := self._progress_of.new():
            self._progress = snapshots[-1]

    def _settled(self, prompt: Prompt, speed: float) -> None:
        if prompt.settled == "answered":
            self._took[prompt.group].add((prompt.end - prompt.intended) / speed)
        self._prompts[prompt.group, prompt.tier, result_of(prompt, self._timeline.scenario.slo)] += 1

    def _counted(self) -> Iterator[Metric]:
        prompts = CounterMetricFamily(PROMPTS, "Prompts by how they ended", labels=["group", "tier", "result"])
        for labels, count in sorted(self._prompts.items()):
            prompts.add_metric(labels, count)
        yield prompts
        text = "Requests of the crowd by how they ended"
        attempts = CounterMetricFamily("mockbot_crowd_attempts", text, labels=["group", "provider", "outcome"])
        for labels, count in sorted(self._attempts.items()):
            attempts.add_metric(labels, count)
        yield attempts
        text = "To an answer, from when the prompt was due"
        yield _histogram("mockbot_crowd_prompt_duration_seconds", text, "group", self._took)
        text = "To the first token of an attempt's answer"
        yield _histogram("mockbot_crowd_first_token_seconds", text, "provider", self._first)

    def _now(self) -> Iterator[Metric]:
        info, timeline, latest = self._info, self._timeline, self._progress
        if info is None or info.t0 is None:
            return
        second = (time.time() - info.t0) * info.speed
        over = second >= timeline.end
        now = timeline.at(second)
        holding = set() if over else {active.span.id for active in now.faults}
        phases = {phase.name: int(not over and phase.name == now.phase) for phase in timeline.phases}
        faults = {(span.id, span.provider): int(span.id in holding) for span in timeline.faults}
        yield _gauge(
            "mockbot_phase", "1 while the phase lasts", ["phase"], {(name,): on for name, on in phases.items()}
        )
        yield _gauge("mockbot_fault_active", "1 while the fault holds", ["fault", "provider"], faults)
        text = "Second of the scenario, which is not wall time"
        yield _gauge("mockbot_scenario_seconds", text, [], {(): min(second, timeline.end)})
        yield _gauge("mockbot_speed", "Scenario seconds per second", [], {(): info.speed})
        if latest is not None:
            users, pending = (0, 0) if over else (latest.users, latest.pending)
            yield _gauge("mockbot_crowd_users", "Users of the crowd now", [], {(): users})
            yield _gauge("mockbot_crowd_prompts_pending", "Prompts under way", [], {(): pending})


@contextmanager
def crowd_metrics(port: int | None, folder: RunFolder, timeline: Timeline) -> Iterator[int | None]:
    """Serve them on a port of loopback, 0 for any free one; None: not at all. UsageError when it is taken."""
    if port is None:
        yield None
        return
    registry = CollectorRegistry(auto_describe=False)
    registry.register(CrowdMetrics(folder, timeline))
    try:
        server, thread = start_http_server(port, "127.0.0.1", registry)
    except OSError as error:
        raise UsageError(f"--metrics-port {port}: {error.strerror}; pass another one, or 0 for any") from None
    try:
        yield int(server.server_port)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _gauge(name: str, text: str, labels: list[str], values: Mapping[_Labels, float]) -> Metric:
    gauge = GaugeMetricFamily(name, text, labels=labels)
    for key, value in values.items():
        gauge.add_metric(key, value)
    return gauge


def _histogram(name: str, text: str, label: str, found: dict[str, _Durations]) -> Metric:
    family = HistogramMetricFamily(name, text, labels=[label])
    for key, durations in found.items():
        below, buckets = 0, []
        for bound, count in zip((*map(str, _BOUNDS), "+Inf"), durations.counts, strict=True):
            below += count
            buckets.append((bound, below))
        family.add_metric([key], buckets, durations.total)
    return family
