"""A run's folder belongs to one run: whatever became of that run, no second one writes into it."""

import ast
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import mockbot
from mockbot.errors import TestbedError, UsageError
from mockbot.runs.folder import RunFile, RunFolder
from tests.evidence.build import scenario

REFUSED = r"holds a run already \(one that is over, killed or still running\); name another folder, or remove it"


@pytest.mark.parametrize("left", [file for file in RunFile if "/" not in file])  # `logs` may be anybody's
def test_a_folder_with_anything_of_a_run_is_refused(tmp_path: Path, left: RunFile) -> None:
    """A journal alone is enough: two in one file would be judged as one run. The folder is left as it was."""
    file = tmp_path / left
    file.write_text("what was there", "utf-8")

    with pytest.raises(UsageError, match=REFUSED):
        RunFolder.create(scenario(), tmp_path)

    assert [(each, each.read_text("utf-8")) for each in tmp_path.iterdir()] == [(file, "what was there")]


def test_a_folder_with_other_files_is_taken(tmp_path: Path) -> None:
    """An empty one, or one with files and logs of the user's own, is nobody's."""
    (tmp_path / "notes.txt").write_text("mine", "utf-8")
    (tmp_path / "logs").mkdir()

    folder = RunFolder.create(scenario(), tmp_path)

    assert (folder.path / "notes.txt").read_text("utf-8") == "mine"
    assert {"logs", "scenario.json", "scenario.yaml"} <= {each.name for each in tmp_path.iterdir()}


def test_of_many_that_start_at_once_one_gets_the_folder(tmp_path: Path) -> None:
    """The claim is one atomic step, not a look and then a write."""
    for n in range(20):
        got: list[bool] = []
        ready = threading.Barrier(8)

        def claim(out: Path, ready: threading.Barrier = ready, got: list[bool] = got) -> None:
            ready.wait()
            try:
                RunFolder.create(scenario(), out)
            except UsageError:
                got.append(False)
            else:
                got.append(True)

        threads = [threading.Thread(target=claim, args=(tmp_path / str(n),)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert sorted(got) == [*[False] * 7, True]


def test_without_a_name_every_run_gets_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also two of the same second; `runs/latest` leads to the last one."""
    monkeypatch.chdir(tmp_path)

    one, two = RunFolder.create(scenario(), None), RunFolder.create(scenario(), None)

    assert one.path != two.path
    assert Path("runs/latest").resolve() == two.path.resolve()
    assert one.path.name.endswith(("-paper", "-paper-2"))


def test_a_folder_called_latest_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The run gets its folder and says why nothing is linked; no temporary link is left."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs" / "latest").mkdir(parents=True)
    folder = RunFolder.create(scenario(), None)

    assert sorted(each.name for each in (tmp_path / "runs").iterdir()) == sorted([folder.path.name, "latest"])
    assert "is left as it is" in caplog.text


def test_a_file_that_cannot_be_put_is_a_sentence(tmp_path: Path) -> None:
    """Its path and the reason; nothing half-written is left beside it."""
    (tmp_path / RunFile.SUMMARY).mkdir()

    with pytest.raises(TestbedError, match=r"summary.json: cannot be written: Is a directory"):
        RunFolder(tmp_path).put(RunFile.SUMMARY, "{}")
    assert [each.name for each in tmp_path.iterdir()] == [RunFile.SUMMARY]


def test_nothing_is_put_into_a_folder_that_is_gone(tmp_path: Path) -> None:
    """Somebody removed it while its run went on: made again it would hold a part of a run."""
    with pytest.raises(TestbedError, match=r"run.json: cannot be written: No such file or directory"):
        RunFolder(tmp_path / "gone").put(RunFile.RUN, "{}")
    assert not (tmp_path / "gone").exists()


def test_a_file_is_put_in_place_whole(tmp_path: Path) -> None:
    """What was there is replaced, and no half-written file is left."""
    folder = RunFolder(tmp_path)

    folder.put(RunFile.OPENMETRICS, "old")
    folder.put(RunFile.OPENMETRICS, "new")

    assert [each.name for each in (tmp_path / "exports").iterdir()] == ["openmetrics.txt"]
    assert (tmp_path / "exports" / "openmetrics.txt").read_text("utf-8") == "new"


SIMULATE = ("-m", "mockbot", "simulate", "traffic-surge", "--users", "2000", "--engine", "reference", "--out", "k1")


@pytest.mark.second
def test_a_killed_run_is_not_repeated_into_its_folder(tmp_path: Path) -> None:
    """kill -9 in the middle and the same command again: exit 2 with the sentence, and the journal does not grow."""
    process = subprocess.Popen(
        [sys.executable, *SIMULATE], cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    journal = tmp_path / "k1" / "journal.jsonl"
    try:
        until = time.monotonic() + 60
        while not (journal.exists() and journal.stat().st_size):
            assert time.monotonic() < until, "nothing was simulated"
            time.sleep(0.02)
        beside = subprocess.run([sys.executable, *SIMULATE], cwd=tmp_path, capture_output=True, text=True, check=False)
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    before = journal.read_bytes()
    again = subprocess.run([sys.executable, *SIMULATE], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert process.returncode == -signal.SIGKILL
    assert (beside.returncode, again.returncode) == (2, 2)
    assert "k1 holds a run already" in beside.stderr
    assert "k1 holds a run already" in again.stderr
    assert journal.read_bytes() == before
    assert not (tmp_path / "k1" / "run.json").exists()


def test_no_other_module_spells_a_file_of_the_folder() -> None:
    """`runs` is the one place that knows the names; `evidence` names the two that its reasons send people to."""
    root = Path(mockbot.__file__).parent
    files = {str(file) for file in RunFile} | {file.rpartition("/")[2] for file in RunFile}
    spelled = {
        f"{path.relative_to(root)}: {node.value}"
        for path in root.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and node.value in files and "runs" not in path.parts
    }

    assert spelled == {f"evidence/journal.py: {RunFile.JOURNAL}", f"evidence/journal.py: {RunFile.SERVICE}"}
