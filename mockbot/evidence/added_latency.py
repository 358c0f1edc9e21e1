"""What the testbed adds to every latency, and the measures in, out the words that say it, with a warning. Pure.

It is not subtracted: an answer under load does not take exactly what a bare one took.
"""

from collections.abc import Iterable, Mapping

from mockbot.evidence.records import RunInfo
from mockbot.measures.scope import Scope
from mockbot.measures.values import Known, Value
from mockbot.units.formatting import format_duration, format_percent

LARGE = 0.05  # of a p50: from here on the testbed distorts it
WARNING = "WARNING"
_NAMED = 3  # of the p50 that it distorts
_P50 = ("latency_p50", "first_token_p50")  # those that are shown


def added_text(info: RunInfo, rows: Iterable[tuple[Scope, Mapping[str, Value]]]) -> str:
    """Empty for a run without a live crowd. `rows`: all measures of each scope."""
    if info.simulated or info.client != "crowd" or info.t0 is None:
        return ""
    if info.added_latency is None:
        return "added by the testbed: not measured"
    here = info.added_latency * info.speed
    text = f"added by the testbed: {format_duration(info.added_latency)} of wall time = {format_duration(here)} here"
    large = sorted(_distorted(here, rows), reverse=True)
    if not large:
        return text
    named = ", ".join(f"{where} ({format_percent(share)})" for share, where in large[:_NAMED])
    more = f" and {len(large) - _NAMED} more" if len(large) > _NAMED else ""
    return f"{text}; {WARNING}: that is more than {format_percent(LARGE)} of {named}{more}; use a lower speed"


def _distorted(added: float, rows: Iterable[tuple[Scope, Mapping[str, Value]]]) -> Iterable[tuple[float, str]]:
    for scope, values in rows:
        for name in _P50:
            match values.get(name):
                case Known(p50) if 0 < p50 < added / LARGE:
                    yield added / p50, f"{name} of {scope}"
