"""When what was how bad: an Incident and what its reader knows in, the segments of the outage out. Pure.

A time comes from the best source that the incident has: the impact of a component; else a change of a component in a
post; else the posts alone. The last two tell when the page said so, not when it was: the fault then begins
`impact_start` before the first post and ends ENDS_BEFORE before *Resolved* (next_anchors.md §3.6: medians of 25 and 20
incidents; a page lags behind at both ends). What no source says is refused with the option that can say it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from mockbot.errors import UsageError
from mockbot.incidents import prose
from mockbot.incidents.incident import ENDS, LEVELS, Incident, Level, Point
from mockbot.incidents.node import utc
from mockbot.units.quantities import duration_text

IMPACT_START = 15 * 60.0  # seconds before the first post: the median lag of OpenAI's and Anthropic's pages
IMPACT_START_RANGE = "0 to 60 minutes are usual"
ENDS_BEFORE = 20 * 60.0  # seconds before Resolved
LEAST_KEPT = 0.5  # of the time between first post and Resolved, however short it is
CHAT_API = ("chat", "api", "completion", "message", "claude", "gpt", "gemini", "llm", "model", "inference", "bedrock")


@dataclass(frozen=True, slots=True)
class Known:
    """What the reader says, because the file does not: Unix times of the impact, how bad, which components."""

    impact_start: float = IMPACT_START
    start: float | None = None
    end: float | None = None
    level: Level | None = None
    components: tuple[str, ...] = ()


class Segment(NamedTuple):
    """From `start` (Unix seconds) to the next one; `share`: of requests that fail, at its start and its end."""

    start: float
    level: Level
    because: str
    share: tuple[float, float] | None = None
    recovering: bool = False


@dataclass(frozen=True, slots=True)
class Staged:
    """The segments, the last of which is operational; `left_out`: components that are not the chat API."""

    incident: Incident
    segments: tuple[Segment, ...]
    components: tuple[str, ...]
    left_out: tuple[str, ...]
    assumed: tuple[str, ...]


def stage(incident: Incident, known: Known) -> Staged:
    """UsageError that names the option when something is not known."""
    chosen, left_out = _choose(incident, known)
    changes = list(incident.changes(chosen))
    assumed: list[str] = []
    if changes and changes[0].source == "impact":
        segments = list(_from_changes(incident, changes, known, "the impact, by the source"))
        segments = list(_within(segments, known)) if len(segments) > 1 else segments
    else:
        segments = list(_from_posts(incident, changes, known, assumed))
    segments = _with_shares(incident, _merged(segments), assumed)
    if not any(each.level != "operational" for each in segments):
        raise UsageError(
            f"{incident.name or incident.id}: nothing was down, so there is nothing to stage; give it a --level"
        )
    return Staged(incident, tuple(segments), chosen, left_out, tuple(assumed))


def _choose(incident: Incident, known: Known) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The components that are staged, and the others."""
    names = tuple(
        dict.fromkeys((*incident.components, *(each.component for each in incident.points if each.component)))
    )
    for name in known.components:
        if name not in names:
            there = ", ".join(names) or "none"
            raise UsageError(f"--component {name}: the incident has no such component; it has {there}")
    if known.components or not names:
        return known.components, tuple(name for name in names if name not in known.components)
    chat = tuple(name for name in names if any(word in name.lower() for word in CHAT_API))
    if not chat:
        raise UsageError(f"no component is a chat API by its name; choose by --component: {', '.join(names)}")
    return chat, tuple(name for name in names if name not in chat)


def _from_changes(incident: Incident, changes: Sequence[Point], known: Known, because: str) -> Iterator[Segment]:
    """The worst level of the components from each change on."""
    state: dict[tuple[str | None, str], Level] = {}
    for point in changes:
        state[point.component, point.window] = point.level or "operational"
        worst = max(state.values(), key=LEVELS.index)
        what = f"{point.component or 'all'} {point.level}"
        yield Segment(point.at, worst, f"{utc(point.at)}: {what}; {because}")
    if any(level != "operational" for level in state.values()):
        end = known.end if known.end is not None else incident.ends
        if end is None or end <= changes[-1].at:
            raise UsageError("it is not over in the file; say when it was, by --end TIME")
        yield Segment(end, "operational", f"{utc(end)}: {'--end' if known.end is not None else 'the end on the page'}")


def _within(segments: Sequence[Segment], known: Known) -> Iterator[Segment]:
    """From --start to --end, where they are given: what held at the start holds from there, nothing after the end."""
    start = segments[0].start if known.start is None else known.start
    end = segments[-1].start if known.end is None else known.end
    if end <= start:
        raise UsageError(f"the end, {utc(end)}, is not after the start, {utc(start)}; see --start and --end")
    inside = [each for each in segments[:-1] if each.start < end] or segments[:1]
    first = next((each for each in reversed(inside) if each.start <= start), inside[0])
    yield first if known.start is None else first._replace(start=start, because=f"{utc(start)}: --start")
    yield from (each for each in inside if each.start > max(start, first.start))
    yield segments[-1] if known.end is None else Segment(end, "operational", f"{utc(end)}: --end")


