"""The compiled loop of the fluid: a step is a change of the timeline, what ends, what is sent, what is taken in."""

import numpy as np

from mockbot.simulate.fast import layout as at
from mockbot.simulate.fast.layout import World
from mockbot.simulate.fast.machine import compiled, entry, small
from mockbot.simulate.fluid import layout as to
from mockbot.simulate.fluid.clients import ask, end_prompts, fail, set_users, time_out
from mockbot.simulate.fluid.layout import Flow, Frame
from mockbot.simulate.fluid.provider import cut_off, fill, free, meet_faults, set_slots, take_in


@entry
def play(world: World, frame: Frame, flow: Flow, until: int) -> None:
    """Go on to this step."""
    while flow.i[to.STEP] < until:
        now = flow.i[to.STEP]
        while flow.i[to.CHANGE] < len(world.moment) and world.moment[flow.i[to.CHANGE]] <= (now + 0.5) * frame.dt:
            _change(world, frame, flow)
        set_slots(world, frame, flow)
        free(world, frame, flow)
        for g in range(len(world.group)):
            end_prompts(world, frame, flow, g)
            time_out(world, frame, flow, g)
        wanted = _send(world, frame, flow)
        share = take_in(world, frame, flow, wanted)
        _refuse(world, frame, flow, share)
        fill(world, frame, flow)
        _write(frame, flow)
        flow.i[to.STEP] += 1


@compiled
def _change(world: World, frame: Frame, flow: Flow) -> None:
    index = flow.i[to.CHANGE]
    before = world.active[index - 1] if index else np.uint64(0)
    flow.i[to.CHANGE] += 1
    if world.moment[index] >= world.provider[0].end_of_load:
        flow.i[to.OPEN] = 0
    for e in range(len(world.fault)):
        bit = np.uint64(1) << np.uint64(e)
        was, holds = (before & bit) != 0, (world.active[index] & bit) != 0
        if was == holds:
            continue
        if world.fault[e].kind == at.CRASH:
            flow.i[to.ALIVE] = 0 if holds else 1
            if holds:
                cut_off(world, frame, flow, e, True)
            else:
                flow.f[to.WARM_FROM] = world.moment[index]
                flow.f[to.WARM_TO] = world.moment[index] + world.fault[e].warm_up
        elif world.fault[e].kind == at.DOWN and holds:
            cut_off(world, frame, flow, e, False)
    if flow.i[to.OPEN]:
        set_users(world, frame, flow, index)


@compiled
def _send(world: World, frame: Frame, flow: Flow) -> float:
    """What is sent now, by cell, into `took`; the sum of it."""
    now = flow.i[to.STEP]
    row, soon, second = now % len(flow.out), now % len(flow.point), int(now * frame.dt + 1e-9)
    wanted = 0.0
    for g in range(len(world.group)):
        stages, reloads = frame.stages[g], world.group[g].every >= 0.0
        newest = int(now * frame.dt / frame.width[g] + 1e-9)
        fresh = ask(world, frame, flow, g)
        flow.crowd[second, g, at.ISSUED] += fresh
        flow.cohort[g, newest, to.ISSUED] += fresh
        flow.point[soon, frame.first[g] + (newest % frame.bins[g]) * stages] += fresh
        for n in range(flow.open_bin[g], newest + 1):
            first = frame.first[g] + (n % frame.bins[g]) * stages
            each = 0.0
            for j in range(stages):
                cell = first + j
                mass = each
                if j == 0 or not reloads:
                    mass = _due(flow, soon, cell)
                    if j == 0 and reloads:
                        each = mass = mass / stages
                flow.took[row, cell] = flow.out[row, cell] = flow.late[row, cell] = 0.0
                if mass <= 0.0:
                    continue
                flow.crowd[second, g, at.SENT] += mass
                flow.cohort[g, n, to.SENT] += mass
                mass = meet_faults(world, flow, g, cell, mass, second)
                flow.took[row, cell] = mass
                wanted += mass
    return wanted


