"""What a detector is: the context of a run and settled prompts with their attempts in, findings out. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from mockbot.evidence.antipatterns import ANTIPATTERNS, SHOWN
from mockbot.evidence.records import Attempt, Prompt
from mockbot.measures.counter_protocols import Disturbance
from mockbot.scenario.schema import Scenario
from mockbot.scenario.timeline import Timeline
from mockbot.units.formatting import format_counted

DESCRIPTIONS: Mapping[str, str] = {  # name -> what the group did, in the order of the report
    "ignores_retry_after": "retried before the Retry-After was over, {often}",
    "retries_what_cannot_succeed": "repeated requests that can only fail, {often}",
    "retries_without_end": "made more than ten attempts for one prompt, {often}",
    "does_not_back_off": "did not wait longer after each failure, for {prompts}",
    "takes_broken_answers": "took an incomplete or broken answer for a good one, {often}",
    "hangs": "waited more than a minute without a token, {often}",
    "never_retries": "gave up at the first failure, all {often}",
    "no_total_deadline": "waited for an answer that arrived too slowly, {often}",
    "retry_storm": "sent {times:,} requests for {of:,.0f} prompts while the provider was in trouble",
    "herd": "retried at the same time: {times:,} retries in one second",
    "gave_up_too_soon": "gave up {prompts} although the provider had recovered",
    "did_not_fall_over": "stayed with a failing provider for {attempts} although it has another",
    "did_not_come_back": "stayed with the other provider for {attempts} after its own had recovered",
    "hammers_on": "sent {of:.1f} times as much as usual while the status page said that it is being looked into",
}
REMEDIES: Mapping[str, str] = {
    **ANTIPATTERNS,
    "no_total_deadline": "Set a deadline for the whole answer; a read timeout begins anew with every byte",
    "retry_storm": "Limit retries by a budget, for instance to a tenth of all requests",
    "herd": "Add jitter to every wait, on top of a Retry-After too",
    "gave_up_too_soon": "Cap the wait between attempts well below the time after which the client gives up",
    "did_not_fall_over": "Fall over after a few failures",
    "did_not_come_back": "Try the first one again now and then",
    "hammers_on": "Read the status page, or slow down while everything fails",
}


@dataclass(frozen=True, slots=True)
class DetectionContext:
    """The run. `clock`: scenario seconds per second of the client's clock; `external`: it is the user's program."""

    scenario: Scenario
    timeline: Timeline
    disturbance: Disturbance
    clock: float = 1.0
    external: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """`did` is a sentence about the group; `evidence` names the first prompts that show it, with their times."""

    name: str
    group: str
    times: int
    did: str
    evidence: tuple[str, ...]
    remedy: str


def finding(name: str, group: str, times: int, evidence: tuple[str, ...], of: float = 0.0) -> Finding:
    """What a group did, how often, and the first prompts that show it; `of`: the number to compare `times` with."""
    counts = {f"{what}s": format_counted(times, what) for what in ("prompt", "attempt")}
    did = DESCRIPTIONS[name].format(times=times, of=of, often=format_counted(times, "time"), **counts)
    return Finding(name, group, times, did, evidence, REMEDIES[name])


@dataclass(slots=True)
class Occurrences:
    """A count of occurrences and the descriptions of the first by time."""

    times: int = 0
    first: list[tuple[float, str]] = field(default_factory=list)

    def add(self, at: float, text: str) -> None:
        """Count one at second `at`."""
        self.times += 1
        if len(self.first) < SHOWN or (at, text) < self.first[-1]:
            self.first = sorted([*self.first, (at, text)])[:SHOWN]

    @property
    def evidence(self) -> tuple[str, ...]:
        """The first descriptions."""
        return tuple(text for _, text in self.first)


class Detector(Protocol):
    """Detects one kind of behaviour; `idle` when it cannot occur in this scenario."""

    idle: bool = False

    def settle(self, prompt: Prompt, attempts: Sequence[Attempt]) -> None:
        """Look at a settled prompt and its attempts, in order."""

    def findings(self) -> Iterator[Finding]:
        """What was found, once all prompts were given to `settle`."""
