"""A run folder's JSON lines, both ways: records in, lines out while the run lives; lines in, records out when it is
judged.

A line goes to the kernel as soon as it is written, so a killed writer loses at most the line it was writing. Reading
is one pass that holds one line at a time; what cannot be read is handed on as `Broken` and never dropped.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Generic, Self, TypeVar

from pydantic import TypeAdapter, ValidationError

from mockbot.errors import UsageError
from mockbot.evidence.records import Action, Attempt, Health, Progress, Prompt, Record, RunInfo, ServiceSecond
from mockbot.scenario.schema import Scenario
from mockbot.scenario.timeline import Timeline

JOURNAL, SERVICE, ACTIONS, HEALTH = "journal.jsonl", "service.jsonl", "actions.jsonl", "health.jsonl"
PROGRESS, RUN, SCENARIO = "progress.jsonl", "run.json", "scenario.json"

_ATTEMPT, _PROMPT = TypeAdapter(Attempt), TypeAdapter(Prompt)
_SECOND, _ACTION, _HEALTH = TypeAdapter(ServiceSecond), TypeAdapter(Action), TypeAdapter(Health)
_RUN, _OBJECT = TypeAdapter(RunInfo), TypeAdapter(dict[str, object])
_DUMPERS: dict[type, Callable[..., bytes]] = {
    Attempt: _ATTEMPT.dump_json,
    Prompt: _PROMPT.dump_json,
    ServiceSecond: _SECOND.dump_json,
    Action: _ACTION.dump_json,
    Health: _HEALTH.dump_json,
    Progress: TypeAdapter(Progress).dump_json,
}
_attempt: Callable[[bytes], Attempt] = _ATTEMPT.validator.validate_json  # the adapter's own method costs a sixth more
_prompt: Callable[[bytes], Prompt] = _PROMPT.validator.validate_json
_R = TypeVar("_R")


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


class Writer:
    """Appends records to one file, a line each; several writers, in several processes, may share the file."""

    def __init__(self, path: Path) -> None:
        self._file: int | None = os.open(path, os.O_APPEND | os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o644)

    def write(self, record: Record) -> None:
        """Append one line; ValueError after `close`."""
        if self._file is None:
            raise ValueError("the journal is closed")
        os.write(self._file, to_line(record))

    def close(self) -> None:
        """Idempotent."""
        file, self._file = self._file, None
        if file is not None:
            os.close(file)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def to_line(record: Record) -> bytes:
    """One JSON object and a newline."""
    return _DUMPERS[type(record)](record) + b"\n"


def write_run_info(folder: Path, info: RunInfo) -> None:
    """Put `run.json` in place at once: a reader sees the whole of it or the one before."""
    fresh = folder / f".{RUN}-{os.getpid()}"
    fresh.write_bytes(_RUN.dump_json(info, indent=1))
    fresh.replace(folder / RUN)


def read_run_info(folder: Path) -> RunInfo | None:
    """`run.json`; None when there is none or it cannot be read."""
    try:
        return _RUN.validate_json((folder / RUN).read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


def read_run(folder: Path) -> RunEvidence:
    """Everything in a run folder. Raises UsageError when it holds no scenario, and is therefore none."""
    scenario = _read_scenario(folder)
    timeline = Timeline(scenario)
    actions = tuple(_lines(folder / ACTIONS, _ACTION.validate_json))
    health = tuple(_lines(folder / HEALTH, _HEALTH.validate_json))
    return RunEvidence(
        info=read_run_info(folder) or _unknown(scenario),
        scenario=scenario,
        timeline=timeline,
        requests=lambda: _lines(folder / JOURNAL, _read_request),
        seconds=lambda: _lines(folder / SERVICE, _SECOND.validate_json),
        actions=tuple(line for line in actions if isinstance(line, Action)),
        health=tuple(line for line in health if isinstance(line, Health)),
        broken=tuple(line for line in (*actions, *health) if isinstance(line, Broken)),
        folder=folder,
    )


class Follower(Generic[_R]):
    """Reads what was appended to a file of one kind of record since the last look; the file need not exist yet."""

    def __init__(self, path: Path, kind: type[_R]) -> None:
        self._path = path
        self._offset = 0
        self._adapter = TypeAdapter(kind)

    def new(self) -> list[_R]:
        """The records of the complete new lines, oldest first."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                fresh = file.read()
        except FileNotFoundError:
            return []
        whole = fresh[: fresh.rfind(b"\n") + 1]
        self._offset += len(whole)
        return [self._adapter.validate_json(line) for line in whole.splitlines()]


def _read_scenario(folder: Path) -> Scenario:
    try:
        return Scenario.model_validate_json((folder / SCENARIO).read_bytes())
    except FileNotFoundError:
        raise UsageError(
            f"{folder}: no {SCENARIO} there, so it is no run folder; give one that `mockbot run` made"
        ) from None
    except ValidationError as error:
        raise UsageError(f"{folder / SCENARIO}: cannot be read: {error}") from None


def _unknown(scenario: Scenario) -> RunInfo:
    why = f"{RUN} is missing or cannot be read: the run was cut short before it could say how it ended"
    return RunInfo(scenario.name, scenario.speed, t0=None, ended="failed", end=0.0, engine="none", why=why)


def _lines(path: Path, read: Callable[[bytes], _R]) -> Iterator[_R | Broken]:
    """One record a line. Only a file that does not exist is taken as empty."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return
    with file:
        torn: Broken | None = None  # held back by one line, to know whether it was the last
        for number, line in enumerate(file, 1):
            if torn is not None:
                yield torn
                torn = None
            try:
                yield read(line)
            except ValueError as error:
                torn = Broken(path.name, number, _why(error))
        if torn is not None:
            yield replace(torn, last=True)


def _why(error: ValueError) -> str:
    return error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)


def _read_request(line: bytes) -> Attempt | Prompt:
    """By the kind at the end of a line that we wrote; a line of another writer is read twice."""
    if line.endswith(b'"kind":"attempt"}\n'):
        return _attempt(line)
    if line.endswith(b'"kind":"prompt"}\n'):
        return _prompt(line)
    match _OBJECT.validate_json(line).get("kind"):
        case "attempt":
            return _attempt(line)
        case "prompt":
            return _prompt(line)
        case other:
            raise ValueError(f"unknown kind {other!r}")
