"""The fast engine: a scenario and a seed in, records out, a million users in a minute.

What it gives is the same in distribution as what the reference gives, not record by record.

Of a large crowd one user in `stride` is recorded, all of what he lives through; what the providers saw is of everybody.
"""

import math
from collections.abc import Callable, Iterator
from random import Random

import numpy as np

from mockbot.dialects.families import FAMILIES
from mockbot.evidence.records import Action, Attempt, Prompt, ServiceSecond, Settled
from mockbot.scenario.schema import Scenario
from mockbot.scenario.timeline import Timeline
from mockbot.simulate.change_points import STEP, actions, latest
from mockbot.simulate.fast import layout as at
from mockbot.simulate.fast.arrays import grown, state_of, with_room
from mockbot.simulate.fast.kernel import DONE, FETCH, GROW, play
from mockbot.simulate.fast.user_events import leave_open
from mockbot.simulate.fast.world import Failure, Plan, plans

Record = Attempt | Prompt | ServiceSecond | Action
Sink = Callable[[Record], None]

NOBODY = 1 << 40  # a stride at which next to nobody is recorded
RECORDED_USERS, RECORDED_VISITORS = 2_000, 100_000  # at most so many are recorded
SLICE = 60.0  # scenario seconds whose arrivals are drawn at once
VISITORS = 65_536
_SETTLED: tuple[Settled, ...] = ("answered", "gave_up", "unfinished")


class Fast:
    """One run. `play` to any moment up to `latest`, as often as wanted; `finish` once.

    `stride`: one user in so many is recorded; as many as a journal can hold when not given.
    """

    def __init__(self, scenario: Scenario, seed: int, sink: Sink, stride: int | None = None) -> None:
        self.timeline = Timeline(scenario)
        self.latest = latest(self.timeline)
        self.now = 0.0
        self.stride = stride or stride_of(self.timeline)
        self._sink = sink
        dialects = {name: FAMILIES[spec.dialect].dialects[0] for name, spec in scenario.providers.items()}
        self.parts = [
            Part(plan, self.timeline, f"{seed}/{plan.provider}", self.stride) for plan in plans(scenario, dialects)
        ]
        for action in actions(self.timeline):
            sink(action)

    @property
    def events(self) -> int:
        """How many things have happened."""
        return sum(int(part.state.i[at.EVENTS]) for part in self.parts)

    def play(self, until: float) -> bool:
        """Go on to this moment at most; False when nothing more can happen."""
        until = min(until, self.latest)
        end = self.timeline.end
        while self.now < until and (self.now < end or self._pending):
            self.now = min(until, self.now + (SLICE if self.now < end else STEP), end if self.now < end else until)
            for part in self.parts:
                for record in part.play(self.now):
                    self._sink(record)
        return self.now < self.latest and (self.now < end or self._pending)

    def totals(self) -> at.Ints:
        """[second, what] of everybody: ISSUED, SENT, SETTLED (answered), GIVEN_UP."""
        return np.asarray(sum(part.state.crowd.sum(axis=1) for part in self.parts))

    @property
    def _pending(self) -> bool:
        return any(part.state.i[at.PENDING] > 0 for part in self.parts)

    def finish(self) -> float:
        """Write what is still under way as unfinished; returns the moment at which the run ended."""
        for part in self.parts:
            for record in part.finish(self.now):
                self._sink(record)
        return self.now


