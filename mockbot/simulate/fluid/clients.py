"""What masses of clients do, compiled: fail, wait as their policy says, give up, are answered, think again.

The rules are those of `fast/users.py`. A wait that is drawn evenly is spread evenly; the sum of two such draws is the
wider one, begun at SLICES moments of the narrower.
"""

import math

from mockbot.simulate.fast import layout as at
from mockbot.simulate.fast.layout import World
from mockbot.simulate.fast.machine import compiled, small
from mockbot.simulate.fluid import layout as to
from mockbot.simulate.fluid.layout import Flow, Frame

SLICES = 6
_REACTION, _REACTION_MOST, _SOFTWARE = 1.0, 1.5, 0.001  # as reactions.PERSON and reactions.SOFTWARE


@small
def deadline(world: World, frame: Frame, g: int, n: int) -> int:
    """The step at which the prompts of issue bin n are given up."""
    return int(((n + 0.5) * frame.width[g] + world.group[g].patience) / frame.dt + 0.5)


@small
def give_up(world: World, frame: Frame, flow: Flow, g: int, n: int, mass: float) -> None:
    """So much of an issue bin has given up; those who stay think, or stay away for a while."""
    second = int(flow.i[to.STEP] * frame.dt + 1e-9)
    flow.crowd[second, g, at.GIVEN_UP] += mass
    flow.cohort[g, n, to.GAVE_UP] += mass
    issued = (n + 0.5) * frame.width[g]
    if flow.i[to.AFFECTED_FROM] <= issued < flow.i[to.AFFECTED_TO]:
        flow.settled[second, g] += mass
    if not frame.closed[g]:
        return
    go = flow.leaving[g] * min(1.0, mass / flow.asking[g]) if flow.asking[g] > 0.0 else 0.0
    flow.leaving[g] -= go
    flow.asking[g] = max(0.0, flow.asking[g] - mass)
    if world.group[g].comes_back >= 0.0:
        flow.away[g] += mass - go
    else:
        flow.think[g] += mass - go


@small
def fail(
    world: World, frame: Frame, flow: Flow, g: int, n: int, j: int, kind: int, told: float, mass: float, since: float,
    soonest: int,
) -> None:  # fmt: skip
    """Attempts of this cell failed, `since` seconds after they were sent; the next are sent from step `soonest` on."""
    group = world.group[g]
    left = (deadline(world, frame, g, n) - flow.i[to.STEP]) * frame.dt
    if told >= 0.0:
        told = max(1.0, math.ceil(told - 1e-9))  # whole seconds on the wire
    if group.every < 0.0 and ((j + 1 >= frame.stages[g] and not frame.endless[g]) or not world.retried[g, kind]):
        give_up(world, frame, flow, g, n, mass)
        return
    stage = 0
    if group.every >= 0.0:
        low, high = _reload(world, frame, g, kind, since)
        more = 0.0
    else:
        stage = min(j + 1, frame.stages[g] - 1)
        low, high, more = _pause(world, g, j, told)
    if low < 0.0:
        give_up(world, frame, flow, g, n, mass)
        return
    cell = frame.first[g] + (n % frame.bins[g]) * frame.stages[g] + stage
    if high - low < more:  # the wider of the two is spread
        more, high = high - low, low + more
    slices = SLICES if more > frame.dt else 1
    for number in range(slices):
        later = more * (number + 0.5) / slices
        _spread(frame, flow, cell, mass / slices, low + later, high + later, left, soonest)


@small
def _reload(world: World, frame: Frame, g: int, kind: int, since: float) -> tuple[float, float]:
    """The shortest and longest wait of a person who reloads."""
    group = world.group[g]
    if group.every == 0.0:
        return _REACTION, _REACTION_MOST
    if kind in (at.TIMEOUT, at.TOO_SLOW) and since < group.timeout - 0.5 * frame.dt:
        return _SOFTWARE, _SOFTWARE
    return max(0.9 * group.every - since, _REACTION), max(1.1 * group.every - since, _REACTION_MOST)


@small
def _pause(world: World, g: int, j: int, told: float) -> tuple[float, float, float]:
    """The shortest and longest wait of a retry loop, and what is drawn on top of it; negative: it stops."""
    group = world.group[g]
    high = max(group.floor, min(group.cap, group.base * 2.0 ** min(j, 64)))
    low = max(group.floor, group.low * high)
    more = 0.0
    if told >= 0.0 and group.obeys == 2:
        low, high, more = low + told, high + told, min(told, group.spread)
    elif told >= 0.0 and group.obeys == 1 and (told > 0.0 or group.zero):
        if told > group.at_most and group.beyond == 1:
            return -1.0, -1.0, 0.0
        if told <= group.at_most or group.beyond == 2:
            low = high = min(told, group.at_most)
            more = group.told_plus if told <= group.at_most else 0.0
    return max(_SOFTWARE, low), max(_SOFTWARE, high), more


@small
def _spread(
    frame: Frame, flow: Flow, cell: int, mass: float, low: float, high: float, left: float, soonest: int
) -> None:
    """Send again after a wait drawn evenly from low..high; what would be after the deadline waits for it."""
    if low >= left:
        flow.waits[cell] += mass
        return
    if high > left:
        inside = (left - low) / (high - low)
        flow.waits[cell] += mass * (1.0 - inside)
        mass *= inside
        high = left
    ring = len(flow.point)
    middle = 0.5 * (low + high) / frame.dt
    steps = int((high - low) / frame.dt + 0.5)
    now = flow.i[to.STEP]
    if steps < 2:
        k = int(middle)
        share = middle - k
        flow.point[max(soonest, now + k) % ring, cell] += mass * (1.0 - share)
        flow.point[max(soonest, now + k + 1) % ring, cell] += mass * share
        return
    begin = max(soonest, now + int(max(0.0, middle - 0.5 * (steps - 1) + 0.5)))
    flow.turn[begin % ring, cell] += mass / steps
    flow.turn[(begin + steps) % ring, cell] -= mass / steps


