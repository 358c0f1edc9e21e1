"""A foreign JSON document, read with its place: a value and a path in, typed values or a UsageError out."""

import math
from collections.abc import Iterator
from datetime import UTC, datetime

from mockbot.errors import UsageError

EARLIEST, LATEST = 946684800.0, 4102444800.0  # 2000 and 2100; what lies outside is no time of an incident
MILLISECONDS = 1e11  # a number above it counts milliseconds


class Node:
    """One value of the document, and the path that leads to it."""

    def __init__(self, value: object, path: str = "$") -> None:
        self.value, self.path = value, path

    def __getitem__(self, key: str) -> "Node":
        found = self.get(key)
        if found is None:
            raise self.wrong(f"has no {key!r}")
        return found

    def get(self, key: str) -> "Node | None":
        """A member of an object; None when it is absent or null."""
        if not isinstance(self.value, dict):
            raise self.wrong("is not an object")
        value = self.value.get(key)
        return None if value is None else Node(value, f"{self.path}.{key}")

    def has(self, *keys: str) -> bool:
        """Whether it is an object with all these members."""
        return isinstance(self.value, dict) and all(key in self.value for key in keys)

    def each(self, key: str) -> Iterator["Node"]:
        """The elements of a list that is a member; none when it is absent or null."""
        found = self.get(key)
        return iter(()) if found is None else found.elements()

    def elements(self) -> Iterator["Node"]:
        """The elements of a list."""
        if not isinstance(self.value, list):
            raise self.wrong("is not a list")
        return (Node(value, f"{self.path}[{n}]") for n, value in enumerate(self.value))

    def text(self, key: str, default: str | None = None) -> str:
        """A member that is a text or a number; `default` when it is absent."""
        found = self.get(key)
        if found is None:
            if default is None:
                raise self.wrong(f"has no {key!r}")
            return default
        if not isinstance(found.value, str | int | float) or isinstance(found.value, bool):
            raise found.wrong("is not a text")
        return str(found.value)

    def whole(self, key: str) -> int:
        """A member that is a whole number, or the text of one."""
        text = self.text(key)
        if not text.isdecimal():
            raise self[key].wrong(f"{text[:60]!r} is not a whole number")
        return int(text)

    def time(self, *keys: str) -> float:
        """Unix seconds of the first of these members that is there."""
        for key in keys:
            found = self.get(key)
            if found is not None and found.value != "":
                return unix_time(found.value, found.path)
        raise self.wrong(f"has no {' or '.join(map(repr, keys))}")

    def time_or_none(self, *keys: str) -> float | None:
        """As `time`; None when none of them is there."""
        there = [key for key in keys if (found := self.get(key)) is not None and found.value != ""]
        return self.time(there[0]) if there else None

    def wrong(self, what: str) -> UsageError:
        """An error that says where."""
        return UsageError(f"{self.path} {what}")


def unix_time(value: object, path: str) -> float:
    """Unix seconds of an ISO 8601 time with its offset, or of a count of seconds or milliseconds since 1970."""
    if isinstance(value, str) and value.strip().replace(".", "", 1).isdigit():
        value = float(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        seconds = float(value) / 1000 if value > MILLISECONDS else float(value)
    elif isinstance(value, str):
        try:
            read = datetime.fromisoformat(value.strip())
        except ValueError:
            raise UsageError(f"{path}: {value[:60]!r} is not a time; write it like 2026-01-05T10:12:00Z") from None
        if read.tzinfo is None:
            raise UsageError(f"{path}: {value[:60]!r} has no time zone; add its offset, as 2026-01-05T10:12:00+01:00")
        seconds = read.timestamp()
    else:
        raise UsageError(f"{path} is not a time; write it like 2026-01-05T10:12:00Z")
    if not (math.isfinite(seconds) and EARLIEST <= seconds <= LATEST):
        raise UsageError(f"{path}: {value!r} is not a time between the years 2000 and 2100; correct it")
    return seconds


def utc(at: float) -> str:
    """2026-01-05 10:12:00 UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
