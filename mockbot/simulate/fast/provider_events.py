"""What the provider does, compiled: one function for each thing that can happen to a request or to the slots."""

import numpy as np

from mockbot.simulate.fast import layout as at
from mockbot.simulate.fast.chance import FAULTS, KEYS, fixed, uniform
from mockbot.simulate.fast.layout import State, World
from mockbot.simulate.fast.machine import compiled, small, whole
from mockbot.simulate.fast.record_log import recorded
from mockbot.simulate.fast.timer_wheel import start_slot, stop_timer

_MINUTE = 60.0
_ACCEPTED, _WAITS = -1, -2  # what `serve` returns beside a kind of failure


@small
def spend(state: State, to: float) -> None:
    """Time goes on: add slot-seconds of work, and of work without a client; close the seconds in between."""
    numbers, times = state.i, state.f
    while True:
        second = numbers[at.SECOND]
        end = min(to, second + 1.0)
        state.work[second, 0] += numbers[at.ACTIVE] * (end - times[at.SPENT])
        state.work[second, 1] += numbers[at.ORPHANS] * (end - times[at.SPENT])
        times[at.SPENT] = end
        if to < second + 1.0:
            return
        state.counts[second, at.RUNNING_AT] = numbers[at.ACTIVE]
        state.counts[second, at.QUEUED_AT] = numbers[at.WAITING]
        state.counts[second, at.SLOTS_AT] = numbers[at.SLOTS]
        numbers[at.SECOND] += 1


@small
def _ramp(world: World, e: int, first: float, last: float, now: float) -> float:
    """Linear, from the fault's begin to its end."""
    fault = world.fault[e]
    return float(first + (last - first) * min(1.0, max(0.0, (now - fault.begin) / (fault.end - fault.begin))))


@small
def _key(state: State, i: int) -> int:
    """The number of this user's API key: every visitor has another one, though places are taken again."""
    closed = state.i[at.CLOSED]
    return whole(i if i < closed else closed + state.log[state.i[at.LOG_CLOSED] + i - closed].name)


@compiled
def _strikes(world: World, state: State, e: int, g: int, i: int, now: float) -> bool:
    """Does this fault hit this request?"""
    fault = world.fault[e]
    if not world.hits[e, g] or (fault.keys < 1.0 and fixed(state.rng[KEYS], _key(state, i)) >= fault.keys):
        return False
    share = _ramp(world, e, fault.share_first, fault.share_last, now)
    return bool(share >= 1.0 or (share > 0.0 and uniform(state.rng, FAULTS) < share))


@small
def _holds(world: World, state: State, e: int, kind: int) -> bool:
    """Is this fault of that kind, and does it hold now?"""
    index = state.i[at.CHANGE] - 1
    now = index >= 0 and bool((world.active[index] >> np.uint64(e)) & np.uint64(1))
    return now and world.fault[e].kind == kind


@compiled
def serve(world: World, state: State, i: int, g: int, now: float, until: float) -> tuple[int, float]:  # noqa: C901 - in order
    """A request arrives, whose client waits for it until then: (kind of failure, Retry-After), or -1 when it is in."""
    for e in range(len(world.fault)):
        if _holds(world, state, e, at.DOWN):
            return at.REFUSED, at.NO_RETRY_AFTER
    if not state.i[at.ALIVE]:
        return at.RESET, at.NO_RETRY_AFTER
    counts = state.counts[state.i[at.SECOND]]
    counts[at.OFFERED] += 1
    first, per_token = world.provider[0].first_token, world.provider[0].per_token
    for e in range(len(world.fault)):
        if _holds(world, state, e, at.FAIL) and _strikes(world, state, e, g, i, now):
            counts[at.FAILED] += 1
            state.felt[state.i[at.SECOND], e] += 1
            retry_after = world.fault[e].retry_after
            return world.fault[e].failure, world.fault[e].end - now if retry_after == at.UNTIL_END else retry_after
    wait = _over_limit(world, state, i, g, now)
    if wait > 0.0:
        counts[at.TURNED_AWAY] += 1
        return world.provider[0].over_limit, wait
    for e in range(len(world.fault)):
        if _holds(world, state, e, at.SHED) and _is_shed(world, state, e, g, i, now):
            counts[at.TURNED_AWAY] += 1
            state.felt[state.i[at.SECOND], e] += 1
            return world.provider[0].shed, world.provider[0].retry_after
    factor, added, hits = 1.0, 0.0, np.uint64(0)
    for e in range(len(world.fault)):
        if _holds(world, state, e, at.SLOWER) and _strikes(world, state, e, g, i, now):
            factor *= world.fault[e].factor_first
            added += _ramp(world, e, world.fault[e].added_first, world.fault[e].added_last, now)
            hits |= np.uint64(1) << np.uint64(e)
    first = first * factor + added
    per_token *= factor
    work = first + max(0, state.user[i].tokens - 1) * per_token
    return _take_in(world, state, i, now, until, work, first, hits)


