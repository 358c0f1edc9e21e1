"""A run folder is judged: the reports that it gets, and what is told outside of it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from mockbot.errors import ExitCode, UsageError
from mockbot.evidence.records import Record
from mockbot.evidence.verdict import judge, judge_run
from mockbot.runs.folder import RunFile, RunFolder
from mockbot.runs.journal_files import JOURNALS, LOAD_JOURNALS, JournalWriter, read_run, write_run_info
from mockbot.runs.judge import conclude, write_reports
from mockbot.simulate.engines import EngineName
from mockbot.simulate.simulation import simulate
from tests.evidence.build import FELT, evidence, scenario, sound_run, steady

LOST = [*steady(0, 100), *steady(100, 400, took=5.0, settled="gave_up", attempts=4)]


def test_judging_again_gives_the_same_verdict(tmp_path: Path) -> None:
    """`mockbot report` on the folder of a run: the same summary, byte by byte, and the same exit code."""
    run = evidence(sound_run(), FELT)
    folder = RunFolder.create(run.scenario, tmp_path / "run")
    with JournalWriter(folder, LOAD_JOURNALS) as journal:
        records: tuple[Record, ...] = (*sound_run(), *FELT, *run.actions, *run.health)
        for record in records:
            journal.write(record)
    write_run_info(folder, run.info)

    first, summary = conclude(folder, Console(quiet=True)), (folder / RunFile.SUMMARY).read_bytes()
    second = conclude(folder, Console(quiet=True))

    assert (first, second) == (ExitCode.PASS, ExitCode.PASS)
    assert (folder / RunFile.SUMMARY).read_bytes() == summary
    assert json.loads(summary)["verdict"] == judge(run).verdict == "pass"


def test_a_run_that_was_killed_is_inconclusive(tmp_path: Path) -> None:
    """Its journal says nothing about what would have come."""
    folder = RunFolder.create(scenario(), tmp_path / "run")
    with JournalWriter(folder) as journal:
        for record in sound_run():
            journal.write(record)

    assert conclude(folder, Console(quiet=True)) == ExitCode.INCONCLUSIVE


@pytest.mark.parametrize(
    ("make", "says", "code"),
    [
        (Path.mkdir, "Is a directory", 4),
        (lambda path: path.symlink_to(path.name), "Too many levels of symbolic links", 4),
        (os.mkfifo, "is not a file", 2),
        (lambda path: path.symlink_to("/dev/zero"), "is not a file", 2),
    ],
    ids=["folder", "loop", "pipe", "device"],
)
def test_what_is_no_journal_is_a_sentence(tmp_path: Path, make: Callable[[Path], None], says: str, code: int) -> None:
    """Neither a traceback nor a wait without end."""
    folder = RunFolder.create(scenario(), tmp_path / "run")
    journal = folder / RunFile.JOURNAL
    make(journal)

    report = [sys.executable, "-m", "mockbot", "report", str(folder.path)]
    told = subprocess.run(report, capture_output=True, text=True, timeout=60, check=False)

    assert told.returncode == code
    assert told.stderr.startswith(f"mockbot: {journal}: {says}")
    assert told.stderr.count("\n") == 1


def test_a_sweep_is_no_run(tmp_path: Path) -> None:
    """It has a scenario and no journal, and is not judged as a run in which nothing was asked."""
    folder = RunFolder.create(scenario(), tmp_path / "run")
    folder.put(RunFile.SWEEP, "{}")

    with pytest.raises(UsageError, match="a sweep, which has no single verdict"):
        conclude(folder, Console(quiet=True))

    assert not (folder / RunFile.SUMMARY).exists()


def test_judging_a_run_inside_a_job_tells_github(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`mockbot report RUN`, as every command that ends with a verdict."""
    folder, page = RunFolder.create(scenario(), tmp_path / "run"), tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(page))
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    console = Console(file=StringIO())

    conclude(folder, console)

    assert isinstance(console.file, StringIO)
    assert "::warning title=ended::" in console.file.getvalue()
    assert page.read_text("utf-8").startswith("## ❔ Worked out on paper: inconclusive")


def test_all_reports_are_written(tmp_path: Path) -> None:
    """And nothing else: no half-written file is left."""
    run = judge_run(evidence(LOST, FELT))

    write_reports(RunFolder(tmp_path), run)
    write_reports(RunFolder(tmp_path), run)

    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()) == [
        "exports/github-annotations.txt",
        "exports/github.md",
        "exports/metrics.csv",
        "exports/metrics.txt",
        "exports/openmetrics.txt",
        "junit.xml",
        "report.html",
        "summary.json",
    ]


@pytest.mark.parametrize("blocked", [RunFile.SUMMARY, RunFile.REPORT, Path("exports")])
def test_a_report_that_cannot_be_written_does_not_hide_the_verdict(tmp_path: Path, blocked: Path | RunFile) -> None:
    """As of a folder that is read-only: the verdict and its exit code, and what could not be written, and why."""
    folder, console = RunFolder.create(scenario(), tmp_path / "run"), Console(file=StringIO(), width=200)
    (folder.path / blocked).parent.mkdir(exist_ok=True)
    if blocked == Path("exports"):
        (folder.path / blocked).touch()  # a file, where a folder is needed
    else:
        (folder.path / blocked).mkdir()
    code = conclude(folder, console)
    assert isinstance(console.file, StringIO)
    said = console.file.getvalue()

    assert code == ExitCode.INCONCLUSIVE
    assert "verdict: inconclusive" in said
    assert f"the reports could not be written: {folder.path / blocked}" in said


def test_a_summary_of_the_job_that_cannot_be_written_does_not_hide_the_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GITHUB_STEP_SUMMARY below a folder that does not exist: the verdict's exit code, not the testbed's."""
    folder, console = RunFolder.create(scenario(), tmp_path / "run"), Console(file=StringIO(), width=200)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "none" / "page"))

    assert conclude(folder, console) == ExitCode.INCONCLUSIVE
    assert isinstance(console.file, StringIO)
    assert "the summary of the job could not be written: " in console.file.getvalue()


@pytest.mark.parametrize("engine", ["reference", pytest.param("fast", marks=pytest.mark.second)])
def test_a_simulated_folder_that_was_cut_or_doubled_is_inconclusive(tmp_path: Path, engine: EngineName) -> None:
    """Whole lines are missing or there twice, in each of its journals; untouched it is judged as before."""
    folder = RunFolder.create(scenario(), tmp_path / "run")
    with JournalWriter(folder) as journal:
        info = simulate(scenario(), sink=journal.write, engine=engine)
    write_run_info(folder, replace(info, records=journal.written))
    whole = judge(read_run(folder)).json_text()

    for file in JOURNALS:
        lines = (folder / file).read_bytes().splitlines(keepends=True)
        for changed in (lines[:-1], lines[1:], [*lines, lines[0]], [*lines[:-1], b"{}\n"]):
            (folder / file).write_bytes(b"".join(changed))
            assert judge(read_run(folder)).verdict == "inconclusive"
        (folder / file).write_bytes(b"".join(lines))
    assert judge(read_run(folder)).json_text() == whole
    assert '"verdict": "inconclusive"' not in whole
