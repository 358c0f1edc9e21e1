"""What the provider does with masses of requests, compiled: refuse, queue, answer, crash. First in, first out."""

import math

import numpy as np

from mockbot.simulate.fast import layout as at
from mockbot.simulate.fast.layout import World
from mockbot.simulate.fast.machine import compiled, small
from mockbot.simulate.fluid import layout as to
from mockbot.simulate.fluid.clients import deadline, fail, hang_up
from mockbot.simulate.fluid.layout import Flow, Frame


@small
def progress(world: World, e: int, now: float) -> float:
    """How far fault e is, 0..1."""
    fault = world.fault[e]
    return float(min(1.0, max(0.0, (now - fault.begin) / (fault.end - fault.begin))))


@small
def active(world: World, flow: Flow, e: int) -> bool:
    """Does this fault hold now?"""
    index = flow.i[to.CHANGE] - 1
    return index >= 0 and bool((world.active[index] >> np.uint64(e)) & np.uint64(1))


@compiled
def set_slots(world: World, frame: Frame, flow: Flow) -> None:
    """As many slots as capacity faults and a restart leave; the shares of the faults that hold; is the wire down?"""
    now = (flow.i[to.STEP] + 0.5) * frame.dt
    factor = 1.0
    flow.i[to.DOWN] = 0
    for e in range(len(world.fault)):
        fault, held = world.fault[e], active(world, flow, e)
        flow.share[e] = 0.0
        if not held:
            continue
        done = flow.done[e] = progress(world, e, now)
        flow.share[e] = fault.share_first + (fault.share_last - fault.share_first) * done
        flow.i[to.DOWN] |= fault.kind == at.DOWN
        if fault.kind == at.FEWER:
            factor *= fault.factor_first + (fault.factor_last - fault.factor_first) * done
    if now < flow.f[to.WARM_TO]:
        factor *= (now - flow.f[to.WARM_FROM]) / (flow.f[to.WARM_TO] - flow.f[to.WARM_FROM])
    flow.f[to.SLOTS] = world.provider[0].base_slots * factor if flow.i[to.ALIVE] else 0.0


@compiled
def free(world: World, frame: Frame, flow: Flow) -> None:
    """What ends in this step frees its slots, and tells its clients."""
    now, numbers = flow.i[to.STEP], flow.f
    k = now % len(flow.freed)
    numbers[to.RUNNING] = max(0.0, numbers[to.RUNNING] - flow.freed[k])
    numbers[to.LIVE] -= flow.leaves[k]
    flow.freed[k] = flow.leaves[k] = 0.0
    second = int(now * frame.dt + 1e-9)
    for g in range(len(world.group)):
        mass = flow.told[k, g]
        flow.told[k, g] = 0.0
        numbers[to.LIVE] -= mass
        flow.seen[second, at.FINISHED] += mass
        _answered(frame, flow, g, mass, second)
    numbers[to.LIVE] = min(numbers[to.RUNNING], max(0.0, numbers[to.LIVE]))


@small
def _answered(frame: Frame, flow: Flow, g: int, mass: float, second: int) -> None:
    flow.crowd[second, g, at.SETTLED] += mass
    if not frame.closed[g]:
        return
    go = flow.leaving[g] * min(1.0, mass / flow.asking[g]) if flow.asking[g] > 0.0 else 0.0
    flow.leaving[g] -= go
    flow.asking[g] = max(0.0, flow.asking[g] - mass)
    flow.think[g] += mass - go


@small
def _feel(world: World, flow: Flow, kind: int, mass: float, second: int) -> None:
    for e in range(len(world.fault)):
        if world.fault[e].kind == kind and flow.share[e] > 0.0:
            flow.felt[second, e] += mass


@small
def meet_faults(world: World, flow: Flow, g: int, cell: int, mass: float, second: int) -> float:
    """How much of what this cell sends gets past a dead server and the faults; the rest fails."""
    if flow.i[to.DOWN] or not flow.i[to.ALIVE]:
        flow.failing[len(world.fault) + (to.NO_WIRE if flow.i[to.DOWN] else to.DEAD), cell] += mass
        _feel(world, flow, at.DOWN if flow.i[to.DOWN] else at.CRASH, mass, second)
        return 0.0
    flow.seen[second, at.OFFERED] += mass
    for e in range(len(world.fault)):
        if flow.share[e] <= 0.0 or not world.hits[e, g]:
            continue
        fault = world.fault[e]
        if fault.kind == at.FAIL:
            hit = mass * min(1.0, flow.share[e])
            flow.failing[e, cell] += hit
            flow.seen[second, at.FAILED] += hit
        elif fault.kind == at.SHED and world.admit[e, g, 0] >= 0.0:
            admit = world.admit[e, g, 0] + (world.admit[e, g, 1] - world.admit[e, g, 0]) * flow.done[e]
            hit = mass * (1.0 - admit) * min(1.0, flow.share[e])
            flow.failing[len(world.fault) + to.SHED_OFF, cell] += hit
            flow.seen[second, at.TURNED_AWAY] += hit
        else:
            continue
        flow.felt[second, e] += hit
        mass -= hit
    return mass


