"""What users do, compiled: think, ask, wait, learn the outcome, and ask again as their policy decides.

The rules are those of `clients/client.py` with the reactions `Loops` (one loop) and `Reloads`; every reaction takes
some time.
"""

import math

from mockbot.dialects.retry_after import whole_seconds
from mockbot.scenario.answer_law import tokens_at
from mockbot.simulate.fast import layout as at
from mockbot.simulate.fast.chance import LEAVE, POLICY, THINK, TOKENS, exponential, normal, uniform
from mockbot.simulate.fast.layout import State, World
from mockbot.simulate.fast.machine import compiled, entry, small, whole
from mockbot.simulate.fast.provider_events import abandon, fill, free, lose_everything, serve
from mockbot.simulate.fast.record_log import record_attempt, record_prompt, recorded
from mockbot.simulate.fast.timer_wheel import set_timer, stop_timer

_SOFTWARE = 0.001  # reactions.SOFTWARE
_STOP = -1.0
_on_the_wire, _tokens_at = small(whole_seconds), small(tokens_at)


@small
def _state(state: State, i: int, what: int) -> None:
    user = state.user[i]
    user.flags = (user.flags & ~at.STATE) | what


@compiled
def ring(world: World, state: State, now: float) -> None:
    """The next timer of the bucket rings, if it is still its user's."""
    k = state.i[at.DUE_AT]
    state.i[at.DUE_AT] = k + 1
    i = whole(state.due_user[k])
    user = state.user[i]
    if user.prv != at.BUFFERED or user.t != now:
        state.i[at.EVENTS] -= 1
        return
    user.prv = at.IDLE
    what = user.flags & at.STATE
    if what == at.THINKING:
        if state.i[at.OPEN]:
            _ask(world, state, i, now)
        else:
            _state(state, i, at.ABSENT)
    elif what == at.PAUSING:
        _send(world, state, i, now)
    elif what == at.GIVING_UP:
        _settle(world, state, i, at.GAVE_UP, now)
    else:
        streams = world.group[user.flags >> at.GROUP].streams  # a plain reader sees no first token
        kind = at.TOO_SLOW if streams and what == at.RUNNING and user.flags & at.SLOW else at.TIMEOUT
        abandon(world, state, i)
        _failed(world, state, i, kind, at.NO_RETRY_AFTER, now)


# -- a prompt ------------------------------------------------------------------------------------------------------


@compiled
def _think(world: World, state: State, i: int, now: float, away: float) -> None:
    g = state.user[i].flags >> at.GROUP
    _state(state, i, at.THINKING)
    mean = away if away >= 0.0 else world.group[g].think
    set_timer(world, state, i, now + (exponential(state.rng, THINK, mean) if mean > _SOFTWARE else _SOFTWARE))


@compiled
def _ask(world: World, state: State, i: int, now: float) -> None:
    """A new prompt."""
    user = state.user[i]
    user.t0, user.att = now, 0
    median, sigma = world.provider[0].median, world.provider[0].sigma
    user.tokens = _tokens_at(median, sigma, normal(state.rng, TOKENS) if sigma > 0.0 else 0.0)
    state.crowd[state.i[at.SECOND], user.flags >> at.GROUP, at.ISSUED] += 1
    state.i[at.PENDING] += 1
    j = recorded(state, i)
    if j >= 0:
        state.log[j].prompts += 1
    _send(world, state, i, now)


@compiled
def _send(world: World, state: State, i: int, now: float) -> None:
    user = state.user[i]
    g = user.flags >> at.GROUP
    deadline = user.t0 + world.group[g].patience
    if now >= deadline:
        _settle(world, state, i, at.GAVE_UP, now)
        return
    timeout = world.group[g].timeout
    if world.group[g].every > 0.0:
        timeout = min(timeout, _interval(world, state, g))
        state.key[i].sent = now
    until = now + min(timeout, deadline - now)
    user.att += 1
    user.seq += 1
    user.flags &= ~at.SLOW
    state.crowd[state.i[at.SECOND], g, at.SENT] += 1
    j = recorded(state, i)
    if j >= 0:
        state.log[j].start, state.log[j].first = now, math.nan
    kind, retry_after = serve(world, state, i, g, now, until)
    if kind >= 0:
        _failed(world, state, i, kind, retry_after, now)
    # The slot that was taken last is this user's: its timer is needed only if the slot will not be done by then.
    elif (user.flags & at.STATE) == at.QUEUED or state.slot[state.free_slots[state.i[at.FREE]]].end > until:
        set_timer(world, state, i, until)


