"""What clients did that made their outage worse, in words: the journal in, findings with their evidence out. Pure.

A finding says who did what how often, names the first prompts in which it shows, and what to do instead. It is advice:
it changes no verdict. Two users who ask the same thing are two prompts, so they cause none.

    Attempt ──► kept until its prompt is settled ──► Manners: what shows in one prompt's attempts  ┐
       └──────► the other detectors: what takes a crowd, a second provider or a status page        ┴──► Finding
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from mockbot.evidence.antipatterns import ANTIPATTERNS
from mockbot.evidence.detectors import DETECTORS, Detection, DetectionContext, Detector
from mockbot.evidence.records import Attempt, Prompt

TELLS: Mapping[str, tuple[str, str]] = {  # name -> (what the group did, what to do instead)
    "ignores_retry_after": (
        "came back before the Retry-After that it was told was over, {times:,} times",
        ANTIPATTERNS["ignores_retry_after"],
    ),
    "retries_what_cannot_succeed": (
        "repeated requests that can only fail, {times:,} times",
        ANTIPATTERNS["retries_what_cannot_succeed"],
    ),
    "retries_without_end": (
        "made more than ten attempts for one prompt, {times:,} times",
        ANTIPATTERNS["retries_without_end"],
    ),
    "does_not_back_off": (
        "did not wait longer after each failure, for {times:,} prompts",
        ANTIPATTERNS["does_not_back_off"],
    ),
    "takes_broken_answers": (
        "took an answer that was not whole, {times:,} times",
        ANTIPATTERNS["takes_broken_answers"],
    ),
    "hangs": ("held on without a word, {times:,} times", ANTIPATTERNS["hangs"]),
    "never_retries": ("gave up at the first failure, all {times:,} times", ANTIPATTERNS["never_retries"]),
    "no_total_deadline": (
        "held on to an answer that only dripped, {times:,} times",
        "Set a deadline for the whole answer; a read timeout begins anew with every byte",
    ),
    "retry_storm": (
        "sent {times:,} requests for {of:,.0f} prompts while the provider was in trouble",
        "Limit retries by a budget, for instance to a tenth of all requests",
    ),
    "herd": (
        "came back all at once: {times:,} retries in one second",
        "Add jitter to every wait, on top of a Retry-After too",
    ),
    "gave_up_too_soon": (
        "gave up {times:,} prompts although the provider was back already",
        "Keep some patience for the end: cap the wait between attempts well below it",
    ),
    "did_not_fall_over": (
        "stayed with a failing provider for {times:,} attempts although it has another",
        "Fall over after a few failures",
    ),
    "did_not_come_back": (
        "stayed with the other provider for {times:,} attempts after its own was well",
        "Try the first one again now and then",
    ),
    "hammers_on": (
        "sent {of:.1f} times as much as usual while the status page said that it is being looked into",
        "Read the status page, or slow down while everything fails",
    ),
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
    """Watches the clients in one pass; keeps only the attempts of the prompts that are not settled yet."""

    setting: DetectionContext
    _detectors: tuple[Detector, ...] = ()
    _open: dict[str, list[Attempt]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._detectors = tuple(made for detector in DETECTORS if not (made := detector(self.setting)).idle)

    def add_attempt(self, attempt: Attempt) -> None:
        """One attempt; all of a prompt's come before it."""
        mine = self._open.get(attempt.prompt)
        if mine is None:
            self._open[attempt.prompt] = [attempt]
        else:
            mine.append(attempt)

    def add_prompt(self, prompt: Prompt) -> None:
        """One prompt, settled."""
        attempts = self._open.pop(prompt.id, [])
        if len(attempts) > 1:
            attempts.sort(key=_number)
        for detector in self._detectors:
            detector.settle(prompt, attempts)

    def findings(self) -> tuple[Finding, ...]:
        """Everything that was found, in the order of TELLS."""
        spotted = [each for detector in self._detectors for each in detector.spotted()]
        ranked = sorted(spotted, key=lambda each: (_RANK[each.name], each.group))
        return tuple(_finding(each) for each in ranked)


_RANK = {name: rank for rank, name in enumerate(TELLS)}


def _number(attempt: Attempt) -> int:
    return attempt.n


def _finding(spotted: Detection) -> Finding:
    did, remedy = TELLS[spotted.name]
    told = did.format(times=spotted.times, of=spotted.of)
    return Finding(spotted.name, spotted.group, spotted.times, told, spotted.evidence, remedy)
