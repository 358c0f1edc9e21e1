"""Records to lines and back, whatever became of the writer."""

import errno
import json
import os
import signal
import subprocess
import sys
import tracemalloc
from dataclasses import replace
from pathlib import Path

import pytest

from mockbot.errors import TestbedError, UsageError
from mockbot.evidence.journal import Broken
from mockbot.evidence.records import Action, Attempt, Health, Progress, Prompt, Record, RunInfo, ServiceSecond
from mockbot.runs import journal_files
from mockbot.runs.folder import RunFolder
from mockbot.runs.journal_files import (
    LOAD_JOURNALS,
    Follower,
    JournalWriter,
    read_run,
    to_line,
    write_run_info,
)
from tests.evidence.build import attempt, prompt, scenario

INFO = RunInfo("paper", 20.0, t0=1.5, ended="completed", end=400.0, engine="embedded")


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    """A run folder with a scenario and nothing else."""
    return RunFolder.create(scenario(), tmp_path)


def write(folder: RunFolder, *records: Record) -> None:
    with JournalWriter(folder, LOAD_JOURNALS) as writer:
        for record in records:
            writer.write(record)


def test_what_was_written_is_what_is_read(folder: RunFolder) -> None:
    """Every kind of record comes back from its file as it was."""
    requests = (attempt(1.0, 2.5, "http_error", status=503), prompt(1.0, 3.0, "gave_up", first_token=0.25))
    second = ServiceSecond(7, "main", offered=3, work=1.5, felt={"blackout.0.http_error": 2})
    action = Action("blackout.0.http_error", "begin", 100.0, 100.1, None, "no answer")
    health = Health(3.0, "local", 0.001, 0.002, 0.5, 0.25, users=9)
    write(folder, *requests, second, action, health)
    write_run_info(folder, INFO)

    run = read_run(folder)

    assert (tuple(run.requests()), tuple(run.seconds())) == (requests, (second,))
    assert (run.actions, run.health, run.info) == ((action,), (health,), INFO)
    assert run.scenario == scenario()


def test_a_doubt_is_written_only_where_there_is_one(folder: RunFolder) -> None:
    """Millions of attempts have none; the one that may be a retry says of which prompt."""
    sure, doubtful = attempt(1.0), replace(attempt(2.0), may_retry="p1")
    write(folder, sure, doubtful)

    assert b"may_retry" not in to_line(sure)
    assert tuple(read_run(folder).requests()) == (sure, doubtful)


def test_a_journal_can_be_read_twice(folder: RunFolder) -> None:
    """Each call of `requests` starts a new pass."""
    write(folder, prompt(1.0))
    run = read_run(folder)

    first, second = list(run.requests()), list(run.requests())

    assert first == second == [prompt(1.0)]


def test_a_killed_writer_loses_nothing_that_it_wrote(tmp_path: Path) -> None:
    """kill -9 right after a write: the line is in the file."""
    program = (
        "import os, signal, sys; from pathlib import Path\n"
        "from mockbot.runs.folder import RunFolder; from mockbot.runs.journal_files import JournalWriter\n"
        "from tests.evidence.build import prompt\n"
        "JournalWriter(RunFolder(Path(sys.argv[1]))).write(prompt(1.0)); os.kill(os.getpid(), signal.SIGKILL)"
    )

    child = subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False)

    assert (child.returncode, (tmp_path / "journal.jsonl").read_bytes()) == (-signal.SIGKILL, to_line(prompt(1.0)))


def test_two_writers_share_a_file(folder: RunFolder) -> None:
    """Lines of two writers are never mixed within a line."""
    with JournalWriter(folder) as one, JournalWriter(folder) as two:
        for n in range(50):
            one.write(prompt(float(n)))
            two.write(attempt(float(n)))

    lines = (folder.path / "journal.jsonl").read_bytes().splitlines(keepends=True)

    assert sorted(lines) == sorted(to_line(make(float(n))) for n in range(50) for make in (prompt, attempt))


