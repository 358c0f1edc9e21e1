"""The compiled event loop of the fast engine: a World and a State in, the State at a later bucket out.

    until the bucket ends: the earliest of   a user's timer   a slot's end   an arrival   a change of the timeline

It stops at exactly the moment that it is told, in the middle of a bucket if need be; what is due then has happened, and
every second that is over by then is closed.

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

_AT_ONCE = 2_000_000  # events, a second at most, after which Python is let in: it may be interrupted
DONE, FETCH, GROW = 0, 1, 2  # the records are to be taken away; there is to be room for more arrivals
_NEXT = 3  # bucket


@entry
def play(world: World, state: State, until: float, arrivals: Floats, groups: Ints) -> int:
    """Go on to `until`, that moment included, or to where something is to be done: DONE, FETCH or GROW."""
    numbers, times = state.i, state.f
    enough = numbers[at.EVENTS] + _AT_ONCE
    while True:
        limit = (numbers[at.BUCKET] + 1) * world.provider[0].step
        if times[at.LIMIT] != limit:  # otherwise this bucket is at hand already
            times[at.LIMIT] = limit
            take_users(state)
            take_slots(state)
        why = _bucket(world, state, until, enough, arrivals, groups)
        if why != _NEXT:
            return why
        numbers[at.BUCKET] += 1


@small
def _bucket(world: World, state: State, until: float, enough: int, arrivals: Floats, groups: Ints) -> int:
    numbers, times = state.i, state.f
    limit = times[at.LIMIT]
    room = len(state.out) - 2 * len(state.log) - 2  # an event may end all attempts and prompts on record
    while True:
        k, m = numbers[at.DUE_AT], numbers[at.SLOT_AT]
        timer = state.due_at[k] if k < numbers[at.DUE_TO] else math.inf
        slot = state.due_end[m] if m < numbers[at.SLOT_TO] else math.inf
        visit = arrivals[numbers[at.ARRIVAL]] if numbers[at.ARRIVAL] < len(arrivals) else math.inf
        change = world.moment[numbers[at.CHANGE]] if numbers[at.CHANGE] < len(world.moment) else math.inf
        now = min(timer, slot, visit, change)
        if now >= limit or now > until:
            if until >= limit:
                return _NEXT
            spend(state, until)
            return DONE
        if numbers[at.OUT] > room or numbers[at.EVENTS] > enough:
            return FETCH
        if now == visit and numbers[at.FREE_ARRIVALS] == 0:
            return GROW
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


@small
def _first(world: World, active: np.uint64, kind: int) -> int:
    """The first fault of this kind among those that hold; -1: there is none. Several crashes are one that lasts."""
    for e in range(len(world.fault)):
        if world.fault[e].kind == kind and (active >> np.uint64(e)) & np.uint64(1):
            return e
    return -1


@compiled
def _change(world: World, state: State, now: float) -> None:
    """The next change of the timeline: faults begin and end, users come and go."""
    numbers = state.i
    index = numbers[at.CHANGE]
    before = world.active[index - 1] if index else np.uint64(0)
    numbers[at.CHANGE] += 1
    if now >= world.provider[0].end_of_load:
        numbers[at.OPEN] = 0
    was_crashed, was_down = _first(world, before, at.CRASH), _first(world, before, at.DOWN)
    is_crashed, is_down = _first(world, world.active[index], at.CRASH), _first(world, world.active[index], at.DOWN)
    if is_crashed >= 0 and was_crashed < 0:
        crash(world, state, is_crashed, now)
    elif was_crashed >= 0 and is_crashed < 0:
        restart(world, state, was_crashed, now)
    if is_down >= 0 and was_down < 0:
        turn_off(world, state, now)
    set_slots(world, state, now)
    fill(world, state, now)
    if numbers[at.OPEN]:
        set_users(world, state, index, now)
