"""What the testbed adds to every latency, and each p50 in, out the words that say it, with a warning. Pure.

It is not subtracted: an answer under load does not take exactly what a bare one took.
"""

import math
from collections.abc import Iterable

from mockbot.evidence.judgement import ExpectationResult, Row
from mockbot.evidence.records import RunInfo
from mockbot.measures.scope import Scope
from mockbot.measures.values import Known
from mockbot.units.formatting import format_duration, format_percent, format_wall

LARGE = 0.05  # of a p50: from here on the testbed distorts it
WARNING = "warning"
_IN_TABLES = ("latency_p50", "first_token_p50")
_TIMES = (*_IN_TABLES, "answered_p50", "failed_p50")


def added_text(info: RunInfo, rows: Iterable[Row], expectations: Iterable[ExpectationResult]) -> str:
    """Empty for a run without a live crowd."""
    if info.simulated or info.client != "crowd" or info.t0 is None:
        return ""
    if info.added_latency is None:
        return "added by the testbed: not measured"
    text, added = f"added by the testbed: {_told(info.added_latency, info)}", dict.fromkeys(_TIMES, info.added_latency)
    if info.added_first_token is not None:
        text += f", to a first token {_told(info.added_first_token, info)}"
        added["first_token_p50"] = info.added_first_token
    seen = [(each, row.scope, row.values[each]) for row in rows for each in _IN_TABLES]
    seen += [(each.measure, each.scope, each.seen) for each in expectations if each.measure in _TIMES]
    distorted: dict[tuple[float, str], Scope] = {}  # one, where several scopes have the same prompts
    for name, scope, value in seen:
        if isinstance(value, Known) and (share := added[name] * info.speed / (value.number or math.inf)) > LARGE:
            distorted.setdefault((share, name), scope)
    if not distorted:
        return text
    share, name = max(distorted)
    others = f" and more than {format_percent(LARGE)} of {len(distorted) - 1} other p50" if len(distorted) > 1 else ""
    slower = "" if info.system else f" or speed {info.speed * LARGE / share:.2g}"  # a system keeps its own clock
    worst = f"that is {format_percent(share)} of {name} of {distorted[share, name]}{others}"
    return f"{text}; {WARNING}: {worst}; use longer answers{slower}"


def _told(added: float, info: RunInfo) -> str:
    return f"{format_wall(added)} of wall time = {format_duration(added * info.speed)} here"
