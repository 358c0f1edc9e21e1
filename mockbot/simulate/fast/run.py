"""The fast engine: a scenario and a seed in, records out, a million users in a minute. Same answers as the reference.

Of a large crowd one user in `stride` is recorded, all of what he lives through; what the providers saw is of everybody.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from random import Random

import numpy as np

from mockbot.evidence.records import Action, Attempt, Prompt, ServiceSecond, Settled
from mockbot.scenario.schema import Scenario
from mockbot.scenario.timeline import Timeline
from mockbot.service.dialects import FAMILIES
from mockbot.simulate.fast import layout as at
from mockbot.simulate.fast.chance import STREAMS
from mockbot.simulate.fast.kernel import DONE, FETCH, GROW, play
from mockbot.simulate.fast.users import leave_open
from mockbot.simulate.fast.world import Failure, Plan, plans
from mockbot.simulate.moments import STEP, actions, latest

Record = Attempt | Prompt | ServiceSecond | Action
Sink = Callable[[Record], None]

RECORDED_USERS, RECORDED_VISITORS = 2_000, 100_000  # at most so many are recorded
SLICE = 60.0  # scenario seconds whose arrivals are drawn at once
ROOM = 4 * 65_536
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
        self.state = _state(plan, seconds, seed, stride, VISITORS if self._open else 0)
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
                self.state = _grown(self.state)
            if why == FETCH:
                yield from self._fetched()
        yield from self._fetched()
        yield from self._seconds(int(until))

    def finish(self, now: float) -> Iterator[Record]:
        """What is under way is unfinished."""
        self.state = _with_room(self.state)
        leave_open(self.plan.world, self.state, now)
        yield from self._fetched()

    def _arrivals(self, start: float, end: float) -> tuple[at.Floats, at.Ints]:
        drawn = [(self._times(name, start, end), self.plan.groups.index(name)) for name in self._open]
        times = np.concatenate([times for times, _ in drawn]) if drawn else np.empty(0)
        groups = (
            np.concatenate([np.full(len(t), g, dtype=np.int64) for t, g in drawn]) if drawn else np.empty(0, np.int64)
        )
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


# -- arrays --------------------------------------------------------------------------------------------------------


def _state(plan: Plan, seconds: int, seed: str, stride: int, visitors: int) -> at.State:
    provider, groups, closed = plan.world.provider[0], plan.world.group, sum(plan.most_users)
    users, recorded = closed + visitors, -(-closed // stride)
    slots = int(provider["base_slots"] * _most_slots(plan.world) + 0.5) + 1
    queue = int(provider["queue"]) + 1
    if provider["leaves_queue"]:
        queue = min(queue, 4 * users + 100_000)
    think = max([1.0, *groups["think"].tolist()])
    mean = provider["first_token"] + provider["median"] * provider["per_token"]
    keyed = bool((groups["every"] > 0).any() or (groups["limit"] > 0).any())
    state = at.State(
        user=np.zeros(users, at.USER),
        wheel=np.full(_power(3 * think / provider["step"]), -1, np.int32),
        slot_wheel=np.full(_power(3 * mean / provider["step"]), -1, np.int32),
        slot=np.zeros(slots, at.SLOT),
        free_slots=np.arange(slots, dtype=np.int32),
        queue=np.zeros(queue, at.PLACE),
        due_user=np.zeros(users + 65_536, np.int32),
        due_at=np.zeros(users + 65_536),
        due_slot=np.zeros(slots + 1, np.int32),
        free_visitors=np.arange(closed, users, dtype=np.int32),
        key=_keys(users if keyed else 1),
        seen=_seen(recorded + visitors),
        out=np.zeros(2 * (recorded + visitors) + ROOM, at.RECORD),
        f=np.zeros(7),
        i=np.zeros(26, np.int64),
        rng=np.array([Random(f"{seed}/{stream}").getrandbits(64) for stream in range(STREAMS)], dtype=np.uint64),
        counts=np.zeros((seconds, 9), np.int64),
        work=np.zeros((seconds, 2)),
        felt=np.zeros((seconds, len(plan.faults)), np.int32),
        crowd=np.zeros((seconds, len(plan.groups), 4), np.int64),
    )
    state.user["prv"] = at.IDLE
    numbers: Mapping[int, int] = {
        at.FREE: slots,
        at.SLOTS: int(provider["base_slots"]),
        at.ALIVE: 1,
        at.OPEN: 1,
        at.FREE_VISITORS: visitors,
        at.STRIDE: stride,
        at.CLOSED: closed,
        at.SEEN_CLOSED: recorded,
    }
    for place, number in numbers.items():
        state.i[place] = number
    return state


def _most_slots(world: at.World) -> float:
    """The capacity may be multiplied by more than one."""
    rows = world.fault[world.fault["kind"] == at.FEWER]
    return float(np.prod(np.maximum(1.0, np.maximum(rows["factor_first"], rows["factor_last"]))))


def _power(size: float) -> int:
    return 1 << max(10, min(22, int(size).bit_length()))


def _keys(count: int) -> at.Rows:
    keys = np.zeros(count, at.KEY)
    keys["level"] = np.inf
    return keys


def _seen(count: int) -> at.Rows:
    seen = np.zeros(count, at.SEEN)
    seen["name"] = 1
    return seen


def _with_room(state: at.State) -> at.State:
    """For two records of everybody who is recorded."""
    return state._replace(out=np.zeros(2 * len(state.seen) + ROOM, at.RECORD))


def _grown(state: at.State) -> at.State:
    """Twice as many visitors may be there at once."""
    closed, users, left = int(state.i[at.CLOSED]), len(state.user), int(state.i[at.FREE_VISITORS])
    more = users - closed
    idle = np.zeros(more, at.USER)
    idle["prv"] = at.IDLE
    free = np.concatenate([state.free_visitors[:left], np.arange(users, users + more, dtype=np.int32)])
    state.i[at.FREE_VISITORS] = len(free)
    out = np.zeros(2 * (len(state.seen) + more) + ROOM, at.RECORD)
    out[: len(state.out)] = state.out
    return state._replace(
        user=np.concatenate([state.user, idle]),
        due_user=np.concatenate([state.due_user, np.zeros(more, np.int32)]),
        due_at=np.concatenate([state.due_at, np.zeros(more)]),
        free_visitors=np.concatenate([free, np.zeros(2 * more - len(free), np.int32)]),
        key=np.concatenate([state.key, _keys(more)]) if len(state.key) > 1 else state.key,
        seen=np.concatenate([state.seen, _seen(more)]),
        out=out,
    )
