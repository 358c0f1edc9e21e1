"""`mockbot import`: the file of a status page or a metric in, a scenario file (or a table of incidents) out."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click
from rich.table import Table

from mockbot.commands.check import size_of
from mockbot.errors import UsageError
from mockbot.incidents.draft import Draft, draft_text
from mockbot.incidents.foreign_document import MOST_BYTES, read_document
from mockbot.incidents.incident import Incident, Level
from mockbot.incidents.incident_draft import incident_draft
from mockbot.incidents.node import unix_time, utc
from mockbot.incidents.platforms.all import read_incidents
from mockbot.incidents.series_draft import SeriesOptions, series_draft
from mockbot.incidents.series_file import read_series, reads_series
from mockbot.incidents.staging import Known, stage
from mockbot.report.plain_console import PlainConsole
from mockbot.scenario.load import load_scenario
from mockbot.scenario.scaffold import name_from
from mockbot.units.quantities import duration_text, parse_duration

STDIN = "-"


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """The command line; times and durations as written."""

    file: str
    incident: str | None = None
    out: Path | None = None
    force: bool = False
    impact_start: str | None = None
    start: str | None = None
    end: str | None = None
    level: Level | None = None
    components: tuple[str, ...] = ()
    length: str | None = None
    phases: int = 12
    zone: str | None = None
    unit: str | None = None


def import_command(options: ImportOptions, console: PlainConsole) -> None:
    """Write the scenario, or print the table when the file has several incidents. UsageError says what to do."""
    length = _duration("--length", options.length)
    try:
        document = read_document(_bytes(options.file))
        if reads_series(document):
            series = read_series(document, options.zone, options.unit)
            _write(options, lambda name: series_draft(series, name, SeriesOptions(options.phases, length)))
            return
        platform, incidents = read_incidents(document)
    except UsageError as error:
        raise UsageError(f"{options.file}: {error}") from None
    if not incidents:
        raise UsageError(
            f"{options.file}: {platform}: no incident is in it; save the page, or its feed, that lists the incident"
        )
    chosen = _chosen(options, incidents)
    if chosen is None:
        _table(platform, incidents, console)
        return
    _write(options, lambda name: incident_draft(stage(chosen, _known(options)), name, length))


def _bytes(file: str) -> bytes:
    if file == STDIN:
        return sys.stdin.buffer.read(MOST_BYTES + 1)
    if "://" in file:
        raise UsageError("a URL is not opened; save it to a file, or pipe it in: curl URL | mockbot import -")
    try:
        with Path(file).open("rb") as source:
            return source.read(MOST_BYTES + 1)
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror or error}; name a file that can") from None


def _chosen(options: ImportOptions, incidents: list[Incident]) -> Incident | None:
    """The incident that was asked for, or the only one; None: there are several, and none was."""
    if options.incident is None:
        return incidents[0] if len(incidents) == 1 else None
    found = [each for each in incidents if each.id == options.incident]
    if not found:
        known = ", ".join(each.id for each in incidents[:10])
        raise UsageError(f"--incident {options.incident}: not in the file; it has {known}")
    return found[0]


def _known(options: ImportOptions) -> Known:
    start = _duration("--impact-start", options.impact_start)
    known = Known(
        start=None if options.start is None else unix_time(options.start, "--start"),
        end=None if options.end is None else unix_time(options.end, "--end"),
        level=options.level,
        components=options.components,
    )
    return known if start is None else Known(start, known.start, known.end, known.level, known.components)


def _duration(option: str, text: str | None) -> float | None:
    if text is None:
        return None
    try:
        seconds = parse_duration(text)
    except ValueError as error:
        raise UsageError(f"{option} {text}: {error}") from None
    return seconds


def _table(platform: str, incidents: list[Incident], console: PlainConsole) -> None:
    table = Table(box=None, pad_edge=False, title=f"{platform}: choose one by --incident ID", title_justify="left")
    for head in ("ID", "first post", "length", "label", "name, components, what is missing"):
        table.add_column(head, overflow="fold")
    for each in incidents:
        begins, ends = each.begins, each.ends
        length = duration_text(round(ends - begins)) if begins is not None and ends is not None else "open"
        missing = f"; missing: {', '.join(each.missing)}" if each.missing else ""
        parts = f"; {', '.join(each.components)}" if each.components else ""
        table.add_row(
            each.id, utc(begins)[:-7] if begins else "?", length, each.label or "?", f"{each.name}{parts}{missing}"
        )
    console.print(table)


def _write(options: ImportOptions, draft_of: Callable[[str], Draft]) -> None:
    path = options.out or Path(f"{'incident' if options.file == STDIN else Path(options.file).stem}.yaml")
    try:
        draft = draft_of(name_from(path))
    except UsageError as error:
        raise UsageError(f"{options.file}: {error}") from None
    try:
        with path.open("w" if options.force else "x", encoding="utf-8") as file:
            file.write(draft_text(draft))
    except FileExistsError:
        raise UsageError(f"{path} exists already; name another file by --out, or overwrite it with --force") from None
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror or error}; name another file by --out") from None
    click.echo(f"{path}: {size_of(load_scenario(path))}; next: mockbot show {path}, mockbot simulate {path}")
