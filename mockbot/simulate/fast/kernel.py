"""The compiled event loop of the fast engine: a World and a State in, the State at a later bucket out.

    until the bucket ends: the earliest of   a user's timer   a slot's end   an arrival   a change of the timeline

The order of decisions is the reference's: edge faults, limits, shedding, slowness, slot or queue; then outcome, retry
rule, wait, patience. What users do is in `user_events.py`, what the provider does in `provider_events.py`.
"""

import math

import numpy as np

from mockbot.simulate.fast import layout as at
from mockbot.simulate.fast.layout import Floats, Ints, State, World
from mockbot.simulate.fast.machine import compiled, entry, small
from mockbot.simulate.fast.provider_events import fill, restart, set_slots, spend
from mockbot.simulate.fast.timer_wheel import take_slots, take_users
from mockbot.simulate.fast.user_events import arrive, crash, end_of_slot, ring, set_users, turn_off

_ROOM = 65_536  # records that a bucket may write at most, beside two for each user that is recorded

_VISITS = 4096  # the most that come within a bucket
_AT_ONCE = 2_000_000  # events, a second at most, after which Python is let in: it may be interrupted
DONE, FETCH, GROW = 0, 1, 2  # the records are to be taken away; there is to be room for more arrivals


@entry
def play(world: World, state: State, until: float, arrivals: Floats, groups: Ints) -> int:
    """Go on to the end of the bucket that holds `until`, or to where something is to be done: DONE, FETCH or GROW."""
    numbers, times = state.i, state.f
    last = int(until / world.provider[0].step)
    room = len(state.out) - 2 * len(state.log) - _ROOM
    enough = numbers[at.EVENTS] + _AT_ONCE
    while numbers[at.BUCKET] <= last:
        limit = (numbers[at.BUCKET] + 1) * world.provider[0].step
        times[at.LIMIT] = limit
        take_users(state)
        take_slots(state)
        _bucket(world, state, limit, arrivals, groups)
        numbers[at.BUCKET] += 1
        if numbers[at.OUT] > room or numbers[at.EVENTS] > enough:
            return FETCH
        if len(arrivals) > 0 and numbers[at.FREE_ARRIVALS] < _VISITS:
            return GROW
    return DONE


@small
def _bucket(world: World, state: State, limit: float, arrivals: Floats, groups: Ints) -> None:
    numbers, times = state.i, state.f
    while True:
        k, m = numbers[at.DUE_AT], numbers[at.SLOT_AT]
        timer = state.due_at[k] if k < numbers[at.DUE_TO] else math.inf
        slot = state.due_end[m] if m < numbers[at.SLOT_TO] else math.inf
        visit = arrivals[numbers[at.ARRIVAL]] if numbers[at.ARRIVAL] < len(arrivals) else math.inf
        change = world.moment[numbers[at.CHANGE]] if numbers[at.CHANGE] < len(world.moment) else math.inf
        now = min(timer, slot, visit, change)
        if now >= limit:
            return
        spend(state, now)
        times[at.NOW] = now
        numbers[at.EVENTS] += 1
        if numbers[at.RAMPS]:
            set_slots(world, state, now)
            fill(world, state, now)
        if change == now:
            _change(world, state, now)
        elif slot == now:
            end_of_slot(world, state, now)
        elif visit == now:
            numbers[at.ARRIVAL] += 1
            arrive(world, state, groups[numbers[at.ARRIVAL] - 1], now)
        else:
            ring(world, state, now)


@compiled
def _change(world: World, state: State, now: float) -> None:
    """The next change of the timeline: faults begin and end, users come and go."""
    numbers = state.i
    index = numbers[at.CHANGE]
    before = world.active[index - 1] if index else np.uint64(0)
    numbers[at.CHANGE] += 1
    if now >= world.provider[0].end_of_load:
        numbers[at.OPEN] = 0
    for e in range(len(world.fault)):
        bit = np.uint64(1) << np.uint64(e)
        was, is_now = (before & bit) != 0, (world.active[index] & bit) != 0
        if world.fault[e].kind == at.CRASH and is_now and not was:
            crash(world, state, e, now)
        elif world.fault[e].kind == at.CRASH and was and not is_now:
            restart(world, state, e, now)
        elif world.fault[e].kind == at.DOWN and is_now and not was:
            turn_off(world, state, now)
    set_slots(world, state, now)
    fill(world, state, now)
    if numbers[at.OPEN]:
        set_users(world, state, index, now)
