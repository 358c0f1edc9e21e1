"""The records of a run in, one by one, and its counters out, of which every measure is computed.

Memory grows with the length of the run and the number of users, not with the number of requests.

    Prompt  ──► Cohort[phase, group, tier]              by `intended`       ┐ `merge` sums them up over any scope,
            └─► Course[group, tier]                     second by second    │ in any order with the same result
    Attempt ──► Cohort[phase, group, tier, provider]    by `start`          │
            └─► Course[group, tier, provider]                               ┘

In the scope of a provider the unit is the attempt, because a prompt may visit several. Only goodput is counted by
completion.
"""

from bisect import bisect_right, insort
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import NamedTuple, TypeVar

from mockbot.evidence.counters import ROUNDED, Cohort, Course, Key, Sample, Work, prompt_sample
from mockbot.evidence.detection import DetectionContext
from mockbot.evidence.findings import FindingCollector
from mockbot.evidence.journal import Broken, RunEvidence
from mockbot.evidence.lost_requests import LostRequests
from mockbot.evidence.outage_spans import outages_of
from mockbot.evidence.public_complaints import complaint
from mockbot.evidence.records import Attempt, Prompt, ServiceSecond
from mockbot.evidence.series import Series
from mockbot.evidence.system_join import Joined
from mockbot.evidence.user_uptime import Stretch, UserUptime
from mockbot.measures.counter_protocols import Outage
from mockbot.scenario.parts import Complaints

PENDING = 20  # pending prompts kept, to be listed in the report
BROKEN = 20  # unreadable lines kept
LATE = 0.05  # wall seconds
APDEX_SHARE = 0.25  # satisfied within this share of the slo, so that "tolerating" (4 times as long) ends with it

_M = TypeVar("_M", Cohort, Course)


@dataclass(frozen=True, slots=True)
class Pending:
    """A prompt that was still waiting when the run ended."""

    id: str
    group: str
    intended: float
    attempts: int


