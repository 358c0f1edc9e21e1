"""The journals in, one pass; counters out, from which every measure is taken. Memory grows with time and users, not
with requests.

    Prompt  ──► Cell[phase, group, tier]              cohort by `intended`     ┐ summed up over any scope by `merge`,
            └─► Course[group, tier]                   second by second         │ in any order with the same result
    Attempt ──► Cell[phase, group, tier, provider]    cohort by `start`        │
            └─► Course[group, tier, provider]                                  ┘

In the scope of a provider the unit is the attempt, because a prompt may visit several. Only goodput goes by
completion.
"""

from bisect import bisect_right, insort
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeVar, assert_never

from mockbot.evidence.cells import Cell, Course, Key, Sample, Work
from mockbot.evidence.disturbance import Disturbance, disturbance_of
from mockbot.evidence.journal import Broken, RunEvidence
from mockbot.evidence.people import Outages, People, Stretch
from mockbot.evidence.records import Attempt, Prompt, ServiceSecond
from mockbot.evidence.sketch import Sketch
from mockbot.scenario.schema import Scenario
from mockbot.scenario.timeline import Timeline

PENDING = 20  # prompts listed by name
BROKEN = 20  # unreadable lines kept
APDEX_SHARE = 0.25  # satisfied within this share of the slo, so that "tolerating" (4 times as long) ends with it

_M = TypeVar("_M", Cell, Course, Work, Outages)


