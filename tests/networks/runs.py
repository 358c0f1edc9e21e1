"""A run on one machine whose load is made on others, as a user starts both."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.load.runs import Ran
from tests.networks.machines import Machine

TOKEN = "a word for this run"
PORT = 5557
LEAVES_WITHIN = 60.0  # wall seconds, for the tests only


@dataclass
class Elsewhere:
    """The run's own process, and those of its workers in the order in which they were started."""

    folder: Path
    master: Machine
    run: "subprocess.Popen[bytes]"
    stack: ExitStack
    workers: "list[subprocess.Popen[bytes]]" = field(default_factory=list)

    def join(self, machine: Machine, *before: str, token: str = TOKEN, **environment: str) -> int:
        """Start a worker there, `before` its command line; its number."""
        number = len(self.workers)
        words = [*before, sys.executable, "-m", "mockbot", "worker", f"{self.master.address}:{PORT}"]
        self.workers.append(self.start(machine, words, f"worker{number}", MOCKBOT_TOKEN=token, **environment))
        return number

    def start(self, machine: Machine, words: Sequence[str], log: str, **environment: str) -> "subprocess.Popen[bytes]":
        """Any program there; it is ended with the block."""
        return self.stack.enter_context(
            _process(machine.command(*words), self.folder.with_name(f"{log}.log"), environment)
        )

    def said(self, number: int | None = None) -> str:
        """What a worker wrote, or the run."""
        name = "run" if number is None else f"worker{number}"
        return self.folder.with_name(f"{name}.log").read_text("utf-8")

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait until it holds; fails when the run ends before."""
        while not condition():
            assert self.run.poll() is None, self.said()
            time.sleep(0.05)

    @property
    def begun(self) -> bool:
        """Whether users ask."""
        journal = self.folder / "journal.jsonl"
        return journal.exists() and journal.stat().st_size > 0

    def ran(self) -> Ran:
        """Once the run has ended."""
        code = self.run.wait(120)
        return Ran(self.folder, code, self.said(), ())

    def codes(self) -> list[int]:
        """Of the workers, once they have ended."""
        return [worker.wait(LEAVES_WITHIN) for worker in self.workers]


@contextmanager
def waiting_run(
    folder: Path, master: Machine, text: str, workers: int, *options: str, **environment: str
) -> Iterator[Elsewhere]:
    """`mockbot run --workers`, which waits for them (0: makes the load itself); in the end no process of it is left."""
    folder.mkdir(parents=True, exist_ok=True)
    scenario = folder / "outage.yaml"
    scenario.write_text(text, "utf-8")
    words = [sys.executable, "-m", "mockbot", "run", str(scenario), "--out", str(folder / "run"), *options]
    words += ["--workers", str(workers), "--bind", master.address] if workers else []
    with ExitStack() as stack:
        environment = {"MOCKBOT_TOKEN": TOKEN, **environment}
        run = stack.enter_context(_process(master.command(*words), folder / "run.log", environment))
        yield Elsewhere(folder / "run", master, run, stack)


@contextmanager
def _process(command: Sequence[str], log: Path, environment: dict[str, str]) -> "Iterator[subprocess.Popen[bytes]]":
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=output, stdin=subprocess.DEVNULL, env=os.environ | environment
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(25)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
