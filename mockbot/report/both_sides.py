"""A system under test in words: what its users saw and what its providers saw, cell by cell, for every output. Pure."""

from dataclasses import dataclass
from math import isinf

from mockbot.evidence.system_join import Kind
from mockbot.evidence.system_result import SystemResult
from mockbot.evidence.system_table import PhaseRow
from mockbot.units.formatting import format_duration, format_number, format_percent

KIND_TEXTS: dict[Kind, str] = {
    "whole": "in full",
    "laundered": "short, said to be all",
    "silently_short": "short, no error",
    "spliced": "two in one",
    "stale": "of an earlier prompt",
    "crossed": "of another user",
    "canned": "no provider's",
    "unrecognised": "unrecognised",
    "blank": "blank",
    "broken": "broke off",
    "refused": "clean error",
    "failed": "no answer",
}
_WAYS = {"header": "x-mockbot-prompt", "trace": "traceparent", "mark": "the mark in its text"}


def users_columns() -> tuple[str, ...]:
    """The headings of `users_cells`."""
    return "prompts", "in full", "else", "p50"


def users_cells(row: PhaseRow) -> tuple[str, ...]:
    """What the users of one phase saw."""
    if not row.prompts:
        return "0", "-", "", "-"
    others = (f"{count} {KIND_TEXTS[kind]}" for kind, count in row.kinds.items() if kind != "whole")
    full = format_percent(row.kinds.get("whole", 0) / row.prompts)
    p50 = "never" if row.p50 is None or isinf(row.p50) else format_duration(row.p50)
    return str(row.prompts), full, "\n".join(others), p50


def providers_columns(system: SystemResult) -> tuple[str, ...]:
    """The headings of `providers_cells`."""
    names = [*system.phases[0].providers] if system.phases else []
    return "per prompt", *names


def providers_cells(row: PhaseRow) -> tuple[str, ...]:
    """What each provider saw in one phase."""
    mean = row.per_prompt.value
    cells = ["-" if mean is None else format_number(mean)]
    for provider in row.providers.values():
        failures = (f"{count} {name}" for name, count in provider.failures.items())
        cells.append("\n".join([f"{provider.requests}: {provider.ok} ok", *failures]) if provider.requests else "0")
    return tuple(cells)


def users_text(row: PhaseRow) -> str:
    """The cells of the users as one text."""
    prompts, full, others, p50 = users_cells(row)
    parts = [f"{prompts} prompts, {full} in full", *others.splitlines(), f"p50 {p50}"] if row.prompts else ["nothing"]
    return ", ".join(parts)


def providers_text(row: PhaseRow) -> str:
    """The cells of the providers as one text."""
    mean, parts = row.per_prompt.value, []
    for name, provider in row.providers.items():
        failures = ", ".join(f"{count} {failure}" for failure, count in provider.failures.items())
        parts.append(f"{name} {provider.requests}" + (f" ({failures})" if failures else ""))
    return "-" if mean is None else f"{format_number(mean)} requests a prompt: {', '.join(parts)}"


@dataclass(frozen=True, slots=True)
class BothSides:
    """The table for a page: headings, rows of cells with the phase first, and the sentence about the join."""

    name: str
    users: tuple[str, ...]
    providers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    joined: str


def both_sides_table(system: SystemResult) -> BothSides:
    """What a page shows of a system."""
    rows = tuple((row.phase, *users_cells(row), *providers_cells(row)) for row in system.phases)
    return BothSides(system.name, users_columns(), providers_columns(system), rows, joined_text(system))


def joined_text(system: SystemResult) -> str:
    """How much of both sides belongs together, and by what."""
    if system.joined is None:
        return "no provider got a request: the system went past the testbed, or answered by itself"
    ways = ", ".join(f"{count} by {_WAYS[way]}" for way, count in system.ways.items())
    text = f"{format_percent(system.joined)} of the providers' requests belong to a prompt ({ways})"
    alone = ", ".join(f"{count} of {path}" for path, count in system.alone.items())
    return f"{text}; without a prompt: {alone}" if alone else text
