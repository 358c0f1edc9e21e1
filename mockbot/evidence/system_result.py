"""What a report says of a system under test, as one value: the join, both sides phase by phase, the findings. Pure."""

from dataclasses import dataclass, replace

from mockbot.evidence.journal import RunEvidence
from mockbot.evidence.run_counters import RunCounters
from mockbot.evidence.system_findings import Finding, Setting, findings
from mockbot.evidence.system_join import ENOUGH, Joined
from mockbot.evidence.system_measures import share_of
from mockbot.evidence.system_table import PhaseRow, answers_over_time, phase_rows, requests_over_time
from mockbot.units.formatting import format_percent

MOST_UNRECOGNISED = 0.1  # of the answers; beyond it, what rests on recognition cannot be told
BY_TEXT = frozenset(
    {"launders_truncation", "splices_answers", "crosses_answers", "never_fails_back", "launders_errors"}
)
BINS = 120  # of the picture of who answered whom


@dataclass(frozen=True, slots=True)
class SystemResult:
    """`joined`: share of the providers' requests that belong to a prompt; `ways`: by what; `alone`: others, by path.

    `answers`: who answered the users, and `sent`: what each provider sent, in bins of `bin` scenario seconds.
    """

    name: str
    joined: float | None
    ways: dict[str, int]
    alone: dict[str, int]
    phases: tuple[PhaseRow, ...]
    findings: tuple[Finding, ...]
    bin: float
    answers: dict[str, list[int]]
    sent: dict[str, list[int]]


def system_result(evidence: RunEvidence, counters: RunCounters) -> SystemResult | None:
    """None for a run without a system."""
    joined, info = counters.joined, evidence.info
    if joined is None:
        return None
    setting = Setting(evidence.timeline.faults, evidence.timeline.end, info.system_exits)
    width = evidence.timeline.end / BINS
    return SystemResult(
        name=info.system,
        joined=joined.share,
        ways={str(way): count for way, count in joined.ways.items()},
        alone=dict(joined.alone),
        phases=phase_rows(joined, evidence.timeline.phases, [*evidence.scenario.providers]),
        findings=tuple(_decided(found, joined) for found in findings(joined, setting)),
        bin=width,
        answers=answers_over_time(joined, width, evidence.timeline.end),
        sent=requests_over_time(joined, width, evidence.timeline.end),
    )


def _decided(found: Finding, joined: Joined) -> Finding:
    """The finding, undecided when what it rests on is not known well enough."""
    if found.name == "single_point_of_failure" or (found.name == "crosses_answers" and found.times):
        return found  # the system's own end needs no join, and one leak is one
    if joined.share is not None and joined.share < ENOUGH:
        joined_share = f"only {format_percent(joined.share)} of the providers' requests could be joined with a prompt"
        why = f"{joined_share}; let it pass the prompt on: docs/system.md"
        return replace(found, times=0, evidence=(), undecided=why)
    own = share_of(joined.exchanges, "unrecognised").value
    if found.name in BY_TEXT and own is not None and own > MOST_UNRECOGNISED:
        why = f"{format_percent(own)} of the answers are texts of the system's own; see docs/system.md"
        return replace(found, times=0, evidence=(), undecided=why)
    return found