@compiled
def _is_shed(world: World, state: State, e: int, g: int, i: int, now: float) -> bool:
    if world.admit[e, g, 0] < 0.0:
        return False
    admit = _ramp(world, e, world.admit[e, g, 0], world.admit[e, g, 1], now)
    return uniform(state.rng, FAULTS) >= admit and _strikes(world, state, e, g, i, now)


@small
def _over_limit(world: World, state: State, i: int, g: int, now: float) -> float:
    """Seconds until the token bucket of this key has a request again; 0: it has one now, which is taken."""
    rate = world.group[g].limit
    if rate <= 0.0:
        return 0.0
    size = max(1.0, rate * _MINUTE)
    level = min(size, state.key[i].level + (now - state.key[i].level_at) * rate)
    if level < 1.0 - 1e-9:
        return float(max((1.0 - level) / rate, 1e-9))
    state.key[i].level, state.key[i].level_at = level - 1.0, now
    return 0.0


@small
def _take_in(
    world: World, state: State, i: int, now: float, until: float, work: float, first: float, hits: np.uint64
) -> tuple[int, float]:
    numbers = state.i
    reduced = numbers[at.SLOTS] < world.provider[0].base_slots
    if numbers[at.ACTIVE] < numbers[at.SLOTS] and numbers[at.WAITING] == 0:
        user = state.user[i]
        user.flags = (user.flags & ~at.STATE) | at.RUNNING
        user.t = until
        _begin(world, state, i, whole(user.seq), work, first, hits, True, now)
        return _ACCEPTED, at.NO_RETRY_AFTER
    for e in range(len(world.fault)):
        if reduced and _holds(world, state, e, at.FEWER):
            state.felt[numbers[at.SECOND], e] += 1
    if numbers[at.WAITING] >= world.provider[0].queue:
        state.counts[numbers[at.SECOND], at.TURNED_AWAY] += 1
        return world.provider[0].queue_full, world.provider[0].retry_after
    if numbers[at.LENGTH] == len(state.queue):
        _compact(state)
    k = (numbers[at.HEAD] + numbers[at.LENGTH]) % len(state.queue)
    user = state.user[i]
    user.flags = (user.flags & ~at.STATE) | at.QUEUED
    state.queue[k].user, state.queue[k].seq = i, user.seq
    state.queue[k].work, state.queue[k].first, state.queue[k].hits = work, first, hits
    numbers[at.LENGTH] += 1
    numbers[at.WAITING] += 1
    return _WAITS, at.NO_RETRY_AFTER


@small
def _is_live(state: State, i: int, seq: int, what: int) -> bool:
    user = state.user[i]
    return bool(user.seq == seq and (user.flags & at.STATE) == what)


@compiled
def _compact(state: State) -> None:
    """Remove the requests that have left the queue."""
    numbers, size, kept = state.i, len(state.queue), 0
    for k in range(numbers[at.LENGTH]):
        source = (numbers[at.HEAD] + k) % size
        if _is_live(state, whole(state.queue[source].user), whole(state.queue[source].seq), at.QUEUED):
            target = (numbers[at.HEAD] + kept) % size
            state.queue[target] = state.queue[source]
            kept += 1
    numbers[at.LENGTH] = kept


@small
def _begin(
    world: World, state: State, i: int, seq: int, work: float, first: float, hits: np.uint64, live: bool, now: float
) -> None:
    """A request gets a slot. `live`: its client waits, until its `t`; `hits`: bits of the faults that make it slow."""
    numbers = state.i
    numbers[at.FREE] -= 1
    slot = whole(state.free_slots[numbers[at.FREE]])
    state.slot[slot].user, state.slot[slot].seq = i, seq
    numbers[at.ACTIVE] += 1
    state.counts[numbers[at.SECOND], at.ADMITTED] += 1
    if hits:
        for e in range(len(world.fault)):
            state.felt[numbers[at.SECOND], e] += np.int64((hits >> np.uint64(e)) & np.uint64(1))
    start_slot(world, state, slot, now + work)
    if not live:
        numbers[at.ORPHANS] += 1
        return
    user = state.user[i]
    if now + first <= user.t:
        user.flags |= at.SLOW
    j = recorded(state, i)
    if j >= 0:
        state.log[j].first, state.log[j].end = now + first, now + work


