"""A summary in, three sentences out that a manager can read: what was wrong, how the users fared, what came after."""

import math

from mockbot.report.summary import Measures, MoreThan, Number, Summary
from mockbot.units.formatting import format_share, spell_duration

PLAIN = {  # fault kind -> what it means to whoever does not know HTTP; {0} is the provider
    "http_error": "{0} answered with errors",
    "maintenance": "{0} was closed for maintenance",
    "rate_limited": "{0} told clients that they ask too often, which they did not",
    "capacity": "{0} had less capacity than usual",
    "crash": "{0} crashed",
    "shed": "{0} turned some users away",
    "slow": "{0} was slow",
    "stall": "answers of {0} stopped coming",
    "cut": "answers of {0} were cut off",
    "error_event": "answers of {0} broke off with an error",
    "malformed_event": "answers of {0} were garbled",
    "blank_answer": "answers of {0} were empty",
    "down": "{0} could not be reached",
    "latency": "the way to {0} was slow",
    "bandwidth": "the way to {0} was narrow",
    "slow_close": "connections to {0} did not close",
    "timeout": "the way to {0} was blocked",
    "reset_peer": "connections to {0} were reset",
    "slicer": "answers of {0} came in small pieces",
    "limit_data": "connections to {0} broke off",
}


def executive_summary(summary: Summary) -> tuple[str, ...]:
    """Three sentences; fewer when nothing was asked."""
    if not summary.measures or not summary.measures[0].values["prompts"]:
        return ("Nothing was asked, so there is nothing to tell.",)
    return (_wrong(summary), _fared(summary), _after(summary))


def _wrong(summary: Summary) -> str:
    begin, clear = summary.disturbance.begin, summary.disturbance.clear
    if begin is None or clear is None:
        return "Nothing went wrong in this run: it is a plain load."
    if not summary.faults:
        return f"For {spell_duration(clear - begin)} a larger crowd than usual came."
    longest = sorted(summary.faults, key=lambda fault: fault.measured[1] - fault.measured[0], reverse=True)
    named = list(dict.fromkeys(PLAIN[fault.kind].format(fault.provider) for fault in longest))
    told = f"{', '.join(named[:2])} and more" if len(named) > 2 else " and ".join(named)
    return f"For {spell_duration(clear - begin)} {told}."


def _fared(summary: Summary) -> str:
    """The worst phase against the first, and who fared best and worst in it."""
    phases = [row for row in summary.measures if row.scope.phase and not row.scope.group and _known(row)]
    if not phases:
        return "Too little was asked to say how the users fared."
    worst = min(phases, key=_availability)
    told = f"At worst, in the phase {worst.scope.phase}, users got a good answer to {_share(worst)} of what they asked"
    if phases[0] is not worst:
        told += f", where it had been {_share(phases[0])} before"
    groups = [
        row for row in summary.measures if row.scope.phase == worst.scope.phase and row.scope.group and _known(row)
    ]
    if len(groups) < 2 or len({_availability(row) for row in groups}) == 1:
        return f"{told}."
    best, last = max(groups, key=_availability), min(groups, key=_availability)
    return f"{told}; {best.scope.group} fared best with {_share(best)}, {last.scope.group} worst with {_share(last)}."


def _known(row: Measures) -> bool:
    return isinstance(row.values["availability"], float | int)


def _availability(row: Measures) -> float:
    value = row.values["availability"]
    return value if isinstance(value, float | int) else math.inf


def _share(row: Measures) -> str:
    return format_share(_availability(row))


def _after(summary: Summary) -> str:
    values = summary.measures[0].values
    tries = values["attempts_per_prompt"]
    sent = f", and {tries:.1f} requests were sent for each question" if isinstance(tries, float | int) else ""
    if summary.disturbance.begin is None:
        return f"Users got a good answer to {_share(summary.measures[0])} of what they asked{sent}."
    return f"{_recovered(values['recovery_time'])}{sent}."


def _recovered(time: Number) -> str:
    match time:
        case MoreThan():
            return f"When the run ended, at least {spell_duration(time.more_than)} later, users were not well again"
        case float() | int() if time < 1:
            return "As soon as it was over users were as well as before"
        case float() | int():
            return f"It took {spell_duration(time)} after it was over until users were as well as before"
        case _:
            return "How long users took to be as well as before cannot be said"
