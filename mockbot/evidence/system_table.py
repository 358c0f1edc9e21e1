"""The table *users saw | providers saw*: exchanges and phases in, one row a phase out; and who answered whom. Pure.

A prompt belongs to the phase in which it was intended to begin, and a request to the phase of its prompt.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf

from mockbot.evidence.system_join import Exchange, Joined, Kind
from mockbot.evidence.system_measures import Ratio, saved, upstream_distribution, upstream_per_prompt
from mockbot.scenario.spans import PhaseSpan
from mockbot.units.rank import nearest_rank


@dataclass(frozen=True, slots=True)
class ProviderRow:
    """What one provider saw: its requests, how many it answered well, and how the others ended."""

    requests: int
    ok: int
    failures: Mapping[str, int]  # "503", or an outcome -> requests


@dataclass(frozen=True, slots=True)
class PhaseRow:
    """One phase on both sides."""

    phase: str
    prompts: int
    kinds: Mapping[Kind, int]  # those that occurred
    answered_by: Mapping[str, int]  # provider -> prompts that it answered in full
    p50: float | None  # scenario seconds to the end of the answer; infinite where it was not whole
    p95: float | None
    per_prompt: Ratio
    detours: Mapping[int, int]  # of the prompts whose first request failed: requests -> prompts
    saved: Ratio
    providers: Mapping[str, ProviderRow]


def phase_rows(joined: Joined, phases: Sequence[PhaseSpan], providers: Sequence[str]) -> tuple[PhaseRow, ...]:
    """A row for each phase, in order."""
    return tuple(
        _row(phase.name, [it for it in joined.exchanges if phase.start <= it.prompt.intended < phase.end], providers)
        for phase in phases
    )


def _row(phase: str, exchanges: Sequence[Exchange], providers: Sequence[str]) -> PhaseRow:
    took = sorted(each.prompt.end - each.prompt.intended if each.kind == "whole" else inf for each in exchanges)
    return PhaseRow(
        phase=phase,
        prompts=len(exchanges),
        kinds=dict(Counter(each.kind for each in exchanges).most_common()),
        answered_by=dict(Counter(each.answered_by for each in exchanges if each.answered_by is not None)),
        p50=nearest_rank(took, 0.5),
        p95=nearest_rank(took, 0.95),
        per_prompt=upstream_per_prompt(exchanges),
        detours=upstream_distribution(exchanges),
        saved=saved(exchanges),
        providers={name: _provider(name, exchanges) for name in providers},
    )


def _provider(name: str, exchanges: Sequence[Exchange]) -> ProviderRow:
    requests = [request for each in exchanges for request in each.upstream if request.provider == name]
    failed = (
        str(it.status) if it.status is not None and it.status >= 400 else it.outcome
        for it in requests
        if it.outcome != "ok"
    )
    return ProviderRow(len(requests), sum(it.outcome == "ok" for it in requests), dict(Counter(failed).most_common()))


def requests_over_time(joined: Joined, width: float, end: float) -> dict[str, list[int]]:
    """What each provider sent, in bins of `width` seconds by the end of a request: "main ok", "main failed", ..."""
    bins = max(1, int(end / width) + 1)
    counts: dict[str, list[int]] = {}
    for request in (it for each in joined.exchanges for it in each.upstream):
        name = f"{request.provider} {'ok' if request.outcome == 'ok' else 'failed'}"
        _count(counts, name, int(request.end / width), bins)
    return dict(sorted(counts.items(), reverse=True))


def answers_over_time(joined: Joined, width: float, end: float) -> dict[str, list[int]]:
    """Who answered the users, in bins of `width` seconds by the end of a prompt.

    Keys: each provider that answered in full, then "short" (laundered, silently short, spliced), "canned" and "nobody".
    """
    bins = max(1, int(end / width) + 1)
    counts: dict[str, list[int]] = {}
    for each in joined.exchanges:
        if each.kind in {"laundered", "silently_short", "spliced"}:
            who = "short"
        elif each.kind in {"canned", "unrecognised", "blank"}:
            who = "canned"
        else:
            who = each.answered_by or "nobody"
        _count(counts, who, int(each.prompt.end / width), bins)
    return counts


def _count(counts: dict[str, list[int]], name: str, at: int, bins: int) -> None:
    """Not what ends behind the last bin: all of it at once would be a peak that never was."""
    if at < bins:
        counts.setdefault(name, [0] * bins)[max(0, at)] += 1
