"""A series of error shares from a file: CSV with a head, or the answer of Prometheus' query_range. Pure.

CSV: a time, then an error share, or errors and requests; latency and requests are optional. Columns are known by their
heads (HEADS). What a file does not say is asked for, never guessed: `zone` of times without an offset, `unit` of
numbers that may be shares or percent.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from statistics import median
from typing import NamedTuple

from mockbot.errors import UsageError
from mockbot.incidents.foreign_document import Document
from mockbot.incidents.node import Node, unix_time, utc
from mockbot.units.formatting import format_duration

HEADS = {
    "time": ("time", "timestamp", "ts", "date", "_time", "datetime", "minute"),
    "share": ("error_share", "error_rate", "errorrate", "share", "failure_rate", "error_ratio",
              "error_percent", "errors_percent", "error_pct"),
    "errors": ("errors", "failed", "failures", "error_count", "5xx"),
    "latency": ("latency", "p50", "median_latency", "latency_ms", "latency_s", "response_time"),
    "requests": ("requests", "total", "count", "rps", "requests_total"),
}  # fmt: skip
FEWEST, MOST = 3, 20_000  # bins
CUMULATIVE = 0.5  # of the requests at the end that the first bin must not exceed for a column to be a counter


class Bin(NamedTuple):
    """From `at` (Unix seconds) to the next bin: the share of requests that failed; latency in the file's unit."""

    at: float
    share: float
    requests: float | None = None
    latency: float | None = None


@dataclass(frozen=True, slots=True)
class Series:
    """Bins in the order of time, the usual seconds between two of them, and sentences about what was odd."""

    bins: tuple[Bin, ...]
    step: float
    remarks: tuple[str, ...] = ()


def reads_series(document: Document) -> bool:
    """Whether it is one, by its content."""
    if document.rows:
        places = _places(document.rows[0])
        return "time" in places and ("share" in places or "errors" in places)
    return any(_prometheus(node) is not None for node in document.json)


def read_series(document: Document, zone: str | None, unit: str | None) -> Series:
    """UsageError with the line, and the option that says what the file does not."""
    if document.rows:
        return _series(_rows(document.rows, zone, unit))
    results = next(found for node in document.json if (found := _prometheus(node)) is not None)
    several = list(results.elements())
    if len(several) != 1:
        names = "; ".join(str(each["metric"].value)[:80] for each in several[:5])
        raise UsageError(f"{len(several)} series; query one, for instance with sum(): {names}")
    values = [list(pair.elements()) for pair in several[0].each("values")]
    if any(len(pair) != 2 for pair in values):
        raise UsageError(f"{several[0].path}.values: not pairs of a time and a value; save the answer of query_range")
    times = [unix_time(pair[0].value, pair[0].path) for pair in values]
    numbers = [_number(str(pair[1].value), pair[1].path) for pair in values]
    known = [(at, number) for at, number in zip(times, numbers, strict=True) if number is not None]
    factor = _factor(
        [number for _, number in known], "", unit or ("share" if max((n for _, n in known), default=0) <= 1 else None)
    )
    gaps = len(numbers) - len(known)
    remarks = [f"{gaps} values that are no number (no requests at that time) were left out"] if gaps else []
    return _series(([Bin(at, number * factor) for at, number in known], remarks))


def _prometheus(node: Node) -> Node | None:
    data = node.get("data") if node.has("data") else None
    found = data.get("result") if data is not None and data.has("result") else None
    return found if found is not None and isinstance(found.value, list) else None


