"""Whole runs of Locust with our plugin, as a user starts them: a scenario text in, folder, exit code and output out."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from mockbot.evidence.journal import RunEvidence
from mockbot.evidence.records import Attempt, Prompt, RunInfo
from mockbot.runs.folder import RunFolder
from mockbot.runs.journal_files import read_run, read_run_info

ROOT = Path(__file__).parents[2]
CHAT = ROOT / "loadtests" / "chat.py"


@dataclass(frozen=True, slots=True)
class Ran:
    """What a run left behind; `alive`: processes of it that are still there."""

    folder: Path
    code: int
    output: str
    alive: tuple[str, ...]

    @property
    def info(self) -> RunInfo:
        info = read_run_info(RunFolder(self.folder))
        assert info is not None, self.output
        return info

    @property
    def evidence(self) -> RunEvidence:
        return read_run(RunFolder(self.folder))

    @property
    def attempts(self) -> list[Attempt]:
        return [record for record in self.evidence.requests() if isinstance(record, Attempt)]

    @property
    def prompts(self) -> list[Prompt]:
        return [record for record in self.evidence.requests() if isinstance(record, Prompt)]


def family(pid: int) -> list[psutil.Process]:
    """A process and everything that it started."""
    root = psutil.Process(pid)
    return [root, *root.children(recursive=True)]


def wait_for(condition: Callable[[], bool], within: float = 60.0) -> None:
    """Until it holds; fails when it never does."""
    until = time.monotonic() + within
    while not condition():
        assert time.monotonic() < until, "it never came"
        time.sleep(0.05)


def started(folder: Path) -> Callable[[], bool]:
    """True once prompts are being answered or not: the run is in its midst."""
    return lambda: (folder / "progress.jsonl").exists() and (folder / "progress.jsonl").stat().st_size > 0


@contextmanager
def background(folder: Path, *arguments: str, locustfile: Path = CHAT) -> "Iterator[subprocess.Popen[str]]":
    """Locust while the block lasts; then it is asked to leave."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder.parent / f"{folder.name}.log").open("w", encoding="utf-8") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "locust", "-f", str(locustfile), *arguments],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            text=True,
        )
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def locust(
    folder: Path,
    *arguments: str,
    locustfile: Path = CHAT,
    environment: Mapping[str, str] | None = None,
    meanwhile: Callable[["subprocess.Popen[str]"], None] | None = None,
) -> Ran:
    """Run Locust to its end; `meanwhile` happens to it as soon as it has been started."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "locust", "-f", str(locustfile), *arguments, *_own_port(arguments)]
    with (folder.parent / f"{folder.name}.log").open("w+", encoding="utf-8") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200", **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            text=True,
        )
        known: list[psutil.Process] = []
        try:
            if meanwhile is not None:
                meanwhile(process)
                known = family(process.pid) if process.poll() is None else []
            process.wait(100)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        output.seek(0)
        return Ran(folder / "run", process.returncode, output.read(), _alive(process.pid, known))


def free_port() -> str:
    """One that nobody listens at."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return str(free.getsockname()[1])


def _own_port(arguments: Sequence[str]) -> tuple[str, ...]:
    """Locust's master listens at 5557 unless it is told; two runs at once need two ports."""
    if "--processes" not in arguments:
        return ()
    port = free_port()
    return ("--master-bind-host", "127.0.0.1", "--master-bind-port", port, "--master-port", port)


def rehearse(folder: Path, scenario: str, *arguments: str, **facts: Any) -> Ran:
    """A headless run of a scenario on a stage of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "scenario.yaml"
    file.write_text(scenario, "utf-8")
    return locust(folder, "--scenario", str(file), "--headless", "--out", str(folder / "run"), *arguments, **facts)


def counts(path: Path) -> list[tuple[float, dict[str, int]]]:
    """What inside/counting.py wrote."""
    return [(t, users) for t, users in map(json.loads, path.read_text("utf-8").splitlines())]


def _alive(session: int, known: list[psutil.Process]) -> tuple[str, ...]:
    """Processes of the run that live on, given a moment to leave."""
    suspects = {process.pid: process for process in known}
    for process in psutil.process_iter():
        try:
            if os.getsid(process.pid) == session:
                suspects[process.pid] = process
        except ProcessLookupError:
            continue
    _, left = psutil.wait_procs(list(suspects.values()), timeout=10)
    commands = []
    for process in left:
        with suppress(psutil.NoSuchProcess):  # which a zombie is, too
            commands.append(" ".join(process.cmdline()))
    return tuple(commands)
