"""Records in, spans out: whose child each is, when it was, what it says."""

from dataclasses import replace

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind

from mockbot.dialects.prompt_identity import traceparent
from mockbot.evidence.records import Action, Attempt, Prompt, Request
from mockbot.observability.trace_spans import PlayedRun, TraceSpans
from mockbot.scenario.load import read_scenario
from mockbot.scenario.timeline import Timeline

SCENARIO = """\
name: short
title: Short
cause: unexpected failure
speed: 10
providers: {main: {}}
crowd:
  people: {users: 100%, policy: {name: backoff, attempts: 3, base: 1s}}
phases:
  - {name: calm, lasts: 10s, users: 2}
  - {name: down, lasts: 10s, faults: [{http_error: 503}]}
"""
PLAYED = PlayedRun(Timeline(read_scenario(SCENARIO)), 1_000.0, 10.0, "1000.000", "mockbot")
IDENTITY = PLAYED.identity("people-1.1")
PROMPT = Prompt("people-1.1", "people-1", "people", "free", 9.0, 9.5, 14.0, "answered", 2, "main", 3.0)
REFUSED = Attempt("people-1.1", 0, "people", "main", 9.5, 11.0, "http_error", 503)
ANSWERED = Attempt("people-1.1", 1, "people", "main", 12.0, 14.0, "ok", 200, first_token=0.5, tokens=7)


def request(**given: object) -> Request:
    """One that a provider got."""
    known = {"number": 4, "provider": "main", "path": "/v1/chat/completions", "key": "", "body": ""}
    return Request(**{**known, "start": 12.1, "end": 14.0, "outcome": "ok", "status": 200, **given})  # type: ignore[arg-type]


def made(
    *records: Prompt | Attempt | Action, requests: tuple[tuple[Request, str | None], ...] = ()
) -> list[ReadableSpan]:
    """The spans of these, in this order."""
    spans = TraceSpans(PLAYED)
    for record in records:
        match record:
            case Prompt():
                spans.prompt(record)
            case Attempt():
                spans.attempt(record)
            case Action():
                spans.action(record)
    for each, owner in requests:
        spans.request(each, owner)
    return spans.take()


def ids(span: ReadableSpan) -> tuple[str, str, str | None]:
    """Trace, span, parent."""
    assert span.context is not None
    parent = None if span.parent is None else f"{span.parent.span_id:016x}"
    return f"{span.context.trace_id:032x}", f"{span.context.span_id:016x}", parent


def test_an_attempt_is_the_child_of_its_prompt_and_the_parent_on_the_wire() -> None:
    """The header that the crowd wrote names the span that is made here of the journal."""
    prompt, first, second = made(PROMPT, REFUSED, ANSWERED)

    assert ids(prompt) == (IDENTITY.trace, IDENTITY.span, None)
    for n, attempt in enumerate((first, second)):
        trace, span, parent = ids(attempt)
        assert (trace, parent) == (IDENTITY.trace, IDENTITY.span)
        assert traceparent(PROMPT.id, PLAYED.run, n) == f"00-{trace}-{span}-01" == IDENTITY.headers(n)["traceparent"]
    assert (first.kind, first.name) == (SpanKind.CLIENT, "chat mockbot")


def test_a_span_says_wall_time_and_scenario_time() -> None:
    """At speed 10 a scenario second is a tenth of one on the wall."""
    prompt, attempt = made(PROMPT, ANSWERED)

    assert (prompt.start_time, prompt.end_time) == (1_000_900_000_000, 1_001_400_000_000)
    assert prompt.attributes is not None
    assert attempt.attributes is not None
    assert (prompt.attributes["mockbot.scenario.start"], prompt.attributes["mockbot.scenario.duration"]) == (9.0, 5.0)
    assert attempt.attributes["gen_ai.response.time_to_first_chunk"] == 0.05
    assert attempt.attributes["gen_ai.usage.output_tokens"] == 7


