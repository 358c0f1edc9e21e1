"""The memory of a run of the fast engine: how large every array of its State has to be, and how it grows.

In: a Plan, or a State that has become too small. Out: a State. Every user of a closed group has a place from the
beginning; arrivals have as many places as are taken at once.
"""

from random import Random

import numpy as np

from mockbot.simulate.fast import layout as at
from mockbot.simulate.fast.chance import STREAMS
from mockbot.simulate.fast.world import Plan

ROOM = 4 * 65_536


def state_of(plan: Plan, seconds: int, seed: str, stride: int, arrivals: int) -> at.State:
    """At the beginning: no users, no records."""
    provider, groups, closed = plan.world.provider[0], plan.world.group, sum(plan.most_users)
    users, recorded = closed + arrivals, -(-closed // stride)
    rows = plan.world.fault[plan.world.fault["kind"] == at.FEWER]
    most = float(np.prod(np.maximum(1.0, np.maximum(rows["factor_first"], rows["factor_last"]))))  # a factor may be > 1
    slots = int(provider["base_slots"] * most + 0.5) + 1
    queue = int(provider["queue"]) + 1
    if provider["leaves_queue"]:
        queue = min(queue, 4 * users + 100_000)
    think = max([1.0, *groups["think"].tolist()])
    keyed = bool((groups["every"] > 0).any() or (groups["limit"] > 0).any())
    state = at.State(
        user=np.zeros(users, at.USER),
        order=np.arange(closed, dtype=np.int32),
        wheel=np.full(_power(3 * think / provider["step"]), -1, np.int32),
        slot_wheel=np.full(_power(3 * provider["mean"] / provider["step"]), -1, np.int32),
        slot=np.zeros(slots, at.SLOT),
        free_slots=np.arange(slots, dtype=np.int32),
        queue=np.zeros(queue, at.PLACE),
        due_user=np.zeros(users + 65_536, np.int32),
        due_at=np.zeros(users + 65_536),
        due_slot=np.zeros(slots + 1, np.int32),
        due_end=np.zeros(slots + 1),
        free_arrivals=np.arange(closed, users, dtype=np.int32),
        key=_keys(users if keyed else 1),
        log=_log(recorded + arrivals),
        out=np.zeros(2 * (recorded + arrivals) + ROOM, at.RECORD),
        f=np.zeros(5),
        i=np.zeros(26, np.int64),
        rng=np.array([Random(f"{seed}/{stream}").getrandbits(64) for stream in range(STREAMS)], dtype=np.uint64),
        counts=np.zeros((seconds, 9), np.int64),
        work=np.zeros((seconds, 2)),
        felt=np.zeros((seconds, len(plan.faults)), np.int32),
        crowd=np.zeros((seconds, len(plan.groups), 4), np.int64),
    )
    state.user["prv"] = at.IDLE
    state.i[[at.FREE, at.SLOTS, at.ALIVE, at.OPEN]] = slots, provider["base_slots"], 1, 1
    state.i[[at.FREE_ARRIVALS, at.STRIDE, at.CLOSED, at.LOG_CLOSED]] = arrivals, stride, closed, recorded
    return state


def _power(size: float) -> int:
    return 1 << max(10, min(22, int(size).bit_length()))


def _keys(count: int) -> at.Rows:
    keys = np.zeros(count, at.KEY)
    keys["level"] = np.inf
    return keys


def _log(count: int) -> at.Rows:
    log = np.zeros(count, at.LOG)
    log["name"] = 1
    return log


def with_room(state: at.State) -> at.State:
    """For two records of every recorded user."""
    return state._replace(out=np.zeros(2 * len(state.log) + ROOM, at.RECORD))


def grown(state: at.State) -> at.State:
    """Twice as many arrivals may be there at once."""
    closed, users, left = int(state.i[at.CLOSED]), len(state.user), int(state.i[at.FREE_ARRIVALS])
    more = users - closed
    idle = np.zeros(more, at.USER)
    idle["prv"] = at.IDLE
    free = np.concatenate([state.free_arrivals[:left], np.arange(users, users + more, dtype=np.int32)])
    state.i[at.FREE_ARRIVALS] = len(free)
    out = np.zeros(2 * (len(state.log) + more) + ROOM, at.RECORD)
    out[: len(state.out)] = state.out
    queue = np.concatenate([np.roll(state.queue, -int(state.i[at.HEAD])), np.zeros(4 * more, at.PLACE)])
    state.i[at.HEAD] = 0
    return state._replace(
        user=np.concatenate([state.user, idle]),
        due_user=np.concatenate([state.due_user, np.zeros(more, np.int32)]),
        due_at=np.concatenate([state.due_at, np.zeros(more)]),
        free_arrivals=np.concatenate([free, np.zeros(2 * more - len(free), np.int32)]),
        key=np.concatenate([state.key, _keys(more)]) if len(state.key) > 1 else state.key,
        log=np.concatenate([state.log, _log(more)]),
        queue=queue,
        out=out,
    )
