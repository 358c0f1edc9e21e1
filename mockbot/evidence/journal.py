"""All that a run left behind, as the values that are judged. Pure: `mockbot.runs` reads them from files, and who has
no files makes them from memory.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from mockbot.evidence.records import Action, Attempt, Health, Prompt, RunInfo, ServiceSecond
from mockbot.scenario.schema import Scenario
from mockbot.scenario.timeline import Timeline

JOURNAL, SERVICE = "journal.jsonl", "service.jsonl"  # the files that a reason sends its reader to


@dataclass(frozen=True, slots=True)
class Broken:
    """A line that is no record: where it is and why. `last`: the file's final one, as a killed writer leaves it."""

    file: str
    line: int
    why: str
    last: bool = False


@dataclass(frozen=True, slots=True)
class RunEvidence:
    """All that a run left behind. `requests` and `seconds` start a fresh single pass each time they are called."""

    info: RunInfo
    scenario: Scenario
    timeline: Timeline
    requests: Callable[[], Iterator[Attempt | Prompt | Broken]]
    seconds: Callable[[], Iterator[ServiceSecond | Broken]]
    actions: tuple[Action, ...] = ()
    health: tuple[Health, ...] = ()
    broken: tuple[Broken, ...] = ()  # lines of the actions and health files
    folder: Path | None = None
