"""Attempts and confirmed actions in, hits of a fault out, where neither service nor proxy can count them. Pure.

Where no process listens (`down`, `crash`) only the client sees it: an attempt that was refused or reset at the provider
while the fault was active is a hit.

On the original Toxiproxy, which counts nothing, the hits of a wire fault follow from the attempts exposed to it. The
rule: an attempt was exposed when it found a proxy at the fault's provider (it was not refused) and was in progress at
some moment between a confirmed begin of the fault and the confirmed end that followed (or any later moment, when none
did). It counts with the fault's share at the first such moment: a toxic draws once for each connection and direction
(Toxiproxy 2.12.0, link.go), so of n exposed attempts n * share were hit on average. A fault whose begin was never
confirmed exposed no attempt. The sum is rounded down: less than one attempt is none.

A fault on the system under test meets every attempt, whatever provider its group has.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from math import inf

from mockbot.evidence.journal import RunEvidence
from mockbot.evidence.outage_spans import measured_begin, measured_end
from mockbot.evidence.records import Action, Attempt
from mockbot.faults.base import SYSTEM
from mockbot.scenario.spans import FaultSpan

_Spans = tuple[tuple[float, float], ...]  # (begin, end) of the times in which a fault was active


def is_inferred(evidence: RunEvidence, fault: FaultSpan) -> bool:
    """Whether the hits of a fault follow from the attempts, because the proxy that should count them does not."""
    return evidence.info.engine == "toxiproxy" and "proxy" in fault.fault.counted_by


def turned_away(evidence: RunEvidence, counts: Mapping[tuple[str, int], int]) -> Counter[str]:
    """Fault -> attempts refused or reset by it; `counts`: (provider, second) -> attempts refused or reset there."""
    result = Counter[str]()
    for fault in evidence.timeline.faults:
        if "client" in fault.fault.counted_by:
            measured = (measured_begin(fault, evidence.actions), measured_end(fault, evidence.actions))
            spans = _active(fault.id, evidence.actions) or (measured,)
            result[fault.id] = sum(
                count
                for (provider, second), count in counts.items()
                if fault.provider in {provider, SYSTEM} and any(int(begin) <= second <= end for begin, end in spans)
            )
    return result


def exposed(evidence: RunEvidence) -> Counter[str]:
    """Fault -> attempts that it must have hit; empty where the proxy counts them. Reads the journal once more."""
    wire = (fault for fault in evidence.timeline.faults if is_inferred(evidence, fault))
    faults = [(fault, spans) for fault in wire if (spans := _active(fault.id, evidence.actions))]
    hits = {fault.id: 0.0 for fault, _ in faults}
    for line in evidence.requests() if faults else ():
        if isinstance(line, Attempt):
            for fault, spans in faults:
                hits[fault.id] += _hit_probability(fault, spans, line)
    # The sum of n shares of 1/n may be just below 1 in floats.
    return Counter({fault: int(expected + 1e-9) for fault, expected in hits.items()})


def _hit_probability(fault: FaultSpan, spans: _Spans, attempt: Attempt) -> float:
    if fault.provider not in {attempt.provider, SYSTEM} or attempt.outcome == "refused":
        return 0.0
    for begin, end in spans:
        if begin <= attempt.end and attempt.start <= end:
            return fault.fault.share.at(fault.progress(max(begin, attempt.start)))
    return 0.0


def _active(fault: str, actions: Sequence[Action]) -> _Spans:
    """Each confirmed begin (a flapping fault has several) with the confirmed end that followed it."""
    spans: list[tuple[float, float]] = []
    for action in actions:
        if action.fault != fault or action.confirmed is None:
            continue
        if action.does == "begin":
            spans.append((action.confirmed, inf))
        elif action.does == "end" and spans:
            spans[-1] = (spans[-1][0], action.confirmed)
    return tuple(spans)
