"""What providers got is written once for the spans, and what cannot be written is told."""

from collections.abc import Sequence
from pathlib import Path
from typing import cast

from rich.console import Console

from mockbot.commands.run_observers import Observers
from mockbot.evidence.records import Request
from mockbot.observability.run_export import RunExport
from mockbot.observability.traced_requests import TracedRequests
from mockbot.runs.journal_files import Follower
from mockbot.scenario.load import read_scenario
from mockbot.scenario.timeline import Timeline
from mockbot.service.control_client import ServiceControl
from tests.observability.test_trace_spans import SCENARIO, request

ENDED, UNDER_WAY = [request(number=number) for number in range(3)], [request(number=3)]
TIMELINE = Timeline(read_scenario(SCENARIO))


class Recording:
    """A service that has recorded these."""

    def record_requests(self) -> None:
        """It does."""

    def requests(self, since: int) -> tuple[Sequence[Request], Sequence[Request]]:
        """As the control API."""
        return ENDED[since:], UNDER_WAY


def told(watching: Observers) -> str:
    """What the user reads once the run is judged."""
    watching.judged(console := Console(record=True, width=300))
    return console.export_text()


class Sent:
    """An export that sent all that it got."""

    def finish(self) -> str:
        """As RunExport."""
        return "0 spans sent"


def traced(file: Path) -> TracedRequests:
    """After two looks and the last one."""
    requests = TracedRequests(cast("ServiceControl", Recording()), file)
    requests.look()
    requests.look()
    requests.finish()
    return requests


def test_every_request_is_written_once(tmp_path: Path) -> None:
    """Those under way at the end too."""
    requests = traced(tmp_path / "traced.jsonl")

    assert [each.number for each in Follower(requests.file, Request).new()] == [0, 1, 2, 3]
    assert requests.failed == ""


def test_a_file_that_cannot_be_written_is_told_and_ends_no_run(tmp_path: Path) -> None:
    """As on a full disk."""
    requests = traced(tmp_path / "nowhere" / "traced.jsonl")

    assert "spans of providers are missing" in told(Observers(TIMELINE, cast("RunExport", Sent()), requests))
    assert requests.failed.endswith("cannot be written: No such file or directory; make room and run again")


def test_the_same_of_a_client_of_ones_own(tmp_path: Path) -> None:
    """It has a verdict all the same."""
    watching = Observers(TIMELINE, cast("RunExport", Sent()))
    watching.write(tmp_path / "nowhere" / "traced.jsonl", ENDED)

    assert "spans of providers are missing" in told(watching)
