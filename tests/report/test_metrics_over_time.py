"""The requests of a run as metrics with times: counted by hand, and taken by Prometheus itself."""

import csv
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from mockbot.report.metrics_over_time import BEGAN, SCRAPE, metrics_csv, metrics_text, scraped
from tests.evidence.build import attempt, evidence, prompt
from tests.ports import free_ports

# Two requests a second for 400 s; from 100 to 200 s all fail, after 5 s.
REQUESTS = [
    attempt(second + half / 2, 5.0 if 100 <= second < 200 else 0.2, "http_error" if 100 <= second < 200 else "ok")
    for second in range(400)
    for half in (0, 1)
]
ALERT = 'sum(rate(mockbot_requests_total{outcome!="ok"}[1m])) / sum(rate(mockbot_requests_total[1m])) > 0.5'


def lines() -> list[str]:
    return metrics_text(scraped(evidence(REQUESTS))).splitlines()


def last(name: str) -> float:
    """The last value of a series, by the beginning of its line."""
    return float([line for line in lines() if line.startswith(name)][-1].split()[-2])


def test_every_request_is_counted_once() -> None:
    """By outcome, and in the histogram with its seconds."""
    labels = 'provider="main",group="patient"'

    assert last(f'mockbot_requests_total{{{labels},outcome="ok"}}') == 600
    assert last(f'mockbot_requests_total{{{labels},outcome="http_error"}}') == 200
    assert last(f'mockbot_request_duration_seconds_bucket{{{labels},le="0.25"}}') == 600
    assert last(f'mockbot_request_duration_seconds_bucket{{{labels},le="5.0"}}') == 800
    assert last(f"mockbot_request_duration_seconds_count{{{labels}}}") == 800
    assert last(f"mockbot_request_duration_seconds_sum{{{labels}}}") == pytest.approx(600 * 0.2 + 200 * 5)


def test_a_sample_counts_what_had_ended_by_then() -> None:
    """At 120 s: 200 answered, and of the 40 that failed so far those that began before 115 s."""
    at = f" {BEGAN + 120:.0f}"
    there = [line for line in lines() if "outcome" in line and line.endswith(at)]
    values = {line.split("outcome=")[1].split('"')[1]: float(line.split()[-2]) for line in there}

    assert values == {"ok": 200, "http_error": 30}


def test_prompts_are_counted_as_the_alert_rules_read_them() -> None:
    """Good within the slo of 10 s, from when they were due; the other results are there as zeros from the begin."""
    settled = [prompt(1.0, 0.5), prompt(2.0, 12.0), prompt(3.0, 1.0, "gave_up")]
    found = metrics_text(scraped(evidence(settled))).splitlines()
    totals = {
        result: [float(line.split()[-2]) for line in found if f'result="{result}"' in line]
        for result in ("good", "late", "gave_up", "unfinished")
    }

    assert {result: values[-1] for result, values in totals.items()} == {
        "good": 1, "late": 1, "gave_up": 1, "unfinished": 0,
    }  # fmt: skip
    assert {values[0] for values in totals.values()} == {0}


def test_the_table_has_a_line_for_each_interval() -> None:
    """Requests and errors of the interval, its share of errors, and its latencies."""
    rows = list(csv.DictReader(metrics_csv(scraped(evidence(REQUESTS))).splitlines()))
    calm, outage = rows[3], rows[9]

    assert (calm["requests"], calm["errors"], calm["error_share"]) == (str(2 * SCRAPE), "0", "0")
    assert (outage["requests"], outage["errors"], outage["error_share"]) == (str(2 * SCRAPE), str(2 * SCRAPE), "1")
    assert float(calm["latency_p50"]) == pytest.approx(0.2, rel=0.02)
    assert float(outage["latency_p95"]) == pytest.approx(5.0, rel=0.02)
    assert rows[0]["time"] == "2026-01-01T00:00:15+00:00"


@pytest.fixture
def prometheus(tmp_path: Path) -> Iterator[str]:
    """A Prometheus that has the run's metrics; its URL."""
    if shutil.which("promtool") is None or shutil.which("prometheus") is None:
        pytest.skip("NOT TESTED: no prometheus on PATH")
    (tmp_path / "metrics.txt").write_text("\n".join([*lines(), ""]), "utf-8")
    (tmp_path / "prometheus.yml").write_text("global: {}\n", "utf-8")
    blocks = ["promtool", "tsdb", "create-blocks-from", "openmetrics"]
    blocks += [str(tmp_path / "metrics.txt"), str(tmp_path / "data")]
    subprocess.run(blocks, check=True, capture_output=True)
    [port] = free_ports(1)
    command = [
        "prometheus", f"--config.file={tmp_path / 'prometheus.yml'}", f"--storage.tsdb.path={tmp_path / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}", "--storage.tsdb.retention.time=100y",
    ]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


@pytest.mark.live
@pytest.mark.second
def test_an_alert_goes_off_in_prometheus_when_the_outage_had_come(prometheus: str) -> None:
    """A rule on the error rate of a minute: quiet before, firing within the outage, quiet after it."""
    assert {at: fires(prometheus, at) for at in (90, 180, 300)} == {90: False, 180: True, 300: False}


def fires(url: str, second: float) -> bool:
    """Whether the alert's expression has a result at this second of the scenario."""
    asked = {"query": ALERT, "time": str(BEGAN + second)}
    deadline = time.monotonic() + 30
    while True:
        try:
            answer: dict[str, Any] = httpx.get(f"{url}/api/v1/query", params=asked).raise_for_status().json()
        except httpx.HTTPError:  # it is still starting
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return bool(answer["data"]["result"])