def test_a_closed_writer_refuses(folder: RunFolder) -> None:
    """A record after the end is an error and not silence."""
    writer = JournalWriter(folder)
    writer.close()
    writer.close()

    with pytest.raises(ValueError, match="closed"):
        writer.write(prompt(1.0))


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b'{"kind":"unicorn"}\n', "unknown kind 'unicorn'"),
        (b"{}\n", "unknown kind None"),
        (b"not json\n", "Invalid JSON"),
        (b"\n", "Invalid JSON"),
        (b"[1]\n", "an object"),
        (b"\xff\xfe\n", "Invalid JSON"),
        (b'{"prompt":1,"kind":"attempt"}\n', "prompt: Input should be a valid string"),
        (to_line(prompt(1.0)).replace(b'"end":2.0', b'"end":NaN'), "end: Input should be a finite number"),
        (to_line(prompt(1.0)).replace(b'"end":2.0', b'"end":1e999'), "end: Input should be a finite number"),
        (to_line(prompt(1.0)).replace(b'"end":2.0', b'"end":"2.0"'), "end: Input should be a valid number"),
        (to_line(prompt(1.0)).replace(b'"end":2.0', b'"end":true'), "end: Input should be a valid number"),
    ],
)
def test_a_line_that_is_no_record_is_reported(folder: RunFolder, line: bytes, why: str) -> None:
    """It is handed on with its number and the reason, and the lines around it are read."""
    (folder.path / "journal.jsonl").write_bytes(to_line(prompt(1.0)) + line + to_line(prompt(2.0)))

    first, broken, last = read_run(folder).requests()

    assert (first, last) == (prompt(1.0), prompt(2.0))
    assert isinstance(broken, Broken)
    assert (broken.file, broken.line, broken.last) == ("journal.jsonl", 2, False)
    assert why in broken.why


def test_a_torn_last_line_is_told_apart(folder: RunFolder) -> None:
    """A killed machine leaves half a line at the end; that is not a damaged journal."""
    (folder.path / "journal.jsonl").write_bytes(to_line(prompt(1.0)) + to_line(prompt(2.0))[:40])

    _, torn = read_run(folder).requests()

    assert isinstance(torn, Broken)
    assert (torn.line, torn.last) == (2, True)


def test_a_whole_last_line_of_an_unknown_kind_is_not_torn(folder: RunFolder) -> None:
    """Its writer was not killed in it: it ends as a line does."""
    (folder.path / "journal.jsonl").write_bytes(to_line(prompt(1.0)) + b'{"kind":"unicorn"}\n')

    _, broken = read_run(folder).requests()

    assert isinstance(broken, Broken)
    assert (broken.line, broken.last) == (2, False)


def test_a_line_without_an_end_is_not_read_whole(folder: RunFolder) -> None:
    """64 MB without a newline take a few of them in memory, and the next line is read."""
    with (folder.path / "journal.jsonl").open("wb") as file:
        file.writelines(b"x" * 2**20 for _ in range(64))
        file.write(b"\n" + to_line(prompt(2.0)))

    tracemalloc.start()
    broken, last = read_run(folder).requests()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert most < 2**25
    assert last == prompt(2.0)
    assert isinstance(broken, Broken)
    assert (broken.line, broken.why) == (1, "longer than 1048576 bytes")