@small
def _due(flow: Flow, soon: int, cell: int) -> float:
    flow.slope[cell] += flow.turn[soon, cell]
    mass = flow.point[soon, cell] + flow.slope[cell]
    flow.turn[soon, cell] = flow.point[soon, cell] = 0.0
    return max(0.0, mass) if mass > 1e-15 else 0.0


@compiled
def _refuse(world: World, frame: Frame, flow: Flow, share: float) -> None:
    """Those for whom there is no room, and those whom a fault has hit, know at once."""
    now = flow.i[to.STEP]
    row, second = now % len(flow.out), int(now * frame.dt + 1e-9)
    full = len(world.fault) + to.NO_ROOM
    for g in range(len(world.group)):
        newest = int(now * frame.dt / frame.width[g] + 1e-9)
        for n in range(flow.open_bin[g], newest + 1):
            for j in range(frame.stages[g]):
                cell = frame.first[g] + (n % frame.bins[g]) * frame.stages[g] + j
                mass = flow.took[row, cell]
                if share < 1.0 and mass > 0.0:
                    flow.failing[full, cell] += mass * (1.0 - share)
                    flow.seen[second, at.TURNED_AWAY] += mass * (1.0 - share)
                    mass *= share
                flow.took[row, cell] = flow.out[row, cell] = mass
    for source in range(len(flow.failing)):
        if _fails(world, flow, source, share):
            _fail(world, frame, flow, source)


@small
def _fails(world: World, flow: Flow, source: int, share: float) -> bool:
    """Does this source turn anything away now?"""
    faults = len(world.fault)
    if source < faults:
        return bool(world.fault[source].kind == at.FAIL and flow.share[source] > 0.0)
    if source == faults + to.SHED_OFF:
        shed = False
        for e in range(faults):
            shed |= world.fault[e].kind == at.SHED and flow.share[e] > 0.0
        return shed
    if source == faults + to.NO_ROOM:
        return share < 1.0
    return bool(flow.i[to.DOWN]) if source == faults + to.NO_WIRE else not flow.i[to.ALIVE]


@small
def _fail(world: World, frame: Frame, flow: Flow, source: int) -> None:
    now = flow.i[to.STEP]
    kind, told = _looks(world, source, now * frame.dt)
    for g in range(len(world.group)):
        newest = int(now * frame.dt / frame.width[g] + 1e-9)
        for n in range(flow.open_bin[g], newest + 1):
            for j in range(frame.stages[g]):
                cell = frame.first[g] + (n % frame.bins[g]) * frame.stages[g] + j
                mass = flow.failing[source, cell]
                if mass > 0.0:
                    flow.failing[source, cell] = 0.0
                    fail(world, frame, flow, g, n, j, kind, told, mass, 0.0, now + 1)


@small
def _looks(world: World, source: int, now: float) -> tuple[int, float]:
    """What a failure from this source looks like: its kind, and Retry-After."""
    faults, provider = len(world.fault), world.provider[0]
    if source < faults:
        told = world.fault[source].tells
        return int(world.fault[source].failure), float(world.fault[source].end - now if told == at.UNTIL_END else told)
    if source == faults + to.NO_ROOM:
        return int(provider.queue_full), float(provider.told)
    if source == faults + to.SHED_OFF:
        return int(provider.shed), float(provider.told)
    return (at.RESET if source == faults + to.DEAD else at.REFUSED), at.NOT_TOLD


@small
def _write(frame: Frame, flow: Flow) -> None:
    second = int(flow.i[to.STEP] * frame.dt + 1e-9)
    flow.work[second, 0] += flow.f[to.RUNNING] * frame.dt
    flow.work[second, 1] += (flow.f[to.RUNNING] - flow.f[to.LIVE]) * frame.dt
    flow.seen[second, at.RUNNING_AT] = flow.f[to.RUNNING]
    flow.seen[second, at.QUEUED_AT] = flow.f[to.WAITING]
    flow.seen[second, at.SLOTS_AT] = flow.f[to.SLOTS]
