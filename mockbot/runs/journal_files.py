"""The JSON lines of a run folder: records in, lines out during the run; lines in, `RunEvidence` out when it is judged.

Every line is one unbuffered write, so a killed writer loses at most the line it was writing. Reading is one pass that
holds one line at a time, of LONGEST bytes at most, and MOST_KEPT lines of the files that are kept in memory. A line
that cannot be read becomes a `Broken` record and is never dropped.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, suppress
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Annotated, BinaryIO, Generic, TypeVar, cast

from pydantic import Discriminator, TypeAdapter, ValidationError

from mockbot.errors import TestbedError, UsageError
from mockbot.evidence.journal import Broken, RunEvidence
from mockbot.evidence.records import (
    KINDS,
    Action,
    Attempt,
    Health,
    Progress,
    Prompt,
    Record,
    Request,
    RunInfo,
    ServiceSecond,
)
from mockbot.evidence.system_records import SystemAnswer
from mockbot.runs.folder import RunFile, RunFolder
from mockbot.scenario.schema import Scenario
from mockbot.scenario.timeline import Timeline

_ATTEMPT, _PROMPT = TypeAdapter(Attempt), TypeAdapter(Prompt)
_SECOND, _ACTION, _HEALTH = TypeAdapter(ServiceSecond), TypeAdapter(Action), TypeAdapter(Health)
_ANSWER, _REQUEST, _PROGRESS = TypeAdapter(SystemAnswer), TypeAdapter(Request), TypeAdapter(Progress)
_RUN, _OBJECT = TypeAdapter(RunInfo), TypeAdapter(dict[str, object])
_CERTAIN = {"may_retry", "code"}  # which only the inferred journal of an external client has, and few of its lines


def _attempt_line(attempt: Attempt) -> bytes:
    return _ATTEMPT.dump_json(attempt, exclude=_CERTAIN if attempt.may_retry is attempt.code is None else None)


def _request_line(request: Request) -> bytes:
    return _REQUEST.dump_json(request, exclude={"parent"} if request.parent is None else None)


_KINDS: dict[type, tuple[RunFile, Callable[..., bytes]]] = {  # the file of each record, and how it is serialized
    Attempt: (RunFile.JOURNAL, _attempt_line),
    Prompt: (RunFile.JOURNAL, _PROMPT.dump_json),
    ServiceSecond: (RunFile.SERVICE, _SECOND.dump_json),
    Action: (RunFile.ACTIONS, _ACTION.dump_json),
    Health: (RunFile.HEALTH, _HEALTH.dump_json),
    Progress: (RunFile.PROGRESS, _PROGRESS.dump_json),
    SystemAnswer: (RunFile.ANSWERS, _ANSWER.dump_json),
    Request: (RunFile.REQUESTS, _request_line),
}
JOURNALS = (RunFile.JOURNAL, RunFile.SERVICE, RunFile.ACTIONS)  # of every run
LOAD_JOURNALS = (*JOURNALS, RunFile.HEALTH, RunFile.PROGRESS)  # of a run with mockbot's load generator
SYSTEM_JOURNALS = (RunFile.ANSWERS, RunFile.REQUESTS)  # of one with a system under test
# Millions of lines are read with these two; TypeAdapter.validate_json itself takes a sixth longer.
_attempt: Callable[[bytes], Attempt] = _ATTEMPT.validator.validate_json
_prompt: Callable[[bytes], Prompt] = _PROMPT.validator.validate_json
_R = TypeVar("_R")
CROWD = cast("type[Attempt | Prompt]", Annotated[Attempt | Prompt, Discriminator("kind")])  # for a Follower
LONGEST = 1 << 20  # bytes of a line; ours have a few hundred
MOST_KEPT = 500_000  # lines of actions and of health samples: more than five days of the latter
LARGEST = 1 << 24  # bytes of scenario.json and of run.json


class JournalWriter(AbstractContextManager["JournalWriter"]):
    """Appends each record as a line to the file of its kind. `written` counts them, for RunInfo.records.

    Processes may share a folder: with O_APPEND each write goes to the end of the file in one piece (POSIX write).
    """

    def __init__(self, folder: RunFolder, files: Iterable[RunFile] = JOURNALS) -> None:
        self._folder = folder
        self._files = {file: self._open(file) for file in files}
        self.written = dict.fromkeys(KINDS.values(), 0)

    def write(self, record: Record) -> None:
        """Append one line; ValueError after `close`, TestbedError when the system does not take the whole line."""
        if not self._files:
            raise ValueError("the journal is closed")
        file, line = _KINDS[type(record)][0], to_line(record)
        if file not in self._files:  # one of SYSTEM_JOURNALS, which most runs do not have
            self._files[file] = self._open(file)
        try:
            while line:  # a disk that is nearly full takes a part, and says why at the rest
                line = line[os.write(self._files[file], line) :]
        except OSError as error:
            raise TestbedError(f"{file} cannot be written: {error.strerror}; make room and run again") from None
        self.written[KINDS[type(record)]] += 1

    def _open(self, file: RunFile) -> int:
        return os.open(self._folder / file, os.O_APPEND | os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o644)

    def close(self) -> None:
        """Close all files; idempotent."""
        files, self._files = self._files, {}
        for file in files.values():
            os.close(file)

    def __exit__(self, *exception: object) -> None:
        self.close()


def to_line(record: Record) -> bytes:
    """Serialize a record as one JSON object and a newline."""
    return _KINDS[type(record)][1](record) + b"\n"


def write_run_info(folder: RunFolder, info: RunInfo) -> None:
    """Write `run.json`."""
    folder.put(RunFile.RUN, _RUN.dump_json(info, indent=1))


def read_run_info(folder: RunFolder) -> RunInfo | None:
    """Read `run.json`; None when it is missing or invalid."""
    try:
        info = _RUN.validate_json(_small(folder / RunFile.RUN))
    except (FileNotFoundError, ValidationError):
        return None
    sane = info.speed > 0.0 <= info.end and info.weight > 0 <= min(info.nodes, info.lost_nodes)
    return info if sane else None


def read_run(folder: RunFolder) -> RunEvidence:
    """Read a run folder. Raises UsageError when it holds a sweep or no scenario."""
    scenario = _read_scenario(folder)
    actions = list(_kept(_lines(folder / RunFile.ACTIONS, _ACTION.validate_json), RunFile.ACTIONS))
    health = list(_kept(_lines(folder / RunFile.HEALTH, _HEALTH.validate_json), RunFile.HEALTH))
    answers = list(_kept(_lines(folder / RunFile.ANSWERS, _ANSWER.validate_json), RunFile.ANSWERS))
    upstream = list(_kept(_lines(folder / RunFile.REQUESTS, _REQUEST.validate_json), RunFile.REQUESTS))
    progress = 0
    broken = [line for line in (*actions, *health, *answers, *upstream) if isinstance(line, Broken)]
    for line in _lines(folder / RunFile.PROGRESS, _PROGRESS.validate_json):
        if isinstance(line, Progress):
            progress += 1
        elif len(broken) < MOST_KEPT:
            broken.append(line)
    why = f"{RunFile.RUN} is missing or cannot be read: the run was killed before it could record how it ended"
    unknown = RunInfo(scenario.name, scenario.speed, t0=None, ended="failed", end=0.0, engine="none", why=why)
    return RunEvidence(
        info=read_run_info(folder) or unknown,
        scenario=scenario,
        timeline=Timeline(scenario),
        requests=lambda: _lines(folder / RunFile.JOURNAL, _read_request),
        seconds=lambda: _lines(folder / RunFile.SERVICE, _SECOND.validate_json),
        actions=tuple(line for line in actions if isinstance(line, Action)),
        health=tuple(line for line in health if isinstance(line, Health)),
        progress=progress,
        broken=tuple(broken),
        folder=folder.path,
        answers=tuple(each for each in answers if isinstance(each, SystemAnswer)),
        upstream=tuple(each for each in upstream if isinstance(each, Request)),
    )


class Follower(Generic[_R]):
    """Reads the records that were appended to a file since the last call of `new`; the file need not exist yet."""

    def __init__(self, path: Path, kind: type[_R]) -> None:
        self._path = path
        self._offset = 0
        self._adapter = TypeAdapter(kind)

    def new(self) -> list[_R]:
        """The records of the complete new lines, oldest first; of more than a few MB the first ones."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                fresh = file.read(2 * LONGEST)
        except FileNotFoundError:
            return []
        whole = fresh[: fresh.rfind(b"\n") + 1]
        self._offset += len(whole)
        records = []
        for line in whole.splitlines():
            with suppress(ValidationError):  # torn on a full disk; the journal's reader tells of it
                records.append(self._adapter.validate_json(line))
        return records


