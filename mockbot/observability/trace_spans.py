"""Records of a run in, OpenTelemetry's spans out. Every id follows from the run and the records, so that what the crowd
wrote on the wire and what is made here agree though neither told the other.

    prompt                             its own trace; its id is mockbot.dialects.prompt_identity
      └ attempt                        one HTTP request; the parent that its `traceparent` names
          └ (your application's spans, which it exports itself)
              └ request at a provider  child of the `traceparent` that arrived there
    run ─ phases                       a trace of its own; every prompt has a link to it

A request whose `traceparent` is of another trace, or that has none, has a link to its prompt's span where the prompt is
known by its header or by the mark in its text.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)
from opentelemetry.util.types import AttributeValue

from mockbot.dialects.prompt_identity import PromptIdentity, identity_of
from mockbot.evidence.records import Action, Attempt, Outcome, Prompt, Request
from mockbot.observability import semantic_names as names
from mockbot.scenario.timeline import Timeline
from mockbot.version import __version__

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

RUN = "the run"  # no prompt's id: those have a dot
PAGE = "status_page"  # the driver's name for an update of the status page
_EVENTS = 10_000  # the most that a run's span keeps; an outage has a few dozen
_SERVER_FAULT: frozenset[Outcome] = frozenset({"ok", "rate_limited", "unfinished"})  # which are no failure of a server


@dataclass(frozen=True, slots=True)
class PlayedRun:
    """What all spans of a run have in common. `t0`: Unix time of second 0; `run`: keeps its ids apart from others'."""

    timeline: Timeline
    t0: float
    speed: float
    run: str
    model: str = ""  # that the crowd asks for; "": not known
    system: str = ""  # the name of the system under test that the crowd asks instead of the providers

    def nanoseconds(self, t: float) -> int:
        """The wall time of scenario second t."""
        return int((self.t0 + t / self.speed) * 1e9)

    def identity(self, prompt: str) -> PromptIdentity:
        """Of a prompt's id."""
        return identity_of(prompt, self.run)

    def dialect(self, provider: str) -> str:
        """That a provider speaks."""
        return self.timeline.scenario.providers[provider].dialect


class _GivenIds(IdGenerator):
    """Hands out the ids that were set before."""

    trace = span = 0

    def generate_trace_id(self) -> int:
        return self.trace

    def generate_span_id(self) -> int:
        return self.span


class _Kept(SpanProcessor):
    """Keeps each span that has ended."""

    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []

    def on_end(self, span: ReadableSpan) -> None:
        self.spans.append(span)


