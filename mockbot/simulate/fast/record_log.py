"""Rows of RECORD, compiled: an attempt or a prompt of a recorded user at its end in, a row of State.out out."""

import math
from typing import Any

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


@small
def _row(state: State, i: int, j: int, kind: int, code: int, n: int, start: float, end: float) -> Any:
    """The next row of State.out."""
    row, log = state.out[state.i[at.OUT]], state.log[j]
    state.i[at.OUT] += 1
    row.kind, row.code, row.group, row.user, row.name = kind, code, state.user[i].flags >> at.GROUP, i, log.name
    row.prompt, row.n, row.start, row.end = log.prompts, n, start, end
    row.first, row.gap, row.tokens = math.nan, math.nan, 0
    return row


@compiled
def record_attempt(world: World, state: State, i: int, kind: int, retry_after: float, now: float) -> None:
    """An attempt has ended; `kind` of failure, or OK."""
    j = recorded(state, i)
    if j < 0:
        return
    user, log = state.user[i], state.log[j]
    row = _row(state, i, j, 0, kind, user.att - 1, log.start, now)
    row.retry_after = retry_after
    if log.first <= now and world.group[row.group].streams:
        gap = (log.end - log.first) / (user.tokens - 1) if user.tokens > 1 else 0.0
        row.first = log.first - log.start
        row.tokens = (
            user.tokens if kind == at.OK else min(user.tokens, 1 + (int((now - log.first) / gap) if gap else 0))
        )
        row.gap = gap if row.tokens > 1 else math.nan


@compiled
def record_prompt(state: State, i: int, how: int, now: float) -> None:
    """A prompt is settled; `how`: ANSWERED, GAVE_UP or LEFT_OPEN."""
    j = recorded(state, i)
    if j >= 0:
        row = _row(state, i, j, 1, how, state.user[i].att, state.user[i].t0, now)
        if how == at.ANSWERED:
            row.first = state.log[j].first - state.user[i].t0
