"""The fast engine: a scenario and a seed in, records out, a million users in a minute.

Its records have the same distribution as the reference's; they are not the same one by one.

Of a large crowd one user in `stride` is recorded, with all its attempts and prompts; the seconds of the
providers count all users.
"""

import math
from collections.abc import Iterator
from random import Random

import numpy as np

from mockbot.dialects.families import FAMILIES
from mockbot.evidence.records import Attempt, Prompt, ServiceSecond, Settled
from mockbot.scenario.schema import Scenario
from mockbot.scenario.timeline import Timeline
from mockbot.simulate.change_points import STEP, Record, Sink, actions
from mockbot.simulate.fast import layout as at
from mockbot.simulate.fast.arrays import grown, state_of, with_room
from mockbot.simulate.fast.kernel import DONE, FETCH, GROW, play
from mockbot.simulate.fast.user_events import leave_open
from mockbot.simulate.fast.world import Plan, plan

NOBODY = 1 << 40  # a stride at which next to no user is recorded
RECORDED_USERS, RECORDED_ARRIVALS = 2_000, 100_000  # at most so many are recorded
SLICE = 60.0  # scenario seconds whose arrivals are drawn at once
ARRIVALS = 65_536
_SETTLED: tuple[Settled, ...] = ("answered", "gave_up", "unfinished")


class Fast:
    """One run. `play` to any moment up to `latest`, as often as wanted; `finish` once.

    `stride`: one user in so many is recorded; as many as a journal can hold when not given.
    """

    def __init__(self, scenario: Scenario, seed: int, sink: Sink, stride: int | None = None) -> None:
        self.timeline = Timeline(scenario)
        self.latest = self.timeline.latest
        self.now = 0.0
        self.stride = stride or stride_of(self.timeline)
        self._sink = sink
        plans = (plan(self.timeline, n, FAMILIES[p.dialect].chat) for n, p in scenario.providers.items())
        self.providers = [ProviderRun(each, self.timeline, f"{seed}/{each.provider}", self.stride) for each in plans]
        for action in actions(self.timeline):
            sink(action)

    @property
    def events(self) -> int:
        """How many things have happened."""
        return sum(int(provider.state.i[at.EVENTS]) for provider in self.providers)

    def play(self, until: float) -> bool:
        """Go on to this moment at most; False when nothing more can happen."""
        until = min(until, self.latest)
        end = self.timeline.end
        while self.now < until and (self.now < end or self._pending):
            to = min(until, self.now + (SLICE if self.now < end else STEP), end if self.now < end else until)
            for provider in self.providers:
                for record in provider.play(to):
                    self._sink(record)
            self.now = to
        return self.now < self.latest and (self.now < end or self._pending)

    def totals(self) -> at.Ints:
        """[second, what] of all users: ISSUED, SENT, SETTLED (answered), GIVEN_UP."""
        return np.asarray(sum(provider.state.crowd.sum(axis=1) for provider in self.providers))

    @property
    def _pending(self) -> bool:
        return any(provider.state.i[at.PENDING] > 0 for provider in self.providers)

    def finish(self) -> float:
        """Write what is still under way as unfinished; returns the moment at which the run ended."""
        self.now = max(self.now, *(float(each.state.f[at.NOW]) for each in self.providers))  # within a slice
        for provider in self.providers:
            for record in provider.finish(self.now):
                self._sink(record)
        return self.now


