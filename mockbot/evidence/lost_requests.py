"""Attempts and service seconds in, the requests that never reached their provider out. Pure.

A packet that the machine drops and a connection that somebody else resets look like an outage to a client. The rule: in
a recorded second in which no fault keeps requests away from a provider, it counts every attempt made there. An attempt
is a suspect when no answer to it began; of the suspects, those are lost by which the attempts exceed the requests that
the provider counted. Both are counted over all such seconds of the run, but for MARGIN around each fault that keeps
requests away: there a request may be sent on one side and counted on the other.

A few are no evidence: in an overload there are many suspects, and at each such fault the requests of the last EDGE
before the margin may be counted within it. Therefore at least FEWEST, and SHARE of the suspects, must be lost, on top
of what the provider's busiest second would be at each of these edges.

On the original Toxiproxy any toxic that ends or changes closes live connections (`ToxicControl.update_toxic`), so there
every fault of the wire keeps requests away.
"""

from collections import Counter
from collections.abc import Iterator

from mockbot.evidence.records import Attempt, Engine, ServiceSecond
from mockbot.faults.base import ToxicFault, WireFault
from mockbot.scenario.spans import FaultSpan
from mockbot.scenario.timeline import Timeline

MARGIN = 1.0  # wall seconds: as late as a change of a fault may be confirmed
EDGE = 0.1  # wall seconds from sending a request to its count, on a busy machine
FEWEST, SHARE = 3, 0.2
_UNANSWERED = frozenset({"refused", "tls_error", "reset", "closed", "timeout", "unfinished"})


class LostRequests:
    """`add_attempt` and `add_second` for every record, then `found`."""

    def __init__(self, timeline: Timeline, speed: float, engine: Engine = "embedded") -> None:
        margin, self._edge = MARGIN * speed, max(1.0, EDGE * speed)
        self._away = [
            (fault.provider, fault.start - margin, fault.end + margin)
            for fault in timeline.faults
            if _keeps_away(fault) or (engine == "toxiproxy" and isinstance(fault.fault, WireFault))
        ]
        self._sent = Counter[tuple[str, int]]()
        self._suspects = Counter[tuple[str, int]]()
        self._counted = Counter[tuple[str, int]]()

    def add_attempt(self, attempt: Attempt) -> None:
        """Count one attempt where it started."""
        second = (attempt.provider, int(attempt.start))
        self._sent[second] += 1
        if attempt.outcome in _UNANSWERED and attempt.status is None and attempt.first_token is None:
            self._suspects[second] += 1

    def add_second(self, second: ServiceSecond) -> None:
        """Count the requests that a provider got."""
        self._counted[second.provider, second.t] += second.offered

    def found(self) -> Iterator[tuple[str, int, int]]:
        """For each provider that lost requests: its name, how many, and the second of the first suspect."""
        for provider in sorted({provider for provider, _ in self._suspects}):
            sent, suspects, counted = (
                self._calm(provider, counts) for counts in (self._sent, self._suspects, self._counted)
            )
            edges = sum(name == provider for name, _, _ in self._away)
            late = edges * self._edge * max(sent.values(), default=0)
            lost = min(suspects.total(), sent.total() - counted.total() - int(late))
            if lost >= max(FEWEST, SHARE * suspects.total()):
                yield provider, lost, min(suspects)

    def _calm(self, provider: str, counts: Counter[tuple[str, int]]) -> Counter[int]:
        """The counts of the provider's recorded seconds in which no fault keeps requests away."""
        away = [(start, end) for name, start, end in self._away if name == provider]
        recorded = (t for name, t in self._counted if name == provider and (name, t) in counts)
        return Counter({t: counts[provider, t] for t in recorded if not any(a - 1 < t < b for a, b in away)})


def _keeps_away(fault: FaultSpan) -> bool:
    """Whether a request may never reach the service while it holds: nothing listens, or connections fail."""
    spec = fault.fault
    if not isinstance(spec, WireFault):
        return not spec.counted_by.isdisjoint({"client", "terminator"})
    return not isinstance(spec, ToxicFault) or spec.client_sees is not None or spec.stream == "upstream"