def _read_scenario(folder: RunFolder) -> Scenario:
    if (folder / RunFile.SWEEP).exists():
        raise UsageError(f"{folder.path}: a sweep, which has no single verdict; give the folder of one run")
    path = folder / RunFile.SCENARIO
    try:
        return Scenario.model_validate_json(_small(path))
    except FileNotFoundError:
        raise UsageError(
            f"{folder.path}: not a run folder (no {path.name} in it); give one that `mockbot run` made"
        ) from None
    except ValidationError as error:
        raise UsageError(f"{path}: cannot be read: {error}; give a run folder as mockbot left it") from None


def _small(path: Path) -> bytes:
    """The first LARGEST bytes: what is cut off there is no valid JSON."""
    with _opened(path) as file:
        return file.read(LARGEST)


def _opened(path: Path) -> BinaryIO:
    """Raises UsageError for a pipe or a device, which might never end; OSError for what cannot be opened."""
    if path.exists() and not path.is_dir() and not path.is_file():
        raise UsageError(f"{path}: is not a file; give a run folder as mockbot left it")
    return path.open("rb")


def _kept(lines: Iterator[_R | Broken], file: RunFile) -> Iterator[_R | Broken]:
    yield from islice(lines, MOST_KEPT)
    if next(lines, None) is not None:
        yield Broken(file, MOST_KEPT + 1, f"a run has at most {MOST_KEPT} lines in it")


