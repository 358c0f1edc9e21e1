"""The dashboard: all that it asks for is exported, and in a live run Prometheus answers each of its queries."""

import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from mockbot.evidence.records import OUTCOMES
from mockbot.observability.alert_rules import rules
from tests.load.runs import wait_for
from tests.ports import free_ports

ROOT = Path(__file__).parents[2]
DASHBOARD = json.loads((ROOT / "docs" / "grafana" / "mockbot-dashboard.json").read_text("utf-8"))
QUERIES = {
    **{
        f"{panel['title']} {target['refId']}": target["expr"]
        for panel in DASHBOARD["panels"]
        for target in panel["targets"]
    },
}
ANNOTATIONS = {each["name"]: each["expr"] for each in DASHBOARD["annotations"]["list"]}
VARIABLES = {each["name"]: each["query"] for each in DASHBOARD["templating"]["list"]}
SPEED = 20
OUTAGE = """\
name: seen
title: Something for every panel
cause: unexpected failure
speed: 20
slo: 10s
providers: {main: {slots: 4, queue: {limit: 5}, answer: {first_token: 1s, tokens: {median: 20, p95: 40}, pace: 20/s}}}
crowd:
  people: {users: 100%, policy: {name: backoff, attempts: 3, base: 2s, timeout: 20s}, think: 10s}
phases:
  - {name: calm, lasts: 60s, users: 60}
  - {name: outage, lasts: 340s, faults: [{http_error: 503, share: 30%}]}
"""
CONFIG = """\
global: {{scrape_interval: 500ms}}
rule_files: [{rules}]
scrape_configs:
  - job_name: mockbot
    static_configs: [{{targets: [{targets}]}}]
"""


def test_every_panel_says_which_prometheus_and_fits() -> None:
    """One variable for the source of all data; no panel lies on another one."""
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken, panel["title"]
        taken |= cells
        assert panel["datasource"]["uid"] == "${datasource}"
        assert all(target["datasource"]["uid"] == "${datasource}" for target in panel["targets"])
    assert max(x for x, _ in taken) < 24


def test_no_panel_leaves_its_resolution_to_the_data_source() -> None:
    """Of 15 s a data source makes a $__rate_interval of a minute: 20 of the scenario at speed 20."""
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            if panel["type"] == "stat":  # over a range it would show every phase of the range, not the present one
                assert (target["instant"], target["range"]) == (True, False), panel["title"]
            else:
                assert panel["interval"] == target["interval"] == "$scrape", panel["title"]


def test_the_outcomes_of_attempts_have_a_colour_each() -> None:
    """Grafana's palette goes by order, so that a failure could get the green of an answer."""
    panel = next(panel for panel in DASHBOARD["panels"] if panel["title"] == "Attempts by outcome")
    colours = {
        each["matcher"]["options"]: each["properties"][0]["value"]["fixedColor"]
        for each in panel["fieldConfig"]["overrides"]
    }

    assert colours.keys() == set(OUTCOMES)
    assert len(set(colours.values())) == len(OUTCOMES)


def test_an_annotation_asks_the_same_in_the_forms_of_the_older_and_of_the_newer_grafana() -> None:
    """Grafana read `expr` of the annotation up to version 11; the newer ones take what is in `target`."""
    for each in DASHBOARD["annotations"]["list"]:
        assert each["target"]["expr"] == each["expr"], each["name"]
        assert each["target"]["interval"] == "$scrape", each["name"]


