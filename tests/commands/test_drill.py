"""`mockbot drill` and `mockbot note`, live: what was wrong, what people noticed, and the same outage again."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from mockbot.cli import cli
from mockbot.errors import UsageError
from mockbot.runs.folder import RunFile, RunFolder
from mockbot.runs.journal_files import read_run
from mockbot.runs.notes import add_note, read_notes

MOCKBOT = [sys.executable, "-m", "mockbot"]
SCENARIO = """
name: short
title: A provider refuses
slo: 5s
providers:
  main: {slots: 40, answer: {first_token: 300ms, tokens: {median: 10, p95: 20}, pace: 50/s}}
crowd:
  sdk: {users: 100%, policy: sdk, think: 4s, patience: 30s}
phases:
  - {name: before, lasts: 30s, users: 10}
  - {name: outage, lasts: 150s, faults: [{on: main, http_error: 503}]}
  - {name: after, lasts: 60s}
expect:
  - {phase: outage, availability: ">= 50%"}
"""


def begun(folder: Path, process: "subprocess.Popen[bytes]") -> None:
    """Wait until a fault is confirmed."""
    path = folder / RunFile.ACTIONS
    while process.poll() is None and not (path.exists() and b'"confirmed":' in path.read_bytes()):
        time.sleep(0.05)
    assert process.poll() is None


@pytest.fixture(scope="module")
def drill(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A finished drill, in which somebody noticed the outage and somebody else ended it; its folder and terminal."""
    home = tmp_path_factory.mktemp("drill")
    (home / "ours").mkdir()
    (home / "ours" / "short.yaml").write_text(SCENARIO, "utf-8")
    out = home / "run"
    with (home / "said").open("wb") as said:
        command = [*MOCKBOT, "drill", "ours", "--speed", "10", "--seed", "1", "--out", str(out)]
        process = subprocess.Popen(command, cwd=home, stdout=said, stderr=subprocess.STDOUT)
        begun(out, process)
        for note in (["--detected", 'a <b>503</b> "\U0001f600"'], ["--abort", "--mitigated"]):
            assert CliRunner().invoke(cli, ["note", "--run", str(out), *note]).exit_code == 0
        process.wait(120)
    return out, (home / "said").read_text("utf-8")


@pytest.mark.second
@pytest.mark.live
def test_what_people_noticed_stands_against_what_was_wrong(drill: tuple[Path, str]) -> None:
    """On the terminal and on the page, where what they wrote is text."""
    out, said = drill
    page = (out / RunFile.DRILL_PAGE).read_text("utf-8")

    assert "It was: A provider refuses" in said
    assert "false alarms: 0" in said
    assert [note.kind for note in read_notes(RunFolder(out))] == ["detected", "aborted", "mitigated"]
    assert "a &lt;b&gt;503&lt;/b&gt;" in page
    assert "<b>503" not in page


@pytest.mark.second
@pytest.mark.live
def test_the_outage_stays_hidden_until_the_drill_is_over(drill: tuple[Path, str]) -> None:
    """Only the clock and how to write a note are shown before."""
    before = drill[1].partition("phase ")[0]

    assert "the drill's clock: 0:00" in before
    assert "503" not in before
    assert "outage:" not in before


@pytest.mark.second
@pytest.mark.live
def test_an_abort_ends_every_fault_and_the_run_says_so(drill: tuple[Path, str]) -> None:
    """At the driver's next look, and not when the scenario would have ended it."""
    out, said = drill
    begin, end = (json.loads(line) for line in (out / RunFile.ACTIONS).read_bytes().splitlines())

    assert (begin["does"], end["does"]) == ("begin", "end")
    assert begin["due"] < end["due"] < begin["due"] + 150
    assert end["confirmed"] is not None
    assert "aborted at" in said


@pytest.mark.second
@pytest.mark.live
def test_the_same_outage_again_with_another_client(drill: tuple[Path, str], tmp_path: Path) -> None:
    """At the speed of the first, with its longer first phase, laid beside it."""
    out, again = drill[0], tmp_path / "again"
    command = [*MOCKBOT, "drill", "--counterfactual", str(out), "--set", "crowd.sdk.policy=once", "--out", str(again)]

    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)

    first, second = read_run(RunFolder(out)), read_run(RunFolder(again))
    assert second.info.speed == first.info.speed == 10
    assert second.scenario.phases[0].lasts == first.scenario.phases[0].lasts != 30
    assert "their scenarios differ in crowd" in " ".join(done.stdout.split()), done.stdout + done.stderr
    assert (again / f"compared-with-{out.name}.html").exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["drill"], "name a scenario, or a folder of them"),
        (["drill", "empty"], "empty: no scenario file (*.yaml) is in this folder"),
        (["drill", "--counterfactual", "empty"], "what is different?"),
        (["drill", "--counterfactual", "empty", "--set", "slo=4s"], "no finished run is in this folder"),
        (["drill", "traffic-surge", "--counterfactual", "empty", "--set", "slo=4s"], "leave out NAME|DIR and --seed"),
        (["drill", "traffic-surge", "--set", "slo=4s"], "--set is for --counterfactual"),
        (["note", "--run", "empty", "x"], "no run is in this folder"),
        (["note", "--run", "empty", "--abort"], "no run is in this folder"),
        (["note", "--run", "empty"], "write what you notice"),
    ],
)
def test_a_wrong_drill_or_note_is_told_with_its_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], says: str
) -> None:
    """Before anything is started or written."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()

    result = CliRunner().invoke(cli, arguments)

    assert isinstance(result.exception, UsageError)
    assert says in str(result.exception)
    assert list((tmp_path / "empty").iterdir()) == []


def test_a_line_that_is_no_note_is_told_with_its_place(tmp_path: Path) -> None:
    """And not left out."""
    folder = RunFolder(tmp_path)
    (tmp_path / RunFile.SCENARIO).write_text("{}", "utf-8")
    add_note(folder, "detected", "slow")
    with (tmp_path / RunFile.NOTES).open("a", encoding="utf-8") as file:
        file.write("{}\n")

    with pytest.raises(UsageError, match=r"notes\.jsonl:2: not a note"):
        read_notes(folder)