@compiled
def take_in(world: World, frame: Frame, flow: Flow, wanted: float) -> float:
    """Free slots take what waits, first in first out; the share of what was sent now that there is room for."""
    now, numbers = flow.i[to.STEP], flow.f
    free_slots = max(0.0, numbers[to.SLOTS] - numbers[to.RUNNING])
    begins = min(free_slots, numbers[to.WAITING] + wanted)
    room = begins + world.provider[0].queue - numbers[to.WAITING]
    share = 1.0 if wanted <= room else max(0.0, room / wanted)
    flow.base[now], flow.part[now] = wanted * share, 1.0
    flow.lawful[now] = frame.law[max(0, flow.i[to.CHANGE] - 1)]
    numbers[to.WAITING] += wanted * share
    numbers[to.AMOUNTS] = begins
    if numbers[to.SLOTS] < world.provider[0].base_slots and numbers[to.WAITING] > begins:
        for e in range(len(world.fault)):
            if world.fault[e].kind == at.FEWER and flow.share[e] > 0.0:
                flow.felt[int(now * frame.dt + 1e-9), e] += wanted
    return share


@compiled
def fill(world: World, frame: Frame, flow: Flow) -> None:
    """Give slots to the oldest that wait."""
    now, numbers = flow.i[to.STEP], flow.f
    left = numbers[to.AMOUNTS]
    while left > 1e-12 and flow.i[to.HEAD] <= now:
        k = flow.i[to.HEAD]
        waits = flow.part[k] * flow.base[k]
        if waits <= 1e-12:
            flow.i[to.HEAD] += 1
            continue
        share = flow.part[k] if waits <= left else left / flow.base[k]
        flow.part[k] -= share
        amount = min(left, share * flow.base[k])
        left -= amount
        numbers[to.WAITING] = max(0.0, numbers[to.WAITING] - amount)
        _begin(world, frame, flow, k, share, amount)


@small
def _begin(world: World, frame: Frame, flow: Flow, k: int, share: float, amount: float) -> None:
    """A share of what was sent in step k gets slots."""
    now, ring, law = flow.i[to.STEP], len(flow.freed), flow.lawful[k]
    flow.seen[int(now * frame.dt + 1e-9), at.ADMITTED] += amount
    flow.f[to.RUNNING] += amount
    for s in range(1, frame.chance.shape[1]):
        flow.freed[(now + s) % ring] += amount * frame.chance[law, s]
    entry = flow.i[to.LOGGED] % len(flow.log)
    flow.log[entry, 0], flow.log[entry, 1], flow.log[entry, 2] = now, k, share
    flow.i[to.LOGGED] += 1
    if now - k < len(flow.out):
        for g in range(len(world.group)):
            _promise(world, frame, flow, g, k, share, now, amount)


@small
def _promise(world: World, frame: Frame, flow: Flow, g: int, k: int, share: float, now: int, amount: float) -> None:
    """Those whose client is there: who will be answered, and who will hang up before."""
    row, ring, law, steps = k % len(flow.out), len(flow.freed), flow.lawful[k], frame.chance.shape[1] - 1
    flow.limits[:] = 0.0
    whole = 0.0
    newest = int((k * frame.dt) / frame.width[g] + 1e-9)
    for n in range(flow.open_bin[g], newest + 1):
        over = deadline(world, frame, g, n) - now
        for j in range(frame.stages[g]):
            cell = frame.first[g] + (n % frame.bins[g]) * frame.stages[g] + j
            mass = share * flow.took[row, cell]
            if mass <= 0.0:
                continue
            left = min(frame.limit[g, j] - (now - k), over)
            if left <= 0:
                continue
            flow.f[to.LIVE] += mass
            whole += mass
            few = min(left, steps)
            answered = mass * frame.within[law, few]
            flow.limits[few] += mass
            flow.out[row, cell] = max(0.0, flow.out[row, cell] - answered)
            if frame.opening[law] <= left:
                flow.late[row, cell] += mass - answered
            flow.leaves[(now + left) % ring] += mass - answered
            _credit(frame, flow, g, n, k, law, now, few, 0, mass, mass > 0.01 * amount)
    if whole > 0.0:
        for s in range(1, steps + 1):
            flow.told[(now + s) % ring, g] += frame.chance[law, s] * whole
            whole -= flow.limits[s]
            if whole <= 0.0:
                break