@compiled
def ask(world: World, frame: Frame, flow: Flow, g: int) -> float:
    """How many begin a prompt in this step."""
    if not flow.i[to.OPEN]:
        return 0.0
    if not frame.closed[g]:
        now = (flow.i[to.STEP] + 0.5) * frame.dt
        while flow.i[to.PHASE] + 1 < len(frame.ramp) and now >= frame.ramp[flow.i[to.PHASE], 0, 1]:
            flow.i[to.PHASE] += 1
        begin, end, low, high = frame.ramp[flow.i[to.PHASE], g]
        return float(frame.dt * (low + (high - low) * (now - begin) / (end - begin)))
    think, back = world.group[g].think, world.group[g].comes_back
    asks = flow.think[g] * (1.0 - math.exp(-frame.dt / think)) if think > 0.0 else flow.think[g]
    returns = flow.away[g] * (1.0 - math.exp(-frame.dt / back)) if back > 0.0 else flow.away[g]
    flow.think[g] -= asks
    flow.away[g] -= returns
    flow.asking[g] += asks + returns
    return float(asks + returns)


@compiled
def set_users(world: World, frame: Frame, flow: Flow, index: int) -> None:
    """The closed groups have as many users as this change says; of those who leave, who asks leaves when settled."""
    for g in range(len(world.group)):
        if not frame.closed[g]:
            continue
        count = float(world.users[index, g])
        before = float(world.users[index - 1, g]) if index else 0.0
        if count >= before:
            stay = min(flow.leaving[g], count - before)
            flow.leaving[g] -= stay
            flow.think[g] += count - before - stay
        else:
            share = (before - count) / before
            flow.leaving[g] += (flow.asking[g] - flow.leaving[g]) * share
            flow.think[g] *= 1.0 - share
            flow.away[g] *= 1.0 - share


@compiled
def end_prompts(world: World, frame: Frame, flow: Flow, g: int) -> None:
    """The issue bins whose deadline has come are over: whoever still waits gives up."""
    ring, stages, now = len(flow.out), frame.stages[g], flow.i[to.STEP]
    while deadline(world, frame, g, flow.open_bin[g]) <= now:
        n = flow.open_bin[g]
        first = frame.first[g] + (n % frame.bins[g]) * stages
        mass = 0.0
        for cell in range(first, first + stages):
            mass += flow.waits[cell]
            flow.waits[cell] = 0.0
            mass += _unsent(flow, cell)
            for k in range(max(0, now - ring + 1), now):
                mass += flow.out[k % ring, cell]
                hang_up(world, flow, k, cell)
        if mass > 0.0:
            give_up(world, frame, flow, g, n, mass)
        flow.open_bin[g] += 1


@small
def _unsent(flow: Flow, cell: int) -> float:
    """What this cell still had to send, all of it forgotten: its bin is for others from now on."""
    ring, mass = len(flow.point), 0.0
    for ahead in range(ring):
        k = (flow.i[to.STEP] + ahead) % ring
        flow.slope[cell] += flow.turn[k, cell]
        mass += flow.point[k, cell] + flow.slope[cell]
        flow.turn[k, cell] = flow.point[k, cell] = 0.0
    flow.slope[cell] = 0.0
    return mass if mass > 1e-12 else 0.0


@small
def hang_up(world: World, flow: Flow, k: int, cell: int) -> None:
    """The clients of what was sent in step k by this cell are gone; what waits for a slot goes too where it may."""
    row = k % len(flow.out)
    if world.provider[0].leaves_queue and flow.base[k] > 0.0:
        gone = min(flow.took[row, cell], flow.base[k])
        flow.base[k] -= gone
        flow.f[to.WAITING] = max(0.0, flow.f[to.WAITING] - gone * flow.part[k])
    flow.took[row, cell] = 0.0
    flow.out[row, cell] = 0.0
    flow.late[row, cell] = 0.0


@compiled
def time_out(world: World, frame: Frame, flow: Flow, g: int) -> None:
    """What was sent so many steps ago has had its time."""
    ring, stages, now = len(flow.out), frame.stages[g], flow.i[to.STEP]
    latest = int((now * frame.dt) / frame.width[g] + 1e-9)
    for j in range(stages):
        limit = frame.limit[g, j]
        k = now - limit
        if k < 0 or limit >= ring:
            continue
        row = k % ring
        for n in range(flow.open_bin[g], latest + 1):
            cell = frame.first[g] + (n % frame.bins[g]) * stages + j
            mass = flow.out[row, cell]
            if mass <= 0.0:
                if flow.took[row, cell] > 0.0:
                    hang_up(world, flow, k, cell)
                continue
            late = min(mass, flow.late[row, cell])
            hang_up(world, flow, k, cell)
            second = int(now * frame.dt + 1e-9)
            flow.seen[second, at.ABANDONED] += mass
            for kind in range(2):
                part = late if kind == at.TOO_SLOW else mass - late
                if part > 0.0:
                    fail(world, frame, flow, g, n, j, kind, at.NOT_TOLD, part, limit * frame.dt, now)