@contextmanager
def prometheus(tmp_path: Path, port: int, targets: list[str]) -> Iterator[str]:
    """A Prometheus that scrapes these and has the rules; its URL."""
    (tmp_path / "rules.yaml").write_text(rules("99.9%", SPEED), "utf-8")
    config = CONFIG.format(rules=tmp_path / "rules.yaml", targets=", ".join(f"'{each}'" for each in targets))
    (tmp_path / "prometheus.yml").write_text(config, "utf-8")
    command = [
        "prometheus", f"--config.file={tmp_path / 'prometheus.yml'}", f"--storage.tsdb.path={tmp_path / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def answered(url: str, query: str) -> list[dict[str, Any]]:
    """The series that a query has now; none while Prometheus starts."""
    asked = query.replace("$__rate_interval", "5s").replace("$objective", VARIABLES["objective"])
    try:
        got = httpx.get(f"{url}/api/v1/query", params={"query": asked}, trust_env=False)
    except httpx.HTTPError:
        return []
    assert got.status_code in {200, 503}, got.text
    found: list[dict[str, Any]] = got.json()["data"]["result"] if got.status_code == 200 else []
    return [series for series in found if series["value"][1] != "NaN"]


def annotated(url: str, name: str, label: str) -> dict[str, int]:
    """How many samples of the last minute Grafana would get for an annotation, by this label of theirs."""
    now = time.time()
    asked = ANNOTATIONS[name].replace("$__interval", VARIABLES["scrape"])
    window = {"query": asked, "start": str(now - 60), "end": str(now), "step": VARIABLES["scrape"]}
    got = httpx.get(f"{url}/api/v1/query_range", params=window, trust_env=False)
    assert got.status_code == 200, got.text
    return {series["metric"][label]: len(series["values"]) for series in got.json()["data"]["result"]}


@pytest.mark.second
@pytest.mark.live
def test_every_query_of_the_dashboard_has_an_answer_in_a_live_run(tmp_path: Path) -> None:
    """With the rules of the run's speed loaded; and the page of the burn-rate alert goes off in the outage."""
    if shutil.which("prometheus") is None:
        pytest.skip("NOT TESTED: no prometheus on PATH")
    (tmp_path / "seen.yaml").write_text(OUTAGE, "utf-8")
    ours, provider, theirs = free_ports(3)
    command = [sys.executable, "-m", "mockbot", "run", str(tmp_path / "seen.yaml"), "--out", str(tmp_path / "run")]
    command += ["--metrics-port", str(ours), "--port", str(provider)]
    with (
        (tmp_path / "out.txt").open("w") as output,
        subprocess.Popen(command, stdout=output, stderr=output) as run,
        prometheus(tmp_path, theirs, [f"127.0.0.1:{ours}", f"127.0.0.1:{provider}"]) as url,
    ):
        silent, firing = dict(QUERIES), False

        def all_answered() -> bool:
            nonlocal firing
            assert run.poll() is None, (sorted(silent), firing, (tmp_path / "out.txt").read_text("utf-8"))
            for title in [title for title, query in silent.items() if answered(url, query)]:
                del silent[title]
            firing = firing or bool(answered(url, 'ALERTS{alertname="MockbotPage1h", alertstate="firing"}'))
            time.sleep(0.3)
            return not silent and firing

        try:
            wait_for(all_answered)
            begins = annotated(url, "Phases", "phase")
            assert begins.keys() == {"calm", "outage"}
            # Where it begins, perhaps again after a scrape that failed; not at each second.
            assert max(begins.values()) < 3
            assert annotated(url, "Faults", "fault").keys() == {"outage.0.http_error"}
        finally:
            run.terminate()


def test_every_metric_of_the_dashboard_is_one_that_is_named_in_the_code() -> None:
    """Without Prometheus: a renamed metric is found in the first tier, too."""
    files = ("evidence/prompt_result.py", "observability/crowd_metrics.py", "service/metrics_endpoint.py")
    code = "".join((ROOT / "mockbot" / file).read_text("utf-8") for file in files)
    queries = " ".join([*QUERIES.values(), *ANNOTATIONS.values()])
    asked = set(re.findall(r"\b(?:mockbot_|vllm:|http_)\w+", queries))
    stems = {re.sub(r"_(total|bucket)$", "", name) for name in asked}

    assert {name for name in stems if f'"{name}"' not in code} == set()
