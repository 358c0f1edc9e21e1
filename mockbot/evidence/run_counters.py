"""The journals in, one pass; counters out, from which every measure is taken. Memory grows with time and users, not
with requests.

    Prompt  ──► Cohort[phase, group, tier]              by `intended`       ┐ summed up over any scope by `merge`,
            └─► RecoverySeries[group, tier]             second by second    │ in any order with the same result
    Attempt ──► Cohort[phase, group, tier, provider]    by `start`          │
            └─► RecoverySeries[group, tier, provider]                       ┘

In the scope of a provider the unit is the attempt, because a prompt may visit several. Only goodput goes by
completion.
"""

from bisect import bisect_right, insort
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar, assert_never

from mockbot.evidence.counters import Cohort, Key, RecoverySeries, Sample, Work
from mockbot.evidence.detectors import DetectionContext
from mockbot.evidence.disturbance import Disturbance, disturbance_of
from mockbot.evidence.exposure import exposed, turned_away
from mockbot.evidence.findings import FindingCollector
from mockbot.evidence.journal import Broken, RunEvidence
from mockbot.evidence.records import Attempt, Prompt, ServiceSecond
from mockbot.evidence.series import Series
from mockbot.evidence.user_uptime import Outages, Stretch, UserUptime
from mockbot.scenario.schema import Scenario
from mockbot.scenario.timeline import Timeline

PENDING = 20  # prompts listed by name
BROKEN = 20  # unreadable lines kept
LATE = 0.05  # wall seconds
APDEX_SHARE = 0.25  # satisfied within this share of the slo, so that "tolerating" (4 times as long) ends with it

_TURNED_AWAY = frozenset({"refused", "reset"})
_M = TypeVar("_M", Cohort, RecoverySeries, Work, Outages)


