"""Rows of RECORD, compiled: an attempt or a prompt of a recorded user at its end in, a row of State.out out."""

import math

from mockbot.simulate.fast import layout as at
from mockbot.simulate.fast.layout import State, World
from mockbot.simulate.fast.machine import compiled, small, whole


@small
def recorded(state: State, i: int) -> int:
    """Where this user's record is kept; -1: it is not one of those that are recorded."""
    if not state.user[i].flags & at.RECORDED:
        return -1
    closed = state.i[at.CLOSED]
    return whole(i // state.i[at.STRIDE] if i < closed else state.i[at.LOG_CLOSED] + i - closed)


@compiled
def record_attempt(world: World, state: State, i: int, kind: int, retry_after: float, now: float) -> None:
    """An attempt has ended; `kind` of failure, or OK."""
    j = recorded(state, i)
    if j < 0:
        return
    user = state.user[i]
    row = state.out[state.i[at.OUT]]
    state.i[at.OUT] += 1
    row.kind, row.code, row.group, row.user, row.name = 0, kind, user.flags >> at.GROUP, i, state.log[j].name
    row.prompt, row.n, row.start, row.end = state.log[j].prompts, user.att - 1, state.log[j].start, now
    row.first, row.gap, row.tokens, row.retry_after = math.nan, math.nan, 0, retry_after
    first = state.log[j].first
    if first <= now and world.group[row.group].streams:
        gap = (state.log[j].end - first) / (user.tokens - 1) if user.tokens > 1 else 0.0
        row.first = first - state.log[j].start
        row.tokens = user.tokens if kind == at.OK else min(user.tokens, 1 + (int((now - first) / gap) if gap else 0))
        row.gap = gap if row.tokens > 1 else math.nan


@compiled
def record_prompt(state: State, i: int, how: int, now: float) -> None:
    """A prompt is settled; `how`: ANSWERED, GAVE_UP or LEFT_OPEN."""
    j = recorded(state, i)
    if j < 0:
        return
    user = state.user[i]
    row = state.out[state.i[at.OUT]]
    state.i[at.OUT] += 1
    row.kind, row.code, row.group, row.user, row.name = 1, how, user.flags >> at.GROUP, i, state.log[j].name
    row.prompt, row.n, row.start, row.end = state.log[j].prompts, user.att, user.t0, now
    row.first = state.log[j].first - user.t0 if how == at.ANSWERED else math.nan