@small
def _credit(
    frame: Frame, flow: Flow, g: int, n: int, k: int, law: int, begun: int, left: int, gone: int, mass: float,
    fine: bool,
) -> None:  # fmt: skip
    """Answers to an issue bin that take more than `gone` and at most `left` steps from their begin; mass < 0: undone.

    What was sent while its bin was the newest one was issued then; for others the bin's middle stands.
    """
    newest = int(k * frame.dt / frame.width[g] + 1e-9) == n
    issued = k if newest else int((n + 0.5) * frame.width[g] / frame.dt)
    age = max(0, begun - issued)
    good = max(gone, min(left, frame.slo - age))
    flow.cohort[g, n, to.ANSWERED] += mass * (frame.within[law, left] - frame.within[law, gone])
    flow.cohort[g, n, to.GOOD] += mass * (frame.within[law, max(0, good)] - frame.within[law, gone])
    phase = 0
    while phase + 1 < len(frame.ramp) and issued * frame.dt >= frame.ramp[phase, 0, 1]:
        phase += 1
    every = 1 if fine else 8
    for point in range(every // 2, to.POINTS, every):
        s = frame.quantile[law, point]
        if gone < s <= left:
            took = math.log(max(1.0, (age + s) * frame.dt / to.LEAST)) / to.WIDE
            flow.latency[phase, g, min(to.BINS - 1, int(took))] += mass * every / to.POINTS
            second = min(len(flow.good_done) - 1, int((begun + s) * frame.dt))
            if s <= frame.slo - age:
                flow.good_done[second, g] += mass * every / to.POINTS
            if flow.i[to.AFFECTED_FROM] <= issued * frame.dt < flow.i[to.AFFECTED_TO]:
                flow.settled[second, g] += mass * every / to.POINTS


@compiled
def cut_off(world: World, frame: Frame, flow: Flow, e: int, crashed: bool) -> None:
    """Every client that waits sees its connection reset, and is not answered. A crash loses the work."""
    now, ring = flow.i[to.STEP], len(flow.out)
    _undo(world, frame, flow)
    flow.told[:] = 0.0
    flow.leaves[:] = 0.0
    flow.f[to.LIVE] = 0.0
    if crashed:
        flow.freed[:] = 0.0
        flow.base[: now + 1] = 0.0
        flow.f[to.WAITING] = flow.f[to.RUNNING] = 0.0
        flow.i[to.HEAD] = now
    second = int(now * frame.dt + 1e-9)
    for g in range(len(world.group)):
        newest = int((now * frame.dt) / frame.width[g] + 1e-9)
        for k in range(max(0, now - ring + 1), now):
            for n in range(flow.open_bin[g], newest + 1):
                for j in range(frame.stages[g]):
                    cell = frame.first[g] + (n % frame.bins[g]) * frame.stages[g] + j
                    mass = flow.out[k % ring, cell]
                    if mass > 0.0:
                        hang_up(world, flow, k, cell)
                        flow.felt[second, e] += mass
                        fail(world, frame, flow, g, n, j, at.RESET, at.NOT_TOLD, mass, (now - k) * frame.dt, now)


@small
def _undo(world: World, frame: Frame, flow: Flow) -> None:
    """Take back the answers that have been promised and not yet come."""
    now, ring, steps = flow.i[to.STEP], len(flow.out), frame.chance.shape[1] - 1
    for entry in range(max(0, flow.i[to.LOGGED] - len(flow.log)), flow.i[to.LOGGED]):
        begun, k, share = flow.log[entry % len(flow.log)]
        begun, k = int(begun), int(k)
        if now - begun > steps or now - k >= ring:
            continue
        law = flow.lawful[k]
        for g in range(len(world.group)):
            newest = int((k * frame.dt) / frame.width[g] + 1e-9)
            for n in range(flow.open_bin[g], newest + 1):
                for j in range(frame.stages[g]):
                    cell = frame.first[g] + (n % frame.bins[g]) * frame.stages[g] + j
                    mass = share * flow.took[k % ring, cell]
                    left = min(frame.limit[g, j] - (begun - k), deadline(world, frame, g, n) - begun, steps)
                    gone = min(now - begun, left)
                    if mass <= 0.0 or left <= 0:
                        continue
                    back = mass * (frame.within[law, left] - frame.within[law, gone])
                    flow.out[k % ring, cell] += back
                    _credit(frame, flow, g, n, k, law, begun, left, gone, -mass, True)
