"""Export a run to an OpenTelemetry endpoint while it is played, from its journals: the crowd's process pays nothing.

    crowd ── journal.jsonl, actions.jsonl ──►            ┌─► POST /v1/traces   a batch of spans at a time
    service ── finished requests ── a file of them ──►  thread ─► POST /v1/metrics  every few seconds

The files are the queue: a slow endpoint delays the reading, never the run, its clock or its verdict. What it has not
taken LAST_WITHIN wall seconds after the verdict is given up, counted and told.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult

from mockbot.dialects.prompt_identity import run_of
from mockbot.evidence.records import Action, Prompt, Request
from mockbot.observability.genai_metrics import GenAiMetrics
from mockbot.observability.otlp_endpoint import OtlpEndpoint
from mockbot.observability.trace_spans import PlayedRun, TraceSpans
from mockbot.runs.folder import RunFile, RunFolder
from mockbot.runs.journal_files import CROWD, Follower, read_run_info
from mockbot.scenario.timeline import Timeline

LOOK = 0.5  # wall seconds between two looks at the journals
BATCH = 2_000  # spans in one request: about 1 MB
METRICS_EVERY = 5_000  # wall milliseconds
LAST_WITHIN = 15.0  # wall seconds for what is left, once the run has been judged


@dataclass
class RunExport:
    """The thread that follows the journals.

    `requests`: a file of Request lines; `journal`: the crowd's, if there is one; `model`: that it asks for; `system`:
    the name of the one that it asks.
    """

    endpoint: OtlpEndpoint
    folder: RunFolder
    timeline: Timeline
    requests: Path
    journal: Path | None = None
    model: str = ""
    system: str = ""
    sent: int = 0  # spans
    lost: int = 0
    _over: threading.Event = field(default_factory=threading.Event)
    _until: float = float("inf")  # reading of the monotonic clock
    _second: float = 0.0  # of the newest record
    _why: str = ""
    _failed: str = ""
    _metrics_lost: str = ""

    def __post_init__(self) -> None:
        self._exporter = self.endpoint.spans()
        self._records = None if self.journal is None else Follower(self.journal, CROWD)
        self._actions = Follower(self.folder / RunFile.ACTIONS, Action)
        self._seen = Follower(self.requests, Request)
        self._owners: dict[str, str] = {}  # the mark in a text -> the id of its prompt
        self._held: list[Request] = []  # those with a mark whose prompt has not ended yet
        self._thread = threading.Thread(target=self._follow, name="otel", daemon=True)
        self._thread.start()

    def finish(self) -> str:
        """The run is over and judged: send the rest, within LAST_WITHIN. Returns what became of the spans, in words."""
        self._until = monotonic() + LAST_WITHIN
        self._over.set()
        self._thread.join()
        sent, url, no_matter = f"{self.sent:,} spans", self.endpoint.shown, "the verdict does not depend on them"
        if self._failed:
            return f"--otel: nothing more was sent to {url} after {sent}, by a defect of mockbot ({self._failed})"
        if self.lost:
            lost = f"{self.lost:,} of {self.sent + self.lost:,} spans were lost"
            return f"--otel: {lost}, because {url} did not take them in time ({self._why}); {no_matter}"
        if self._metrics_lost:
            return f"{sent} sent to {url}, which did not take the metrics ({self._metrics_lost}); {no_matter}"
        return f"{sent} sent to {url}"

    def _follow(self) -> None:
        try:
            self._send()
        except Exception as error:
            self._failed = f"{type(error).__name__}: {error}"
            raise  # Python prints the traceback of a thread
        finally:
            self._exporter.shutdown()  # type: ignore[no-untyped-call]  # OpenTelemetry's

    def _send(self) -> None:
        played = self._begun()
        if played is None:
            return
        spans = TraceSpans(played)
        exporter = self.endpoint.metrics()
        reader = PeriodicExportingMetricReader(exporter, METRICS_EVERY)
        metrics = GenAiMetrics(played, reader, lambda: self._second)
        try:
            self._play(spans, metrics)
        finally:
            metrics.close()
        self._metrics_lost = "" if exporter.taken else self.endpoint.why

    def _play(self, spans: TraceSpans, metrics: GenAiMetrics) -> None:
        """All records, until the run is over."""
        over = False
        while not over:
            over = self._over.is_set()  # before the look, so that the last one sees all that was written
            while self._look(spans, metrics):
                self._export(spans.take())
            if not over:
                self._over.wait(LOOK)
        for request in self._held:
            spans.request(request, None)
        info = read_run_info(self.folder)
        spans.run(self.timeline.end if info is None else info.end)
        self._export(spans.take())

    def _begun(self) -> PlayedRun | None:
        """Once second 0 is known; None when the run ended before it."""
        while True:
            over, info = self._over.is_set(), read_run_info(self.folder)
            if info is not None and info.t0 is not None:
                return PlayedRun(self.timeline, info.t0, info.speed, run_of(info.t0), self.model, self.system)
            if over:
                return None
            self._over.wait(LOOK)

    def _look(self, spans: TraceSpans, metrics: GenAiMetrics) -> bool:
        """Make spans of what is new, or of a few MB of it; whether there was anything."""
        records = [] if self._records is None else self._records.new()
        requests = self._seen.new()
        for action in self._actions.new():  # after the journal, so that it has what happened before a prompt's end
            spans.action(action)
        for record in records:
            self._second = max(self._second, record.end)
            if isinstance(record, Prompt):
                spans.prompt(record)
                if self.system:
                    self._owners[spans.played.identity(record.id).mark] = record.id
            else:
                spans.attempt(record)
                metrics.attempt(record)
        for request in requests:
            metrics.request(request)
        held, self._held = [*self._held, *requests], []
        for request in held:
            owner = request.prompt or self._owners.get(request.mark or "")
            if owner is None and request.mark is not None and request.parent is None:
                self._held.append(request)
            else:
                spans.request(request, owner)
        return bool(records or requests)

    def _export(self, spans: Sequence[ReadableSpan]) -> None:
        for batch in (spans[first : first + BATCH] for first in range(0, len(spans), BATCH)):
            in_time = monotonic() < self._until
            before = self.endpoint.rejected
            taken = in_time and self._exporter.export(batch) is SpanExportResult.SUCCESS
            lost = self.endpoint.rejected - before if taken else len(batch)
            self.sent += len(batch) - lost
            self.lost += lost
            if lost:
                self._why = self._why or self.endpoint.why