def stride_of(timeline: Timeline) -> int:
    """One user in so many is recorded, and one visitor."""
    users = sum(timeline.max_users().values())
    arrivals = sum(
        (phase.end - phase.start) * sum(timeline.at((phase.start + phase.end) / 2).arrivals.values())
        for phase in timeline.phases
    )
    return max(1, int(-(-users // RECORDED_USERS)), int(-(-arrivals // RECORDED_ARRIVALS)))


class ProviderRun:
    """One provider with the groups that use it."""

    def __init__(self, plan: Plan, timeline: Timeline, seed: str, stride: int) -> None:
        self._plan, self._timeline = plan, timeline
        self._open = [name for name in plan.groups if timeline.scenario.crowd[name].arrivals is not None]
        self._visits = np.random.default_rng(Random(f"{seed}/visits").getrandbits(64))
        seconds = int(timeline.latest) + 2
        self.state = state_of(plan, seconds, seed, stride, ARRIVALS if self._open else 0)
        self._drawn = 0.0  # until when the arrivals are drawn
        self._next_second = 0

    def play(self, until: float) -> Iterator[Record]:
        """Go on to this moment; the records since the last one."""
        times, groups = self._arrivals(self._drawn, until)
        self._drawn, self.state.i[at.ARRIVAL] = until, 0
        # Compiled code cannot make arrays: it comes back whenever one is full.
        while (why := play(self._plan.world, self.state, until, times, groups)) != DONE:
            if why == GROW:
                self.state = grown(self.state)
            if why == FETCH:
                yield from self._fetched()
        yield from self._fetched()
        yield from self._seconds()

    def finish(self, now: float) -> Iterator[Record]:
        """What is under way is unfinished."""
        yield from self._fetched()  # of a slice that an interruption has cut short
        yield from self._seconds()
        self.state = with_room(self.state)
        leave_open(self._plan.world, self.state, now)
        yield from self._fetched()

    def _arrivals(self, start: float, end: float) -> tuple[at.Floats, at.Ints]:
        """(times, groups) of the visits in this time, in order."""
        times, groups = [np.empty(0)], [np.empty(0, dtype=np.int64)]
        for name in self._open:
            for phase in self._timeline.phases:
                a, b = max(start, phase.start), min(end, phase.end)
                if a < b:
                    visits = self._poisson(a, b, self._rate(name, a, phase.end), self._rate(name, b, phase.end))
                    times.append(visits)
                    groups.append(np.full(len(visits), self._plan.groups.index(name), dtype=np.int64))
        whole = np.concatenate(times)
        order = np.argsort(whole, kind="stable")
        return whole[order], np.concatenate(groups)[order]

    def _rate(self, group: str, t: float, end: float) -> float:
        """Just before the end of its phase, a ramp has come to its last value."""
        return self._timeline.at(min(t, end - 1e-9)).arrivals[group]

    def _poisson(self, a: float, b: float, first: float, last: float) -> at.Floats:
        """A Poisson process whose rate goes in a straight line, by inverting the integrated rate."""
        mean = (first + last) / 2 * (b - a)
        drawn = np.sort(self._visits.random(self._visits.poisson(mean))) * mean
        slope = (last - first) / (b - a)
        if abs(slope) < 1e-12:
            return np.asarray(a + drawn / first) if first else drawn
        return np.asarray(a + (np.sqrt(np.maximum(0.0, first**2 + 2 * slope * drawn)) - first) / slope)

    def _fetched(self) -> Iterator[Attempt | Prompt]:
        state = self.state
        count = int(state.i[at.OUT])
        state.i[at.OUT] = 0
        yield from (self._record(row) for row in state.out[:count].tolist())

    def _record(self, row: tuple[float, ...]) -> Attempt | Prompt:
        """A row of RECORD; to 0.1 ms, as the reference."""
        kind, code, g, index, name, asked, n, start, end, first, gap, tokens, retry_after = row
        group = self._plan.groups[int(g)]
        number = name if index >= self.state.i[at.CLOSED] else index - self._plan.world.group["start"][int(g)] + 1
        user = f"{group}-{int(number)}"
        prompt, start, end = f"{user}.{asked}", round(start, 4), round(end, 4)
        if kind:
            tier, settled = self._timeline.scenario.crowd[group].tier, _SETTLED[int(code)]
            provider, wait = (self._plan.provider, _known(first)) if settled == "answered" else (None, None)
            return Prompt(prompt, user, group, tier, start, start, end, settled, int(n), provider, wait)
        failure = self._plan.failures[int(code)]
        status = 200 if failure.outcome == "ok" or tokens else failure.status
        return Attempt(
            prompt, int(n), group, self._plan.provider, start, end, failure.outcome, status, _known(first), _known(gap),
            int(tokens), retry_after if retry_after >= 0 else None,
        )  # fmt: skip

    def _seconds(self) -> Iterator[ServiceSecond]:
        """Those that are over by the clock of the compiled code, which alone has closed them."""
        state, plan = self.state, self._plan
        until = int(state.i[at.SECOND])
        for t in range(self._next_second, until):
            offered, admitted, refused, failed, finished, abandoned, running, queued, slots = state.counts[t].tolist()
            work, wasted = state.work[t].tolist()
            felt = {name: int(hits) for name, hits in zip(plan.faults, state.felt[t], strict=True) if hits}
            yield ServiceSecond(
                t, plan.provider, offered, admitted, refused, failed, finished, abandoned, running, queued,
                work, wasted, float(slots), felt,
            )  # fmt: skip
        self._next_second = until


def _known(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 4)