@small
def _interval(world: World, state: State, g: int) -> float:
    return float(max(1.0, world.group[g].every * (0.9 + 0.2 * uniform(state.rng, POLICY))))


@compiled
def _failed(world: World, state: State, i: int, kind: int, retry_after: float, now: float) -> None:
    user = state.user[i]
    g = user.flags >> at.GROUP
    if retry_after >= 0.0:
        retry_after = float(_on_the_wire(retry_after))
    record_attempt(world, state, i, kind, retry_after, now)
    deadline = user.t0 + world.group[g].patience
    wait = _STOP if now >= deadline else _reaction(world, state, i, g, kind, retry_after, now)
    if wait == _STOP:
        _settle(world, state, i, at.GAVE_UP, now)
    elif now + wait >= deadline:
        _state(state, i, at.GIVING_UP)
        set_timer(world, state, i, deadline)
    else:
        _state(state, i, at.PAUSING)
        set_timer(world, state, i, now + wait)


@small
def _reaction(world: World, state: State, i: int, g: int, kind: int, retry_after: float, now: float) -> float:
    """Seconds to the next attempt; _STOP: there is none."""
    user, rng = state.user[i], state.rng
    group = world.group[g]
    if group.every >= 0.0:
        reaction = 1.0 + 0.5 * uniform(rng, POLICY)
        if group.every == 0.0:
            return reaction
        started = state.key[i].sent
        if (kind in (at.TIMEOUT, at.TOO_SLOW)) and now - started < group.timeout:
            return _SOFTWARE
        return float(max(started + _interval(world, state, g) - now, reaction))
    if user.att >= group.attempts or not world.retried[g, kind]:
        return _STOP
    most = max(group.floor, min(group.cap, group.base * 2.0 ** min(user.att - 1, 64)))
    least = max(group.floor, group.low * most)
    wait = most if least == most else least + (most - least) * uniform(rng, POLICY)
    if group.plus > 0.0:
        wait += group.plus * uniform(rng, POLICY)
    if retry_after >= 0.0 and group.obeys:
        wait = _obeyed(world, state, g, retry_after, wait)
    return float(wait if wait == _STOP else max(_SOFTWARE, wait))


@small
def _obeyed(world: World, state: State, g: int, retry_after: float, own: float) -> float:
    """Retry-After, as `failures.Exactly` and `failures.AtLeast` honour it."""
    group = world.group[g]
    if group.obeys == 2:
        return float(own + retry_after + min(retry_after, group.spread) * uniform(state.rng, POLICY))
    if retry_after == 0.0 and not group.zero:
        return own
    if retry_after > group.at_most:
        return float(own if group.beyond == 0 else _STOP if group.beyond == 1 else group.at_most)
    if group.after_plus > 0.0:
        return float(retry_after + group.after_plus * uniform(state.rng, POLICY))
    return retry_after


@compiled
def end_of_slot(world: World, state: State, now: float) -> None:
    """The next slot of the bucket is done."""
    slot = whole(state.due_slot[state.i[at.SLOT_AT]])
    state.i[at.SLOT_AT] += 1
    i = whole(state.slot[slot].user)
    live = free(state, slot)
    if live:
        stop_timer(world, state, i)
        record_attempt(world, state, i, at.OK, at.NO_RETRY_AFTER, now)
        _settle(world, state, i, at.ANSWERED, now)
    fill(world, state, now)