def _from_posts(incident: Incident, changes: Sequence[Point], known: Known, assumed: list[str]) -> Iterator[Segment]:
    """The posts' own times, shifted at both ends, with the level that was posted."""
    posts = incident.posts
    if not posts:
        raise UsageError(f"{incident.name or incident.id} has no post; say when it was by --start and --end")
    over = next((post for post in posts if post.state in ENDS), None)
    if known.start is None and (posts[0] is over or any(each.startswith("start") for each in incident.missing)):
        raise UsageError("the file does not say when it began, only when it was over; say it by --start TIME")
    if over is None and known.end is None:
        raise UsageError("it is not over in the file; say when it was, by --end TIME")
    last = over.at if over is not None else posts[-1].at
    if incident.is_maintenance:
        yield from _maintenance(posts, last, known)
        return
    start, end = _shifted(posts[0].at, last, known, assumed)
    if end <= start:
        raise UsageError(f"--end {utc(end)} is not after the start, {utc(start)}; see --start")
    yield Segment(start, _level(incident, changes, posts[0].at, known), _why_start(start, posts[0].at, known))
    for post in posts[1:]:
        if not start < post.at < end:
            continue
        level = _level(incident, changes, post.at, known)
        because = f"{utc(post.at)}: the post of {post.state}"
        yield Segment(post.at, level, because, recovering=post.state == "monitoring")
    yield Segment(end, "operational", f"{utc(end)}: --end" if known.end is not None else _why_end(end, last))


def _maintenance(posts: Sequence[Point], last: float, known: Known) -> Iterator[Segment]:
    """From in_progress to completed, whatever had been announced."""
    began = next((post.at for post in posts if post.state == "in_progress"), None)
    start = known.start if known.start is not None else began
    if start is None:
        raise UsageError("the maintenance never began in the file; say when by --start TIME")
    yield Segment(start, "maintenance", f"{utc(start)}: {'--start' if known.start is not None else 'in progress'}")
    end = known.end if known.end is not None else last
    yield Segment(end, "operational", f"{utc(end)}: {'--end' if known.end is not None else 'completed'}")


def _shifted(first: float, last: float, known: Known, assumed: list[str]) -> tuple[float, float]:
    start = known.start if known.start is not None else first - known.impact_start
    kept = max(last - ENDS_BEFORE, first + LEAST_KEPT * (last - first))
    end = known.end if known.end is not None else kept
    if known.start is None:
        before = duration_text(known.impact_start)
        assumed.append(f"that it began {before} before the first post ({IMPACT_START_RANGE}; --impact-start)")
    if known.end is None:
        assumed.append(f"that it ended {duration_text(round(last - kept))} before the page said so (--end)")
    return start, end


def _why_start(start: float, first: float, known: Known) -> str:
    if known.start is not None:
        return f"{utc(start)}: --start"
    return f"{utc(start)}: {duration_text(known.impact_start)} before the first post, {utc(first)}"


def _why_end(end: float, last: float) -> str:
    return f"{utc(end)}: {duration_text(round(last - end))} before the end on the page, {utc(last)}"


def _level(incident: Incident, changes: Sequence[Point], at: float, known: Known) -> Level:
    """What was posted of the components up to then; else the incident's label; else what the reader says."""
    state: dict[str | None, Level] = {each.component: each.level or "operational" for each in changes if each.at <= at}
    posted = max(state.values(), key=LEVELS.index, default=None)
    found = known.level or (posted if posted != "operational" else None) or incident.label
    if found is None or found == "operational":
        raise UsageError("how bad it was is not in the file; say it by --level degraded, partial or full")
    return found


def _merged(segments: Sequence[Segment]) -> list[Segment]:
    """In the order of time; one that changes nothing is none."""
    found: list[Segment] = []
    for segment in sorted(segments, key=lambda each: each.start):
        if found and found[-1].start == segment.start:
            found.pop()
        if not found or (found[-1].level, found[-1].recovering) != (segment.level, segment.recovering):
            found.append(segment)
    return found[1:] if len(found) > 1 and found[0].level == "operational" else found


def _with_shares(incident: Incident, segments: Sequence[Segment], assumed: list[str]) -> list[Segment]:
    """The shares that the source gives: points with a share, else the largest one that a text names."""
    given = sorted((each for each in incident.points if each.share is not None), key=lambda each: each.at)
    if given:
        return list(_by_points(segments, given))
    told = prose.shares(incident.said)
    if told:
        share, post = max(told, key=lambda each: each[0])
        worst = max((each.level for each in segments), key=LEVELS.index)
        words = f"{share:.4g} of the requests failed, by the text of {utc(post.at)}"
        assumed.append("that the share which a text names held at the worst, all the time")
        return [
            each._replace(share=(share, 0.0 if each.recovering else share), because=f"{each.because}; {words}")
            if each.level == worst
            else each
            for each in segments
        ]
    return list(segments)


def _by_points(segments: Sequence[Segment], given: Sequence[Point]) -> Iterator[Segment]:
    """A new segment wherever the share changes while something is down."""
    for number, segment in enumerate(segments):
        end = segments[number + 1].start if number + 1 < len(segments) else segment.start
        if segment.level == "operational":
            yield segment
            continue
        before = [each for each in given if each.at <= segment.start]
        share = before[-1].share if before else None
        yield segment._replace(share=None if share is None else (share, share))
        for point in (each for each in given if segment.start < each.at < end):
            because = f"{utc(point.at)}: the share, by the source"
            yield segment._replace(start=point.at, share=(point.share or 0.0, point.share or 0.0), because=because)
