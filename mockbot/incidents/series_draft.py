"""A series of errors as a scenario: its constant stretches become phases, with the mean share of each. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import NamedTuple

from mockbot.errors import UsageError
from mockbot.incidents.change_fit import stretches
from mockbot.incidents.draft import USERS, Draft, DraftPhase, phase_names
from mockbot.incidents.node import utc
from mockbot.incidents.series_file import Bin, Series
from mockbot.scenario.scaffold import PLAYED_IN
from mockbot.units.formatting import format_duration
from mockbot.units.quantities import duration_text, share_text

OUTAGE = 0.02  # more of the requests than in the best stretch: an outage
NEGLIGIBLE = 0.002  # of the requests; less is staged as none
SLOWER = 1.5  # times the usual latency; less is staged as usual
MOST_USERS, FEWEST_USERS = 10 * USERS, 5
LEAD = 120.0  # seconds before, when the series begins in the outage
SHORTEST_PHASE = 5.0
FASTEST = 1000
STATUS = 503


@dataclass(frozen=True, slots=True)
class SeriesOptions:
    """At most so many phases; the length of the scenario in seconds, None: as it was."""

    phases: int
    length: float | None = None


class _Stretch(NamedTuple):
    start: float
    end: float
    share: float
    requests: float | None
    latency: float | None


def series_draft(series: Series, name: str, options: SeriesOptions) -> Draft:
    """UsageError when no stretch is an outage, or when it is too long to be played."""
    found = _stretches(series, options.phases)
    best = min(found, key=lambda each: each.share)
    worst = max(found, key=lambda each: each.share)
    if worst.share - best.share < OUTAGE:
        raise UsageError(
            f"nothing to stage, errors stay between {best.share:.1%} and {worst.share:.1%}; query a longer time"
        )
    real = found[-1].end - found[0].start
    if options.length is None and real > PLAYED_IN * FASTEST:
        raise UsageError(f"it lasts {duration_text(round(real))}, too long to be played as it was; say --length 1h")
    factor = 1.0 if options.length is None else options.length / real
    calm = [each for each in found if each.share - best.share < OUTAGE]
    phases = _phases(found, calm, factor, compressed=options.length is not None)
    assumed = [f"the status {STATUS} of what failed", "that a share holds for all users alike"]
    if phases[0].name == "before" and found[0] not in calm:
        assumed.append(f"{duration_text(LEAD)} of calm before the series, which begins in the outage")
    bins = f"{len(series.bins)} bins of {format_duration(series.step)}"
    remarks = [
        f"A series of {bins}, cut into {len(found)} phases (--phases).",
        *series.remarks,
    ]
    if options.length is not None:
        now = duration_text(round(sum(phase.lasts for phase in phases), 1))
        remarks.append(
            f"Compressed from {duration_text(round(real))} to {now} (--length); no phase is shorter than 5s."
        )
    title = f"Errors from {utc(found[0].start)} to {utc(found[-1].end)}"
    return Draft(
        name,
        title,
        title,
        "the imported series",
        "unexpected failure",
        tuple(phases),
        assumed=tuple(assumed),
        remarks=tuple(remarks),
    )


def _stretches(series: Series, most: int) -> list[_Stretch]:
    bins = series.bins
    weights = [1.0 if each.requests is None else max(1.0, each.requests) for each in bins]
    found = []
    # On the scale of the arcsine of its root a share scatters equally, whether it is 1% or 50%.
    for start, end in stretches([math.asin(math.sqrt(each.share)) for each in bins], weights, most):
        part = bins[start:end]
        heavy = sum(weights[start:end])
        share = sum(each.share * weight for each, weight in zip(part, weights[start:end], strict=True)) / heavy
        until = bins[end].at if end < len(bins) else bins[-1].at + series.step
        found.append(_Stretch(part[0].at, until, share, _mean(part, "requests"), _mean(part, "latency")))
    return found


def _mean(part: Sequence[Bin], column: str) -> float | None:
    known = [value for each in part if (value := getattr(each, column)) is not None]
    return sum(known) / len(known) if known else None


def _phases(
    found: Sequence[_Stretch], calm: Sequence[_Stretch], factor: float, *, compressed: bool
) -> list[DraftPhase]:
    usual_latency = median([each.latency for each in calm if each.latency] or [0.0])
    usual_requests = median([each.requests for each in calm if each.requests] or [0.0])
    words = ["calm" if each in calm else "errors" for each in found]
    words = [
        "before" if n == 0 and word == "calm" else "after" if n == len(found) - 1 and word == "calm" else word
        for n, word in enumerate(words)
    ]
    phases = [] if words[0] == "before" else [DraftPhase("before", LEAD, ("the series begins in the outage",))]
    for stretch, name in zip(found, phase_names(words), strict=True):
        seconds = stretch.end - stretch.start
        lasts = max(SHORTEST_PHASE, round(seconds * factor, 1)) if compressed else seconds
        users = None
        if usual_requests and stretch.requests is not None:
            users = round(min(max(USERS * stretch.requests / usual_requests, FEWEST_USERS), MOST_USERS))
        because = f"{utc(stretch.start)}: {stretch.share:.2%} of the requests failed, by the series"
        staged = next((phase.users for phase in reversed(phases) if phase.users is not None), None)
        faults = tuple(_faults(stretch, usual_latency))
        phases.append(DraftPhase(name, lasts, (because,), faults, None if users == staged else users))
    return phases


def _faults(stretch: _Stretch, usual_latency: float) -> list[str]:
    faults = []
    if stretch.share >= NEGLIGIBLE:
        faults.append(f"http_error: {STATUS}, share: {share_text(round(stretch.share, 4))}")
    if usual_latency and stretch.latency and stretch.latency >= SLOWER * usual_latency:
        faults.append(f"slow: {round(stretch.latency / usual_latency, 1):g}")
    return faults
