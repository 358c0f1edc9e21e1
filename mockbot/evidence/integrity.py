"""All records of a run in, out what shows that they are not those that the run wrote. Pure.

A line may be a valid record and yet no evidence: of a file that was cut between two lines nothing is torn. Therefore
run.json signs off how many records of each kind were written, no id may occur twice, no record may end before it
starts, and each is of a group or provider of the scenario and of the time of the run.

Memory is constant: a Bloom filter of SIZE bits (16 MiB) in which each id sets four, and at most MOST_SUSPECTS ids whose
bits were all set before (about 70 MiB). Below a million records hardly one is a suspect by chance; where any is,
a second pass over the journals looks for ids that really occur twice. Beyond some 25 million records there may be more
suspects by chance than are kept: from there on only the counts protect. Ids are told apart by 64 bits.
"""

import math
from collections import Counter
from itertools import chain

from mockbot.evidence.journal import Broken, RunEvidence
from mockbot.evidence.records import KINDS, Action, Attempt, Health, Progress, Prompt, Request, ServiceSecond
from mockbot.evidence.system_records import SystemAnswer

SIZE = 1 << 27
MOST_SUSPECTS = 1_000_000
MARGIN = 60.0  # wall seconds by which a record may lie outside of the run: prompts that drain, a client that stays


class Integrity:
    """Use once: `add` every record of the journals in one pass, then read `problem`."""

    def __init__(self) -> None:
        self._bits = bytearray(SIZE // 8)
        self._suspects: set[int] = set()
        self._counts: Counter[str] = Counter()
        self._backwards: str | None = None
        self._names: dict[str, str] = {}  # a group, or the provider of a second -> one of its records
        self._first, self._last = (math.inf, ""), (-math.inf, "")

    def add(self, record: Attempt | Prompt | ServiceSecond) -> None:
        """Count a record, look at its times and note its id."""
        self._counts[KINDS[type(record)]] += 1
        if not isinstance(record, ServiceSecond) and record.end < record.start:
            self._backwards = min(self._backwards or _name(record), _name(record))
        name, begin, end = (
            (record.provider, record.t, record.t)
            if isinstance(record, ServiceSecond)
            else (record.group, record.start, record.end)
        )
        if name not in self._names:
            self._names[name] = _name(record)
        if begin < self._first[0]:
            self._first = begin, _name(record)
        if end > self._last[0]:
            self._last = end, _name(record)
        bits, key, known = self._bits, _key(record), True
        for place in (key % SIZE, (key >> 12) % SIZE, (key >> 24) % SIZE, (key >> 37) % SIZE):
            byte, bit = place >> 3, 1 << (place & 7)
            if not bits[byte] & bit:
                bits[byte] |= bit
                known = False
        if known and len(self._suspects) < MOST_SUSPECTS:
            self._suspects.add(key)

    def problem(self, evidence: RunEvidence) -> str | None:
        """The first thing that is wrong; None when all records are there, once."""
        info = evidence.info
        if info.scenario != evidence.scenario.name:
            return f"run.json is of the scenario {info.scenario}, scenario.json of {evidence.scenario.name}"
        if info.records is None and info.ended == "completed" and evidence.folder is not None:
            return "run.json does not say how many records were written, so a lost one would not be noticed"
        if info.records is not None:
            kept = {
                Action: len(evidence.actions), Health: len(evidence.health), Progress: evidence.progress,
                SystemAnswer: len(evidence.answers), Request: len(evidence.upstream),
            }  # fmt: skip
            found = self._counts + Counter({KINDS[kind]: count for kind, count in kept.items()})
            for kind in KINDS.values():
                if found[kind] != (written := info.records.get(kind, 0)):
                    return f"{written} {kind} were written, and {found[kind]} are on record"
        if doubled := self._doubled(evidence):
            return f"{doubled} is on record twice"
        if self._backwards:
            return f"{self._backwards} ends before it starts"
        return self._foreign(evidence)

    def _foreign(self, evidence: RunEvidence) -> str | None:
        """A record of nobody in the scenario, or of another time than the run's."""
        known, margin = {*evidence.scenario.crowd, *evidence.scenario.providers}, MARGIN * evidence.info.speed
        if strange := sorted(self._names.keys() - known):
            return f"{self._names[strange[0]]} is of {strange[0]}, which the scenario has not"
        # A simulated run begins at 0; a client that is not ours may have asked while the testbed got ready.
        earliest = 0.0 if evidence.info.simulated else -margin
        latest = max(evidence.info.end, evidence.timeline.latest) + margin
        for t, name in (self._first, self._last):
            if name and not earliest <= t <= latest:
                return f"{name} is of second {t:g}, when there was no run"
        return None

    def _doubled(self, evidence: RunEvidence) -> str | None:
        """The first of all doubled ids in the order of their names, which is the same for any order of the lines."""
        seen: set[int] = set()
        first: str | None = None
        for record in chain(evidence.requests(), evidence.seconds()) if self._suspects else ():
            if isinstance(record, Broken) or (key := _key(record)) not in self._suspects:
                continue
            if key in seen:
                first = min(first or _name(record), _name(record))
            seen.add(key)
        return first


def _key(record: Attempt | Prompt | ServiceSecond) -> int:
    match record:
        case Attempt():
            return hash((record.prompt, record.n))
        case Prompt():
            return hash(record.id)
        case ServiceSecond():
            return hash((record.provider, record.t, "second"))


def _name(record: Attempt | Prompt | ServiceSecond) -> str:
    match record:
        case Attempt():
            return f"attempt {record.n} of prompt {record.prompt}"
        case Prompt():
            return f"prompt {record.id}"
        case ServiceSecond():
            return f"second {record.t} of provider {record.provider}"