class RunCounters:
    """The counters of a whole run. Filled by `count_run.py`, then only read."""

    def __init__(self, evidence: RunEvidence) -> None:
        info = evidence.info
        self.scenario, self.timeline = evidence.scenario, evidence.timeline
        self.outages = outages_of(evidence.timeline, evidence.actions)
        self.disturbance = self.outages.whole
        self.speed = info.speed
        self.objective, self.has_faults = self.scenario.objective, bool(self.timeline.faults)
        self.has_status_page = bool(self.scenario.status_page)
        self._complaints = {name: each.complains for name, each in self.scenario.crowd.items() if each.complains}
        self.complains = bool(self._complaints)
        self._seed = info.seed
        self.weight = info.weight  # users that each recorded one represents
        self.observed_until = 0.0
        self.cohorts: dict[Key, Cohort] = defaultdict(Cohort)
        self.courses: dict[Key, Course] = defaultdict(Course)  # their phase is -1
        self.user_uptime = UserUptime()
        self.sent_late = 0  # prompts sent more than LATE wall seconds after they were intended
        self.turned_away: Counter[tuple[str, int]] = Counter()  # (provider, second) -> attempts refused or reset
        self.lost = LostRequests(self.timeline, info.speed, info.engine)
        self.work: dict[tuple[int, str], Work] = defaultdict(Work)  # (phase, provider)
        self.calm_work: dict[str, Work] = defaultdict(Work)  # provider -> in the baseline
        self.peak_offered: Counter[str] = Counter()  # provider -> most requests in one second after a clear
        self.felt: Counter[str] = Counter()  # fault -> requests it hit
        self.unserved: Counter[str] = Counter()  # mockbot.evidence.unserved -> requests that asked for it
        self.alive: Counter[int] = Counter()  # phase -> prompts in progress at some time in it
        self.series = Series(self.timeline.end)
        external = info.client == "command"
        # Scenario seconds per second of the client's clock: mockbot's own clients wait in scenario time.
        clock = info.speed if external else 1.0
        self.findings = FindingCollector(
            DetectionContext(self.scenario, self.timeline, self.disturbance, clock, external)
        )
        self.joined: Joined | None = None  # both sides of a system under test
        self.pending: list[Pending] = []  # the oldest ones
        self.pending_count = 0
        self.overdue = 0  # prompts pending for longer than their group's patience
        self.broken: list[Broken] = []  # the first ones, and torn last lines
        self.broken_count = 0  # without torn last lines
        self.tampered: str | None = None  # what shows that the records are not those that the run wrote
        self._slo, self.satisfied_within = self.scenario.slo, APDEX_SHARE * self.scenario.slo
        self._late = LATE * info.speed
        self._starts = [phase.start for phase in self.timeline.phases]
        self._tiers = {name: group.tier for name, group in self.scenario.crowd.items()}
        self._crowds: dict[tuple[str, str | None], tuple[float, float]] = {}  # at the begin and the end of a phase
        self._places: dict[tuple[int, str, str, str], _Place] = {}

    def phase(self, t: float) -> int | None:
        """The index of the phase that contains t; None before the first and after the last (draining is no load)."""
        index = bisect_right(self._starts, t) - 1
        return index if index >= 0 and t < self.timeline.end else None

    def select(self, cohorts: dict[Key, _M], keep: Callable[[Key], bool], empty: _M) -> _M:
        """The sum of the cohorts whose key passes `keep`, added to `empty`."""
        for key, cohort in cohorts.items():
            if keep(key):
                empty.merge(cohort)
        return empty

    def service_time(self) -> float | None:
        """Slot-seconds per answer in the baseline; None when it had no answers."""
        total = Work()
        for work in self.calm_work.values():
            total.merge(work)
        return total.work / total.finished if total.finished and total.work else None

    def calm_slots(self) -> int:
        """The slots of all providers that were asked in the baseline."""
        return sum(each.all_slots for name, each in self.scenario.providers.items() if self.calm_work[name].offered)

    def load_at(self, t: float) -> float:
        """Prompts per second that the crowd of this moment would send if all were well."""
        baseline, crowd, conditions = self.disturbance.baseline, self.scenario.crowd, self.timeline.at(t)
        index = None if baseline is None else self.phase(baseline[0])
        calm = self.select(self.cohorts, lambda key: key.phase == index and not key.provider, Cohort())
        latency = calm.latency.mean() or 0.0
        closed = sum(users / (crowd[group].think + latency) for group, users in conditions.users.items())
        return closed + sum(conditions.arrivals.values())

    def crowd_at(self, t: float, group: str | None) -> float:
        """The users of a group, or its arrivals per second; None: of all groups together. A ramp is a straight line."""
        phase = self.timeline.phase_at(t)
        if (phase.name, group) not in self._crowds:
            ends = [self.timeline.at(at) for at in (phase.start, phase.end - 1e-6)]
            sizes = [{**each.users, **each.arrivals} for each in ends]
            first, last = (sum(size.values()) if group is None else size.get(group, 0.0) for size in sizes)
            self._crowds[phase.name, group] = first, last
        first, last = self._crowds[phase.name, group]
        return first + (last - first) * (t - phase.start) / (phase.end - phase.start)

    @property
    def asked(self) -> int:
        """The number of prompts intended within the phases."""
        return sum(cohort.prompts for key, cohort in self.cohorts.items() if not key.provider)

    @property
    def outcomes(self) -> dict[str, int]:
        """Outcome -> attempts that started within the phases."""
        return {outcome: sum(counts) for outcome, counts in sorted(self.series.outcomes.items())}

    def add_prompt(self, prompt: Prompt) -> None:
        """Count one prompt."""
        intended, end = prompt.intended, prompt.end
        self.observed_until = max(self.observed_until, end)
        index = self.phase(intended)
        if index is None:
            return
        sample = prompt_sample(prompt, self._slo)
        good = sample.good
        place = self._place(index, prompt.group, prompt.tier)
        place.cohort.add(sample, self.satisfied_within)
        place.cohort.attempts += prompt.attempts
        place.course.add(sample, place.outages)
        self.sent_late += prompt.start - intended > self._late
        done = self.phase(end)
        if good and done is not None:
            cohort = place.cohort if done == index else self._place(done, *place.key[1:]).cohort
            cohort.good_done += 1
        for during in range(index, (len(self._starts) - 1 if done is None else done) + 1):
            self.alive[during] += 1
        for stretch in self.user_uptime.add(prompt, good=good):
            self._add_stretch(place.key, stretch)
        self.series.add_prompt(sample, prompt.group)
        self.findings.add_prompt(prompt)
        if not sample.over:
            self._add_pending(prompt)
        elif not sample.answered and (complaints := self._complaints.get(prompt.group)) is not None:
            self._add_complaint(prompt, complaints, place.course)

    def add_attempt(self, attempt: Attempt) -> None:
        """Count one attempt, for the scope of its provider."""
        start, end, outcome = attempt.start, attempt.end, attempt.outcome
        self.observed_until = max(self.observed_until, end)
        if outcome in {"refused", "reset", "closed"}:
            self.turned_away[attempt.provider, int(end)] += 1
        self.lost.add_attempt(attempt)
        index = self.phase(start)
        if index is None:
            return
        self.findings.add_attempt(attempt)
        self.series.add_attempt(attempt)
        took, ok, over = end - start, outcome == "ok", outcome != "unfinished"
        sample = Sample(attempt.prompt, start, took, ok, ok and took <= self._slo + ROUNDED, over, attempt.first_token)
        place = self._place(index, attempt.group, self._tiers.get(attempt.group, "free"), attempt.provider)
        place.cohort.add(sample, self.satisfied_within)
        place.cohort.sent += 1
        place.prompts_cohort.sent += 1
        place.course.add(sample, place.outages)
        if not sample.good:
            place.prompts_course.add_failure(sample, place.prompts_outages)
        elif (done := self.phase(end)) is not None:
            self._place(done, *place.key[1:]).cohort.good_done += 1

    def _place(self, index: int, group: str, tier: str, provider: str = "") -> "_Place":
        """The counters for samples of this phase, group, tier and provider; created on first use."""
        place = self._places.get((index, group, tier, provider))
        if place is None:
            key = Key(index, group, tier, provider)
            place = self._places[key] = _Place(
                key,
                self.cohorts[key],
                self.courses[key._replace(phase=-1)],
                self.outages.by_provider.get(provider, ()) if provider else self.outages.by_group.get(group, ()),
                self.cohorts[key._replace(provider="")],
                self.courses[Key(-1, group, tier)],
                self.outages.by_group.get(group, ()),
            )
        return place

    def add_second(self, second: ServiceSecond) -> None:
        """Count one second of one provider."""
        self.felt.update(second.felt)
        self.unserved.update(second.unserved)
        self.series.add_second(second)
        self.lost.add_second(second)
        t, provider, offered = second.t, second.provider, second.offered
        work = Work(
            1, offered, second.refused, second.failed, second.finished, second.work, second.wasted, second.capacity
        )
        if (index := self.phase(t)) is not None:
            self.work[index, provider].merge(work)
        baseline = self.disturbance.baseline
        if baseline is not None and baseline[0] <= t < baseline[1]:
            self.calm_work[provider].merge(work)
        if any(each.clear <= t < each.until for each in self.outages.by_provider.get(provider, ())):
            self.peak_offered[provider] = max(self.peak_offered[provider], offered)

    def add_broken(self, line: Broken) -> None:
        """Count a line that could not be read."""
        self.broken_count += not line.last
        if line.last or self.broken_count <= BROKEN:
            self.broken.append(line)

    def _add_stretch(self, key: Key, stretch: Stretch) -> None:
        """Split a user's time at the phases' boundaries and count each part in its phase."""
        first, start = self.phase(stretch.start), stretch.start
        if first is None:
            return
        if not stretch.up:
            place = self._place(first, key.group, key.tier)
            place.course.add_down(stretch.start, stretch.end, place.outages)
        for index in range(first, len(self._starts)):
            end = min(stretch.end, self.timeline.phases[index].end)
            cohort = self._place(index, key.group, key.tier).cohort
            # Integers, because a sum of floats would depend on the order of the journal's lines.
            if stretch.up:
                cohort.up += round(1e6 * (end - start))
            else:
                cohort.down += round(1e6 * (end - start))
            if end == stretch.end:
                break
            start = end

    def _add_complaint(self, prompt: Prompt, complaints: Complaints, course: Course) -> None:
        at = complaint(prompt, complaints, self._seed)
        if at is not None and at < self.timeline.end:
            course.complaints[int(at)] += 1
            self.series.complaints[prompt.group][self.series.slice(at)] += 1

    def _add_pending(self, prompt: Prompt) -> None:
        self.pending_count += 1
        pending = Pending(prompt.id, prompt.group, prompt.intended, prompt.attempts)
        insort(self.pending, pending, key=attrgetter("intended", "id"))
        del self.pending[PENDING:]
        group = self.scenario.crowd.get(prompt.group)
        if group is not None:
            # One attempt may outlast the patience by its timeout; one wall second is for the client's own delays.
            limit = group.patience + (group.policy.timeout or 0.0) + self.speed
            self.overdue += prompt.end - prompt.intended > limit


class _Place(NamedTuple):
    """The counters that a sample is added to; an attempt is counted in those of the prompts (no provider) as well."""

    key: Key
    cohort: Cohort
    course: Course
    outages: Sequence[Outage]
    prompts_cohort: Cohort
    prompts_course: Course
    prompts_outages: Sequence[Outage]
