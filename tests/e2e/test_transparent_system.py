"""A plain reverse proxy as the system changes nothing: the verdict is the direct run's, and every request is joined."""

import http.client
import json
import math
import os
import shutil
import statistics
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from mockbot.evidence.journal import RunEvidence
from mockbot.evidence.records import Attempt, Prompt
from mockbot.evidence.system_join import WAYS, Joined, Way, join
from mockbot.runs.folder import RunFolder
from mockbot.runs.journal_files import read_run
from mockbot.testbed.system.running_system import open_system
from mockbot.testbed.system.system_file import load_system
from tests.benchmarks.load import server
from tests.e2e.test_systems import judged

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
SYSTEM = f"""\
name: plain-proxy
start: {NGINX} -p {{dir}} -c {{dir}}/nginx.conf -e stderr
files:
  nginx.conf: |
    daemon off;
    worker_processes 1;
    pid {{dir}}/nginx.pid;
    events {{ worker_connections 1024; }}
    http {{
      access_log off;
      client_body_temp_path {{dir}}/body; proxy_temp_path {{dir}}/proxy; fastcgi_temp_path {{dir}}/fastcgi;
      uwsgi_temp_path {{dir}}/uwsgi; scgi_temp_path {{dir}}/scgi;
      upstream main {{ server {{main.address}} max_fails=0; keepalive 32; }}
      server {{
        listen 127.0.0.1:{{port}};
        location / {{
          proxy_pass http://main; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off;
        }}
      }}
    }}
ready: {{path: /v1/models, within: 10s}}
speaks: openai
"""
CALM = """\
name: plain
title: "A provider of which half is down, and then every answer breaks off"
providers: {main: {slots: 100, answer: {first_token: 100ms, tokens: {median: 10, p95: 15}, pace: 100/s}}}
crowd: {people: {arrivals: 100%, policy: {name: once, timeout: 7s}, patience: 8s}}
phases:
  - {name: calm, lasts: 6s, arrivals: 8/s}
"""
OUTAGE = """\
  - {name: half, lasts: 10s, faults: [{http_error: 503, share: 50%}]}
  - {name: cutoff, lasts: 10s, faults: [{cut: {how: clean, after_tokens: 3}}]}
  - {name: after, lasts: 5s}
expect:
  - {phase: calm, answered: ">= 95%"}
  - {phase: half, answered: ">= 99%"}
  - {phase: cutoff, answered: ">= 50%"}
  - {phase: after, answered: ">= 95%"}
"""
ASKED = 400  # requests of the bare benchmark, in each of its two paths

pytestmark = pytest.mark.skipif(NGINX is None, reason="NOT TESTED: no nginx (apt-get install nginx-light)")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """The summaries of the same scenario without a system, with the crowd as its own system, and through nginx."""
    base = tmp_path_factory.mktemp("plain")
    scenario, system = base / "plain.yaml", base / "proxy.yaml"
    scenario.write_text(CALM.replace("6s", "20s", 1) + OUTAGE, "utf-8")
    system.write_text(SYSTEM, "utf-8")
    options = {"alone": (), "direct": ("--system", "direct"), "nginx": ("--system", str(system))}
    found = {name: judged(scenario, base / name, *more) for name, more in options.items()}
    if bad := [guard["says"] for run in found.values() for guard in run["guards"] if not guard["ok"]]:
        pytest.skip(f"NOT TESTED, the machine is too busy: {bad[0]}")
    return found


@pytest.mark.second
@pytest.mark.timeout(240)
def test_each_way_alone_joins_every_request_of_a_plain_proxy(tmp_path: Path) -> None:
    """The header, the trace and the mark in the text each name the prompt of every request that a provider got."""
    scenario, system = tmp_path / "plain.yaml", tmp_path / "proxy.yaml"
    scenario.write_text(CALM, "utf-8")
    system.write_text(SYSTEM, "utf-8")
    judged(scenario, tmp_path / "run", "--system", str(system))
    evidence = read_run(RunFolder(tmp_path / "run"))

    assert {way: joined_by(evidence, way).share for way in WAYS} == dict.fromkeys(WAYS, 1.0)
    assert len(evidence.upstream) >= 20


def joined_by(evidence: RunEvidence, way: Way) -> Joined:
    """The join of a run by one identity only."""
    records = [*evidence.requests()]
    prompts = [each for each in records if isinstance(each, Prompt)]
    attempts = [each for each in records if isinstance(each, Attempt)]
    return join(prompts, attempts, evidence.answers, evidence.upstream, [way])


def _phases(run: dict[str, Any], measure: str) -> dict[str, float]:
    scopes = [row for row in run["measures"] if row["scope"]["phase"] and not row["scope"]["group"]]
    return {row["scope"]["phase"]: row["values"][measure] for row in scopes}


@pytest.mark.nightly
@pytest.mark.timeout(600)
def test_a_plain_proxy_has_the_verdict_of_the_direct_run(runs: dict[str, dict[str, Any]]) -> None:
    """Each expectation ends alike, and each phase's share of answers is as far apart as chance makes it."""
    alone, through = runs["alone"], runs["nginx"]
    ends = [[(each["measure"], each["result"]) for each in run["expectations"]] for run in (alone, through)]

    assert ends[1][: len(ends[0])] == ends[0]  # behind them, the findings about a system
    assert (alone["verdict"], through["verdict"]) == ("fail", "fail")
    numbers = [_phases(run, "prompts") for run in (alone, through)]
    for phase, share in _phases(alone, "answered").items():
        other, n = _phases(through, "answered")[phase], min(each[phase] for each in numbers)
        p = (share + other) / 2
        # 4 sd of the difference of two shares; two prompts may be on the other side of a phase's edges.
        assert abs(share - other) <= 4 * math.sqrt(2 * p * (1 - p) / n) + 2 / n, phase


@pytest.mark.nightly
@pytest.mark.timeout(600)
def test_the_latency_that_a_plain_proxy_adds_is_that_of_a_bare_benchmark(
    runs: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    """Within 2 ms: what the run through it says, less what the run without a system says, which is mockbot's own."""
    said = _phases(runs["nginx"], "added_latency_p50")["calm"] - _phases(runs["direct"], "added_latency_p50")["calm"]
    (tmp_path / "proxy.yaml").write_text(SYSTEM, "utf-8")
    with server("tests.benchmarks.bare") as bare:
        url = str(bare.ready["url"])
        names = {"main.url": url, "main.address": urlsplit(url).netloc, "main.key": ""}
        with open_system(load_system(tmp_path / "proxy.yaml"), names, dict(os.environ), tmp_path / "log") as proxy:
            alone, through = (statistics.median(times) for times in _side_by_side(url, proxy.url))

    assert abs(said - (through - alone)) <= 0.002, (said, through, alone)


def _side_by_side(*urls: str) -> tuple[list[float], ...]:
    """Seconds of each request, in turns, on a kept-alive connection each."""
    connections = [http.client.HTTPConnection(urlsplit(url).netloc) for url in urls]
    times: tuple[list[float], ...] = tuple([] for _ in urls)
    for _ in range(ASKED):
        for connection, took in zip(connections, times, strict=True):
            began = time.perf_counter()
            connection.request("POST", "/", json.dumps({"stream": False}), {"content-type": "application/json"})
            connection.getresponse().read()
            took.append(time.perf_counter() - began)
    for connection in connections:
        connection.close()
    return times