def test_only_so_many_actions_are_kept(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Actions and health samples are held in memory; a file of more than a run has is no evidence."""
    monkeypatch.setattr(journal_files, "MOST_KEPT", 3)
    write(folder, *[Action("status_page", "change", float(n), float(n), float(n)) for n in range(5)])

    run = read_run(folder)

    assert (len(run.actions), [line.why for line in run.broken]) == (3, ["a run has at most 3 lines in it"])


def test_a_writer_counts_what_it_wrote(folder: RunFolder) -> None:
    """For run.json, which signs it off."""
    with JournalWriter(folder, LOAD_JOURNALS) as writer:
        for record in (attempt(1.0), attempt(2.0), prompt(1.0), ServiceSecond(7, "main")):
            writer.write(record)

    assert {kind: count for kind, count in writer.written.items() if count} == {
        "attempts": 2,
        "prompts": 1,
        "service seconds": 1,
    }


def test_another_writers_order_of_keys_is_understood(folder: RunFolder) -> None:
    """The kind may stand anywhere in the object."""
    whole = to_line(prompt(1.0)).decode()
    line = '{"kind": "prompt", ' + whole[1:].replace(',"kind":"prompt"', "")
    (folder.path / "journal.jsonl").write_text(line, "utf-8")

    assert list(read_run(folder).requests()) == [prompt(1.0)]


def test_broken_actions_and_health_are_reported(folder: RunFolder) -> None:
    """They are evidence too."""
    (folder.path / "actions.jsonl").write_bytes(b"{}\n")
    (folder.path / "health.jsonl").write_bytes(b"{}\n")

    assert [line.file for line in read_run(folder).broken] == ["actions.jsonl", "health.jsonl"]


def test_a_run_that_could_not_say_how_it_ended_has_failed(folder: RunFolder) -> None:
    """No run.json, or half of one: the run is read, as one that was cut short."""
    (folder.path / "run.json").write_text('{"scenario": "pa', "utf-8")

    info = read_run(folder).info

    assert (info.ended, info.t0) == ("failed", None)
    assert "run.json" in info.why


@pytest.mark.parametrize("damage", [{"speed": 0}, {"speed": -1}, {"end": -1}, {"weight": 0}, {"lost_nodes": -1}])
def test_numbers_that_cannot_be_make_a_run_of_unknown_end(folder: RunFolder, damage: dict[str, float]) -> None:
    """Nothing divides by a speed of 0: such a run.json is as good as none."""
    write_run_info(folder, INFO)
    told = json.loads((folder.path / "run.json").read_text("utf-8"))
    (folder.path / "run.json").write_text(json.dumps(told | damage), "utf-8")

    assert read_run(folder).info.ended == "failed"


def test_a_full_disk_is_an_error_of_the_testbed(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes half of a line, and then nothing: the file and the reason."""
    taken = iter([10])

    def nearly_full(_: int, line: bytes) -> int:
        try:
            return next(taken)
        except StopIteration:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from None

    with JournalWriter(folder) as writer:
        monkeypatch.setattr(os, "write", nearly_full)
        with pytest.raises(TestbedError, match=r"journal.jsonl cannot be written: No space left on device; make room"):
            writer.write(prompt(1.0))


def test_a_folder_without_a_scenario_is_no_run(tmp_path: Path) -> None:
    """The user gave the wrong folder, and is told so."""
    with pytest.raises(UsageError, match=r"not a run folder \(no scenario\.json in it\)"):
        read_run(RunFolder(tmp_path))


def test_a_scenario_that_cannot_be_read_is_the_users_to_mend(tmp_path: Path) -> None:
    """The message names the file."""
    (tmp_path / "scenario.json").write_text("{}", "utf-8")

    with pytest.raises(UsageError, match=r"scenario\.json: cannot be read"):
        read_run(RunFolder(tmp_path))


def test_progress_is_followed_line_by_line(folder: RunFolder) -> None:
    """A reader beside the writer sees each complete line once, and half a line only when it is whole."""
    path = folder.path / "progress.jsonl"
    follower = Follower(path, Progress)
    looks = [Progress(float(t), "steady", (), 5, 1, 2.0, 1.0, 0.5, {"reset": 1}) for t in range(3)]
    half = to_line(looks[2])

    before = follower.new()
    write(folder, looks[0], looks[1])
    whole = follower.new()
    with path.open("ab") as file:
        file.write(half[:10])
    torn = follower.new()
    with path.open("ab") as file:
        file.write(half[10:])

    assert (before, whole, torn, follower.new(), follower.new()) == ([], looks[:2], [], looks[2:], [])


def test_run_info_is_replaced_whole(tmp_path: Path) -> None:
    """Nothing but run.json is left, and it holds the last word."""
    write_run_info(RunFolder(tmp_path), INFO)
    write_run_info(RunFolder(tmp_path), INFO)

    assert os.listdir(tmp_path) == ["run.json"]  # noqa: PTH208 - hidden files too


@pytest.mark.parametrize("record", [Attempt, Prompt])
def test_kinds_are_last_in_our_lines(record: type) -> None:
    """The fast way of reading rests on it."""
    line = to_line(attempt(1.0) if record is Attempt else prompt(1.0))

    assert line.endswith(b'"kind":"attempt"}\n' if record is Attempt else b'"kind":"prompt"}\n')
