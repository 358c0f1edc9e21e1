"""Files that are damaged end with a line and a remedy, or are read; never with a traceback, and in bounded time."""

import json
from pathlib import Path
from random import Random

import pytest

from mockbot.errors import UsageError
from mockbot.incidents.draft import draft_text
from mockbot.incidents.foreign_document import MOST_BYTES, read_document
from mockbot.incidents.incident_draft import incident_draft
from mockbot.incidents.platforms.all import read_incidents
from mockbot.incidents.series_draft import SeriesOptions, series_draft
from mockbot.incidents.series_file import read_series, reads_series
from mockbot.incidents.staging import Known, stage

FILES = sorted((Path(__file__).parent / "files").iterdir())
ODD: list[object] = [
    None,
    True,
    -1,
    1e300,
    "",
    "x" * 5000,
    [],
    {},
    [[]],
    {"id": None},
    "2026-13-45T99:99:99Z",
    "NaN",
    0,
    "1e999",
]


def read(data: bytes) -> None:
    """Everything that `mockbot import` does with a file."""
    document = read_document(data)
    if reads_series(document):
        draft_text(series_draft(read_series(document, "+00:00", None), "mutated", SeriesOptions(12, 600.0)))
        return
    for incident in read_incidents(document)[1]:
        try:
            draft_text(incident_draft(stage(incident, Known()), "mutated", 600.0))
        except UsageError:  # one incident of several
            continue


def refusal(data: bytes) -> str | None:
    """The sentence that refuses it; None when it is read."""
    try:
        read(data)
    except UsageError as error:
        return str(error)
    return None


def cut_or_torn(data: bytes, rng: Random) -> bytes:
    """The bytes cut off, doubled, overwritten, or with a part missing."""
    at, length = rng.randrange(len(data)), rng.randrange(1, 40)
    kinds = [
        data[:at],
        data[:at] + data[at + length :],
        data[:at] + rng.randbytes(length) + data[at:],
        data[:at] + data[at : at + length] * 3 + data[at + length :],
        data.replace(b"2026", rng.choice([b"0000", b"9999", b"20x6"]), rng.randrange(1, 4)),
    ]
    return rng.choice(kinds)


def with_odd_value(value: object, rng: Random) -> object:
    """A JSON value with one of its members replaced by something odd, or removed."""
    if isinstance(value, dict) and value and rng.random() < 0.9:
        key = rng.choice(list(value))
        if rng.random() < 0.3:
            return {name: each for name, each in value.items() if name != key}
        return {**value, key: with_odd_value(value[key], rng)}
    if isinstance(value, list) and value and rng.random() < 0.9:
        at = rng.randrange(len(value))
        return [*value[:at], with_odd_value(value[at], rng), *value[at + 1 :]]
    return rng.choice(ODD)


def mutated(path: Path, rng: Random) -> bytes:
    """A damaged file; of JSON half of them stay JSON."""
    data = path.read_bytes()
    if path.suffix == ".json" and path.name not in {"aws.json", "statuspage-bom.json"} and rng.random() < 0.5:
        return json.dumps(with_odd_value(json.loads(data), rng)).encode()
    return cut_or_torn(data, rng)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_damaged_file_is_read_or_refused_in_a_sentence(path: Path) -> None:
    """20 damages of each file; whatever is refused has a sentence, not the name of an exception."""
    rng = Random(path.name)
    for _ in range(20):
        assert refusal(mutated(path, rng)) != ""


def test_sizes_are_bounded() -> None:
    """A file that is too large, JSON that is nested too deep, and a page of brackets without end."""
    for data, says in (
        (b"[" * (MOST_BYTES + 1), "bytes; at most"),
        (b'{"a":' * 100_000, "not JSON"),
        (b"", "empty"),
        (b"\x80\x81" * 50, "not text"),
    ):
        with pytest.raises(UsageError, match=says):
            read_document(data)

    pushed = json.dumps('{"a": ' * 20_000)
    page = f"<!DOCTYPE html><script>self.__next_f.push([1,{pushed}])</script>"
    with pytest.raises(UsageError, match="HTML without data"):
        read_document(page.encode())
