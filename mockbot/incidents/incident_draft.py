"""An incident as a scenario: its segments in, phases with faults and the posts of its status page out. Pure.

FAULTS says what a level is staged as. It is assumed, because labels do not order shares (next_anchors.md §3.4 and
§3.5), and the scenario says so wherever it is used.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from mockbot.errors import UsageError
from mockbot.incidents import prose
from mockbot.incidents.draft import Draft, DraftPhase, DraftPost, phase_names
from mockbot.incidents.incident import LEVELS, Incident, Level
from mockbot.incidents.node import utc
from mockbot.incidents.staging import Segment, Staged
from mockbot.scenario.scaffold import PLAYED_IN
from mockbot.units.quantities import duration_text, share_text

SHARES: dict[Level, float] = {"degraded": 0.08, "partial": 0.45, "full": 0.9}
SLOWER = 3  # times, while it is degraded
BACK_AT = 0.5  # of the capacity, when it recovers
STATUS = "503"
LEAD = (120.0, 1800.0)  # seconds before and after the incident: a tenth of it within these bounds
SHORTEST_PHASE = 5.0  # seconds, however much a phase is compressed
FASTEST = 1000  # times, the most that the language allows
IMPACTS = {
    "operational": "none",
    "maintenance": "maintenance",
    "degraded": "minor",
    "partial": "major",
    "full": "critical",
}


def incident_draft(staged: Staged, name: str, length: float | None) -> Draft:
    """`length` seconds long if given. UsageError when it is too long to be played and no length is given."""
    clock = _Clock(staged, length)
    assumed = list(staged.assumed)
    status = prose.status(staged.incident.said)
    remarks = list(_remarks(staged, clock))
    if status is not None:
        remarks.append(f"The status {status.text} is from the text of {utc(status.post.at)}.")
    code = status.text if status is not None else STATUS
    phases = tuple(_phases(staged.segments, clock, code))
    assumed += _assumed(staged.segments, status is None)
    posts = tuple(_posts(staged.incident, staged.components, clock))
    incident = staged.incident
    cause = "maintenance" if incident.is_maintenance else "unexpected failure"
    title = incident.name or f"Incident {incident.id}"
    told = f"{title}, {utc(staged.segments[0].start)[:10]}"
    source = incident.url or "the imported file"
    once = tuple(dict.fromkeys(assumed))
    return Draft(name, title, told, source, cause, phases, posts, once, tuple(remarks))


class _Clock:
    """Unix seconds to scenario seconds: one to one, or each phase compressed to its share of `length`."""

    def __init__(self, staged: Staged, length: float | None) -> None:
        segments = staged.segments
        first, last = segments[0].start, max(segments[-1].start, *(post.at for post in staged.incident.posts), 0.0)
        lead = min(max(round((last - first) / 10), LEAD[0]), LEAD[1])
        self.edges = [first - lead, *(each.start for each in segments), last + lead]
        real = self.edges[-1] - self.edges[0]
        if length is None and real > PLAYED_IN * FASTEST:
            raise UsageError(f"it lasts {duration_text(round(real))}, too long to be played as it was; say --length 1h")
        factor = 1.0 if length is None else length / real
        self.compressed = length is not None
        self.real = real
        self.lengths = [
            end - start if length is None else max(SHORTEST_PHASE, round((end - start) * factor, 1))
            for start, end in pairwise(self.edges)
        ]

    def __call__(self, at: float) -> float:
        """Seconds after the scenario's begin; what is before it is at 0."""
        passed = 0.0
        for (start, end), lasts in zip(pairwise(self.edges), self.lengths, strict=True):
            if at < end or end == self.edges[-1]:
                return round(max(0.0, passed + (at - start) / (end - start) * lasts), 3)
            passed += lasts
        return passed


def _phases(segments: Sequence[Segment], clock: _Clock, code: str) -> Iterator[DraftPhase]:
    words = [
        "recovering" if each.recovering else "calm" if each.level == "operational" else each.level for each in segments
    ]
    names = ["before", *phase_names(words[:-1]), "after"]
    yield DraftPhase(names[0], round(clock.lengths[0], 3))
    for number, (segment, name) in enumerate(zip(segments, names[1:], strict=True), 1):
        before = segments[number - 2] if number > 1 else None
        faults = tuple(_faults(segment, before, code))
        yield DraftPhase(name, round(clock.lengths[number], 3), (segment.because,), faults)


def _faults(segment: Segment, before: Segment | None, code: str) -> Iterator[str]:
    if segment.level == "operational":
        return
    if segment.level == "maintenance":
        yield "maintenance: true"
        return
    start, end = segment.share or (SHARES[segment.level], SHARES[segment.level])
    if segment.recovering:
        high = before.share[1] if before is not None and before.share else start
        yield f"http_error: {code}, share: {share_text(high)} -> 0%"
        yield f"capacity: {share_text(BACK_AT)} -> 100%"
        return
    if segment.share is None and segment.level == "degraded":
        yield f"slow: {SLOWER}"
    shares = share_text(start) if start == end else f"{share_text(start)} -> {share_text(end)}"
    if max(start, end) > 0:
        yield f"http_error: {code}, share: {shares}"


def _assumed(segments: Sequence[Segment], code: bool) -> Iterator[str]:
    """What `_faults` took from this module's constants."""
    failing = [each for each in segments if each.level in SHARES]
    for level in LEVELS:
        if any(each.level == level and each.share is None for each in failing):
            slower = f", and answers {SLOWER} times as slow" if level == "degraded" else ""
            yield f"that {level} means {share_text(SHARES[level])} of the requests failing{slower}"
    if any(each.recovering for each in failing):
        yield (
            "a straight way back to 0% from the post of monitoring on, "
            f"with {share_text(BACK_AT)} of the capacity at first and 100% at its end"
        )
    if failing and code:
        yield f"the status {STATUS} of what failed"


def _posts(incident: Incident, components: Sequence[str], clock: _Clock) -> Iterator[DraftPost]:
    changes = list(incident.changes(tuple(components)))
    state: dict[str | None, Level] = {}
    for post in incident.posts:
        state |= {each.component: each.level or "operational" for each in changes if each.at <= post.at}
        posted = max(state.values(), key=LEVELS.index, default=incident.label or "partial")
        level = "operational" if post.state in ("resolved", "completed") else posted
        if post.state in ("scheduled", "in_progress"):
            level = "maintenance"
        elif level == "operational" and post.state not in ("resolved", "completed"):
            level = incident.label or "degraded"
        yield DraftPost(clock(post.at), str(post.state), IMPACTS[level], post.says[:200], f"{utc(post.at)}: posted")


def _remarks(staged: Staged, clock: _Clock) -> Iterator[str]:
    if staged.components:
        yield f"Staged as one provider, the worst of: {', '.join(staged.components)}."
    if staged.left_out:
        yield f"Left out, because they are not the chat API by their names (--component): {', '.join(staged.left_out)}."
    if clock.compressed:
        now = duration_text(round(sum(clock.lengths), 1))
        yield f"Compressed from {duration_text(round(clock.real))} to {now} (--length); no phase is shorter than 5s."
    for missing in staged.incident.missing:
        yield f"Not in the file: {missing}."
    for proposal in prose.clock_times(staged.incident.said):
        yield f"The text of {utc(proposal.post.at)} names {proposal.text}; if that is of the impact: --start, --end."
