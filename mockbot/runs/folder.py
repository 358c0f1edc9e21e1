"""The folder of one run: the names of all its files, and the claim that makes it the folder of one run only.

The rule: no folder is used twice. Two journals in one file would be judged as one run, therefore `create` refuses a
folder that holds anything of a run, whether that run is over, is still writing or was killed.

The claim is the exclusive creation (O_EXCL) of `scenario.json`, the first file of every run, which nobody removes. Of
two processes that start at once only one can create it. A lock that ends with its process (flock) would be wrong here:
after a kill -9 it would offer the folder of the killed run as free.
"""

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

RUNS = Path("runs")  # where a run goes that was given no folder
LOGS = "logs"  # what the processes of a run printed; the testbed names its own files in it


class RunFile(StrEnum):
    """Every file of a run's folder, in the order in which they come to be."""

    SCENARIO = "scenario.json"  # the resolved scenario, for machines; the claim
    SCENARIO_YAML = "scenario.yaml"  # the same, for people
    TESTBED = f"{LOGS}/testbed.json"  # the addresses of the testbed, for Locust
    LOCUST_LOG = f"{LOGS}/locust.log"
    JOURNAL = JOURNAL  # every prompt and attempt, as the clients saw them
    SERVICE = SERVICE  # what each provider saw, second by second
    ACTIONS = "actions.jsonl"  # every fault: due, sent, confirmed
    HEALTH = "health.jsonl"  # how well the load generator kept up
    PROGRESS = "progress.jsonl"  # what the live view shows
    RUN = "run.json"  # how the run was made and how it ended
    SUMMARY = "summary.json"  # the verdict with all measures, for machines
    JUNIT = "junit.xml"
    REPORT = "report.html"
    GITHUB_PAGE = "exports/github.md"
    GITHUB_ANNOTATIONS = "exports/github-annotations.txt"
    OPENMETRICS = "exports/openmetrics.txt"
    SWEEP_CSV = "sweep.csv"
    SWEEP = "sweep.json"
    SWEEP_PAGE = "sweep.html"
    EXPLAIN = "explain.json"
    EXPLAIN_PAGE = "explain.html"


@dataclass(frozen=True, slots=True)
class RunFolder:
    """`folder / RunFile.JOURNAL` is the path of a file; the folder itself exists after `create` or `fresh` only."""

    path: Path

    @classmethod
    def create(cls, scenario: Scenario, out: Path | None) -> "RunFolder":
        """Claim `out`, or runs/<time>-<scenario> with `runs/latest` linked to it, and put the scenario into it.

        Raises UsageError when `out` holds anything of a run.
        """
        folder = cls.fresh(scenario.name) if out is None else cls(out)
        folder.path.mkdir(parents=True, exist_ok=True)
        if folder.holds_a_run or not folder._claim(scenario):
            raise UsageError(
                f"{folder.path} holds a run already (one that is over, killed or still running); "
                "name another folder, or remove it"
            )
        (folder.path / LOGS).mkdir(exist_ok=True)
        folder.put(RunFile.SCENARIO_YAML, scenario_yaml(scenario))
        if out is None:
            link = folder.path.with_name(f".latest-{os.getpid()}")
            link.symlink_to(folder.path.name)
            link.replace(folder.path.with_name("latest"))
        return folder

    @classmethod
    def fresh(cls, name: str) -> "RunFolder":
        """A new, empty runs/<time>-<name>."""
        base = f"{datetime.now().astimezone():%Y%m%d-%H%M%S}-{name}"
        for suffix in ("", *(f"-{number}" for number in range(2, 100))):
            with suppress(FileExistsError):  # another run began in the same second
                (RUNS / f"{base}{suffix}").mkdir(parents=True)
                return cls(RUNS / f"{base}{suffix}")
        raise TestbedError(f"{RUNS}/{base} and a hundred like it are there already")

    def __truediv__(self, file: RunFile) -> Path:
        return self.path / file

    @property
    def logs(self) -> Path:
        """The folder of its logs."""
        return self.path / LOGS

    @property
    def holds_a_run(self) -> bool:
        """Whether any file of a run is in it. `logs` and `exports` alone may be somebody else's."""
        return self.path.is_dir() and not {each.name for each in self.path.iterdir()}.isdisjoint(RunFile)

    @property
    def has_begun(self) -> bool:
        """Whether its run wrote anything beyond the scenario."""
        return any((self / file).exists() for file in (RunFile.JOURNAL, RunFile.RUN))

    def compared_with(self, other: "RunFolder") -> Path:
        """Where the page goes that compares the two."""
        return self.path / f"compared-with-{other.path.resolve().name}.html"

    def put(self, file: RunFile, content: str | bytes) -> None:
        """Put a file in place at once: a reader sees the whole of it or the one before."""
        path = self / file
        path.parent.mkdir(exist_ok=True)
        fresh = path.with_name(f".{path.name}-{os.getpid()}")
        fresh.write_bytes(content.encode() if isinstance(content, str) else content)
        fresh.replace(path)

    def _claim(self, scenario: Scenario) -> bool:
        try:
            with (self / RunFile.SCENARIO).open("x", encoding="utf-8") as file:
                file.write(scenario.model_dump_json(indent=1))
        except FileExistsError:
            return False
        return True