def _places(head: Sequence[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for place, cell in enumerate(head):
        word = _word(cell)
        for name, words in HEADS.items():
            if word in words:
                found.setdefault(name, place)
    return found


def _word(cell: str) -> str:
    kept = "".join(letter if letter.isalnum() else "_" for letter in cell.lower().replace("%", " percent"))
    return "_".join(part for part in kept.split("_") if part)


def _rows(rows: Sequence[Sequence[str]], zone: str | None, unit: str | None) -> tuple[list[Bin], list[str]]:
    places = _places(rows[0])
    columns = {name: [row[place] if place < len(row) else "" for row in rows[1:]] for name, place in places.items()}
    times = [_time(cell, zone, line) for line, cell in enumerate(columns["time"], 2)]
    numbers = {
        name: [_number(cell, f"line {line}") for line, cell in enumerate(cells, 2)]
        for name, cells in columns.items()
        if name != "time"
    }
    remarks: list[str] = []
    requests = numbers.get("requests", [None] * len(times))
    if "share" in numbers:
        known = [each for each in numbers["share"] if each is not None]
        head = _word(rows[0][places["share"]])
        written = any(cell.endswith("%") for cell in columns["share"])
        factor = _factor(known, head, unit or ("percent" if written else None))
        shares = [None if each is None else each * factor for each in numbers["share"]]
    elif "requests" in numbers:
        shares, requests = _ratio(numbers["errors"], requests, remarks)
    else:
        raise UsageError("a column of errors needs one of requests beside it; or give an error share")
    latency = numbers.get("latency", [None] * len(times))
    bins = [
        Bin(at, share, each, took)
        for at, share, each, took in zip(times, shares, requests, latency, strict=True)
        if share is not None
    ]
    if len(bins) < len(times):
        remarks.append(f"{len(times) - len(bins)} lines without an error share were left out")
    return bins, remarks


def _ratio(
    errors: Sequence[float | None], requests: Sequence[float | None], remarks: list[str]
) -> tuple[list[float | None], list[float | None]]:
    """Errors over requests; counters that only grow are told, and their growth is taken."""
    known = [each for each in requests if each is not None]
    if (
        len(known) > FEWEST
        and all(a <= b for a, b in pairwise(known))
        and known[0] > CUMULATIVE * (known[-1] - known[0]) / len(known)
    ):
        failed = [each for each in errors if each is not None]
        if all(a <= b for a, b in pairwise(failed)) and known[-1] > 2 * (known[-1] - known[0]) / len(known):
            remarks.append(
                "errors and requests only grow: they are counters, and the growth from line to line was taken"
            )
            errors, requests = _growth(errors), _growth(requests)
    shares = [None if e is None or not r else e / r for e, r in zip(errors, requests, strict=True)]
    over = next((line for line, share in enumerate(shares, 2) if share is not None and not 0 <= share <= 1), None)
    if over is not None:
        raise UsageError(f"line {over}: more errors than requests; correct the line, or the query")
    return shares, list(requests)


def _growth(column: Sequence[float | None]) -> list[float | None]:
    return [None, *(None if a is None or b is None else b - a for a, b in pairwise(column))]


def _factor(known: Sequence[float], head: str, unit: str | None) -> float:
    """What makes a number a share: 1 or 1/100."""
    if not known:
        raise UsageError("no line has an error share; query another series")
    if min(known) < 0:
        raise UsageError(f"an error share of {min(known):g} is negative; correct it, or the query")
    said = unit or ("percent" if "percent" in head or "pct" in head else None)
    if said is None and max(known) <= 1 and any(word in head for word in ("share", "ratio")):
        said = "share"
    if said is None:
        raise UsageError(
            "whether the errors are shares (0 to 1) or percent (0 to 100) is not in the file; say it by --unit"
        )
    factor = 0.01 if said == "percent" else 1.0
    if max(known) * factor > 1:
        raise UsageError(
            f"an error share of {max(known):g} is more than all, with --unit {said}; take another --unit, or correct it"
        )
    return factor


def _time(cell: str, zone: str | None, line: int) -> float:
    try:
        read = datetime.fromisoformat(cell)
    except ValueError:
        return unix_time(cell, f"line {line}: the time")
    if read.tzinfo is None:
        if zone is None:
            raise UsageError(f"line {line}: {cell[:40]!r} has no time zone; say which by --zone, as in --zone +01:00")
        return unix_time(f"{cell.strip()}{zone}", f"line {line}: the time with --zone {zone}")
    return unix_time(cell, f"line {line}: the time")


def _number(cell: str, where: str) -> float | None:
    """None for an empty cell or NaN."""
    text = cell.strip().removesuffix("%").strip()
    if text.lower() in ("", "nan", "null", "none", "-"):
        return None
    try:
        number = float(text)
    except ValueError:
        raise UsageError(f"{where}: {cell[:40]!r} is not a number; correct it, or leave the cell empty") from None
    if not math.isfinite(number):
        raise UsageError(f"{where}: {cell[:40]!r} is not a number of use; correct it, or leave the cell empty")
    return number


def _series(read: tuple[list[Bin], list[str]]) -> Series:
    bins, remarks = read
    ordered = sorted(bins, key=lambda each: each.at)
    once = [each for number, each in enumerate(ordered) if number == 0 or ordered[number - 1].at < each.at]
    if len(once) < len(ordered):
        remarks.append(f"{len(ordered) - len(once)} times came twice; the first of each was taken")
    if not FEWEST <= len(once) <= MOST:
        raise UsageError(f"{len(once)} bins; from {FEWEST} to {MOST:,} can be read; query another step")
    gaps = [second.at - first.at for first, second in pairwise(once)]
    step = median(gaps)
    irregular = sum(abs(gap - step) > 0.01 * step for gap in gaps)
    if irregular:
        longest, usual = max(gaps), format_duration(step)
        gap = f"{format_duration(longest)}, ends {utc(once[gaps.index(longest) + 1].at)}"
        remarks.append(f"{irregular} of {len(gaps)} steps are not {usual}; the longest, {gap}")
    return Series(tuple(once), step, tuple(remarks))
