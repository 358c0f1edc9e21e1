"""Journals in, OTLP out: everything once, what is lost is told, and no endpoint is no run."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceResponse,
)

from mockbot.dialects.prompt_identity import identity_of, run_of
from mockbot.errors import UsageError
from mockbot.evidence.records import RunInfo
from mockbot.observability import otlp_endpoint, run_export
from mockbot.observability import semantic_names as names
from mockbot.observability.otlp_endpoint import OtlpEndpoint
from mockbot.observability.run_export import RunExport
from mockbot.observability.trace_spans import TraceSpans
from mockbot.observability.traced_requests import write_requests
from mockbot.runs.folder import RunFile, RunFolder
from mockbot.runs.journal_files import JournalWriter, write_run_info
from mockbot.scenario.load import read_scenario
from mockbot.scenario.timeline import Timeline
from tests.observability.otlp_receiver import Received, plain, receiver
from tests.observability.test_trace_spans import ANSWERED, PROMPT, REFUSED, SCENARIO, request

pytestmark = pytest.mark.live

INFO = RunInfo("short", 10.0, 1000.0, "completed", 20.0, "embedded")


@pytest.fixture
def received() -> Iterator[Received]:
    """A collector."""
    with receiver() as found:
        yield found


def exported(tmp_path: Path, received: Received, system: str = "") -> str:
    """What is said of the export of a run of three records of the crowd and two requests."""
    scenario = read_scenario(SCENARIO)
    folder = RunFolder.create(scenario, tmp_path / "run")
    export = RunExport(
        OtlpEndpoint(received.url), folder, Timeline(scenario), folder / RunFile.TRACED, folder / RunFile.JOURNAL,
        "mockbot", system,
    )  # fmt: skip
    with JournalWriter(folder) as journal:
        for record in (REFUSED, ANSWERED, PROMPT):
            journal.write(record)
    marked = request(mark=export_mark(PROMPT.id), status=200, number=5)
    write_requests(folder / RunFile.TRACED, [request(prompt=PROMPT.id), marked if system else request(number=5)])
    write_run_info(folder, INFO)
    return export.finish()


def export_mark(prompt: str) -> str:
    """The mark in a prompt's text, in this run."""
    return identity_of(prompt, run_of(INFO.t0 or 0.0)).mark


def test_every_record_is_one_span(tmp_path: Path, received: Received) -> None:
    """A prompt, two attempts, two requests, the run and its two phases; and the line says how many."""
    said = exported(tmp_path, received)

    assert sorted(span.name for span in received.of("mockbot-crowd")) == [
        "chat mockbot", "chat mockbot", "outage short", "phase calm", "phase down", "prompt",
    ]  # fmt: skip
    assert [span.name for span in received.of("mockbot-main")] == ["chat", "chat"]
    assert said == f"8 spans sent to {received.url}"


def test_ten_thousand_attempts_arrive_in_bulk(tmp_path: Path, received: Received) -> None:
    """Twenty seconds of 500 attempts a second, which an endpoint was too slow for: none is lost."""
    scenario = read_scenario(SCENARIO)
    folder = RunFolder.create(scenario, tmp_path / "run")
    with JournalWriter(folder) as journal:
        for n in range(10_000):
            journal.write(replace(REFUSED, prompt=f"people-{n}.1"))
    write_run_info(folder, INFO)
    export = RunExport(
        OtlpEndpoint(received.url), folder, Timeline(scenario), folder / RunFile.TRACED, folder / RunFile.JOURNAL
    )

    assert export.finish() == f"10,003 spans sent to {received.url}"
    assert len({span.span_id for span in received.of("mockbot-crowd")}) == 10_003


def test_metrics_have_the_conventions_names_and_few_labels(tmp_path: Path, received: Received) -> None:
    """Wall seconds; an attempt in each row by its error."""
    exported(tmp_path, received)

    asked = received.metrics[names.CLIENT_DURATION]
    points = {str(plain(each.attributes).get("error.type")): each for each in asked.histogram.data_points}
    assert {name: round(each.sum, 6) for name, each in points.items()} == {"503": 0.15, "None": 0.2}
    assert asked.unit == "s"
    assert names.SCENARIO_SECOND in received.metrics
    for metric in received.metrics.values():
        data = metric.histogram if metric.HasField("histogram") else metric.gauge
        labels = {name for point in data.data_points for name in plain(point.attributes)}
        assert labels <= names.LABELS, metric.name


def test_a_request_that_only_its_text_identifies_is_linked(tmp_path: Path, received: Received) -> None:
    """An application that passes on neither header; its requests are read before the prompt has ended."""
    exported(tmp_path, received, system="app")

    (prompt,) = received.named("prompt")
    assert [link.span_id for span in received.of("mockbot-main") for link in span.links] == [prompt.span_id] * 2