@dataclass
class TraceSpans:
    """Makes the spans of one run; `take` gives them away."""

    played: PlayedRun
    _ids: _GivenIds = field(default_factory=_GivenIds)
    _kept: _Kept = field(default_factory=_Kept)
    _changes: list[Action] = field(default_factory=list)
    _tracers: dict[str, "Tracer"] = field(default_factory=dict)

    def take(self) -> list[ReadableSpan]:
        """Those that were made since the last call."""
        spans, self._kept.spans = self._kept.spans, []
        return spans

    def action(self, action: Action) -> None:
        """A fault began or ended, or the status page changed: an event of the run and of the prompts under way then."""
        if action.does in {"begin", "end"} or (action.fault == PAGE and action.does != "look"):
            self._changes.append(action)

    def prompt(self, prompt: Prompt) -> None:
        """A prompt, from when it should have started."""
        identity = self.played.identity(prompt.id)
        changes = [each for each in self._changes if prompt.intended <= each.sent <= prompt.end]
        self._span(
            "prompt",
            "crowd",
            (identity.trace, identity.span, None),
            (prompt.intended, prompt.end),
            {
                names.PROMPT_ID: prompt.id,
                names.USER: prompt.user,
                names.GROUP: prompt.group,
                names.TIER: prompt.tier,
                names.SETTLED: prompt.settled,
                **self._holding(prompt.intended, prompt.provider),
            },
            failed=None if prompt.settled == "answered" else prompt.settled,
            links=[self._link_to(RUN)],
            changes=changes,
        )

    def attempt(self, attempt: Attempt) -> None:
        """One request of the crowd, as it saw it."""
        identity = self.played.identity(attempt.prompt)
        self._span(
            f"{names.CHAT} {self.played.model}".rstrip(),
            "crowd",
            (identity.trace, identity.span_of(attempt.n), identity.span),
            (attempt.start, attempt.end),
            {
                **client_labels(self.played, attempt),
                names.PROMPT_ID: attempt.prompt,
                names.ATTEMPT: attempt.n,
                names.OUTCOME: attempt.outcome,
                names.AT_PROVIDER: None if self.played.system else attempt.provider,
                names.STATUS: attempt.status,
                names.OUTPUT_TOKENS: attempt.tokens or None,
                names.FIRST_CHUNK: _wall(attempt.first_token, self.played),
                **self._holding(attempt.start, None if self.played.system else attempt.provider),
            },
            kind=SpanKind.CLIENT,
            failed=None if attempt.outcome == "ok" else attempt.outcome,
        )

    def request(self, request: Request, prompt: str | None) -> None:
        """One request, as its provider saw it. `prompt`: the id of its prompt, where that is known."""
        own = _digest(f"{self.played.run}/request/{request.number}", 24)
        trace, parent = own[:32], request.parent
        if request.trace is not None and parent is not None:
            trace = request.trace
        known = prompt is not None and self.played.identity(prompt).trace != trace
        failed = request.outcome not in _SERVER_FAULT and (request.status or 500) // 100 != 4
        self._span(
            names.operation_of(request.path),
            request.provider,
            (trace, own[32:], parent),
            (request.start, request.end),
            {
                **server_labels(self.played, request),
                names.OUTCOME: request.outcome,
                names.STATUS: request.status,
                names.REPLICA: request.replica,
                names.FIRST_CHUNK: _wall(request.first_token, self.played),
                **self._holding(request.start, request.provider, request.replica),
            },
            kind=SpanKind.SERVER,
            failed=request.outcome if failed else None,
            links=[self._link_to(prompt)] if known and prompt is not None else [],
        )

    def run(self, end: float) -> None:
        """The run's own span with all changes as events, and one for each phase. `end`: when the load stopped."""
        identity = self.played.identity(RUN)
        scenario = self.played.timeline.scenario
        for n, phase in enumerate(self.played.timeline.phases):
            if phase.start < end:
                below, times = (identity.trace, identity.span_of(n), identity.span), (phase.start, min(phase.end, end))
                self._span(f"phase {phase.name}", "crowd", below, times, {})
        ids = (identity.trace, identity.span, None)
        self._span(f"outage {scenario.name}", "crowd", ids, (0.0, end), {}, changes=self._changes)

    def _holding(
        self, t: float, provider: str | None, replica: int | None = None
    ) -> Mapping[str, AttributeValue | None]:
        """The phase at t, and the faults of the provider, or of one replica of it; without a provider, of all."""
        now = self.played.timeline.at(t)
        spans = [active.span for active in (now.faults if provider is None else now.of(provider))]
        faults = tuple(span.id for span in spans if replica is None or span.fault.hits_replica(replica))
        return {names.PHASE: now.phase, names.FAULTS: faults or None}

    def _link_to(self, prompt: str) -> Link:
        identity = self.played.identity(prompt)
        return Link(_context(identity.trace, identity.span))

    def _span(
        self, name: str, side: str, ids: tuple[str, str, str | None], times: tuple[float, float],
        attributes: Mapping[str, AttributeValue | None], *, kind: SpanKind = SpanKind.INTERNAL,
        failed: str | None = None, links: Iterable[Link] = (), changes: Iterable[Action] = (),
    ) -> None:  # fmt: skip
        """`side`: "crowd" or a provider; `ids`: trace, span, parent; `times`: scenario seconds."""
        (trace, own, parent), (start, end) = ids, times
        self._ids.trace, self._ids.span = int(trace, 16), int(own, 16)
        given = {name: value for name, value in attributes.items() if value is not None}
        span = self._tracer(side).start_span(
            name,
            set_span_in_context(NonRecordingSpan(_context(trace, parent))) if parent else set_span_in_context(_NOTHING),
            kind,
            {**given, names.BEGAN: start, names.TOOK: round(end - start, 4)},
            list(links),
            self.played.nanoseconds(start),
        )
        for change in changes:
            what: dict[str, AttributeValue] = {"mockbot.fault": change.fault, names.BEGAN: round(change.sent, 3)}
            kind_of = PAGE if change.fault == PAGE else f"fault {change.does}s"
            span.add_event(kind_of, what, self.played.nanoseconds(change.sent))
        if failed is not None:
            span.set_status(Status(StatusCode.ERROR, failed))
        span.end(self.played.nanoseconds(end))

    def _tracer(self, side: str) -> "Tracer":
        if side not in self._tracers:
            about: dict[str, AttributeValue] = {
                names.SERVICE: f"mockbot-{side}", names.NAMESPACE: "mockbot", names.INSTANCE: self.played.run,
                names.VERSION: __version__, "mockbot.scenario": self.played.timeline.scenario.name,
                "mockbot.speed": self.played.speed,
            }  # fmt: skip
            limits = SpanLimits(max_events=_EVENTS)
            provider = TracerProvider(ALWAYS_ON, Resource.create(about), False, None, self._ids, limits)
            provider.add_span_processor(self._kept)
            self._tracers[side] = provider.get_tracer("mockbot", __version__)
        return self._tracers[side]


def client_labels(played: PlayedRun, attempt: Attempt) -> dict[str, str | None]:
    """What an attempt's span and its metrics say alike."""
    return {
        names.OPERATION: names.CHAT,
        names.PROVIDER: played.system or names.provider_name(played.dialect(attempt.provider)),
        names.MODEL: played.model or None,
        names.GROUP: attempt.group,
        names.ERROR: _error(attempt.outcome, attempt.status),
    }


def server_labels(played: PlayedRun, request: Request) -> dict[str, str | None]:
    """What a request's span and its metrics say alike."""
    return {
        names.OPERATION: names.operation_of(request.path),
        names.PROVIDER: names.provider_name(played.dialect(request.provider)),
        names.AT_PROVIDER: request.provider,
        names.ERROR: _error(request.outcome, request.status),
    }


def _error(outcome: Outcome, status: int | None) -> str | None:
    """As the conventions have it: the status code of a failed request, else a word for it."""
    if outcome == "ok":
        return None
    return str(status) if outcome in {"http_error", "rate_limited"} and status else outcome


def _wall(duration: float | None, played: PlayedRun) -> float | None:
    return None if duration is None else duration / played.speed


def _digest(text: str, size: int) -> str:
    return blake2b(text.encode(), digest_size=size).hexdigest()


def _context(trace: str, span: str) -> SpanContext:
    return SpanContext(int(trace, 16), int(span, 16), is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))


_NOTHING = NonRecordingSpan(SpanContext(0, 0, is_remote=False))
