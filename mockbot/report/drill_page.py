"""A drill's result in, `drill.html` out: what was wrong and what people wrote, on one clock."""

from collections.abc import Sequence

from mockbot.evidence.drill_times import DrillNote, DrillResult
from mockbot.evidence.judgement import Judgement
from mockbot.measures.text import format_value
from mockbot.report.page import render_plain
from mockbot.units.formatting import format_clock, format_duration


def drill_page(title: str, result: DrillResult, notes: Sequence[DrillNote], judgement: Judgement) -> str:
    """The same bytes for the same drill."""
    whole = judgement.measures[0].values
    end = judgement.run.end or 1.0
    bars = [
        (100 * each.begin / end, 100 * (min(each.end, end) - each.begin) / end, format_clock(each.begin))
        for each in result.outages
    ]
    return render_plain(
        "drill.html.j2",
        title=title,
        bars=bars,
        marks=[(100 * min(max(note.t, 0.0), end) / end, note.kind, format_clock(note.t), note.says) for note in notes],
        rows=drill_rows(result),
        false_alarms=[(format_clock(note.t), note.says) for note in result.false_alarms],
        users=[(name, format_value(name, whole[name])) for name in ("down_for", "recovery_time", "answered")],
    )


def drill_rows(result: DrillResult) -> list[tuple[str, ...]]:
    """For each outage: begin, length, and the times to detect, to mitigate and to call it over."""
    return [
        (
            format_clock(each.begin),
            format_duration(each.end - each.begin),
            *("never" if t is None else format_duration(t) for t in (each.detect, each.mitigate, each.called_over)),
        )
        for each in result.outages
    ]
