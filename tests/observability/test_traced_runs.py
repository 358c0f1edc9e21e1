"""Whole runs with a collector: every prompt, attempt and request arrives as a span, and each parent is there."""

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from mockbot.evidence.records import Attempt, Prompt, ServiceSecond
from mockbot.runs.folder import RunFolder
from mockbot.runs.journal_files import read_run
from tests.observability.otlp_receiver import Received, plain, receiver

pytestmark = [pytest.mark.second, pytest.mark.live]

HERE = Path(__file__).parent
BUSY = """\
name: busy
title: 500 attempts a second, a third of them refused
cause: unexpected failure
speed: 1
providers: {main: {slots: 5000, answer: {first_token: 10ms, tokens: {median: 2, p95: 2}, pace: 1000/s}}}
crowd:
  people: {arrivals: 100%, policy: {name: backoff, attempts: 2, base: 200ms, cap: 200ms, timeout: 5s}, patience: 5s}
phases:
  - {name: calm, lasts: 3s, arrivals: 450/s}
  - {name: outage, lasts: 3s, faults: [{http_error: 503, share: 30%}]}
  - {name: after, lasts: 2s}
status_page:
  - {at: outage+1s, state: investigating, says: We look into it.}
"""
CALM = """\
name: calm
title: Nothing happens
cause: unexpected failure
speed: 1
providers: {main: {answer: {first_token: 50ms, tokens: {median: 5, p95: 5}, pace: 100/s}}}
crowd:
  people: {users: 100%, policy: {name: backoff, attempts: 2, base: 1s}, think: 500ms, stream: false}
phases:
  - {name: calm, lasts: 6s, users: 4}
"""
SYSTEM = """\
name: app
start: "{{python}} -P -m uvicorn --app-dir {here} traced_app:app --host 127.0.0.1 --port {{port}} --log-level warning"
env: {{MAIN_URL: "{{main.url}}", COLLECTOR: "{collector}"}}
ready: {{path: /docs, within: 60s}}
speaks: openai
model: mockbot
"""
CLIENT = """\
import os, urllib.request
url = os.environ["OPENAI_BASE_URL"] + "/chat/completions"
body = b'{"model": "m", "messages": [{"role": "user", "content": "Hello"}]}'
for parent in ("00-" + "a" * 32 + "-" + "b" * 16 + "-01", ""):
    headers = {"content-type": "application/json", "authorization": "Bearer " + os.environ["OPENAI_API_KEY"]}
    request = urllib.request.Request(url, body, headers | ({"traceparent": parent} if parent else {}))
    urllib.request.urlopen(request).read()
"""


@pytest.fixture
def received() -> Iterator[Received]:
    """A collector."""
    with receiver() as found:
        yield found


def played(tmp_path: Path, text: str, received: Received, *options: str) -> tuple[RunFolder, str]:
    """The folder of a run, and what it printed."""
    scenario, out = tmp_path / "scenario.yaml", tmp_path / "run"
    scenario.write_text(text, "utf-8")
    command = [sys.executable, "-m", "mockbot", "run", str(scenario), "--out", str(out), "--otel", received.url]
    ran = subprocess.run([*command, *options], capture_output=True, text=True, check=False, timeout=200)
    assert (out / "summary.json").exists(), ran.stdout + ran.stderr
    return RunFolder(out), ran.stdout


def no_parent_is_missing(received: Received, *elsewhere: bytes) -> None:
    """Every parent and every link leads to a span that arrived, or to one that others export."""
    known = {(span.trace_id, span.span_id) for _, span in received.spans}
    assert len(known) == len(received.spans)
    for _, span in received.spans:
        if span.parent_span_id and span.parent_span_id not in elsewhere:
            assert (span.trace_id, span.parent_span_id) in known, span.name
        assert all((link.trace_id, link.span_id) in known for link in span.links), span.name


def test_no_span_is_lost_at_500_attempts_a_second(tmp_path: Path, received: Received) -> None:
    """As many spans as records; the faults are events of the prompts that met them, in their time."""
    folder, output = played(tmp_path, BUSY, received)

    evidence = read_run(folder)
    kinds = Counter(type(record) for record in evidence.requests())
    offered = sum(second.offered for second in evidence.seconds() if isinstance(second, ServiceSecond))
    assert kinds[Attempt] >= 2000  # of about 4,000 that are due; a busy machine is late
    assert len(received.of("mockbot-main")) == offered > 0
    assert len(received.of("mockbot-crowd")) == kinds[Prompt] + kinds[Attempt] + 4  # the run and its three phases
    assert f"{len(received.spans):,} spans sent" in output
    assert "spans were lost" not in output
    assert output.index("verdict: ") < output.index("spans sent")
    no_parent_is_missing(received)
    events = Counter(event.name for span in received.named("prompt") for event in span.events)
    assert events["fault begins"] > 0 < events["fault ends"]
    (run,) = received.named("outage busy")
    assert [event.name for event in run.events] == ["fault begins", "status_page", "fault ends"]
    assert all(span.parent_span_id for span in received.of("mockbot-main"))


def test_the_applications_own_span_is_between_the_attempt_and_the_provider(tmp_path: Path, received: Received) -> None:
    """Its three processes export on their own, and the trace is one."""
    file = tmp_path / "system.yaml"
    file.write_text(SYSTEM.format(here=HERE, collector=received.url), "utf-8")

    played(tmp_path, CALM, received, "--system", str(file))

    no_parent_is_missing(received)
    attempts = {span.span_id for span in received.named("chat")} & {
        span.span_id for span in received.of("mockbot-crowd")
    }
    between = {span.span_id: span.parent_span_id for span in received.of("app")}
    at_provider = received.of("mockbot-main")
    assert len(at_provider) >= 4
    assert {between[span.parent_span_id] for span in at_provider} <= attempts
    assert {plain(span.attributes)["gen_ai.provider.name"] for span in at_provider} == {"openai"}


def test_the_request_of_a_foreign_client_is_a_child_of_its_span(tmp_path: Path, received: Received) -> None:
    """If it sends one; the requests of others begin a trace."""
    program = tmp_path / "client.py"
    program.write_text(CLIENT, "utf-8")

    played(tmp_path, CALM, received, "--", sys.executable, str(program))

    first, second = sorted(received.of("mockbot-main"), key=lambda span: span.start_time_unix_nano)
    assert (first.trace_id.hex(), first.parent_span_id.hex()) == ("a" * 32, "b" * 16)
    assert not second.parent_span_id
    no_parent_is_missing(received, first.parent_span_id)
