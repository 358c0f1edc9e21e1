"""What clients can do wrong in an outage: one detector each, fed with settled prompts and their attempts. Pure.

A detector remembers counts and the first few prompts, never all of them. Times are scenario seconds.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import inf
from typing import Protocol

from mockbot.evidence.antipatterns import ATTEMPT_CHECKS, might_have_passed
from mockbot.evidence.disturbance import Disturbance
from mockbot.evidence.records import Attempt, Prompt
from mockbot.scenario.schema import Scenario
from mockbot.scenario.timeline import Timeline
from mockbot.units.formatting import format_seconds

SHOWN = 3  # prompts named
STORM = 3.0  # attempts per prompt while it lasts: an SDK's default makes that many
HERD, HERD_TIMES, AROUND = 20, 5.0, 30  # retries in a second, times as many as usual in the 30 s to each side
ENOUGH = 20  # attempts that say something about where a group goes
BY_CHANCE = 0.05  # share of prompts with retries whose waits look alike by the luck of full jitter
HAMMERS = 1.5  # times the calm's attempts per second
SAYS_WAIT = frozenset({"investigating", "identified", "in_progress"})


@dataclass(frozen=True, slots=True)
class DetectionContext:
    """What the clients were in. `clock`: scenario seconds in a second of theirs; `guest`: they are not ours."""

    scenario: Scenario
    timeline: Timeline
    disturbance: Disturbance
    clock: float = 1.0
    guest: bool = False


@dataclass(frozen=True, slots=True)
class Detection:
    """Something that a group did `times` times, with the first prompts that show it; `of`: compared with what."""

    name: str
    group: str
    times: int
    evidence: tuple[str, ...]
    of: float = 0.0


@dataclass(slots=True)
class Occurrences:
    """Occurrences of one thing: how many, and the first by time."""

    times: int = 0
    first: list[tuple[float, str]] = field(default_factory=list)

    def add(self, at: float, text: str) -> None:
        """One more, at second `at`."""
        self.times += 1
        if len(self.first) < SHOWN or (at, text) < self.first[-1]:
            self.first = sorted([*self.first, (at, text)])[:SHOWN]

    def spotted(self, name: str, group: str) -> Detection:
        """As it is told."""
        return Detection(name, group, self.times, tuple(text for _, text in self.first))


class Detector(Protocol):
    """Looks for one kind of thing; `idle` when it cannot be there in this scenario."""

    idle: bool

    def settle(self, prompt: Prompt, attempts: Sequence[Attempt]) -> None:
        """A prompt is over; `attempts` are its own, by number."""
        ...

    def spotted(self) -> Iterator[Detection]:
        """What was found in the whole journal."""
        ...


class AttemptPatterns:
    """What shows in the attempts of one prompt."""

    idle = False

    def __init__(self, setting: DetectionContext) -> None:
        self._setting = setting
        self._seen: dict[tuple[str, str], Occurrences] = defaultdict(Occurrences)
        self._retried: Counter[str] = Counter()  # group -> prompts with two retries or more
        self._tried_again: set[str] = set()

    def settle(self, prompt: Prompt, attempts: Sequence[Attempt]) -> None:
        """Every habit that it shows."""
        if len(attempts) > 1:
            self._tried_again.add(prompt.group)
            self._retried[prompt.group] += len(attempts) > 2
        elif not attempts or (
            attempts[0].outcome == "ok" and attempts[0].end - attempts[0].start < self._setting.clock
        ):
            return  # an answer within a second shows no habit
        for name, look in ATTEMPT_CHECKS.items():
            if (told := look(attempts, self._setting.clock)) and not self._was_noticed(name, prompt):
                self._seen[name, prompt.group].add(attempts[0].start, told)
        self._look_for_a_drip(prompt, attempts)
        if might_have_passed(attempts[0]):
            first = attempts[0]
            told = f"{prompt.id} at {format_seconds(first.start, 1)}: {first.status or first.outcome}, and given up"
            self._seen["never_retries", prompt.group].add(first.start, told)

    def spotted(self) -> Iterator[Detection]:
        """Two habits are a group's: who retries at times does retry, and jitter may happen to wait twice the same."""
        for (name, group), seen in self._seen.items():
            if name == "never_retries" and (group in self._tried_again or seen.times < SHOWN):
                continue
            if name == "does_not_back_off" and seen.times < BY_CHANCE * self._retried[group]:
                continue
            yield seen.spotted(name, group)

    def _was_noticed(self, name: str, prompt: Prompt) -> bool:
        """Our own clients say what their user saw; of another's it is not known."""
        return name == "takes_broken_answers" and prompt.settled != "answered" and not self._setting.guest

    def _look_for_a_drip(self, prompt: Prompt, attempts: Sequence[Attempt]) -> None:
        group = self._setting.scenario.crowd.get(prompt.group)
        longest = max(2 * self._setting.scenario.slo, group.patience if group else 0.0)
        for attempt in attempts:
            if attempt.first_token is not None and (took := attempt.end - attempt.start) > longest:
                when = format_seconds(attempt.start, 1)
                told = f"{prompt.id} at {when}: {format_seconds(took)}, {attempt.tokens} tokens"
                self._seen["no_total_deadline", prompt.group].add(attempt.start, told)


