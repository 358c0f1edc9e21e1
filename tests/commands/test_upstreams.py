"""A real provider on the command line: what is refused before anything starts, and what a crowd may spend there."""

import os
import subprocess
from pathlib import Path

import psutil
import pytest

from mockbot.commands.upstream_options import check_spending
from mockbot.errors import UsageError
from mockbot.scenario.schema import Scenario
from mockbot.upstream.settings import UpstreamSettings, check_settings
from tests.commands.build import mockbot, run, scenario_file
from tests.service.values import scenario_of
from tests.upstream.conftest import seen, upstream

__all__ = ["upstream"]
KEY = "sk-canary-0123456789abcdef"
REAL = """
name: real
title: A real provider is out for two seconds
providers:
  main: {upstream: real}
crowd:
  all: {users: 100%, policy: once, think: 300ms, patience: 5s}
phases:
  - {name: calm, lasts: 2s, users: 4}
  - {name: blackout, lasts: 2s, faults: [{crash: true}]}
  - {name: after, lasts: 3s}
expect:
  - {phase: calm, availability: ">= 1%"}
"""


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("upstream: https://api.openai.com", "is 'real' and nothing else"),
        ("upstream: OPENAI_API_KEY", "is 'real' and nothing else"),
        ("replay: answers.jsonl", "is true or false"),
        ("upstream: real, replay: true", "not both"),
        ("upstream: real, answers: [{text: hello}]", "are as they are"),
        ("replay: true, answer: {pace: 9/s}", "are as they are"),
        ("upstream: real, faults: [{capacity: 50%}]", "faults"),
    ],
)
def test_a_scenario_names_no_address_no_key_and_no_file(tmp_path: Path, written: str, says: str) -> None:
    """`mockbot check` says what belongs on the command line instead."""
    checked = run("check", scenario_file(tmp_path, REAL.replace("upstream: real", written)))

    assert checked.returncode == 2
    assert says in checked.stdout + checked.stderr


REAL_MAIN: Scenario = scenario_of({"main": {"upstream": "real"}, "other": {}})
HERE = {"main": "http://127.0.0.1:9"}


@pytest.mark.parametrize(
    ("settings", "speed", "says"),
    [
        (UpstreamSettings(), 1, "--upstream main=URL"),
        (
            UpstreamSettings(urls={**HERE, "other": "http://127.0.0.1:9"}),
            1,
            "no provider 'other' with `upstream: real`",
        ),
        (UpstreamSettings(urls={"main": "127.0.0.1:9"}), 1, "write it as http"),
        (UpstreamSettings(urls={"main": "http://me:secret@127.0.0.1"}), 1, "a key does not belong in an address"),
        (UpstreamSettings(urls=HERE, replay={"other": Path("a")}), 1, "no provider 'other' with `replay: true`"),
        (UpstreamSettings(urls=HERE), 10, "--speed 1"),
    ],
)
def test_what_does_not_fit_is_refused(settings: UpstreamSettings, speed: float, says: str) -> None:
    """Before anything starts; and what may be a secret is not repeated."""
    with pytest.raises(UsageError, match=says) as refused:
        check_settings(REAL_MAIN, settings, speed)

    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("host", ["api.openai.com", "10.0.0.1", "localhost.example.com", "0.0.0.0", "[2001:db8::1]"])
def test_a_crowd_needs_a_cap_for_any_address_but_loopback(host: str) -> None:
    """With one, it is told how much may be sent."""
    far = {"main": f"https://{host}/v1"}
    with pytest.raises(UsageError, match="cap it with --spend N"):
        check_spending(UpstreamSettings(urls=far))

    assert check_spending(UpstreamSettings(urls=far, spend=20)) == (
        f"at most 20 requests go to main's upstream, https://{host}/v1",
    )


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "localhost", "[::1]"])
def test_a_crowd_needs_no_cap_on_loopback(host: str) -> None:
    """Nobody pays for it."""
    assert check_spending(UpstreamSettings(urls={"main": f"http://{host}:8000"}))


@pytest.mark.parametrize("command", ["simulate", "explain"])
def test_virtual_time_refuses_a_real_provider_by_name(tmp_path: Path, command: str) -> None:
    """Nobody knows how long its answers take."""
    refused = run(command, scenario_file(tmp_path, REAL))

    assert refused.returncode == 2
    assert "provider 'main' is `upstream: real`" in refused.stderr


def test_a_key_that_is_given_instead_of_its_variable_is_not_repeated(tmp_path: Path) -> None:
    """It would be in the log of a CI job."""
    refused = run(
        "run", scenario_file(tmp_path, REAL), "--upstream", "main=http://127.0.0.1:9", "--upstream-key", f"main={KEY}"
    )

    assert refused.returncode == 2
    assert "no environment variable has this name and a value; export it" in refused.stderr
    assert KEY not in refused.stderr + refused.stdout


@pytest.mark.live
@pytest.mark.second
def test_a_crowd_spends_no_more_than_it_may(tmp_path: Path, upstream: str) -> None:
    """Over two worker processes and a crash of the provider; beyond the cap the run is inconclusive, and says why. The
    key is in the requests to the upstream and nowhere else: in no file, on no terminal, in no child's environment.
    """
    before = len(seen(upstream))
    options = ["--upstream", f"main={upstream}", "--upstream-key", "main=REAL_KEY", "--spend", "7", "--processes", "2"]
    command = mockbot("run", scenario_file(tmp_path, REAL), *options, "--out", tmp_path / "run")
    environment = {**os.environ, "REAL_KEY": KEY}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
    ) as live:
        exposed = set[str]()
        while live.poll() is None:
            for child in psutil.Process(live.pid).children(recursive=True):
                try:
                    if child.cmdline() != command and KEY in " ".join([*child.cmdline(), *child.environ().values()]):
                        exposed.add(" ".join(child.cmdline()))  # one that is no copy of its parent any more
                except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
                    continue
            try:
                live.wait(0.2)
            except subprocess.TimeoutExpired:
                continue
        assert live.stdout is not None
        said = live.stdout.read()

    asked = seen(upstream)[before:]
    assert len(asked) == 7
    assert not [each for each in asked if "th time" in each["body"]]  # the testbed's own, before the run
    assert {each["headers"]["authorization"] for each in asked} == {f"Bearer {KEY}"}
    assert live.returncode == 3, said
    assert f"at most 7 requests go to main's upstream, {upstream}" in said
    assert "beyond --spend 7 got no real answer" in said
    assert not exposed
    assert KEY not in said
    assert not [file for file in (tmp_path / "run").rglob("*") if file.is_file() and KEY.encode() in file.read_bytes()]
