"""How long a long run takes to judge and report, and what it costs in memory: times are printed, memory is asserted.

The aim is 1,000,000 journal lines in 20 s and 300 MB on two idle cores. A short journal of the same scenario stands
beside the long one: the cost of a line must not grow with their number, and memory must hardly grow at all.
"""

import json
import subprocess
import sys
import textwrap
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from mockbot.evidence.records import Outcome, Record, RunInfo, ServiceSecond, Settled
from mockbot.runs.folder import RunFolder
from mockbot.runs.journal_files import LOAD_JOURNALS, JournalWriter, to_line, write_run_info
from tests.evidence.build import FAULT, actions, attempt, health, prompt, scenario

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(600)]

LONG, SHORT = 1_000_000, 100_000
MEGABYTES = 300
SECONDS = 4000
TOLD = scenario(
    phases=[
        {"name": "steady", "lasts": "1000s", "users": 2000},
        {"name": "blackout", "lasts": "1000s", "faults": [{"http_error": 503}]},
        {"name": "after", "lasts": "2000s"},
    ]
)
JUDGE = textwrap.dedent("""
    import json, resource, sys, time
    from pathlib import Path
    from mockbot.evidence.verdict import judge
    from mockbot.runs.folder import RunFolder
    from mockbot.runs.journal_files import read_run
    from mockbot.runs.judge import write_reports
    folder = RunFolder(Path(sys.argv[1]))
    wall, cpu = time.perf_counter(), time.process_time()
    run = read_run(folder)
    judgement = judge(run)
    write_reports(folder, run, judgement)
    print(json.dumps({
        "verdict": judgement.verdict,
        "wall": time.perf_counter() - wall,
        "cpu": time.process_time() - cpu,
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }))
""")


def lines(count: int) -> Iterator[bytes]:
    """So many lines: 2000 users, retries all the time, and a blackout in which every prompt is given up."""
    rng, written, n = Random(1), 0, 0
    prompts = count * 4 // 10  # about 2.5 lines each
    while written < count:
        at, name = n * SECONDS / prompts, f"p{n}"
        down = 1000 <= at < 2000
        tries = 2 if down or rng.random() < 0.25 else 1
        start, group = at, rng.choice(["patient", "hasty"])
        for number in range(tries):
            took, ok = rng.lognormvariate(0, 0.5), number == tries - 1 and not down
            outcome: Outcome = "ok" if ok else "http_error"
            status = 200 if ok else 503
            yield to_line(attempt(start, took, outcome, of=name, n=number, group=group, status=status))
            start += took + 1
        settled: Settled = "gave_up" if down else "answered"
        token = None if down else 0.5
        ended = start - 1 - at
        yield to_line(
            prompt(at, ended, settled, name=name, user=f"u{n % 2000}", group=group, attempts=tries, first_token=token)
        )
        written, n = written + tries + 1, n + 1


def run_folder(path: Path, count: int) -> Path:
    path.mkdir()
    (path / "scenario.json").write_text(TOLD.model_dump_json(), "utf-8")
    written: Counter[str] = Counter()
    with (path / "journal.jsonl").open("wb") as journal:
        for line in lines(count):
            journal.write(line)
            written["prompts" if line.endswith(b'"kind":"prompt"}\n') else "attempts"] += 1
    seconds = [
        ServiceSecond(t, "main", 100, 90, 10, finished=90, work=10.0, wasted=1.0, capacity=10.0, felt={FAULT: 1})
        for t in range(SECONDS)
    ]
    with JournalWriter(RunFolder(path), LOAD_JOURNALS) as writer:
        records: tuple[Record, ...] = (*seconds, *actions(begin=1000.0, end=2000.0), *health(200))
        for record in records:
            writer.write(record)
    info = RunInfo("paper", 1.0, t0=0.0, ended="completed", end=SECONDS, engine="embedded")
    write_run_info(RunFolder(path), replace(info, records=written | writer.written))
    return path


def judged(folder: Path) -> dict[str, float]:
    """In a process of its own, for its memory."""
    done = subprocess.run([sys.executable, "-c", JUDGE, str(folder)], capture_output=True, text=True, check=True)
    figures = json.loads(done.stdout)
    assert figures.pop("verdict") == "pass"
    return {name: float(value) for name, value in figures.items()}


def test_a_long_run_costs_no_more_a_line_than_a_short_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Ten times the lines: at most about ten times the time, and hardly more memory."""
    short, long = judged(run_folder(tmp_path / "short", SHORT)), judged(run_folder(tmp_path / "long", LONG))

    with capsys.disabled():
        for count, found in ((SHORT, short), (LONG, long)):
            print(  # noqa: T201 - the figures are what it is for
                f"\n{count:>9,} lines judged and reported: {found['wall']:.1f} s ({found['cpu']:.1f} s of CPU), "
                f"{found['megabytes']:.0f} MB",
                end="",
            )
    assert long["cpu"] < 1.5 * (LONG / SHORT) * short["cpu"]
    assert long["megabytes"] < min(MEGABYTES, 1.3 * short["megabytes"])
