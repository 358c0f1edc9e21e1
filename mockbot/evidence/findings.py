"""The journal in, findings out: what clients did that made the outage worse, with evidence and remedy. Pure.

A finding says which group did what how often, names the first prompts that show it, and gives a remedy. It is advice
and changes no verdict. Two users with the same question are two prompts and no retry.

    Attempt ──► kept until its prompt is settled ──► AttemptPatterns: what one prompt's attempts show  ┐
       └──────► the other detectors: what needs many prompts, a second provider or a status page       ┴──► Finding
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from mockbot.evidence.antipatterns import ANTIPATTERNS
from mockbot.evidence.detection import DetectionContext, Detector
from mockbot.evidence.detectors import DETECTORS
from mockbot.evidence.records import Attempt, Prompt

DESCRIPTIONS: Mapping[str, str] = {  # name -> what the group did, in the order of the report
    "ignores_retry_after": "retried before the Retry-After was over, {times:,} times",
    "retries_what_cannot_succeed": "repeated requests that can only fail, {times:,} times",
    "retries_without_end": "made more than ten attempts for one prompt, {times:,} times",
    "does_not_back_off": "did not wait longer after each failure, for {times:,} prompts",
    "takes_broken_answers": "took an incomplete or broken answer for a good one, {times:,} times",
    "hangs": "waited more than a minute without a token, {times:,} times",
    "never_retries": "gave up at the first failure, all {times:,} times",
    "no_total_deadline": "waited for an answer that arrived too slowly, {times:,} times",
    "retry_storm": "sent {times:,} requests for {of:,.0f} prompts while the provider was in trouble",
    "herd": "retried at the same time: {times:,} retries in one second",
    "gave_up_too_soon": "gave up {times:,} prompts although the provider had recovered",
    "did_not_fall_over": "stayed with a failing provider for {times:,} attempts although it has another",
    "did_not_come_back": "stayed with the other provider for {times:,} attempts after its own had recovered",
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
class Finding:
    """`did` is a sentence about the group; `evidence` names the first prompts that show it, with their times."""

    name: str
    group: str
    times: int
    did: str
    evidence: tuple[str, ...]
    remedy: str


@dataclass(slots=True)
class FindingCollector:
    """Runs all detectors in one pass; keeps only the attempts of the prompts that are not settled yet."""

    context: DetectionContext
    _detectors: tuple[Detector, ...] = ()
    _open: dict[str, list[Attempt]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._detectors = tuple(made for detector in DETECTORS if not (made := detector(self.context)).idle)

    def add_attempt(self, attempt: Attempt) -> None:
        """Keep one attempt; all attempts of a prompt come before the prompt."""
        attempts = self._open.get(attempt.prompt)
        if attempts is None:
            self._open[attempt.prompt] = [attempt]
        else:
            attempts.append(attempt)

    def add_prompt(self, prompt: Prompt) -> None:
        """Give a settled prompt and its attempts to the detectors."""
        attempts = self._open.pop(prompt.id, [])
        if len(attempts) > 1:
            # The journal has them by their end, and a hedge may end before the attempt it was sent beside.
            attempts.sort(key=lambda attempt: attempt.n)
        for detector in self._detectors:
            detector.settle(prompt, attempts)

    def findings(self) -> tuple[Finding, ...]:
        """Everything that was found, in the order of DESCRIPTIONS, then by group."""
        order = {name: rank for rank, name in enumerate(DESCRIPTIONS)}
        found = [each for detector in self._detectors for each in detector.detections()]
        findings = []
        for each in sorted(found, key=lambda each: (order[each.name], each.group)):
            did = DESCRIPTIONS[each.name].format(times=each.times, of=each.of)
            findings.append(Finding(each.name, each.group, each.times, did, each.evidence, REMEDIES[each.name]))
        return tuple(findings)
