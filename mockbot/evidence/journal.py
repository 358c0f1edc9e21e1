"""The evidence of a run, as values. Pure: `mockbot.runs` reads it from files, the simulator builds it in memory."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from mockbot.evidence.records import Action, Attempt, Health, Prompt, Request, RunInfo, ServiceSecond
from mockbot.evidence.system_records import SystemAnswer
from mockbot.scenario.schema import Scenario
from mockbot.scenario.timeline import Timeline

JOURNAL, SERVICE = "journal.jsonl", "service.jsonl"  # files that a verdict's reasons refer to
BOTH_SIDES = "answers.jsonl, requests.jsonl"  # of a system


@dataclass(frozen=True, slots=True)
class Broken:
    """A line that is not a valid record. `last`: without the newline at its end, as a killed writer leaves the last."""

    file: str
    line: int
    why: str
    last: bool = False


@dataclass(frozen=True, slots=True)
class RunEvidence:
    """All records of a run. Each call of `requests` or `seconds` starts a new pass over their journal."""

    info: RunInfo
    scenario: Scenario
    timeline: Timeline
    requests: Callable[[], Iterator[Attempt | Prompt | Broken]]
    seconds: Callable[[], Iterator[ServiceSecond | Broken]]
    actions: tuple[Action, ...] = ()
    health: tuple[Health, ...] = ()
    progress: int = 0  # snapshots of the live view, which no measure needs
    broken: tuple[Broken, ...] = ()  # lines of the actions, health and progress files
    folder: Path | None = None
    answers: tuple[SystemAnswer, ...] = ()  # of a run with a system under test
    upstream: tuple[Request, ...] = ()  # the same; in the order in which they ended
