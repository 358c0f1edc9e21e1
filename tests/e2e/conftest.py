"""Whole runs as a user makes them: `python -m mockbot` in a child process, with an eye on everything that it starts."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest

SHORT = """
name: short
title: A short outage for tests
speed: 20
seed: 7
providers:
  main: {slots: 40, answer: {first_token: 300ms, tokens: {median: 20, p95: 40}}}
crowd:
  patient: {users: 100%, policy: backoff, think: 10s, patience: 60s}
phases:
  - {name: steady, lasts: 60s, users: 30}
  - {name: blackout, lasts: 30s, faults: [FAULT]}
  - {name: after, lasts: 60s}
expect:
  - {phase: steady, availability: ">= 99%"}
  - {phase: after, availability: ">= 90%"}
"""


@dataclass
class Run:
    """A `mockbot` process, its folder, and every process that was ever below it."""

    process: "subprocess.Popen[str]"
    folder: Path
    descendants: set[psutil.Process] = field(default_factory=set)

    def watch(self, until: Callable[[], bool] = lambda: False, within: float = 120.0) -> None:
        """Note descendants until the process ends, or `until` holds."""
        deadline = time.monotonic() + within
        while self.process.poll() is None and not until():
            assert time.monotonic() < deadline, "the run did not get there in time"
            try:
                self.descendants |= set(psutil.Process(self.process.pid).children(recursive=True))
            except psutil.NoSuchProcess:
                break
            time.sleep(0.02)

    def interrupt(self, how: signal.Signals = signal.SIGINT) -> None:
        """Send the signal to `mockbot` alone, as a CI runner does."""
        self.process.send_signal(how)

    def finish(self) -> int:
        """Wait for the end; the exit code."""
        self.watch()
        return self.process.wait(60)

    def output(self) -> str:
        """What it wrote to its terminal; after the end."""
        return (self.folder.parent / "output").read_text("utf-8")

    def load_has_begun(self) -> bool:
        """True once the first prompts are in the journal."""
        journal = self.folder / "journal.jsonl"
        return journal.exists() and journal.stat().st_size > 0

    def summary(self) -> dict[str, object]:
        """summary.json."""
        return dict(json.loads((self.folder / "summary.json").read_text("utf-8")))

    def left(self) -> tuple[list[str], list[int]]:
        """What outlived the run: processes (given a moment to go) and listening ports."""
        _, alive = psutil.wait_procs(self.descendants, timeout=10)
        return [f"{process}" for process in alive], [port for port in self._ports() if _listens(port)]

    def _ports(self) -> list[int]:
        testbed = self.folder / "logs" / "testbed.json"
        if not testbed.exists():
            return []
        addresses = json.loads(testbed.read_text("utf-8"))
        urls = [addresses["service_control"], addresses["proxy_control"]]
        urls += [*addresses["providers"].values(), *addresses["direct"].values()]
        return [urlsplit(url).port or 0 for url in urls]


def _listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def _hear_ctrl_c() -> None:
    """As in a terminal: a test run that was started with `&` would hand its deafness on."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Run]]:
    """Start `mockbot run ARGUMENTS` in an empty folder; whatever is left of it at the end is killed by its id."""
    with put_up(lambda number: tmp_path / f"run{number}") as begin:
        yield begin


@pytest.fixture(scope="session")
def lived_through(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Run]]:
    """A bundled scenario that has been run to its end: once, however many tests look at what it left."""
    base = tmp_path_factory.mktemp("bundled")
    runs: dict[str, Run] = {}
    with put_up(lambda number: base / f"run{number}") as begin:

        def run(name: str) -> Run:
            if name not in runs:
                runs[name] = begin(name)
                runs[name].watch(within=600.0)
                runs[name].process.wait(60)
            return runs[name]

        yield run


@contextmanager
def put_up(folder: Callable[[int], Path]) -> Iterator[Callable[..., Run]]:
    """A function that starts `mockbot run TARGET ARGUMENTS` in a fresh folder; it is killed when the block ends.

    `before`: a program that starts mockbot, with its arguments. `environment`: on top of ours.
    """
    runs: list[Run] = []

    def begin(
        target: Path | str, *arguments: str, before: Sequence[str] = (), environment: Mapping[str, str] | None = None
    ) -> Run:
        base = folder(len(runs))
        base.mkdir(exist_ok=True)
        command = [*before, sys.executable, "-m", "mockbot", "run", str(target), "--out", str(base / "out")]
        command += arguments
        with (base / "output").open("w") as output:
            process = subprocess.Popen(
                command,
                cwd=base,
                stdout=output,
                stderr=subprocess.STDOUT,
                text=True,
                env={**os.environ, "COLUMNS": "100", **(environment or {})},
            )
        runs.append(Run(process, base / "out"))
        return runs[-1]

    try:
        yield begin
    finally:
        for run in runs:
            run.process.kill()
            run.process.wait()
            for process in run.descendants:
                if process.is_running():
                    process.kill()


@pytest.fixture
def short(tmp_path: Path) -> Callable[[str], Path]:
    """A scenario of 7.5 wall seconds whose middle third has the given fault."""

    def write(fault: str) -> Path:
        path = tmp_path / "short.yaml"
        path.write_text(SHORT.replace("FAULT", fault), "utf-8")
        return path

    return write