class RetryStorm:
    """More than three attempts for each prompt that was issued while the provider was in trouble."""

    idle = False

    def __init__(self, setting: DetectionContext) -> None:
        self._begin, self._clear = setting.disturbance.begin or inf, setting.disturbance.clear or -inf
        self._issued: Counter[str] = Counter()
        self._sent: Counter[str] = Counter()
        self._most: dict[str, list[tuple[int, float, str]]] = defaultdict(list)

    def settle(self, prompt: Prompt, attempts: Sequence[Attempt]) -> None:
        """Count what it sent in the disturbance."""
        if not self._begin <= prompt.intended < self._clear:
            return
        group, count = prompt.group, len(attempts)
        self._issued[group] += 1
        self._sent[group] += count
        most = self._most[group]
        if len(most) < SHOWN or -count <= most[-1][0]:
            self._most[group] = sorted([*most, (-count, prompt.intended, prompt.id)])[:SHOWN]

    def spotted(self) -> Iterator[Detection]:
        """The prompts with the most attempts are the evidence."""
        for group, issued in self._issued.items():
            if issued >= ENOUGH and self._sent[group] > STORM * issued:
                told = (
                    f"{name} at {format_seconds(at, 1)}: {-count} attempts" for count, at, name in self._most[group]
                )
                yield Detection("retry_storm", group, self._sent[group], tuple(told), issued)


class ThunderingHerd:
    """Retries of many prompts in one second, far more than around it: clients that were told the same time."""

    idle = False

    def __init__(self, setting: DetectionContext) -> None:
        self._clock = setting.clock
        self._retries: dict[str, Counter[int]] = defaultdict(Counter)
        self._who: dict[tuple[str, int], Occurrences] = defaultdict(Occurrences)

    def settle(self, prompt: Prompt, attempts: Sequence[Attempt]) -> None:
        """Count its retries by the second."""
        if len(attempts) < 2:
            return
        for attempt in attempts[1:]:
            second = int(attempt.start / self._clock)
            self._retries[prompt.group][second] += 1
            self._who[prompt.group, second].add(attempt.start, f"{prompt.id} at {format_seconds(attempt.start, 2)}")

    def spotted(self) -> Iterator[Detection]:
        """Each group's largest one."""
        for group, retries in self._retries.items():
            second, most = min(retries.items(), key=lambda item: (-item[1], item[0]))
            around = sum(retries[other] for other in range(second - AROUND, second + AROUND + 1)) - most
            if most >= HERD and most > HERD_TIMES * around / (2 * AROUND):
                yield Detection("herd", group, most, self._who[group, second].spotted("herd", group).evidence)


class GaveUpTooSoon:
    """Prompts given up after the first success of others: the provider was back, and they did not try once more."""

    idle = False

    def __init__(self, setting: DetectionContext) -> None:
        self._clear = inf if setting.disturbance.clear is None else setting.disturbance.clear
        self._back = inf
        self._late: dict[tuple[str, int], Occurrences] = defaultdict(Occurrences)

    def settle(self, prompt: Prompt, attempts: Sequence[Attempt]) -> None:
        """Remember when it was back, and who gave up by which second after the clear."""
        if prompt.end < self._clear:
            return
        if prompt.settled == "answered" and prompt.intended >= self._clear:
            self._back = min(self._back, prompt.end)
        elif prompt.settled == "gave_up" and prompt.intended < self._clear and not _tried(attempts, self._clear):
            last = f", last tried at {format_seconds(attempts[-1].start, 1)}" if attempts else ""
            told = (
                f"{prompt.id} at {format_seconds(prompt.intended, 1)}{last}, gave up at {format_seconds(prompt.end, 1)}"
            )
            self._late[prompt.group, int(prompt.end)].add(prompt.end, told)

    def spotted(self) -> Iterator[Detection]:
        """Those after the first success."""
        for group in sorted({group for group, _ in self._late}):
            mine = [self._late[key] for key in sorted(self._late) if key[0] == group and key[1] >= self._back]
            if mine:
                evidence = tuple(text for seen in mine for _, text in seen.first)[:SHOWN]
                yield Detection("gave_up_too_soon", group, sum(seen.times for seen in mine), evidence)


