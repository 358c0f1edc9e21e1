"""One detector for each way in which clients make an outage worse: settled prompts with their attempts in. Pure.

A detector remembers counts and the first few prompts, never all of them. Times are scenario seconds.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from math import inf

from mockbot.evidence.antipatterns import ATTEMPT_CHECKS, SHOWN, might_have_passed
from mockbot.evidence.detection import DetectionContext, Detector, Finding, Occurrences, finding
from mockbot.evidence.outage_spans import BEING_FIXED
from mockbot.evidence.records import Attempt, Prompt
from mockbot.scenario.timeline import Timeline
from mockbot.units.formatting import format_clock, format_duration

STORM = 3.0  # attempts per prompt during the disturbance: an SDK's default makes that many
HERD, HERD_TIMES, AROUND = 20, 5.0, 30  # retries in a second, times as many as usual in the 30 s to each side
ENOUGH = 20  # attempts of a group that show where it sends them
BY_CHANCE = 0.05  # share of prompts with retries whose waits look alike by the chance of full jitter
HAMMERS = 1.5  # times the baseline's attempts per second


class AttemptPatterns(Detector):
    """Anti-patterns that the attempts of one prompt show."""

    def __init__(self, context: DetectionContext) -> None:
        self._context = context
        self._found: dict[tuple[str, str], Occurrences] = defaultdict(Occurrences)
        self._retried: Counter[str] = Counter()  # group -> prompts with two retries or more
        self._with_retries: set[str] = set()  # groups
        self._may_retry: Counter[str] = Counter()  # group -> prompts that may be retries of others

    def settle(self, prompt: Prompt, attempts: Sequence[Attempt]) -> None:
        """Count each anti-pattern of the prompt for its group."""
        clock, scenario, group = self._context.clock, self._context.scenario, prompt.group
        self._may_retry[group] += bool(attempts) and attempts[0].may_retry is not None
        if len(attempts) > 1:
            self._with_retries.add(group)
            self._retried[group] += len(attempts) > 2
        elif not attempts or (attempts[0].outcome == "ok" and attempts[0].end - attempts[0].start < clock):
            return  # an answer within a second shows no anti-pattern
        first = attempts[0]
        # Our own clients record whether the user saw the error; of an external client that is not known.
        excused = prompt.settled != "answered" and not self._context.external
        for name, check in ATTEMPT_CHECKS.items():
            if (text := check(attempts, clock)) and not (excused and name == "takes_broken_answers"):
                self._found[name, group].add(first.start, text)
        settings = scenario.crowd.get(group)
        longest = max(2 * scenario.slo, settings.patience if settings else 0.0)
        for attempt in attempts:
            if attempt.first_token is not None and (took := attempt.end - attempt.start) > longest:
                text = f"{_name(prompt, attempt.start)}: {format_duration(took)}, {attempt.tokens} tokens"
                self._found["no_total_deadline", group].add(attempt.start, text)
        if might_have_passed(first):
            text = f"{_name(prompt, first.start)}: {first.status or first.outcome}, and given up"
            self._found["never_retries", group].add(first.start, text)

    def findings(self) -> Iterator[Finding]:
        """Two depend on all prompts of a group: one retry disproves never_retries, and jitter may repeat a wait."""
        for (name, group), found in self._found.items():
            doubtful = self._may_retry[group]
            few = found.times - doubtful < max(SHOWN, doubtful)
            if name == "never_retries" and (group in self._with_retries or few):
                continue
            if name == "does_not_back_off" and found.times < BY_CHANCE * self._retried[group]:
                continue
            yield finding(name, group, found.times, found.evidence)


class RetryStorm(Detector):
    """More than STORM attempts for each prompt that was issued during the disturbance."""

    def __init__(self, context: DetectionContext) -> None:
        self._begin, self._clear = context.disturbance.begin or inf, context.disturbance.clear or -inf
        self._issued: Counter[str] = Counter()
        self._sent: Counter[str] = Counter()
        self._most: dict[str, list[tuple[int, float, str]]] = defaultdict(list)

    def settle(self, prompt: Prompt, attempts: Sequence[Attempt]) -> None:
        """Count the attempts of a prompt of the disturbance."""
        if not self._begin <= prompt.intended < self._clear:
            return
        group, count = prompt.group, len(attempts)
        self._issued[group] += 1
        self._sent[group] += count
        most = self._most[group]
        if len(most) < SHOWN or -count <= most[-1][0]:
            self._most[group] = sorted([*most, (-count, prompt.intended, prompt.id)])[:SHOWN]

    def findings(self) -> Iterator[Finding]:
        """The prompts with the most attempts are the evidence."""
        for group, issued in self._issued.items():
            if issued >= ENOUGH and self._sent[group] > STORM * issued:
                most = self._most[group]
                texts = tuple(f"{name} at {format_clock(at, 1)}: {-count} attempts" for count, at, name in most)
                yield finding("retry_storm", group, self._sent[group], texts, issued)


class ThunderingHerd(Detector):
    """Retries of many prompts in one second, many more than in the seconds around it."""

    def __init__(self, context: DetectionContext) -> None:
        self._clock = context.clock
        self._retries: dict[str, dict[int, Occurrences]] = defaultdict(lambda: defaultdict(Occurrences))

    def settle(self, prompt: Prompt, attempts: Sequence[Attempt]) -> None:
        """Count the retries by the second."""
        for attempt in attempts[1:]:
            text = f"{prompt.id} at {format_clock(attempt.start, 1)}"
            self._retries[prompt.group][int(attempt.start / self._clock)].add(attempt.start, text)

    def findings(self) -> Iterator[Finding]:
        """The largest herd of each group."""
        for group, retries in self._retries.items():
            second, most = min(retries.items(), key=lambda item: (-item[1].times, item[0]))
            seconds = range(second - AROUND, second + AROUND + 1)
            around = sum(retries[other].times for other in seconds if other in retries) - most.times
            if most.times >= HERD and most.times > HERD_TIMES * around / (2 * AROUND):
                yield finding("herd", group, most.times, most.evidence)


class GaveUpTooSoon(Detector):
    """Prompts given up after the first success of others, without an attempt after the clear."""

    def __init__(self, context: DetectionContext) -> None:
        self._clear = inf if context.disturbance.clear is None else context.disturbance.clear
        self._recovered = inf  # when the first prompt issued after the clear was answered
        self._given_up: dict[tuple[str, int], Occurrences] = defaultdict(Occurrences)  # by group and second

    def settle(self, prompt: Prompt, attempts: Sequence[Attempt]) -> None:
        """Which of the given-up prompts count is known only at the end, so all are kept by second."""
        if prompt.end < self._clear:
            return
        if prompt.settled == "answered" and prompt.intended >= self._clear:
            self._recovered = min(self._recovered, prompt.end)
        elif prompt.settled == "gave_up" and prompt.intended < self._clear:
            if attempts and attempts[-1].start >= self._clear:
                return
            last = f", last tried at {format_clock(attempts[-1].start, 1)}" if attempts else ""
            text = f"{_name(prompt, prompt.intended)}{last}, gave up at {format_clock(prompt.end, 1)}"
            self._given_up[prompt.group, int(prompt.end)].add(prompt.end, text)

    def findings(self) -> Iterator[Finding]:
        """Prompts given up after the first success."""
        late: dict[str, list[Occurrences]] = defaultdict(list)
        for (group, second), given_up in sorted(self._given_up.items(), key=lambda item: item[0]):
            if second >= self._recovered:
                late[group].append(given_up)
        for group, each in late.items():
            evidence = tuple(text for given_up in each for text in given_up.evidence)[:SHOWN]
            yield finding("gave_up_too_soon", group, sum(given_up.times for given_up in each), evidence)


class FailOver(Detector):
    """Groups with a second provider that did not use it during the disturbance, or did not return after it."""

    def __init__(self, context: DetectionContext) -> None:
        scenario, clear = context.scenario, context.disturbance.clear or -inf
        faulty = {fault.provider for fault in context.timeline.faults}
        self._primary = {
            name: primary
            for name, group in scenario.crowd.items()
            if group.falls_over_to is not None and (primary := group.uses or scenario.first_provider) in faulty
        }
        self.idle = not self._primary
        self._begin, self._clear = context.disturbance.begin or inf, clear
        # From here on a client that returns at all has returned.
        self._after = min((context.timeline.end + clear) / 2, clear + 300.0)
        self._failed: dict[str, Occurrences] = defaultdict(Occurrences)
        self._away: dict[str, Occurrences] = defaultdict(Occurrences)
        self._fell_over: set[str] = set()
        self._returned: set[str] = set()

    def settle(self, prompt: Prompt, attempts: Sequence[Attempt]) -> None:
        """Count the attempts by provider and time."""
        primary = self._primary.get(prompt.group)
        if primary is None:
            return
        for attempt in attempts:
            during = self._begin <= attempt.start < self._clear
            text = f"{_name(prompt, attempt.start)}: {attempt.provider}, {attempt.outcome}"
            if attempt.provider != primary:
                self._fell_over.add(prompt.group)
                if attempt.start >= self._after:
                    self._away[prompt.group].add(attempt.start, text)
            elif during and attempt.outcome != "ok":
                self._failed[prompt.group].add(attempt.start, text)
            elif attempt.start >= self._after:
                self._returned.add(prompt.group)

    def findings(self) -> Iterator[Finding]:
        """Only of groups with enough attempts."""
        for name, attempts, innocent in (
            ("did_not_fall_over", self._failed, self._fell_over),
            ("did_not_come_back", self._away, self._returned),
        ):
            for group, found in attempts.items():
                if group not in innocent and found.times >= ENOUGH:
                    yield finding(name, group, found.times, found.evidence)


class IgnoredStatusPage(Detector):
    """More attempts per second at a faulty provider than in the baseline, while the status page reported it."""

    def __init__(self, context: DetectionContext) -> None:
        self._spans = tuple(reported_spans(context.timeline))
        self._faulty = {fault.provider for fault in context.timeline.faults}
        self.idle = not self._spans
        self._calm = context.disturbance.baseline or (0.0, 0.0)
        self._usual: Counter[str] = Counter()
        self._sent: Counter[str] = Counter()
        self._retries: dict[str, Occurrences] = defaultdict(Occurrences)

    def settle(self, prompt: Prompt, attempts: Sequence[Attempt]) -> None:
        """Count the attempts in the baseline and in the reported spans."""
        for attempt in attempts:
            if attempt.provider not in self._faulty:
                continue
            if self._calm[0] <= attempt.start < self._calm[1]:
                self._usual[prompt.group] += 1
            elif any(start <= attempt.start < end for start, end in self._spans):
                self._sent[prompt.group] += 1
                if attempt.n:
                    text = f"{_name(prompt, attempt.start)}: attempt {attempt.n + 1}"
                    self._retries[prompt.group].add(attempt.start, text)

    def findings(self) -> Iterator[Finding]:
        """By rate, since the users are the same in both times."""
        reported, calm = sum(end - start for start, end in self._spans), self._calm[1] - self._calm[0]
        for group, retries in self._retries.items():
            usual, sent = self._usual[group], self._sent[group]
            if usual < ENOUGH or sent < ENOUGH:
                continue
            if (times := sent * calm / (usual * reported)) > HAMMERS:
                yield finding("hammers_on", group, sent, retries.evidence, times)


def reported_spans(timeline: Timeline) -> Iterator[tuple[float, float]]:
    """The spans in which the status page reports a problem that is being worked on."""
    moments = [t for t in timeline.changes() if timeline.at(t).status is not None]
    for start, end in pairwise([*moments, timeline.end]):
        status = timeline.at(start).status
        if status is not None and status.update.state in BEING_FIXED and start < end:
            yield start, end


def _name(prompt: Prompt, at: float) -> str:
    return f"{prompt.id} at {format_clock(at, 1)}"


_New = Callable[[DetectionContext], Detector]
DETECTORS: tuple[_New, ...] = (AttemptPatterns, RetryStorm, ThunderingHerd, GaveUpTooSoon, FailOver, IgnoredStatusPage)
