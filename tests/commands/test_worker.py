"""What `mockbot run --workers` and `mockbot worker` refuse before anything starts, each with what to write instead."""

import os
from pathlib import Path

import pytest

from mockbot.commands.worker import Elsewhere, become_worker, run_token
from mockbot.errors import UsageError
from mockbot.scenario.load import read_scenario
from tests.commands.build import SHORT


@pytest.fixture(autouse=True)
def _no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """What should have been refused must not replace the process of the tests."""

    def started(*_: object) -> None:
        raise AssertionError("a worker was started")

    monkeypatch.setattr(os, "execve", started)


@pytest.mark.parametrize(
    ("workers", "bind", "wait", "says"),
    [
        (4, None, "60s", "--workers and --bind belong together"),
        (None, None, "60s", "add --workers and --bind"),
        (4, "127.0.0.1", "0s", "nobody comes at once"),
        (None, "127.0.0.1", "60s", "for more processes on this machine use --processes"),
        (4, "0.0.0.0", "60s", "name the one to which the workers come"),
        (4, "224.0.0.1", "60s", "name the one to which the workers come"),
        (4, "here", "60s", "write one of this machine"),
        (4, "::1", "60s", "write one of this machine"),
        (4, "192.0.2.1", "60s", "--bind 192.0.2.1: cannot be listened on"),
        (4, "127.0.0.1", "soon", "--wait soon: 'soon' is not a duration"),
    ],
)
def test_a_wrong_option_is_refused(workers: int | None, bind: str | None, wait: str, says: str) -> None:
    """The option, and what to do."""
    with pytest.raises(UsageError, match=says.replace("(", "[(]")):
        Elsewhere.of(workers, bind, wait)


def test_without_the_options_the_load_is_made_here() -> None:
    """As with every run before."""
    assert Elsewhere.of(None, None, None) is None
    assert Elsewhere.of(1, "127.0.0.1", None) == Elsewhere(1, "127.0.0.1", 60.0)
    assert Elsewhere.of(4, "127.0.0.1", "1m30s") == Elsewhere(4, "127.0.0.1", 90.0)


@pytest.mark.parametrize(
    ("processes", "system", "tls", "real", "says"),
    [
        (2, False, False, False, "--workers and --processes: give one of them"),
        (1, True, False, False, "--workers and --system"),
        (1, False, True, False, "leave --tls and the faults of the handshake out"),
        (1, False, False, True, "could ask the real provider with your key"),
    ],
)
def test_what_does_not_go_together_is_refused(processes: int, system: bool, tls: bool, real: bool, says: str) -> None:
    """Each by itself."""
    with pytest.raises(UsageError, match=says):
        Elsewhere(4, "127.0.0.1", 60.0).require_plain(
            read_scenario(SHORT), processes=processes, system=system, tls=tls, real=real
        )


def test_a_worker_needs_a_master_and_its_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both are in the line that the run prints."""
    monkeypatch.delenv("MOCKBOT_TOKEN", raising=False)

    for master in ("http://10.0.0.1:5557/", "10.0.0.1:0", "10.0.0.1:65536", "-x", "[::1]:5557"):
        with pytest.raises(UsageError, match="write the master's HOST or HOST:PORT"):
            become_worker(master, None)
    with pytest.raises(UsageError, match="MOCKBOT_TOKEN is not set; copy the line"):
        become_worker("10.0.0.1:5557", None)


def test_a_locustfile_that_cannot_be_used_is_an_error_at_the_worker_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A module that only the master's machine has, for instance: exit code 2, not Locust's 1."""
    monkeypatch.setenv("MOCKBOT_TOKEN", "word")
    file = tmp_path / "users.py"
    file.write_text("import only_at_the_master\n")

    with pytest.raises(UsageError, match=r"users.py:1: cannot be imported: .*; install 'only_at_the_master'"):
        become_worker("10.0.0.1:5557", file)


def test_each_run_has_a_token_of_its_own_unless_it_is_given_one() -> None:
    """It is put where the children find it. One that is given is not repeated: logs are read by more than secrets."""
    first, second, given = dict[str, str](), dict[str, str](), {"MOCKBOT_TOKEN": "word"}
    shown = run_token(first)

    assert shown != run_token(second)
    assert first["MOCKBOT_TOKEN"] == shown
    assert run_token(given) == "$MOCKBOT_TOKEN"
    assert given["MOCKBOT_TOKEN"] == "word"


def test_an_empty_token_is_none() -> None:
    """CI sets a variable to nothing where it lacks the secret: nobody could join, and it would keep nobody out."""
    empty = {"MOCKBOT_TOKEN": ""}

    assert len(run_token(empty)) > 10
    assert empty["MOCKBOT_TOKEN"] != ""


def test_a_token_that_cannot_be_sent_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """What neither a line nor a message carries."""
    for odd in ("two\nlines", "\udcff"):
        monkeypatch.setenv("MOCKBOT_TOKEN", odd)
        with pytest.raises(UsageError, match="cannot be printed"):
            run_token({"MOCKBOT_TOKEN": odd})
        with pytest.raises(UsageError, match="cannot be printed"):
            become_worker("10.0.0.1:5557", None)