@dataclass(slots=True)
class RunCounters:
    """The counters of a whole run. Filled by `counters`, then only read."""

    scenario: Scenario
    timeline: Timeline
    disturbance: Disturbance
    speed: float = 1.0
    guest: bool = False  # the client is not ours
    weight: int = 1  # users that each recorded one stands for
    seen_until: float = 0.0
    cohorts: dict[Key, Cohort] = field(default_factory=lambda: defaultdict(Cohort))
    recovery_series: dict[Key, RecoverySeries] = field(
        default_factory=lambda: defaultdict(RecoverySeries)
    )  # their phase is -1
    user_uptime: UserUptime = field(default_factory=UserUptime)
    sent_late: int = 0  # prompts sent more than LATE wall seconds after they were intended
    turned_away: Counter[tuple[str, int]] = field(
        default_factory=Counter
    )  # (provider, second) -> attempts refused or reset
    work: dict[tuple[int, str], Work] = field(default_factory=lambda: defaultdict(Work))  # (phase, provider)
    calm_work: dict[str, Work] = field(default_factory=lambda: defaultdict(Work))  # of the baseline
    peak_offered: Counter[str] = field(
        default_factory=Counter
    )  # provider -> most requests in one second after the clear
    felt: Counter[str] = field(default_factory=Counter)  # fault -> requests it hit
    alive: Counter[int] = field(default_factory=Counter)  # phase -> prompts that were under way in it
    series: Series = field(init=False)
    findings: FindingCollector = field(init=False)
    pending: list[Prompt] = field(default_factory=list)  # the oldest ones
    pending_count: int = 0
    overdue: int = 0  # pending although the patience of their group was over
    broken: list[Broken] = field(default_factory=list)  # the first ones, and torn last lines
    broken_count: int = 0  # torn last lines aside
    _slo: float = 0.0
    _satisfied: float = 0.0
    _late: float = 0.0
    _starts: list[float] = field(default_factory=list)
    _tiers: dict[str, str] = field(default_factory=dict)
    _places: dict[tuple[int, str, str, str], "_Place"] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._slo, self._satisfied = self.scenario.slo, APDEX_SHARE * self.scenario.slo
        self.series = Series(self.timeline.end)
        clock = self.speed if self.guest else 1.0  # our own clients live in scenario time
        self.findings = FindingCollector(
            DetectionContext(self.scenario, self.timeline, self.disturbance, clock, self.guest)
        )
        self._late = LATE * self.speed
        self._starts = [phase.start for phase in self.timeline.phases]
        self._tiers = {name: group.tier for name, group in self.scenario.crowd.items()}

    def phase(self, t: float) -> int | None:
        """The index of the phase that holds t; None before the first and after the last (draining is no load)."""
        index = bisect_right(self._starts, t) - 1
        return index if index >= 0 and t < self.timeline.end else None

    def select(self, cohorts: dict[Key, _M], keep: Callable[[Key], bool], empty: _M) -> _M:
        """The sum of some of the cohorts."""
        for key, cohort in cohorts.items():
            if keep(key):
                empty.merge(cohort)
        return empty

    @property
    def asked(self) -> int:
        """All prompts that count."""
        return sum(cohort.prompts for key, cohort in self.cohorts.items() if not key.provider)

    @property
    def outcomes(self) -> dict[str, int]:
        """What became of all attempts that count."""
        return {outcome: sum(counts) for outcome, counts in sorted(self.series.outcomes.items())}

    def add_prompt(self, prompt: Prompt) -> None:
        """Count one prompt."""
        intended, end, answered = prompt.intended, prompt.end, prompt.settled == "answered"
        self.seen_until = max(self.seen_until, end)
        index = self.phase(intended)
        if index is None:
            return
        took, over = end - intended, prompt.settled != "unfinished"
        sample = Sample(prompt.id, intended, took, answered, answered and took <= self._slo, over, prompt.first_token)
        place = self._place(index, prompt.group, prompt.tier)
        place.cohort.add(sample, self._satisfied)
        place.cohort.attempts += prompt.attempts
        place.recovery.add(sample, self.disturbance)
        self.sent_late += prompt.start - intended > self._late
        self._add_completion(place, prompt, index, good=sample.good)
        for stretch in self.user_uptime.live(prompt, good=sample.good):
            self._add_stretch(place.key, stretch)
        self.series.add_prompt(sample, prompt.group)
        self.findings.add_prompt(prompt)
        if not over:
            self._add_pending(prompt)

    def add_attempt(self, attempt: Attempt) -> None:
        """Count one attempt, for its provider's scope."""
        start, end, outcome = attempt.start, attempt.end, attempt.outcome
        self.seen_until = max(self.seen_until, end)
        if outcome in _TURNED_AWAY:
            self.turned_away[attempt.provider, int(end)] += 1
        index = self.phase(start)
        if index is None:
            return
        self.findings.add_attempt(attempt)
        self.series.add_attempt(attempt)
        took, ok, over = end - start, outcome == "ok", outcome != "unfinished"
        sample = Sample(attempt.prompt, start, took, ok, ok and took <= self._slo, over, attempt.first_token)
        place = self._place(index, attempt.group, self._tiers.get(attempt.group, "free"), attempt.provider)
        place.cohort.add(sample, self._satisfied)
        place.cohort.sent += 1
        place.asked.sent += 1
        place.recovery.add(sample, self.disturbance)
        if not sample.good:
            place.asked_recovery.notice(sample, self.disturbance)
        elif (done := self.phase(end)) is not None:
            self._place(done, *place.key[1:]).cohort.good_done += 1

    def _place(self, index: int, group: str, tier: str, provider: str = "") -> "_Place":
        """The counters for what began in this phase, made when first needed."""
        place = self._places.get((index, group, tier, provider))
        if place is None:
            key = Key(index, group, tier, provider)
            place = self._places[key] = _Place(
                key,
                self.cohorts[key],
                self.recovery_series[key._replace(phase=-1)],
                self.cohorts[key._replace(provider="")],
                self.recovery_series[Key(-1, group, tier)],
            )
        return place

    def add_second(self, second: ServiceSecond) -> None:
        """Count what one provider saw in one second."""
        self.felt.update(second.felt)
        self.series.add_second(second)
        seen = _work_of(second)
        index = self.phase(second.t)
        if index is not None:
            self.work[index, second.provider].merge(seen)
        if (
            self.disturbance.baseline is not None
            and self.disturbance.baseline[0] <= second.t < self.disturbance.baseline[1]
        ):
            self.calm_work[second.provider].merge(seen)
        if self.disturbance.clear is not None and second.t >= self.disturbance.clear:
            self.peak_offered[second.provider] = max(self.peak_offered[second.provider], second.offered)

    def add_broken(self, line: Broken) -> None:
        """Remember a line that could not be read."""
        self.broken_count += not line.last
        if line.last or self.broken_count <= BROKEN:
            self.broken.append(line)

    def _add_completion(self, place: "_Place", prompt: Prompt, first: int, *, good: bool) -> None:
        done = self.phase(prompt.end)
        if good and done is not None:
            cohort = place.cohort if done == first else self._place(done, *place.key[1:]).cohort
            cohort.good_done += 1
        for index in range(first, (len(self._starts) - 1 if done is None else done) + 1):
            self.alive[index] += 1

    def _add_stretch(self, key: Key, stretch: Stretch) -> None:
        """A user's time goes to the phases it lies in."""
        first = self.phase(stretch.start) or 0
        if self._starts[first] <= stretch.start and stretch.end <= self.timeline.phases[first].end:
            self._add_time(first, key, round(1e6 * (stretch.end - stretch.start)), up=stretch.up)
            return
        for index in range(first, len(self._starts)):
            phase = self.timeline.phases[index]
            micros = round(1e6 * (min(stretch.end, phase.end) - max(stretch.start, phase.start)))
            if micros <= 0:
                break
            self._add_time(index, key, micros, up=stretch.up)

    def _add_time(self, index: int, key: Key, micros: int, *, up: bool) -> None:
        cohort = self._place(index, key.group, key.tier).cohort
        if up:
            cohort.up += micros
        else:
            cohort.down += micros

    def _add_pending(self, prompt: Prompt) -> None:
        self.pending_count += 1
        insort(self.pending, prompt, key=_when)
        del self.pending[PENDING:]
        group = self.scenario.crowd.get(prompt.group)
        if (
            group is not None
            and prompt.end - prompt.intended > group.patience + (group.policy.timeout or 0.0) + self.speed
        ):
            self.overdue += 1


