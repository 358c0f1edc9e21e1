"""A judgement in, three sentences for a manager out: what was wrong, how users were served, how they recovered."""

from operator import itemgetter

from mockbot.evidence.judgement import Judgement, Row
from mockbot.measures.values import Beyond, Known
from mockbot.units.formatting import format_number, format_share, spell_duration

PLAIN = {  # fault kind -> its text for readers who do not know HTTP; {0} is the provider
    "http_error": "{0} answered with errors",
    "maintenance": "{0} was closed for maintenance",
    "rate_limited": "{0} rejected requests as too frequent although they were not",
    "capacity": "{0} had less capacity than usual",
    "crash": "{0} crashed",
    "shed": "{0} rejected the requests of some users",
    "slow": "{0} was slow",
    "stall": "answers of {0} stopped coming",
    "cut": "answers of {0} were cut off",
    "error_event": "answers of {0} ended early with an error",
    "malformed_event": "answers of {0} were malformed",
    "blank_answer": "answers of {0} were empty",
    "down": "{0} could not be reached",
    "latency": "the network path to {0} was slow",
    "bandwidth": "the network path to {0} had little bandwidth",
    "slow_close": "connections to {0} did not close",
    "timeout": "the network path to {0} was blocked",
    "reset_peer": "connections to {0} were reset",
    "slicer": "answers of {0} came in small pieces",
    "limit_data": "connections to {0} were closed early",
}


def executive_summary(summary: Judgement) -> tuple[str, ...]:
    """Three sentences; one when no prompt was issued."""
    if summary.measures[0].values["prompts"] == Known(0):
        return ("No prompt was issued, so there are no results.",)
    return (_disturbance(summary), _worst_phase(summary), _recovery(summary))


def _disturbance(summary: Judgement) -> str:
    begin, clear = summary.disturbance.begin, summary.disturbance.clear
    if begin is None or clear is None:
        return "Nothing went wrong in this run: it is a plain load."
    if not summary.faults:
        return f"For {spell_duration(clear - begin)} the load was higher than usual."
    longest = sorted(summary.faults, key=lambda fault: fault.measured[1] - fault.measured[0], reverse=True)
    named = list(dict.fromkeys(PLAIN[fault.kind].format(fault.provider) for fault in longest))
    text = f"{', '.join(named[:2])} and more" if len(named) > 2 else " and ".join(named)
    return f"For {spell_duration(clear - begin)} {text}."


def _worst_phase(summary: Judgement) -> str:
    """The worst phase against the first, and the best and the worst group in it."""
    rows = [(share, row) for row in summary.measures if row.scope.phase and (share := _availability(row)) is not None]
    phases = [(share, row) for share, row in rows if not row.scope.group]
    if not phases:
        return "Too few prompts were issued to say how users were served."
    share, worst = min(phases, key=itemgetter(0))
    before = f", where it had been {format_share(phases[0][0])} before" if phases[0][1] is not worst else ""
    text = f"At worst, in the phase {worst.scope.phase}, {_good(share)}{before}"
    inside = [(share, row) for share, row in rows if row.scope.phase == worst.scope.phase]
    groups = [(share, row.scope.group) for share, row in inside if row.scope.group]
    if len({share for share, _ in groups}) < 2:
        return f"{text}."
    (most, best), (least, last) = max(groups, key=itemgetter(0)), min(groups, key=itemgetter(0))
    return f"{text}; group {best} did best with {format_share(most)}, group {last} worst with {format_share(least)}."


def _availability(row: Row) -> float | None:
    value = row.values["availability"]
    return value.number if isinstance(value, Known) else None


def _good(share: float) -> str:
    return f"users got a good answer to {format_share(share)} of their prompts"


def _recovery(summary: Judgement) -> str:
    values = summary.measures[0].values
    tries = values["attempts_per_prompt"]
    sent = ""
    if isinstance(tries, Known):
        sent = f", and {format_number(tries.number, 1)} requests were sent for each prompt"
    share = _availability(summary.measures[0])
    if summary.disturbance.begin is None and share is not None:
        return f"{_good(share).capitalize()}{sent}."
    match values["recovery_time"]:
        case Beyond(bound):
            text = f"When the run ended, at least {spell_duration(bound)} later, service had not recovered"
        case Known(time) if time < 1:
            text = "Service was back to normal at once"
        case Known(time):
            text = f"Service was back to normal {spell_duration(time)} after the end of the disturbance"
        case _:
            text = "The time until service was back to normal is not known"
    return f"{text}{sent}."