def test_a_failed_attempt_says_why_and_what_was_wrong() -> None:
    """As error.type has it, with the phase and the faults that held when it began."""
    in_outage = Attempt("people-1.1", 0, "people", "main", 10.5, 11.0, "reset")

    reset, refused = made(in_outage, REFUSED)

    assert reset.attributes is not None
    assert refused.attributes is not None
    assert (reset.attributes["error.type"], refused.attributes["error.type"]) == ("reset", "503")
    assert (reset.attributes["mockbot.phase"], refused.attributes["mockbot.phase"]) == ("down", "calm")
    assert reset.attributes["mockbot.faults"] == ("down.0.http_error",)
    assert "mockbot.faults" not in refused.attributes
    assert not reset.status.is_ok


def test_what_changed_during_a_prompt_is_an_event_of_it() -> None:
    """And of the run, with everything else; looks at the testbed are no events."""
    began = Action("down.0.http_error", "begin", 10.0, 10.01, 10.02)
    early, page = Action("x", "begin", 1.0, 1.0, 1.0), Action("status_page", "change", 12.0, 12.0, 12.1)
    look = Action("service", "look", 10.0, 10.0, None, "slow")

    spans = TraceSpans(PLAYED)
    for action in (early, began, page, look):
        spans.action(action)
    spans.prompt(PROMPT)
    spans.run(20.0)

    prompt, *phases, run = spans.take()
    assert [(event.name, event.timestamp) for event in prompt.events] == [
        ("fault begins", 1_001_001_000_000), ("status_page", 1_001_200_000_000),
    ]  # fmt: skip
    assert len(run.events) == 3
    assert [each.name for each in phases] == ["phase calm", "phase down"]
    assert [ids(each)[2] for each in phases] == [ids(run)[1]] * 2
    assert [link.context.span_id for link in prompt.links] == [int(ids(run)[1], 16)]


def test_a_request_is_the_child_of_whoever_called_the_provider() -> None:
    """Of the crowd's attempt, or of the application's span between them."""
    own = request(trace=IDENTITY.trace, parent=IDENTITY.span_of(1), prompt="people-1.1")
    through = request(trace=IDENTITY.trace, parent="a" * 16)

    direct, between = made(requests=((own, "people-1.1"), (through, "people-1.1")))

    assert (ids(direct)[0], ids(direct)[2]) == (IDENTITY.trace, IDENTITY.span_of(1))
    assert (ids(between)[0], ids(between)[2]) == (IDENTITY.trace, "a" * 16)
    assert direct.kind is SpanKind.SERVER
    assert direct.resource.attributes["service.name"] == "mockbot-main"
    assert [*direct.links] == [*between.links] == []


def test_a_request_without_the_prompts_trace_has_a_link_to_the_prompt() -> None:
    """An application that drops `traceparent`, or begins a trace of its own; unknown clients have none."""
    dropped, foreign, unknown = made(
        requests=(
            (request(), "people-1.1"),
            (request(trace="b" * 32, parent="c" * 16), "people-1.1"),
            (request(), None),
        )
    )

    assert [link.context.span_id for span in (dropped, foreign) for link in span.links] == [int(IDENTITY.span, 16)] * 2
    assert ids(dropped)[2] is None
    assert ids(foreign)[::2] == ("b" * 32, "c" * 16)
    assert [*unknown.links] == []


def test_a_request_names_its_replica_and_the_faults_of_that_one_only() -> None:
    """What is wrong with another replica held, and not for this request."""
    text = SCENARIO.replace("main: {}", "main: {replicas: 3}").replace("http_error: 503", "http_error: 503, replica: 2")
    spans = TraceSpans(replace(PLAYED, timeline=Timeline(read_scenario(text))))
    for number in (1, 2, None):
        spans.request(request(replica=number), None)

    said = [span.attributes or {} for span in spans.take()]

    assert [each.get("mockbot.replica") for each in said] == [1, 2, None]
    assert [each.get("mockbot.faults") for each in said] == [None, ("down.0.http_error",), ("down.0.http_error",)]


def test_a_servers_span_has_failed_only_by_the_servers_fault() -> None:
    """A refusal for a wrong request or a limit is no failure of the server (conventions for HTTP spans)."""
    ended = [("http_error", 503), ("reset", None), ("rate_limited", 429), ("http_error", 404), ("ok", 200)]

    spans = made(requests=tuple((request(outcome=outcome, status=status), None) for outcome, status in ended))

    assert [span.status.is_ok for span in spans] == [False, False, True, True, True]