def _lines(path: Path, read: Callable[[bytes], _R]) -> Iterator[_R | Broken]:
    """One record for each line. A missing file counts as empty; other errors of the system are raised."""
    try:
        file = _opened(path)
    except FileNotFoundError:
        return
    with file:
        parts = iter(partial(file.readline, LONGEST), b"")
        for number, line in enumerate(parts, 1):
            if len(line) == LONGEST and not line.endswith(b"\n"):
                yield Broken(path.name, number, f"longer than {LONGEST} bytes")
                next((part for part in parts if part.endswith(b"\n")), None)
                continue
            try:
                yield read(line)
            except ValueError as error:
                why = str(error)
                if isinstance(error, ValidationError):
                    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
                    why = ": ".join([*map(str, first["loc"][:1]), first["msg"]])
                yield Broken(path.name, number, why, last=not line.endswith(b"\n"))


def _read_request(line: bytes) -> Attempt | Prompt:
    """`write` puts the kind last, where it is cheap to find; a line of another writer is parsed twice."""
    if line.endswith(b'"kind":"attempt"}\n'):
        return _attempt(line)
    if line.endswith(b'"kind":"prompt"}\n'):
        return _prompt(line)
    kind = _OBJECT.validate_json(line).get("kind")
    if kind not in ("attempt", "prompt"):  # a tuple, because the kind in a broken line may be a list
        raise ValueError(f"unknown kind {repr(kind)[:40]}")
    return _attempt(line) if kind == "attempt" else _prompt(line)
