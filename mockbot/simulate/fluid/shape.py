"""Turn one provider's World into a Frame and an empty Flow; what a fluid cannot express is refused by name. Pure.

The step follows the shortest of service times and timeouts, so that it is small beside both. An answer's length is
drawn anew for each attempt, where a person's prompt keeps its length: so scenarios in which that matters are refused.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from mockbot.errors import UsageError
from mockbot.evidence.disturbance import disturbance_of
from mockbot.faults.union import FaultBase, Slow
from mockbot.scenario.schema import Group, Provider, Scenario
from mockbot.scenario.timeline import Timeline
from mockbot.simulate.fast import layout as at
from mockbot.simulate.fast import world as fast
from mockbot.simulate.fluid import layout as to
from mockbot.simulate.moments import latest

STRATA = 5  # of an interval between reloads
STAGES = 64  # attempts that are told apart
BIN = 1.0  # seconds of an issue bin at least
CELLS = 300  # of a provider, about
ROOM = 1.5e9  # bytes
TAIL = 3e-5  # of the service law
TOO_LONG = 0.05  # of the work, on prompts whose answers no attempt can wait for
NEVER = 1e15  # a patience without end, seconds
_BINDING = 1.0  # requests/s and key: a limit above this binds nobody who has a think time


@dataclass(frozen=True, slots=True)
class Shape:
    """What the kernel plays."""

    frame: to.Frame
    flow: to.Flow


def refusals(scenario: Scenario) -> list[str]:
    """Everything in a scenario that a fluid cannot express, in words."""
    found = fast.refusals(scenario)
    if found:
        return found
    timeline = Timeline(scenario)
    for name, group in scenario.crowd.items():
        found += [f"group {name}: {why}" for why in _group(group, scenario)]
    for span in timeline.faults:
        found += [f"fault {span.id}: {why}" for why in _fault(span.fault)]
    return found


def _group(group: Group, scenario: Scenario) -> Iterator[str]:
    provider = scenario.providers[group.uses or scenario.first_provider]
    row = fast._group(group, 0.0, 0)
    every, limit = float(row["every"]), provider.limits.get(group.tier, math.inf)
    if 0 < every * 0.9 < 1.5:
        yield f"policy refresh every {every:g} s (0, or 1.7 s and more)"
    if limit < _BINDING or (limit < math.inf and every < 0 and row["attempts"] > 60 * limit):
        yield f"limits of tier {group.tier}, which each API key has for itself"
    if every < 0 and int(row["attempts"]) > STAGES and not _is_endless(row, scenario):
        yield f"policy {group.policy.name} with more than {STAGES} attempts that may all be made"
    if row["plus"]:
        yield f"policy {group.policy.name} with two kinds of jitter"
    reload = every if every > 0 else math.inf
    limit = min(float(row["timeout"]), float(row["patience"]), reload)
    tries = float(row["attempts"]) if every < 0 else math.inf
    longest = min(float(row["patience"]), latest(Timeline(scenario)), tries * limit)
    lost = (1 - _law(provider, limit)) * longest / mean_service(provider)
    if longest > limit and lost > TOO_LONG:
        yield (
            f"timeout {limit:g} s: the prompts with answers longer than that, which keep their length at every attempt,"
            f" would take {lost:.0%} of the work"
        )


def _is_endless(row: fast.Row, scenario: Scenario) -> bool:
    """So many attempts that a run does not see the last one."""
    mean = 0.5 * (1.0 + float(row["low"])) * float(row["cap"])
    fastest = max(0.05, mean)
    return int(row["attempts"]) * fastest > min(float(row["patience"]), latest(Timeline(scenario)))


def _fault(fault: FaultBase) -> Iterator[str]:
    if fast._narrow(fault, "keys", 1.0) != 1.0:
        yield "keys, because some users would meet it always and others never"
    if isinstance(fault, Slow):
        if fault.slow.first_token.first != fault.slow.first_token.last or fault.share.first != fault.share.last:
            yield "slow that ramps"
        if fast._narrow(fault, "tier", None) is not None:
            yield "slow for one tier"


def _law(provider: Provider, seconds: float, factor: float = 1.0, added: float = 0.0) -> float:
    """P(an answer takes so many seconds at most): whole tokens, log-normal."""
    answer = provider.answer
    tokens = ((seconds - added) / factor - answer.first_token) * answer.pace + 1
    if tokens < 1:
        return 0.0
    if answer.tokens.p95 <= answer.tokens.median:
        return 1.0 if tokens + 1e-9 >= answer.tokens.median else 0.0
    sigma = math.log(answer.tokens.p95 / answer.tokens.median) / 1.6448536269514722
    return 0.5 * math.erfc(-math.log((math.floor(tokens + 1e-9) + 0.5) / answer.tokens.median) / sigma / math.sqrt(2))


def mean_service(provider: Provider) -> float:
    """Seconds that an answer takes in the mean."""
    answer = provider.answer
    sigma = max(0.0, math.log(answer.tokens.p95 / answer.tokens.median) / 1.6448536269514722)
    return answer.first_token + (answer.tokens.median * math.exp(sigma**2 / 2) - 1) / answer.pace


def shape(timeline: Timeline, plan: fast.Plan, dt: float | None = None) -> Shape:
    """The arrays of one provider. Raises UsageError when they are too many."""
    scenario, world = timeline.scenario, plan.world
    spec = scenario.providers[plan.provider]
    groups = [scenario.crowd[name] for name in plan.groups]
    end = latest(timeline)
    world.group["patience"] = np.where(world.group["patience"] > end, NEVER, world.group["patience"])
    step = dt or _step(spec, world)
    stages = np.array([_stages(row) for row in world.group], dtype=np.int64).reshape(-1)
    patience = np.minimum(world.group["patience"], end + 1)
    most = max(8, CELLS // max(1, int(stages.sum())))
    width = np.maximum(BIN, patience / min(most, 256))
    bins = np.ceil(patience / width).astype(np.int64) + 3
    limit = _limits(world, stages, step)
    laws, law = _laws(timeline, plan, step)
    frame = to.Frame(
        dt=step,
        slo=int(scenario.slo / step + 0.5),
        first=np.concatenate([[0], np.cumsum(bins * stages)[:-1]]).astype(np.int64)[: len(groups)],
        bins=bins,
        stages=stages,
        endless=np.array([int(row["attempts"] > STAGES) for row in world.group], dtype=np.int64),
        width=width,
        limit=limit,
        ramp=_ramps(timeline, plan.groups),
        closed=np.array([int(group.arrivals is None) for group in groups], dtype=np.int64),
        law=law,
        chance=np.diff(laws, axis=1, prepend=0.0),
        within=laws,
        opening=np.full(len(laws), max(1, round(spec.answer.first_token / step)), dtype=np.int64),
        quantile=_quantiles(laws),
    )
    return Shape(frame, _flow(timeline, plan, frame, int((bins * stages).sum()), end))


def _step(spec: Provider, world: at.World) -> float:
    mean = mean_service(spec)
    shortest = min((float(x) for x in world.group["timeout"]), default=30.0)
    return float(min(0.1, max(0.005, min(mean / 10, shortest / 100))))


def _stages(row: "np.void") -> int:
    if row["every"] > 0:
        return STRATA
    if row["every"] == 0:
        return 1
    if row["attempts"] <= STAGES:
        return int(row["attempts"])
    return max(1, math.ceil(math.log2(max(1.0, row["cap"] / max(row["base"], 1e-3)))) + 1)


def _limits(world: at.World, stages: "np.ndarray[tuple[int, ...], np.dtype[np.int64]]", dt: float) -> at.Ints:
    limit = np.zeros((len(stages), int(stages.max(initial=1))), dtype=np.int64)
    for g, row in enumerate(world.group):
        for j in range(int(stages[g])):
            every = row["every"] * (0.9 + 0.2 * (j + 0.5) / STRATA)
            seconds = min(row["timeout"], every) if row["every"] > 0 else row["timeout"]
            limit[g, j] = max(1, int(min(seconds, NEVER) / dt + 0.5))
    return limit


def _ramps(timeline: Timeline, names: Sequence[str]) -> at.Floats:
    rows = []
    for phase in timeline.phases:
        first, last = timeline.at(phase.start).arrivals, timeline.at(phase.end - 1e-9).arrivals
        rows.append([(phase.start, phase.end, first.get(name, 0.0), last.get(name, 0.0)) for name in names])
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(names), 4)


def _laws(timeline: Timeline, plan: fast.Plan, dt: float) -> tuple[at.Floats, at.Ints]:
    """The cumulative service laws that occur, on the grid, and which of them holds from each change on."""
    spec = timeline.scenario.providers[plan.provider]
    kinds: dict[tuple[tuple[float, float, float], ...], int] = {(): 0}
    law = []
    for t in plan.world.moment:
        slow = tuple(
            (fault.slow.factor, fault.slow.first_token.first, fault.share.first)
            for active in timeline.at(float(t)).of(plan.provider)
            if isinstance(fault := active.span.fault, Slow)
        )
        law.append(kinds.setdefault(slow, len(kinds)))
    longest = max(_longest(spec, kind) for kind in kinds)
    steps = int(longest / dt) + 2
    rows = [[_mixed(spec, kind, (s + 0.5) * dt) for s in range(steps + 1)] for kind in kinds]
    laws = np.array(rows, dtype=np.float64)
    laws[:, 0] = 0.0
    laws[:, -1] = 1.0
    return laws, np.array(law, dtype=np.int64)


def _mixed(spec: Provider, kind: tuple[tuple[float, float, float], ...], seconds: float) -> float:
    """A request meets each slow fault by chance: a mixture of laws."""
    cases = [(1.0, 1.0, 0.0)]
    for factor, added, share in kind:
        cases = [
            *((p * (1 - share), f, a) for p, f, a in cases if share < 1),
            *((p * share, f * factor, a + added) for p, f, a in cases),
        ]
    return sum(p * _law(spec, seconds, f, a) for p, f, a in cases)


def _longest(spec: Provider, kind: tuple[tuple[float, float, float], ...]) -> float:
    seconds = 0.1
    while 1 - _mixed(spec, kind, seconds) > TAIL:
        seconds *= 1.1
    return seconds


def _quantiles(laws: at.Floats) -> at.Ints:
    points = (np.arange(to.POINTS) + 0.5) / to.POINTS
    return np.array([np.maximum(1, np.searchsorted(row, points)) for row in laws], dtype=np.int64)


def _flow(timeline: Timeline, plan: fast.Plan, frame: to.Frame, cells: int, end: float) -> to.Flow:
    world, groups, faults = plan.world, len(plan.groups), len(plan.faults)
    seconds, steps = int(end) + 2, int(end / frame.dt) + 2
    patience = np.minimum(world.group["patience"], end)
    lived = list(zip(world.group, patience.tolist(), strict=True))
    rows = int(max((min(float(row["timeout"]), p) for row, p in lived), default=1.0) / frame.dt) + 2
    waits = int(max((_wait(row, world, p) for row, p in lived), default=1.0) / frame.dt) + 8
    ring = max(rows, frame.chance.shape[1]) + 2
    if (3 * rows + 2 * waits) * cells * 8 > ROOM:
        raise UsageError(
            f"--engine fluid: waits of up to {waits * frame.dt:.0f} s of prompts that live {patience.max():.0f} s"
            f" need {(3 * rows + 2 * waits) * cells * 8 / 1e9:.1f} GB; take --engine fast"
        )
    what = disturbance_of(timeline, ())
    numbers = np.zeros(to.NUMBERS, dtype=np.int64)
    numbers[to.ALIVE] = numbers[to.OPEN] = 1
    numbers[to.AFFECTED_FROM] = int(what.begin or 0)
    numbers[to.AFFECTED_TO] = int(what.clear or 0)
    zeros = np.zeros
    longest = int(max((end / width for width in frame.width), default=1.0)) + 3
    return to.Flow(
        i=numbers,
        f=zeros(to.AMOUNTS + 1),
        took=zeros((rows, cells)),
        out=zeros((rows, cells)),
        late=zeros((rows, cells)),
        failing=zeros((faults + to.SOURCES, cells)),
        point=zeros((waits, cells)),
        turn=zeros((waits, cells)),
        slope=zeros(cells),
        waits=zeros(cells),
        base=zeros(steps),
        part=zeros(steps),
        lawful=zeros(steps, dtype=np.int64),
        freed=zeros(ring),
        told=zeros((ring, groups)),
        leaves=zeros(ring),
        log=zeros((16 * ring + 4096, 3)),
        limits=zeros(frame.chance.shape[1]),
        share=zeros(faults),
        done=zeros(faults),
        think=zeros(groups),
        away=zeros(groups),
        asking=zeros(groups),
        leaving=zeros(groups),
        open_bin=zeros(groups, dtype=np.int64),
        crowd=zeros((seconds, groups, 4)),
        seen=zeros((seconds, 9)),
        work=zeros((seconds, 2)),
        felt=zeros((seconds, faults)),
        cohort=zeros((groups, longest, to.COHORT)),
        latency=zeros((len(timeline.phases), groups, to.BINS)),
        settled=zeros((seconds, groups)),
        good_done=zeros((seconds, groups)),
    )


def _wait(row: "np.void", world: at.World, patience: float) -> float:
    """The longest wait before another attempt, seconds."""
    own = min(float(row["cap"]), float(row["base"]) * 2.0**64)
    if row["every"] >= 0:
        own = max(1.1 * float(row["every"]), 1.5)
    lasts = world.fault["end"] - world.fault["begin"]
    faults = np.where(world.fault["tells"] == at.UNTIL_END, lasts, world.fault["tells"])
    told = [0.0, float(world.provider[0]["told"]), *faults.tolist()]
    reads = max(told) + min(max(told), float(row["spread"])) + float(row["told_plus"]) if row["obeys"] else 0.0
    return min(patience, own + reads) + 1.0
