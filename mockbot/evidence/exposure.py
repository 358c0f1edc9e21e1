"""How many attempts a fault hit where neither service nor proxy can tell. Pure.

Where nothing listens (`down`, `crash`) only the client knows: an attempt that was refused or reset there while the
fault held is its hit.

On the original Toxiproxy, which counts nothing, a wire fault's hits follow from who was exposed to it. The rule: an
attempt was exposed when it found a proxy at the fault's provider (it was not refused) and was under way at some moment
between a confirmed begin of the fault and the confirmed end that followed (or any later moment, when none did). It
counts with the fault's share at the first such moment: a toxic rolls its dice once for each connection and direction
(Toxiproxy 2.12.0, link.go), so of n exposed attempts n * share were hit on average. A fault whose begin was never
confirmed exposed nobody. The sum is rounded down: less than one attempt is none.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from mockbot.evidence.disturbance import measured_begin, measured_end
from mockbot.evidence.journal import RunEvidence
from mockbot.evidence.records import Action, Attempt
from mockbot.scenario.spans import FaultSpan


class _Exposure(NamedTuple):
    fault: FaultSpan
    held: tuple[tuple[float, float], ...]  # from when to when

    def weight(self, attempt: Attempt) -> float:
        """How likely it hit this attempt."""
        if attempt.provider != self.fault.provider or attempt.outcome == "refused":
            return 0.0
        for begin, end in self.held:
            if begin <= attempt.end and attempt.start <= end:
                return self.fault.fault.share.at(self.fault.progress(max(begin, attempt.start)))
        return 0.0


def turned_away(evidence: RunEvidence, seen: Mapping[tuple[str, int], int]) -> Counter[str]:
    """Fault -> attempts turned away by it; `seen`: (provider, second) -> attempts refused or reset there."""
    unheard = (fault for fault in evidence.timeline.faults if fault.fault.kind in {"down", "crash"})
    return Counter({fault.id: _turned_away(fault, evidence.actions, seen) for fault in unheard})


def _turned_away(fault: FaultSpan, actions: Sequence[Action], seen: Mapping[tuple[str, int], int]) -> int:
    planned = (measured_begin(fault, actions), measured_end(fault, actions))
    held = _held(fault.id, actions) or (planned,)
    return sum(
        count
        for (provider, second), count in seen.items()
        if provider == fault.provider and any(int(begin) <= second <= end for begin, end in held)
    )


def exposed(evidence: RunEvidence) -> Counter[str]:
    """Fault -> attempts that it must have hit; empty where the proxy tells for itself. Reads the journal once more."""
    if evidence.info.engine != "toxiproxy":
        return Counter()
    faults = (fault for fault in evidence.timeline.faults if fault.fault.layer == "wire" and fault.fault.kind != "down")
    exposures = [_Exposure(fault, held) for fault in faults if (held := _held(fault.id, evidence.actions))]
    weights = {each.fault.id: 0.0 for each in exposures}
    for line in evidence.requests() if exposures else ():
        if isinstance(line, Attempt):
            for each in exposures:
                weights[each.fault.id] += each.weight(line)
    return Counter({fault: int(weight + 1e-9) for fault, weight in weights.items()})


def _held(fault: str, actions: Sequence[Action]) -> tuple[tuple[float, float], ...]:
    """Each confirmed begin (a flapping fault has several) with the confirmed end that followed it."""
    spans: list[tuple[float, float]] = []
    for action in actions:
        if action.fault != fault or action.confirmed is None:
            continue
        if action.does == "begin":
            spans.append((action.confirmed, float("inf")))
        elif action.does == "end" and spans:
            spans[-1] = (spans[-1][0], action.confirmed)
    return tuple(spans)
