"""The crowd's metrics: journals in, Prometheus text out."""

import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from mockbot.errors import UsageError
from mockbot.evidence.records import Progress, RunInfo
from mockbot.observability.crowd_metrics import crowd_metrics
from mockbot.runs.folder import RunFolder
from mockbot.runs.journal_files import LOAD_JOURNALS, JournalWriter, write_run_info
from mockbot.scenario.load import read_scenario
from mockbot.scenario.timeline import Timeline
from tests.observability.test_trace_spans import ANSWERED, PROMPT, REFUSED, SCENARIO

pytestmark = pytest.mark.live

Values = dict[tuple[str, ...], float]


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    """Of a run of the scenario."""
    return RunFolder.create(read_scenario(SCENARIO.replace("speed: 10", "speed: 10\nslo: 4s")), tmp_path / "run")


@pytest.fixture
def url(folder: RunFolder) -> Iterator[str]:
    """Where its metrics are."""
    scenario = read_scenario(SCENARIO.replace("speed: 10", "speed: 10\nslo: 4s"))
    with crowd_metrics(0, folder, Timeline(scenario)) as port:
        yield f"http://127.0.0.1:{port}/metrics"


def scraped(url: str) -> Values:
    """(name, label values by the names of the labels…) -> value."""
    families = text_string_to_metric_families(httpx.get(url, trust_env=False).raise_for_status().text)
    return {
        (sample.name, *(sample.labels[label] for label in sorted(sample.labels))): sample.value
        for family in families
        for sample in family.samples
    }


def test_every_record_is_counted_once_however_often_it_is_scraped(folder: RunFolder, url: str) -> None:
    """Prompts by their result, from when they were due; attempts by outcome; wall seconds."""
    early = replace(PROMPT, id="people-1.2", intended=11.0)
    with JournalWriter(folder) as journal:
        write_run_info(folder, RunInfo("short", 10.0, time.time(), "failed", 0.0, "embedded"))
        for record in (REFUSED, ANSWERED, PROMPT):
            journal.write(record)
        first = scraped(url)
        for record in (early, replace(PROMPT, id="people-1.3", settled="gave_up")):
            journal.write(record)
        found = scraped(url)

    prompts = {key[2]: value for key, value in found.items() if key[0] == "mockbot_crowd_prompts_total"}
    assert prompts == {"good": 1, "late": 1, "gave_up": 1, "unfinished": 0}
    assert first["mockbot_crowd_attempts_total", "people", "http_error", "main"] == 1
    assert found["mockbot_crowd_attempts_total", "people", "ok", "main"] == 1
    assert found["mockbot_crowd_prompt_duration_seconds_count", "people"] == 2
    assert found["mockbot_crowd_prompt_duration_seconds_sum", "people"] == pytest.approx(0.8)
    assert found["mockbot_crowd_first_token_seconds_sum", "main"] == pytest.approx(0.05)


def test_the_crowd_of_a_system_asks_the_system(folder: RunFolder, url: str) -> None:
    """Which provider answered, it does not know."""
    info = RunInfo("short", 10.0, time.time(), "failed", 0.0, "embedded")
    with JournalWriter(folder) as journal:
        write_run_info(folder, replace(info, system="my-gateway"))
        for record in (REFUSED, ANSWERED):
            journal.write(record)
        found = scraped(url)

    assert found["mockbot_crowd_attempts_total", "people", "ok", "my-gateway"] == 1
    assert found["mockbot_crowd_first_token_seconds_count", "my-gateway"] == 1
    assert not [key for key in found if key[0] == "mockbot_crowd_attempts_total" and key[-1] == "main"]


def test_a_phase_and_a_fault_are_1_while_they_last(folder: RunFolder, url: str) -> None:
    """For annotations; scenario time is beside wall time."""
    write_run_info(folder, RunInfo("short", 10.0, time.time() - 1.5, "failed", 0.0, "embedded"))
    with JournalWriter(folder, LOAD_JOURNALS) as journal:
        journal.write(Progress(15.0, "down", (), 7, 3, 1.0, None, None))

    found = scraped(url)

    assert (found["mockbot_phase", "calm"], found["mockbot_phase", "down"]) == (0, 1)
    assert found["mockbot_fault_active", "down.0.http_error", "main"] == 1
    assert 15 <= found["mockbot_scenario_seconds",] <= 20
    assert (found["mockbot_speed",], found["mockbot_crowd_users",], found["mockbot_crowd_prompts_pending",]) == (
        10,
        7,
        3,
    )


def test_after_the_end_nothing_holds_any_more(folder: RunFolder, url: str) -> None:
    """The page of --ui stays open."""
    write_run_info(folder, RunInfo("short", 10.0, time.time() - 100, "completed", 20.0, "embedded"))

    found = scraped(url)

    assert {value for (name, *_), value in found.items() if name in {"mockbot_phase", "mockbot_fault_active"}} == {0}


def test_before_the_begin_there_are_only_zeros(url: str) -> None:
    """Every result of every group is there, so that `rate` sees the first failure."""
    assert {value for (name, *_), value in scraped(url).items() if name == "mockbot_crowd_prompts_total"} == {0}


def test_a_port_that_is_taken_is_an_error(folder: RunFolder) -> None:
    """With what to do."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        timeline = Timeline(read_scenario(SCENARIO))
        with pytest.raises(UsageError, match="pass another one"), crowd_metrics(port, folder, timeline):
            pass
