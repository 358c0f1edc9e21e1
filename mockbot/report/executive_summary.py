"""A judgement in, three sentences for a manager out: how long users were down, what was wrong, how they were served."""

from collections.abc import Iterable
from operator import itemgetter

from mockbot.evidence.judgement import FaultResult, Judgement, Row
from mockbot.evidence.system_result import SystemResult
from mockbot.faults import KINDS
from mockbot.faults.base import SYSTEM
from mockbot.measures.scope import Scope
from mockbot.measures.values import Beyond, Known, Undefined
from mockbot.scenario.spans import where
from mockbot.units.formatting import format_number, format_share, spell_duration

MOST_NAMED = 4  # kinds of faults


def executive_summary(summary: Judgement) -> tuple[str, ...]:
    """Three sentences; one when no prompt was issued."""
    if summary.measures[0].values["prompts"] == Known(0):
        return ("No prompt was issued, so there are no results.",)
    if summary.system is not None:
        return (_through(summary.system), *_without_system(summary))
    return _without_system(summary)


def _through(system: SystemResult) -> str:
    """What users got from the system, against what its providers answered."""
    prompts = sum(row.prompts for row in system.phases)
    whole = sum(row.kinds.get("whole", 0) for row in system.phases)
    short = sum(row.kinds.get("laundered", 0) for row in system.phases)
    rows = [provider for row in system.phases for provider in row.providers.values()]
    requests, ok = sum(row.requests for row in rows), sum(row.ok for row in rows)
    text = f"Users of {system.name} got a whole answer to {whole} of {prompts} prompts"
    text += f", and to {short} a part that was said to be all" if short else ""
    return f"{text}; its providers answered {ok} of {requests} requests well."


def _without_system(summary: Judgement) -> tuple[str, ...]:
    if summary.disturbance.begin is None:
        return ("Nothing went wrong in this run: it is a plain load.", _plain_load(summary))
    return (_down(summary), _disturbance(summary), _worst_phase(summary))


def _disturbance(summary: Judgement) -> str:
    if not summary.faults:
        return f"{_when(summary)} the load was higher than usual."
    held: dict[str, list[tuple[float, float]]] = {}
    for fault in summary.faults:
        held.setdefault(KINDS[fault.kind].plain.format(_whom(fault)), []).append(fault.measured)
    times = sorted(
        ((_seconds_of(_united(spans)), text) for text, spans in held.items()), key=itemgetter(0), reverse=True
    )
    several = len(times) > 1
    lasted = _when(summary, several)
    named = [f"{text} for {spell_duration(seconds)}" if several else text for seconds, text in times]
    if len(named) > MOST_NAMED:
        return f"{lasted} {', '.join(named[: MOST_NAMED - 1])}, and {len(named) - MOST_NAMED + 1} more faults held."
    return f"{lasted} {' and '.join(filter(None, (', '.join(named[:-1]), named[-1])))}."


def _whom(fault: FaultResult) -> str:
    return "the system" if fault.provider == SYSTEM else where(fault.provider, fault.replica)


def _when(summary: Judgement, several: bool = False) -> str:
    """ "For 2 hours", or "In 2 outages, 7 hours in all," where something was wrong for anybody.

    "In an outage of 2 hours" before `several` kinds of faults, which have times of their own.
    """
    stretches = _united({(each.begin, each.clear) for each in summary.outages})
    lasted = spell_duration(_seconds_of(stretches))
    if len(stretches) > 1:
        return f"In {len(stretches)} outages, {lasted} in all,"
    return f"In an outage of {lasted}" if several else f"For {lasted}"


def _united(spans: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """The stretches that the spans cover together, in order."""
    stretches: list[tuple[float, float]] = []
    for begin, clear in sorted(spans):
        if stretches and begin <= stretches[-1][1]:
            stretches[-1] = stretches[-1][0], max(clear, stretches[-1][1])
        else:
            stretches.append((begin, clear))
    return stretches


def _seconds_of(stretches: Iterable[tuple[float, float]]) -> float:
    return sum(end - begin for begin, end in stretches)


def _worst_phase(summary: Judgement) -> str:
    """The worst phase against the first, and the best and the worst group in it."""
    rows = [(share, row) for row in summary.measures if row.scope.phase and (share := _availability(row)) is not None]
    phases = [(share, row) for share, row in rows if not row.scope.group]
    if not phases:
        return "Too few prompts were issued to say how users were served."
    if len(phases) == 1:
        return f"Only the phase {phases[0][1].scope.phase} has prompts enough to tell: there {_good(phases[0][0])}."
    share, worst = min(phases, key=itemgetter(0))
    if share == max(phases, key=itemgetter(0))[0]:
        return f"In every phase {_good(share)}."
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


def _plain_load(summary: Judgement) -> str:
    share = _availability(summary.measures[0])
    served = "Too few prompts were issued to say how users were served" if share is None else _good(share).capitalize()
    return f"{served}{_sent(summary)}."


def _sent(summary: Judgement) -> str:
    tries = summary.measures[0].values["attempts_per_prompt"]
    return (
        f", and {format_number(tries.number, 1)} requests were sent for each prompt" if isinstance(tries, Known) else ""
    )


def _down(summary: Judgement) -> str:
    """How long the groups were down, and what their requests cost."""
    rows = [row for row in summary.measures if row.scope == Scope(group=row.scope.group) and row.scope.group]
    down = [(row.values["down_for"], row.scope.group) for row in rows]
    known = [(value, group) for value, group in down if not isinstance(value, Undefined)]
    if not known:
        return f"How long users were down is not known{_sent(summary)}."
    longest, group = max(known, key=lambda each: _seconds(each[0]))
    if not _seconds(longest):
        return f"No users were down{_sent(summary)}."
    text = f"Users were down for {_spell_down(longest)}"
    if len(known) > 1:
        shortest, other = min(known, key=lambda each: _seconds(each[0]))
        most, least = (", the longest", ", the shortest") if len(known) > 2 else ("", "")  # the others are in between
        text += (
            f" in group {group}{most}, and for {_spell_down(shortest)} in group {other}{least}"
            if other != group
            else ""
        )
    return f"{text}{_sent(summary)}."


def _seconds(value: Known | Beyond) -> float:
    return value.number if isinstance(value, Known) else value.bound


def _spell_down(value: Known | Beyond) -> str:
    spelled = spell_duration(_seconds(value))
    return spelled if isinstance(value, Known) else f"at least {spelled} and still when the run ended"