@compiled
def _settle(world: World, state: State, i: int, how: int, now: float) -> None:
    user, numbers = state.user[i], state.i
    g = user.flags >> at.GROUP
    numbers[at.PENDING] -= 1
    state.crowd[numbers[at.SECOND], g, at.SETTLED if how == at.ANSWERED else at.GIVEN_UP] += 1
    record_prompt(state, i, how, now)
    if user.flags & at.VISITOR:
        _state(state, i, at.ABSENT)
        state.free_arrivals[numbers[at.FREE_ARRIVALS]] = i
        numbers[at.FREE_ARRIVALS] += 1
    elif user.flags & at.LEAVING or not numbers[at.OPEN]:
        user.flags &= ~at.LEAVING
        _state(state, i, at.ABSENT)
    else:
        _think(world, state, i, now, world.group[g].comes_back if how == at.GAVE_UP else -1.0)


# -- users come and go ---------------------------------------------------------------------------------------------


@compiled
def set_users(world: World, state: State, index: int, now: float) -> None:
    """The closed groups have as many users as this change says; chance picks who leaves."""
    for g in range(len(world.group)):
        count = world.users[index, g]
        before = world.users[index - 1, g] if index else 0
        start = world.group[g].start
        for k in range(start + before, start + count):
            i = whole(state.order[k])
            user = state.user[i]
            if (user.flags & at.STATE) == at.ABSENT:
                user.flags = g << at.GROUP | (at.RECORDED if i % state.i[at.STRIDE] == 0 else 0)
                user.prv = at.IDLE
                _think(world, state, i, now, -1.0)
            else:
                user.flags &= ~at.LEAVING
        for k in range(start + before - 1, start + count - 1, -1):
            # One of the users at `start` to `k` of the order, by chance; it takes the last place, which goes.
            place = whole(start + int(uniform(state.rng, LEAVE) * (k - start + 1)))
            i = whole(state.order[place])
            state.order[place], state.order[k] = state.order[k], i
            user = state.user[i]
            if (user.flags & at.STATE) == at.THINKING:
                stop_timer(world, state, i)
                _state(state, i, at.ABSENT)
            elif (user.flags & at.STATE) != at.ABSENT:
                user.flags |= at.LEAVING


@compiled
def arrive(world: World, state: State, g: int, now: float) -> None:
    """A visitor comes, asks once and leaves."""
    numbers = state.i
    if not numbers[at.OPEN]:
        return
    numbers[at.FREE_ARRIVALS] -= 1
    i = whole(state.free_arrivals[numbers[at.FREE_ARRIVALS]])
    numbers[at.ARRIVALS] += 1
    j = numbers[at.LOG_CLOSED] + i - numbers[at.CLOSED]
    state.log[j].name, state.log[j].prompts = numbers[at.ARRIVALS], 0
    if len(state.key) > 1:
        state.key[i].level = math.inf  # a new key
    user = state.user[i]
    user.flags, user.prv = g << at.GROUP | at.VISITOR, at.IDLE
    if numbers[at.ARRIVALS] % numbers[at.STRIDE] == 0:
        user.flags |= at.RECORDED
    _ask(world, state, i, now)


@compiled
def crash(world: World, state: State, e: int, now: float) -> None:
    """The process dies; every request that it had is reset."""
    lost = lose_everything(state)
    state.felt[state.i[at.SECOND], e] += lost
    _cut_off(world, state, now)


@compiled
def turn_off(world: World, state: State, now: float) -> None:
    """The proxy closes every connection; the server goes on with what it has, as it does for any client that leaves."""
    for i in range(len(state.user)):
        if (state.user[i].flags & at.STATE) >= at.QUEUED:
            abandon(world, state, i)
    _cut_off(world, state, now)


@compiled
def _cut_off(world: World, state: State, now: float) -> None:
    for i in range(len(state.user)):
        if (state.user[i].flags & at.STATE) >= at.QUEUED:
            stop_timer(world, state, i)
            _state(state, i, at.PAUSING)  # so that nothing takes it for a user who waits
            _failed(world, state, i, at.RESET, at.NO_RETRY_AFTER, now)


@entry
def leave_open(world: World, state: State, now: float) -> None:
    """The run is over: what is pending is unfinished."""
    state.i[at.OPEN] = 0
    for i in range(len(state.user)):
        what = state.user[i].flags & at.STATE
        if what >= at.PAUSING:
            if what >= at.QUEUED:
                record_attempt(world, state, i, at.UNFINISHED, at.NO_RETRY_AFTER, now)
            _settle(world, state, i, at.LEFT_OPEN, now)