@dataclass(slots=True)
class Tally:
    """The counters of a whole run. Filled by `tally`, then only read."""

    scenario: Scenario
    timeline: Timeline
    what: Disturbance
    speed: float = 1.0
    seen_until: float = 0.0
    cells: dict[Key, Cell] = field(default_factory=lambda: defaultdict(Cell))
    courses: dict[Key, Course] = field(default_factory=lambda: defaultdict(Course))  # their phase is -1
    people: People = field(default_factory=People)
    lag: Sketch = field(default_factory=Sketch)  # wall seconds by which prompts were sent late
    outcomes: Counter[str] = field(default_factory=Counter)
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
    pending: list[Prompt] = field(default_factory=list)  # the oldest ones
    pending_count: int = 0
    overdue: int = 0  # pending although the patience of their group was over
    broken: list[Broken] = field(default_factory=list)  # the first ones, and torn last lines
    broken_count: int = 0  # torn last lines aside
    _starts: list[float] = field(default_factory=list)
    _tiers: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._starts = [phase.start for phase in self.timeline.phases]
        self._tiers = {name: group.tier for name, group in self.scenario.crowd.items()}

    def phase(self, t: float) -> int | None:
        """The index of the phase that holds t; None before the first and after the last (draining is no load)."""
        index = bisect_right(self._starts, t) - 1
        return index if index >= 0 and t < self.timeline.end else None

    def select(self, cells: dict[Key, _M], keep: Callable[[Key], bool], empty: _M) -> _M:
        """The sum of some of the cells."""
        for key, cell in cells.items():
            if keep(key):
                empty.merge(cell)
        return empty

    def add_prompt(self, prompt: Prompt) -> None:
        """Count one prompt."""
        self.seen_until = max(self.seen_until, prompt.end)
        index = self.phase(prompt.intended)
        if index is None:
            return
        sample = self._sample_of(prompt)
        key = Key(index, prompt.group, prompt.tier)
        cell = self.cells[key]
        cell.add(sample, APDEX_SHARE * self.scenario.slo)
        cell.attempts += prompt.attempts
        self.courses[Key(-1, prompt.group, prompt.tier)].add(sample, self.what)
        self.lag.add((prompt.start - prompt.intended) / self.speed)
        self._add_completion(prompt, index, good=sample.good)
        for stretch in self.people.live(prompt, good=sample.good):
            self._add_stretch(key, stretch)
        if prompt.settled == "unfinished":
            self._add_pending(prompt)

    def add_attempt(self, attempt: Attempt) -> None:
        """Count one attempt, for its provider's scope."""
        self.seen_until = max(self.seen_until, attempt.end)
        self.outcomes[attempt.outcome] += 1
        if attempt.outcome in {"refused", "reset"}:
            self.turned_away[attempt.provider, int(attempt.end)] += 1
        index = self.phase(attempt.start)
        if index is None:
            return
        tier = self._tiers.get(attempt.group, "free")
        sample = self._sample_of_attempt(attempt)
        cell = self.cells[Key(index, attempt.group, tier, attempt.provider)]
        cell.add(sample, APDEX_SHARE * self.scenario.slo)
        cell.sent += 1
        self.cells[Key(index, attempt.group, tier)].sent += 1
        self.courses[Key(-1, attempt.group, tier, attempt.provider)].add(sample, self.what)
        self.courses[Key(-1, attempt.group, tier)].notice(sample, self.what)
        done = self.phase(attempt.end)
        if sample.good and done is not None:
            self.cells[Key(done, attempt.group, tier, attempt.provider)].good_done += 1

    def add_second(self, second: ServiceSecond) -> None:
        """Count what one provider saw in one second."""
        self.felt.update(second.felt)
        seen = Work(1, second.offered, second.finished, second.work, second.wasted, second.capacity)
        index = self.phase(second.t)
        if index is not None:
            self.work[index, second.provider].merge(seen)
        if self.what.baseline is not None and self.what.baseline[0] <= second.t < self.what.baseline[1]:
            self.calm_work[second.provider].merge(seen)
        if self.what.clear is not None and second.t >= self.what.clear:
            self.peak_offered[second.provider] = max(self.peak_offered[second.provider], second.offered)

    def add_broken(self, line: Broken) -> None:
        """Remember a line that could not be read."""
        self.broken_count += not line.last
        if line.last or self.broken_count <= BROKEN:
            self.broken.append(line)

    def _sample_of(self, prompt: Prompt) -> Sample:
        took, answered = prompt.end - prompt.intended, prompt.settled == "answered"
        good = answered and took <= self.scenario.slo
        return Sample(
            prompt.id, prompt.intended, took, answered, good, prompt.settled != "unfinished", prompt.first_token
        )

    def _sample_of_attempt(self, attempt: Attempt) -> Sample:
        took, answered = attempt.end - attempt.start, attempt.outcome == "ok"
        good, over = answered and took <= self.scenario.slo, attempt.outcome != "unfinished"
        return Sample(attempt.prompt, attempt.start, took, answered, good, over, attempt.first_token)

    def _add_completion(self, prompt: Prompt, first: int, *, good: bool) -> None:
        done = self.phase(prompt.end)
        last = len(self._starts) - 1 if done is None else done
        if good and done is not None:
            self.cells[Key(done, prompt.group, prompt.tier)].good_done += 1
        for index in range(first, last + 1):
            self.alive[index] += 1

    def _add_stretch(self, key: Key, stretch: Stretch) -> None:
        """A user's time goes to the phases it lies in."""
        for index in range(self.phase(stretch.start) or 0, len(self._starts)):
            phase = self.timeline.phases[index]
            micros = round(1e6 * (min(stretch.end, phase.end) - max(stretch.start, phase.start)))
            if micros <= 0:
                break
            cell = self.cells[Key(index, key.group, key.tier)]
            if stretch.up:
                cell.up += micros
            else:
                cell.down += micros

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


def _when(prompt: Prompt) -> tuple[float, str]:
    return prompt.intended, prompt.id


def tally(evidence: RunEvidence) -> Tally:
    """Count everything once."""
    result = Tally(
        evidence.scenario, evidence.timeline, disturbance_of(evidence.timeline, evidence.actions), evidence.info.speed
    )
    _add_requests(result, evidence.requests())
    for line in evidence.seconds():
        if isinstance(line, Broken):
            result.add_broken(line)
        else:
            result.add_second(line)
    for line in evidence.broken:
        result.add_broken(line)
    end = evidence.info.end or result.seen_until
    result.seen_until = min(end, evidence.timeline.end)
    return result


def _add_requests(result: Tally, lines: Iterable[Attempt | Prompt | Broken]) -> None:
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