def test_lost_spans_are_counted_and_told(tmp_path: Path, received: Received, monkeypatch: pytest.MonkeyPatch) -> None:
    """A collector that has begun to refuse: the run is judged as ever, and the line says what is missing."""
    monkeypatch.setattr(run_export, "LAST_WITHIN", 0.5)
    begin = RunExport.__post_init__

    def after_the_check(self: RunExport) -> None:
        received.status = 400
        begin(self)

    monkeypatch.setattr(RunExport, "__post_init__", after_the_check)

    said = exported(tmp_path, received)

    assert "8 of 8 spans were lost" in said
    assert "the verdict does not depend on them" in said


def test_an_endpoint_that_does_not_answer_is_an_error_before_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the reason and what to do."""
    monkeypatch.setattr(otlp_endpoint, "ANSWERS_WITHIN", 1.5)

    with pytest.raises(UsageError, match=r"Connection refused.*start a collector that listens for OTLP"):
        OtlpEndpoint("http://127.0.0.1:9")


@pytest.mark.parametrize(
    "url",
    [
        "127.0.0.1:4318",
        "grpc://127.0.0.1:4317",
        "http://",
        "http://[::1",
        "http://127.0.0.1:99999",
        "http://a?b=c",
        "http://a#b",
    ],
)
def test_what_is_no_url_is_no_endpoint(url: str) -> None:
    """With an example."""
    with pytest.raises(UsageError, match="as http://127"):
        OtlpEndpoint(url)


def test_a_run_that_never_began_has_no_spans(tmp_path: Path, received: Received) -> None:
    """And the export ends with it."""
    scenario = read_scenario(SCENARIO)
    folder = RunFolder.create(scenario, tmp_path / "run")
    export = RunExport(OtlpEndpoint(received.url), folder, Timeline(scenario), folder / RunFile.TRACED)

    assert export.finish() == f"0 spans sent to {received.url}"


def test_a_password_in_the_url_is_not_told(tmp_path: Path, received: Received) -> None:
    """It is sent, and the last line goes into a log of CI."""
    plain_url, received.url = received.url, received.url.replace("//", "//user:REALSECRET@")

    assert exported(tmp_path, received) == f"8 spans sent to {plain_url}"


def test_metrics_that_nobody_takes_are_told(tmp_path: Path, received: Received) -> None:
    """A store of traces alone, such as Jaeger, is a fair endpoint."""
    received.at["/v1/metrics"] = 404

    said = exported(tmp_path, received)

    assert said.startswith(f"8 spans sent to {received.url}, which did not take the metrics (")
    assert "404" in said


def test_a_redirect_is_not_taken_for_success(received: Received) -> None:
    """OpenTelemetry neither follows it nor tells it."""
    received.status = 308

    with pytest.raises(UsageError, match=r"redirects to https://elsewhere\.example/v1/traces.*correct the URL"):
        OtlpEndpoint(received.url)


def test_a_web_page_is_not_taken_for_success(received: Received) -> None:
    """A page to log in, or a development server that answers everything."""
    received.body = ("text/html; charset=utf-8", b"<p>Who are you?")

    with pytest.raises(UsageError, match=r"it answers with a web page.*correct the URL"):
        OtlpEndpoint(received.url)


def test_what_a_collector_says_that_it_did_not_keep_is_lost(
    tmp_path: Path, received: Received, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A quota, or a limit of rate: the status is 200, and the answer has the number (OTLP's partial success)."""
    few = ExportTracePartialSuccess(rejected_spans=3, error_message="the quota is used up")
    begin = RunExport.__post_init__

    def after_the_check(self: RunExport) -> None:
        received.body = (received.body[0], ExportTraceServiceResponse(partial_success=few).SerializeToString())
        begin(self)

    monkeypatch.setattr(RunExport, "__post_init__", after_the_check)

    said = exported(tmp_path, received)

    lost, total = re.findall(r"\d+", said)[:2]
    assert (int(lost) % 3, total) == (0, "8"), "three of each batch"
    assert "spans were lost" in said
    assert "(the quota is used up)" in said


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("OTEL_SDK_DISABLED", "true", "unset it"),
        ("OTEL_METRICS_EXEMPLAR_FILTER", "some", "Unknown exemplar filter 'some'"),
        ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "many", "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT must be"),
    ],
)
def test_variables_that_stop_the_export_are_an_error_before_the_run(
    name: str, value: str, says: str, received: Received
) -> None:
    """Some are read when OpenTelemetry is imported, so in a process of its own."""
    command = f"from mockbot.observability.otlp_endpoint import OtlpEndpoint; OtlpEndpoint({received.url!r})"

    ended = subprocess.run(
        [sys.executable, "-c", command], env={**os.environ, name: value}, capture_output=True, text=True, check=False
    )

    last = ended.stderr.strip().splitlines()[-1]
    assert last.startswith("mockbot.errors.UsageError: --otel: ")
    assert says in last


def test_an_export_that_fails_says_so(tmp_path: Path, received: Received, monkeypatch: pytest.MonkeyPatch) -> None:
    """A defect of its own is no zero of a count."""

    def fails(*_: object) -> None:
        raise LookupError("no such span")

    monkeypatch.setattr(TraceSpans, "prompt", fails)
    monkeypatch.setattr("threading.excepthook", lambda _: None)

    said = exported(tmp_path, received)

    assert "after 0 spans, by a defect of mockbot (LookupError: no such span)" in said
