"""Two timing wheels, compiled: users by their timer (doubly linked, for timers are called off) and slots by their end.

wheel[bucket] ─► user ⇄ user ⇄ user          a bucket is `step` seconds; what is due in a later turn stays in it
due_at[DUE_AT:DUE_TO]                        the bucket at hand, sorted by time; of slots due_end[SLOT_AT:SLOT_TO]

Bucket b holds the moments b * step <= t < (b + 1) * step. `step` is a power of two, so t / step and b * step are exact
in floats, and int(t / step) is that bucket for every t. With any other step the quotient rounds: an entry could stay in
the wheel for a turn too long, or be played after later ones.
"""

import math

from mockbot.simulate.fast import layout as at
from mockbot.simulate.fast.layout import Floats, Ints, Shorts, State, World
from mockbot.simulate.fast.machine import small, whole

# Each gap is about 2.3 times the next (near the ratio of Ciura 2001); the large ones are for buckets with all users.
_GAPS = (701_000, 301_000, 131_000, 57_000, 24_800, 10_780, 4_687, 2_038, 886, 385, 167, 73, 32, 14, 6, 3, 1)


@small
def set_timer(world: World, state: State, i: int, t: float) -> None:
    """User i, which has no timer, gets one that rings at t."""
    user = state.user[i]
    user.t = t
    if t < state.f[at.LIMIT]:
        _insert(state.i, at.DUE_AT, state.due_user, state.due_at, i, t)
        user.prv = at.BUFFERED
        return
    _link(state, int(t / world.provider[0].step) & (len(state.wheel) - 1), i)


@small
def _link(state: State, bucket: int, i: int) -> None:
    user, head = state.user[i], state.wheel[bucket]
    user.nxt, user.prv = head, -1
    if head >= 0:
        state.user[head].prv = i
    state.wheel[bucket] = i


@small
def _insert(numbers: Ints, begin: int, due: Shorts, due_at: Floats, i: int, t: float) -> None:
    """Into the bucket at hand, in order; State.i[begin] and State.i[begin + 1] are its bounds."""
    if numbers[begin + 1] == len(due):  # make room: what is over goes
        gone = numbers[begin]
        for k in range(gone, numbers[begin + 1]):
            due_at[k - gone], due[k - gone] = due_at[k], due[k]
        numbers[begin + 1] -= gone
        numbers[begin] = 0
    k = numbers[begin + 1]
    numbers[begin + 1] += 1
    while k > numbers[begin] and due_at[k - 1] > t:
        due_at[k], due[k] = due_at[k - 1], due[k - 1]
        k -= 1
    due_at[k], due[k] = t, i


@small
def stop_timer(world: World, state: State, i: int) -> None:
    """It will not ring."""
    user = state.user[i]
    if user.prv == at.BUFFERED:
        user.t = math.inf  # its entry in the bucket at hand is not its own any more
    elif user.prv != at.IDLE:
        if user.nxt >= 0:
            state.user[user.nxt].prv = user.prv
        if user.prv >= 0:
            state.user[user.prv].nxt = user.nxt
        else:
            state.wheel[int(user.t / world.provider[0].step) & (len(state.wheel) - 1)] = user.nxt
    user.prv = at.IDLE


@small
def take_users(state: State) -> None:
    """Move what is due in this bucket to where it is served, in order."""
    numbers = state.i
    numbers[at.DUE_AT] = numbers[at.DUE_TO] = 0
    bucket = numbers[at.BUCKET] & (len(state.wheel) - 1)
    i, count, limit = whole(state.wheel[bucket]), 0, state.f[at.LIMIT]
    state.wheel[bucket] = -1
    while i >= 0:
        user = state.user[i]
        following = whole(user.nxt)
        if user.t < limit:
            user.prv = at.BUFFERED
            state.due_user[count], state.due_at[count] = i, user.t
            count += 1
        else:
            _link(state, bucket, i)
        i = following
    numbers[at.DUE_TO] = count
    _sort(state, count)


@small
def _sort(state: State, count: int) -> None:
    """By time, in place (Shell 1959): a few entries mostly, many when all come back."""
    for gap in _GAPS:
        for k in range(gap, count):
            t, i, place = state.due_at[k], state.due_user[k], k
            while place >= gap and state.due_at[place - gap] > t:
                state.due_at[place], state.due_user[place] = state.due_at[place - gap], state.due_user[place - gap]
                place -= gap
            state.due_at[place], state.due_user[place] = t, i


@small
def start_slot(world: World, state: State, slot: int, t: float) -> None:
    """This slot will be done at t."""
    state.slot[slot].end = t
    if t < state.f[at.LIMIT]:
        _insert(state.i, at.SLOT_AT, state.due_slot, state.due_end, slot, t)
        return
    bucket = int(t / world.provider[0].step) & (len(state.slot_wheel) - 1)
    state.slot[slot].nxt = state.slot_wheel[bucket]
    state.slot_wheel[bucket] = slot


@small
def take_slots(state: State) -> None:
    """As `take_users`, for slots."""
    numbers = state.i
    numbers[at.SLOT_AT] = numbers[at.SLOT_TO] = 0
    bucket = numbers[at.BUCKET] & (len(state.slot_wheel) - 1)
    slot, kept = whole(state.slot_wheel[bucket]), -1
    limit = state.f[at.LIMIT]
    while slot >= 0:
        following, end = whole(state.slot[slot].nxt), state.slot[slot].end
        if end < limit:
            _insert(numbers, at.SLOT_AT, state.due_slot, state.due_end, slot, end)
        else:
            state.slot[slot].nxt = kept
            kept = slot
        slot = following
    state.slot_wheel[bucket] = kept