def _tried(attempts: Sequence[Attempt], since: float) -> bool:
    return bool(attempts) and attempts[-1].start >= since


class FailOver:
    """Groups that have a second provider: whether they went there in the disturbance, and back after it."""

    def __init__(self, setting: DetectionContext) -> None:
        crowd = setting.scenario.crowd.items()
        first = setting.scenario.first_provider
        self._homes = {name: group.uses or first for name, group in crowd if group.falls_over_to is not None}
        self._begin, self._clear = setting.disturbance.begin or inf, setting.disturbance.clear or -inf
        hit = {fault.provider for fault in setting.timeline.faults}
        self._homes = {group: home for group, home in self._homes.items() if home in hit}
        self.idle = not self._homes
        half = (setting.timeline.end + self._clear) / 2
        self._after = min(half, self._clear + 300.0)  # by then whoever comes back has
        self._failed: dict[str, Occurrences] = defaultdict(Occurrences)
        self._away: dict[str, Occurrences] = defaultdict(Occurrences)
        self._went: set[str] = set()
        self._came: set[str] = set()

    def settle(self, prompt: Prompt, attempts: Sequence[Attempt]) -> None:
        """Where each attempt went, and when."""
        home = self._homes.get(prompt.group)
        if home is None:
            return
        for attempt in attempts:
            during = self._begin <= attempt.start < self._clear
            told = f"{prompt.id} at {format_seconds(attempt.start, 1)}: {attempt.provider}, {attempt.outcome}"
            if attempt.provider != home:
                self._went.add(prompt.group)
                if attempt.start >= self._after:
                    self._away[prompt.group].add(attempt.start, told)
            elif during and attempt.outcome != "ok":
                self._failed[prompt.group].add(attempt.start, told)
            elif attempt.start >= self._after:
                self._came.add(prompt.group)

    def spotted(self) -> Iterator[Detection]:
        """Only of groups that sent enough to say so."""
        for group, seen in self._failed.items():
            if group not in self._went and seen.times >= ENOUGH:
                yield seen.spotted("did_not_fall_over", group)
        for group, seen in self._away.items():
            if group not in self._came and seen.times >= ENOUGH:
                yield seen.spotted("did_not_come_back", group)


class IgnoredStatusPage:
    """More attempts per second at a provider in trouble than in the calm, while its status page said so."""

    def __init__(self, setting: DetectionContext) -> None:
        self._waits = tuple(said_to_wait(setting.timeline))
        self._hit = {fault.provider for fault in setting.timeline.faults}
        self.idle = not self._waits
        self._calm = setting.disturbance.baseline or (0.0, 0.0)
        self._usual: Counter[str] = Counter()
        self._sent: Counter[str] = Counter()
        self._seen: dict[str, Occurrences] = defaultdict(Occurrences)

    def settle(self, prompt: Prompt, attempts: Sequence[Attempt]) -> None:
        """Count its attempts where they belong."""
        for attempt in attempts:
            if attempt.provider not in self._hit:
                continue
            if self._calm[0] <= attempt.start < self._calm[1]:
                self._usual[prompt.group] += 1
            elif any(start <= attempt.start < end for start, end in self._waits):
                self._sent[prompt.group] += 1
                if attempt.n:
                    told = f"{prompt.id} at {format_seconds(attempt.start, 1)}: attempt {attempt.n + 1}"
                    self._seen[prompt.group].add(attempt.start, told)

    def spotted(self) -> Iterator[Detection]:
        """By rate: the same people, so the same rate is no more than usual."""
        waited, calm = sum(end - start for start, end in self._waits), self._calm[1] - self._calm[0]
        for group, seen in self._seen.items():
            usual, sent = self._usual[group], self._sent[group]
            if usual < ENOUGH or sent < ENOUGH:
                continue
            if (times := sent * calm / (usual * waited)) > HAMMERS:
                yield Detection("hammers_on", group, sent, seen.spotted("", group).evidence, times)


def said_to_wait(timeline: Timeline) -> Iterator[tuple[float, float]]:
    """The spans in which the status page says that something is being looked into."""
    moments = [t for t in timeline.changes() if timeline.at(t).status is not None]
    for start, end in pairwise([*moments, timeline.end]):
        status = timeline.at(start).status
        if status is not None and status.update.state in SAYS_WAIT and start < end:
            yield start, end


DETECTORS = (AttemptPatterns, RetryStorm, ThunderingHerd, GaveUpTooSoon, FailOver, IgnoredStatusPage)