@compiled
def fill(world: World, state: State, now: float) -> None:
    """Free slots take up what waits."""
    numbers = state.i
    while numbers[at.LENGTH] > 0 and numbers[at.ACTIVE] < numbers[at.SLOTS]:
        k = numbers[at.HEAD]
        numbers[at.HEAD] = (k + 1) % len(state.queue)
        numbers[at.LENGTH] -= 1
        i, seq = whole(state.queue[k].user), whole(state.queue[k].seq)
        live = _is_live(state, i, seq, at.QUEUED)
        if world.provider[0].leaves_queue and not live:
            continue
        numbers[at.WAITING] -= 1
        work, hits = state.queue[k].work, state.queue[k].hits
        if live:
            user = state.user[i]
            user.flags = (user.flags & ~at.STATE) | at.RUNNING
            _begin(world, state, i, seq, work, state.queue[k].first, hits, True, now)
            if now + work <= user.t:  # it will be answered in time
                stop_timer(world, state, i)
        else:
            _begin(world, state, i, seq, work, 0.0, hits, False, now)


@small
def abandon(world: World, state: State, i: int) -> None:
    """The client of a request that waits or runs has gone."""
    numbers = state.i
    state.counts[numbers[at.SECOND], at.ABANDONED] += 1
    if (state.user[i].flags & at.STATE) == at.RUNNING:
        numbers[at.ORPHANS] += 1
    elif world.provider[0].leaves_queue:
        numbers[at.WAITING] -= 1


@small
def free(state: State, slot: int) -> bool:
    """A slot is done; does its client still wait?"""
    numbers = state.i
    state.free_slots[numbers[at.FREE]] = slot
    numbers[at.FREE] += 1
    numbers[at.ACTIVE] -= 1
    live = _is_live(state, whole(state.slot[slot].user), whole(state.slot[slot].seq), at.RUNNING)
    if live:
        state.counts[numbers[at.SECOND], at.FINISHED] += 1
    else:
        numbers[at.ORPHANS] -= 1
    return live


@compiled
def set_slots(world: World, state: State, now: float) -> None:
    """As many slots as capacity faults and a restart leave, whole."""
    numbers, times = state.i, state.f
    factor, ramps = 1.0, 0
    for e in range(len(world.fault)):
        if _holds(world, state, e, at.FEWER):
            first, last = world.fault[e].factor_first, world.fault[e].factor_last
            factor *= _ramp(world, e, first, last, now)
            ramps |= first != last
    if now < times[at.WARM_TO]:
        factor *= (now - times[at.WARM_FROM]) / (times[at.WARM_TO] - times[at.WARM_FROM])
        ramps = 1
    numbers[at.RAMPS] = ramps
    numbers[at.SLOTS] = int(world.provider[0].base_slots * factor + 0.5) if numbers[at.ALIVE] else 0


@compiled
def lose_everything(state: State) -> int:
    """Queue and slots are empty; how many of those requests still had a client."""
    numbers = state.i
    lost = 0
    for i in range(len(state.user)):
        lost += (state.user[i].flags & at.STATE) >= at.QUEUED
    state.slot_wheel[:] = -1
    numbers[at.SLOT_AT] = numbers[at.SLOT_TO] = 0
    for slot in range(len(state.free_slots)):
        state.free_slots[slot] = slot
    numbers[at.FREE] = len(state.free_slots)
    numbers[at.ACTIVE] = numbers[at.ORPHANS] = numbers[at.LENGTH] = numbers[at.WAITING] = 0
    numbers[at.ALIVE] = numbers[at.SLOTS] = 0
    return lost


@compiled
def restart(world: World, state: State, e: int, now: float) -> None:
    """The process is back, empty and cold."""
    state.i[at.ALIVE] = 1
    state.f[at.WARM_FROM], state.f[at.WARM_TO] = now, now + world.fault[e].warm_up
