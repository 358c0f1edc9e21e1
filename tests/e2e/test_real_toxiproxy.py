"""Whole runs through the original Toxiproxy: started for the run, or one that somebody else uses too."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from mockbot.proxy.toxiproxy_server import start_toxiproxy
from tests.e2e.conftest import Run
from tests.proxy.conftest import toxiproxy as toxiproxy  # noqa: PLC0414 - a fixture
from tests.proxy.wire import Control, eventually, refused_address

pytestmark = pytest.mark.second
Start = Callable[..., Run]
SCENARIO_END = 165.0
PROGRAM = "toxiproxy-server"
BUSY = {"generator lag", "machine"}  # what a machine with other things to do may add

WIRE = """
name: wire
title: A short outage of the wire
speed: 10
seed: 7
providers:
  main: {slots: 80, answer: {first_token: 300ms, tokens: {median: 20, p95: 40}}}
crowd:
  patient: {users: 100%, policy: backoff, think: 5s, patience: 60s}
phases:
  - {name: steady, lasts: 40s, users: 40}
  - {name: slow, lasts: 20s, faults: [{latency: 500ms}]}
  - {name: torn, lasts: 20s, faults: [{reset_peer: 0s, share: 50%}]}
  - {name: silent, lasts: 20s, faults: [{timeout: 0s, share: 50%}]}
  - {name: gone, lasts: 25s, faults: [{down: true}]}
  - {name: after, lasts: 40s}
expect:
  - {phase: steady, availability: ">= 99%"}
  - {phase: after, availability: ">= 90%"}
"""


@pytest.fixture
def shared(toxiproxy: Path) -> Iterator[Control]:
    """A server that runs anyway, with somebody else's proxy on it and a toxic of theirs."""
    with start_toxiproxy(toxiproxy) as child:
        control = Control(child.url, "real")
        control("POST", "/proxies", {"name": "theirs", "listen": "127.0.0.1:0", "upstream": refused_address()})
        control("POST", "/proxies/theirs/toxics", {"type": "latency", "attributes": {"latency": 7}})
        yield control


def snapshot(shared: Control) -> object:
    """Everything that is on the server."""
    return shared("GET", "/proxies").json


@pytest.fixture
def wire(tmp_path: Path) -> Path:
    """17 wall seconds of latency, resets, silence and refusal."""
    path = tmp_path / "wire.yaml"
    path.write_text(WIRE, "utf-8")
    return path


@pytest.fixture
def on_path(toxiproxy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a release installs it: `toxiproxy-server` on PATH."""
    shutil.copy(toxiproxy, tmp_path / PROGRAM)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")


@pytest.mark.usefixtures("on_path")
def test_a_run_through_the_original_passes_on_evidence(start: Start, wire: Path) -> None:
    """Four faults of the wire, each of which requests must have felt; nothing is left, the server included."""
    run = start(wire, "--proxy", "toxiproxy")

    code = run.finish()

    felt = {str(fault["id"]): fault["felt"] for fault in listed(run, "faults")}
    broken = {str(guard["name"]) for guard in listed(run, "guards") if not guard["ok"]}
    assert (code == 0) == (broken == set()), run.output()
    assert broken <= BUSY, run.output()
    assert json.loads((run.folder / "run.json").read_text("utf-8"))["engine"] == "toxiproxy"
    assert all(felt[fault] for fault in ("slow.0.latency", "torn.0.reset_peer", "silent.0.timeout"))
    assert run.left() == ([], [])


def listed(run: Run, what: str) -> list[dict[str, object]]:
    found = run.summary()[what]
    assert isinstance(found, list)
    return found


@pytest.mark.nightly
def test_a_bundled_scenario_plays_on_a_shared_server(start: Start, shared: Control) -> None:
    """Its proxies come and go; what was there before is as it was, toxic included."""
    before = snapshot(shared)
    run = start("unexpected-failure", "--speed", "120", "--toxiproxy-url", shared.url)
    run.watch(until=run.load_has_begun)
    during = snapshot(shared)

    code = run.finish()

    assert code in {0, 1, 3}, run.output()
    assert set(names(during)) > set(names(before))
    assert snapshot(shared) == before


def names(found: object) -> list[str]:
    assert isinstance(found, dict)
    return [*found]


def test_kill_minus_nine_leaves_the_neighbours_alone(start: Start, shared: Control, wire: Path) -> None:
    """The lease deletes our proxies although nothing of ours was asked to; theirs stays, with its toxic."""
    before = snapshot(shared)
    run = start(wire, "--toxiproxy-url", shared.url)
    run.watch(until=lambda: "slow.0.latency" in actions_of(run))
    during = snapshot(shared)

    run.process.kill()
    run.process.wait()

    assert set(names(during)) > set(names(before))
    assert eventually(lambda: snapshot(shared) == before, 20)
    assert eventually(lambda: run.left()[0] == [], 20)


def actions_of(run: Run) -> str:
    actions = run.folder / "actions.jsonl"
    return actions.read_text("utf-8") if actions.exists() else ""


@pytest.mark.nightly
@pytest.mark.usefixtures("on_path")
def test_a_server_that_hangs_ends_the_run_inconclusive(start: Start, wire: Path) -> None:
    """SIGSTOP in the first fault: the run ends by itself, before its time, exit 3, and says why."""
    run = start(wire, "--proxy", "toxiproxy")
    run.watch(until=lambda: "slow.0.latency" in actions_of(run))
    [server] = (each for each in psutil.Process(run.process.pid).children(recursive=True) if each.name() == PROGRAM)
    server.suspend()

    code = run.finish()

    assert code == 3, run.output()
    assert "did not answer" in run.output().replace("\n", " ")
    assert json.loads((run.folder / "run.json").read_text("utf-8"))["end"] < SCENARIO_END
    assert run.left()[0] == []
    assert not psutil.pid_exists(server.pid)


def test_a_command_needs_the_embedded_proxy(start: Start) -> None:
    """The original cannot tell which of a stranger's connections it hit: refused with the reason, exit 2."""
    run = start("unexpected-failure", "--proxy", "toxiproxy", "--", "true")

    assert run.finish() == 2
    assert "--proxy" in run.output()
