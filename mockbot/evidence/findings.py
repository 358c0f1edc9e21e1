"""The journal in, findings out: what clients did that made the outage worse, with evidence and remedy. Pure.

A finding says which group did what how often, names the first prompts that show it, and gives a remedy. It is advice
and changes no verdict. Two users with the same question are two prompts and no retry.

    Attempt ──► kept until its prompt is settled ──► AttemptPatterns: what one prompt's attempts show  ┐
       └──────► the other detectors: what needs many prompts, a second provider or a status page       ┴──► Finding
"""

from dataclasses import dataclass, field

from mockbot.evidence.detection import DESCRIPTIONS, DetectionContext, Detector, Finding
from mockbot.evidence.detectors import DETECTORS
from mockbot.evidence.records import Attempt, Prompt


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
        order = list(DESCRIPTIONS)
        found = (each for detector in self._detectors for each in detector.findings())
        return tuple(sorted(found, key=lambda each: (order.index(each.name), each.group)))