def stride_of(timeline: Timeline) -> int:
    """One user in so many is recorded, and one visitor."""
    users = sum(timeline.max_users().values())
    visitors = sum(
        (phase.end - phase.start) * sum(timeline.at((phase.start + phase.end) / 2).arrivals.values())
        for phase in timeline.phases
    )
    return max(1, int(-(-users // RECORDED_USERS)), int(-(-visitors // RECORDED_VISITORS)))


class Part:
    """One provider with the groups that use it."""

    def __init__(self, plan: Plan, timeline: Timeline, seed: str, stride: int) -> None:
        self.plan, self._timeline = plan, timeline
        self._open = [name for name in plan.groups if timeline.scenario.crowd[name].arrivals is not None]
        self._visits = np.random.default_rng(Random(f"{seed}/visits").getrandbits(64))
        seconds = int(latest(timeline)) + 2
        self.state = state_of(plan, seconds, seed, stride, VISITORS if self._open else 0)
        self._told = 0

    def play(self, until: float) -> Iterator[Record]:
        """Go on to this moment; the records since the last one."""
        state, world = self.state, self.plan.world
        step = float(world.provider[0]["step"])
        limit = (int(until / step) + 1) * step
        times, groups = self._arrivals(float(state.i[at.BUCKET] * step), limit)
        state.i[at.ARRIVAL] = 0
        while (why := play(world, self.state, until, times, groups)) != DONE:
            if why == GROW:
                self.state = grown(self.state)
            if why == FETCH:
                yield from self._fetched()
        yield from self._fetched()
        yield from self._seconds(int(until))

    def finish(self, now: float) -> Iterator[Record]:
        """What is under way is unfinished."""
        self.state = with_room(self.state)
        leave_open(self.plan.world, self.state, now)
        yield from self._fetched()

    def _arrivals(self, start: float, end: float) -> tuple[at.Floats, at.Ints]:
        drawn = [
            (np.empty(0), 0),
            *((self._times(name, start, end), self.plan.groups.index(name)) for name in self._open),
        ]
        times = np.concatenate([times for times, _ in drawn])
        groups = np.concatenate([np.full(len(times), g, dtype=np.int64) for times, g in drawn])
        order = np.argsort(times, kind="stable")
        return times[order], groups[order]

    def _times(self, group: str, start: float, end: float) -> at.Floats:
        """A Poisson process whose rate goes in straight lines, by inverting the integrated rate."""
        found = [np.empty(0)]
        for phase in self._timeline.phases:
            a, b = max(start, phase.start), min(end, phase.end)
            if a < b:
                found.append(self._straight(a, b, self._rate(group, a, phase.end), self._rate(group, b, phase.end)))
        return np.concatenate(found)

    def _rate(self, group: str, t: float, end: float) -> float:
        """Just before the end of its phase, a ramp has come to its last value."""
        return self._timeline.at(min(t, end - 1e-9)).arrivals[group]

    def _straight(self, a: float, b: float, first: float, last: float) -> at.Floats:
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
        kind, code, group, index, name, asked, n, start, end, first, gap, tokens, told = row
        part = self.plan.groups[int(group)]
        number = name if index >= self.state.i[at.CLOSED] else index - self.plan.world.group["start"][int(group)] + 1
        user = f"{part}-{int(number)}"
        if kind:
            tier = self._timeline.scenario.crowd[part].tier
            settled = _SETTLED[int(code)]
            begun, over = round(start, 4), round(end, 4)
            who = self.plan.provider if settled == "answered" else None
            return Prompt(
                f"{user}.{asked}",
                user,
                part,
                tier,
                begun,
                begun,
                over,
                settled,
                int(n),
                who,
                _known(first, who is not None),
            )
        failure = self.plan.failures[int(code)]
        return Attempt(
            f"{user}.{asked}",
            int(n),
            part,
            self.plan.provider,
            round(start, 4),
            round(end, 4),
            failure.outcome,
            _status(failure, tokens),
            _known(first),
            _known(gap),
            int(tokens),
            told if told >= 0 else None,
        )

    def _seconds(self, until: int) -> Iterator[ServiceSecond]:
        state = self.state
        for t in range(self._told, until):
            counts = state.counts[t].tolist()
            felt = {name: int(hits) for name, hits in zip(self.plan.faults, state.felt[t], strict=True) if hits}
            work, wasted = state.work[t].tolist()
            offered, admitted, refused, failed, finished, abandoned, running, queued, slots = counts
            yield ServiceSecond(
                t,
                self.plan.provider,
                offered,
                admitted,
                refused,
                failed,
                finished,
                abandoned,
                running,
                queued,
                work,
                wasted,
                float(slots),
                felt,
            )
        self._told = max(self._told, until)


def _known(value: float, is_known: bool = True) -> float | None:
    return round(value, 4) if is_known and not math.isnan(value) else None


def _status(failure: Failure, tokens: float) -> int | None:
    return 200 if failure.outcome == "ok" or tokens else failure.status