class _Place(NamedTuple):
    """The counters that a sample goes to; `asked` are those of the prompts, where an attempt is noticed too."""

    key: Key
    cohort: Cohort
    recovery: RecoverySeries
    asked: Cohort
    asked_recovery: RecoverySeries


def _work_of(second: ServiceSecond) -> Work:
    return Work(
        seconds=1,
        offered=second.offered,
        refused=second.refused,
        failed=second.failed,
        finished=second.finished,
        work=second.work,
        wasted=second.wasted,
        capacity=second.capacity,
    )


def _when(prompt: Prompt) -> tuple[float, str]:
    return prompt.intended, prompt.id


def count_run(evidence: RunEvidence) -> RunCounters:
    """Count everything once."""
    disturbance = disturbance_of(evidence.timeline, evidence.actions)
    guest = evidence.info.client == "command"
    info = evidence.info
    result = RunCounters(evidence.scenario, evidence.timeline, disturbance, info.speed, guest, info.weight)
    _add_requests(result, evidence.requests())
    for line in evidence.seconds():
        if isinstance(line, Broken):
            result.add_broken(line)
        else:
            result.add_second(line)
    result.felt.update(exposed(evidence))
    result.felt |= turned_away(evidence, result.turned_away)  # the greater: a crash's service counts resets of its own
    for line in evidence.broken:
        result.add_broken(line)
    end = evidence.info.end or result.seen_until
    result.seen_until = min(end, evidence.timeline.end)
    return result


def _add_requests(result: RunCounters, lines: Iterable[Attempt | Prompt | Broken]) -> None:
    for line in lines:
        match line:
            case Attempt():
                result.add_attempt(line)
            case Prompt():
                result.add_prompt(line)
            case Broken():
                result.add_broken(line)
            case _:
                assert_never(line)
