"""The folder of one run: the names of all its files, and the claim that keeps a second run out of it.

The rule: no folder is used twice. Two runs in one journal would be judged as one run, therefore `create` refuses a
folder that holds any file of a run, whether that run is over, is still writing or was killed.

The claim is the exclusive creation (O_EXCL) of `scenario.json`, the first file of every run, which is never removed.
Of two processes that start at once only one can create it. A lock that ends with its process (flock) would be wrong:
after a kill -9 the folder of the killed run would count as free.
"""

import logging
import os
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from mockbot.errors import TestbedError, UsageError
from mockbot.evidence.journal import JOURNAL, SERVICE
from mockbot.scenario.dump import scenario_yaml
from mockbot.scenario.schema import Scenario

RUNS = Path("runs")  # holds the folders of runs without --out
LOGS = "logs"  # what the processes of a run printed; the testbed names its own files in it
log = logging.getLogger("mockbot")


class RunFile(StrEnum):
    """Every file of a run's folder, in the order in which they are created."""

    SCENARIO = "scenario.json"  # the resolved scenario, for machines; the claim
    SCENARIO_YAML = "scenario.yaml"  # the same, for readers
    TESTBED = f"{LOGS}/testbed.json"  # the addresses of the testbed, for Locust
    BOTH_SIDES = f"{LOGS}/both_sides.json"  # what users and providers saw so far, for Locust's tab
    LOCUST_LOG = f"{LOGS}/locust.log"
    WORKERS = f"{LOGS}/workers.jsonl"  # which workers came from other machines, and which were refused
    TRACED = f"{LOGS}/traced.jsonl"  # every request that a provider got, for OpenTelemetry; no verdict reads it
    JOURNAL = JOURNAL  # every prompt and attempt, as the clients saw them
    SERVICE = SERVICE  # what each provider saw, second by second
    ACTIONS = "actions.jsonl"  # every fault: due, sent, confirmed
    HEALTH = "health.jsonl"  # how well the load generator kept up
    PROGRESS = "progress.jsonl"  # what the live view shows
    ANSWERS = "answers.jsonl"  # of a system under test: what its users' answers say
    REQUESTS = "requests.jsonl"  # of a system under test: every request that a provider got
    NOTES = "notes.jsonl"  # of a drill: what its participants wrote
    ABORT = "abort"  # of a drill: it is there when every fault is to end
    RUN = "run.json"  # how the run was made and how it ended
    SUMMARY = "summary.json"  # the verdict with all measures, for machines
    JUNIT = "junit.xml"
    REPORT = "report.html"
    GITHUB_PAGE = "exports/github.md"
    GITHUB_ANNOTATIONS = "exports/github-annotations.txt"
    OPENMETRICS = "exports/openmetrics.txt"
    METRICS = "exports/metrics.txt"  # over time, for Prometheus
    METRICS_CSV = "exports/metrics.csv"  # the same, for everything else
    DRILL_PAGE = "drill.html"
    SWEEP_RUNS = "sweep.jsonl"  # a line for each run, from which an interrupted sweep goes on
    SWEEP_CSV = "sweep.csv"
    SWEEP = "sweep.json"
    SWEEP_PAGE = "sweep.html"
    EXPLAIN = "explain.json"
    EXPLAIN_PAGE = "explain.html"


@dataclass(frozen=True, slots=True)
class RunFolder:
    """A folder that may not exist yet; `folder / RunFile.JOURNAL` is the path of a file in it."""

    path: Path

    @classmethod
    def create(cls, scenario: Scenario, out: Path | None) -> "RunFolder":
        """Claim `out`, or runs/<time>-<scenario> with `runs/latest` linked to it, and put the scenario into it.

        Raises UsageError when `out` holds any file of a run, or cannot be written to.
        """
        where = RUNS if out is None else out
        try:
            folder = cls.fresh(scenario.name) if out is None else cls(out)
            folder.path.mkdir(parents=True, exist_ok=True)
            folder.require_free()
            try:
                with (folder / RunFile.SCENARIO).open("x", encoding="utf-8") as file:  # the claim
                    file.write(scenario.model_dump_json(indent=1))
            except FileExistsError:
                raise UsageError(_taken(folder.path)) from None
            (folder.path / LOGS).mkdir(exist_ok=True)
        except OSError as error:
            raise UsageError(f"{where}: no run can be written there: {error.strerror}; pass another --out") from None
        folder.put(RunFile.SCENARIO_YAML, scenario_yaml(scenario))
        if out is None:
            folder._link_latest()
        return folder

    def _link_latest(self) -> None:
        link, latest = self.path.with_name(f".latest-{os.getpid()}"), self.path.with_name("latest")
        try:
            link.symlink_to(self.path.name)
            link.replace(latest)
        except OSError as error:  # no reason to run nothing
            link.unlink(missing_ok=True)
            log.warning("%s is left as it is and not linked to %s: %s", latest, self.path, error.strerror)

    @classmethod
    def fresh(cls, name: str) -> "RunFolder":
        """A new, empty runs/<time>-<name>."""
        base = f"{datetime.now().astimezone():%Y%m%d-%H%M%S}-{name}"
        for suffix in ("", *(f"-{number}" for number in range(2, 100))):
            with suppress(FileExistsError):  # of another run that began in the same second
                (RUNS / f"{base}{suffix}").mkdir(parents=True)
                return cls(RUNS / f"{base}{suffix}")
        raise TestbedError(f"{RUNS}/{base} and {base}-2 to {base}-99 exist already; pass --out")

    def __truediv__(self, file: RunFile) -> Path:
        return self.path / file

    @property
    def logs(self) -> Path:
        """The folder of the logs."""
        return self.path / LOGS

    @property
    def holds_a_run(self) -> bool:
        """Whether any file of a run is in it. `logs` and `exports` do not count: other tools use these names too."""
        return self.path.is_dir() and not {each.name for each in self.path.iterdir()}.isdisjoint(RunFile)

    def require_free(self) -> None:
        """Raises UsageError when it holds a run."""
        if self.holds_a_run:
            raise UsageError(_taken(self.path))

    @property
    def has_begun(self) -> bool:
        """Whether the run wrote anything after the scenario."""
        return any((self / file).exists() for file in (RunFile.JOURNAL, RunFile.RUN))

    def put(self, file: RunFile, content: str | bytes) -> None:
        """Replace a file atomically: a reader gets the new content or the old, never a part. Raises TestbedError, also
        where the folder itself was removed: what is left of such a run is no run.
        """
        path = self / file
        fresh = path.with_name(f".{path.name}-{os.getpid()}")
        try:
            if path.parent != self.path:
                path.parent.mkdir(exist_ok=True)
            fresh.write_bytes(content.encode() if isinstance(content, str) else content)
            fresh.replace(path)
        except OSError as error:
            with suppress(OSError):
                fresh.unlink(missing_ok=True)
            raise TestbedError(
                f"{path}: cannot be written: {error.strerror}; make room there, or pass another --out"
            ) from None


def _taken(path: Path) -> str:
    return f"{path} holds a run already (one that is over, killed or still running); name another folder, or remove it"
