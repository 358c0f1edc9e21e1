"""A fluid run in, the counters of a run out, so that measures, verdict and reports are those of any other run.

Masses become whole prompts by carrying the rest on, so that sums are right to one. What a fluid does not know stays
empty and is told as undecided: users' own uptimes and outages, first tokens, what one provider's attempts came to.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version

import numpy as np

from mockbot.evidence.counters import Key, RecoverySeries
from mockbot.evidence.disturbance import disturbance_of
from mockbot.evidence.journal import RunEvidence
from mockbot.evidence.records import RunInfo, ServiceSecond
from mockbot.evidence.run_counters import APDEX_SHARE, RunCounters
from mockbot.evidence.sketch import Sketch
from mockbot.scenario.schema import Scenario
from mockbot.simulate.fast import layout as at
from mockbot.simulate.fast.world import Plan
from mockbot.simulate.fluid import layout as to
from mockbot.simulate.fluid.run import Fluid
from mockbot.simulate.fluid.shape import Shape, mean_service
from mockbot.simulate.moments import actions

SEEN = 0.5  # prompts: less than this is nobody


@dataclass(slots=True)
class Whole:
    """Parts in, whole numbers out, the rest carried on."""

    rest: float = field(default=0.5)

    def of(self, part: float) -> int:
        """The next part."""
        self.rest += max(0.0, part)
        whole = math.floor(self.rest)
        self.rest -= whole
        return whole


def evidence_of(scenario: Scenario, run: Fluid, info: RunInfo) -> RunEvidence:
    """What the reports need beside the counters; there are no requests one by one."""
    return RunEvidence(
        info, scenario, run.timeline, lambda: iter(()), lambda: iter(()), actions=tuple(actions(run.timeline))
    )


def info_of(scenario: Scenario, run: Fluid, *, loop: str, command: str, scaled: str, interrupted: bool) -> RunInfo:
    """How the run was made."""
    return RunInfo(
        scenario=scenario.name,
        speed=1.0,
        t0=0.0,
        ended="interrupted" if interrupted else "completed",
        end=round(min(run.now, run.timeline.end), 3),
        engine="none",
        nodes=0,
        seed=scenario.seed,
        why="interrupted" if interrupted else "",
        versions={"mockbot": version("mockbot"), "engine": "fluid"},
        simulated=True,
        loop=loop,  # type: ignore[arg-type]
        command=command,
        scaled=scaled,
    )


def count(scenario: Scenario, run: Fluid) -> RunCounters:
    """All counters of a run."""
    counters = RunCounters(scenario, run.timeline, disturbance_of(run.timeline, tuple(actions(run.timeline))))
    for plan, made in zip(run.plans, run.shapes, strict=True):
        for second in seconds(plan, made.flow, int(run.now)):
            counters.add_second(second)
        for g, name in enumerate(plan.groups):
            _count_group(counters, plan, made, g, name)
    counters.seen_until = min(run.now, run.timeline.end)
    return counters


def seconds(plan: Plan, flow: to.Flow, until: int) -> Iterator[ServiceSecond]:
    """What a provider saw, as live."""
    wholes = [Whole() for _ in range(9)]
    felt = [Whole() for _ in plan.faults]
    for t in range(min(until, len(flow.seen))):
        row = [whole.of(float(part)) for whole, part in zip(wholes[:6], flow.seen[t, :6], strict=True)]
        hits = [whole.of(mass) for whole, mass in zip(felt, flow.felt[t].tolist(), strict=True)]
        offered, admitted, refused, failed, finished, abandoned = row
        yield ServiceSecond(
            t,
            plan.provider,
            offered,
            admitted,
            refused,
            failed,
            finished,
            abandoned,
            running=round(float(flow.seen[t, at.RUNNING_AT])),
            queued=round(float(flow.seen[t, at.QUEUED_AT])),
            work=float(flow.work[t, 0]),
            wasted=float(flow.work[t, 1]),
            capacity=float(flow.seen[t, at.SLOTS_AT]),
            felt={name: hit for name, hit in zip(plan.faults, hits, strict=True) if hit},
        )


def _count_group(counters: RunCounters, plan: Plan, made: Shape, g: int, name: str) -> None:
    flow, frame = made.flow, made.frame
    tier = counters.scenario.crowd[name].tier
    shares = _shares(flow.cohort[g])
    width = float(frame.width[g])
    course = counters.recovery_series[Key(-1, name, tier)]
    wholes = [Whole() for _ in range(8)]
    bins = np.minimum((np.arange(len(flow.crowd)) + 0.5) / width, len(shares) - 1)
    at_bin: Sequence[int] = bins.astype(int).tolist()
    for t in range(min(len(flow.crowd), math.ceil(counters.timeline.end))):
        phase = counters.phase(t + 0.5)
        if phase is None:
            break
        cell, crowd = counters.cohorts[Key(phase, name, tier)], flow.crowd[t, g]
        good, answered, sent, over = shares[at_bin[t]]
        issued = wholes[0].of(float(crowd[at.ISSUED]))
        goods = min(issued, wholes[1].of(float(crowd[at.ISSUED] * good)))
        cell.prompts += issued
        cell.good += goods
        cell.answered += max(goods, min(issued, wholes[2].of(float(crowd[at.ISSUED] * answered))))
        cell.attempts += wholes[3].of(float(crowd[at.ISSUED] * sent))
        cell.unfinished += wholes[4].of(float(crowd[at.ISSUED] * (1 - over)))
        cell.sent += wholes[5].of(float(crowd[at.SENT]))
        cell.good_done += wholes[6].of(float(flow.good_done[t, g]))
        _count_course(course, counters, t, issued, goods)
        _count_series(counters, name, t, issued, goods, flow, g)
    _count_latency(counters, flow, g, Key(0, name, tier))
    _count_moments(course, counters, plan, made, g)
    _count_alive(counters, flow, g)
    counters.pending_count += sum(
        counters.cohorts[Key(i, name, tier)].unfinished for i in range(len(counters.timeline.phases))
    )


def _shares(cohort: at.Floats) -> list[tuple[float, float, float, float]]:
    """Of each issue bin's prompts: good, answered, attempts each, over."""
    issued = np.maximum(cohort[:, to.ISSUED], 1e-12)
    good, answered = np.clip(cohort[:, to.GOOD] / issued, 0, 1), np.clip(cohort[:, to.ANSWERED] / issued, 0, 1)
    over = np.clip(answered + cohort[:, to.GAVE_UP] / issued, 0, 1)
    columns = (good, answered, cohort[:, to.SENT] / issued, over)
    return [(a, b, c, d) for a, b, c, d in np.stack(columns, axis=1).tolist()]


def _count_course(course: RecoverySeries, counters: RunCounters, t: int, issued: int, good: int) -> None:
    disturbance = counters.disturbance
    if disturbance.baseline is not None and disturbance.baseline[0] <= t < disturbance.baseline[1]:
        course.calm_issued += issued
        course.calm_good += good
    if disturbance.clear is not None and t >= disturbance.clear:
        course.issued[int(t - disturbance.clear)] += issued
        course.good[int(t - disturbance.clear)] += good


def _count_series(counters: RunCounters, name: str, t: int, issued: int, good: int, flow: to.Flow, g: int) -> None:
    series, place = counters.series, counters.series.slice(t)
    series.issued[name][place] += issued
    series.good[name][place] += good
    series.sent[place] += round(float(flow.crowd[t, g, at.SENT]))
    series.outcomes["ok"][place] += round(float(flow.crowd[t, g, at.SETTLED]))
    if g == 0:  # of all groups of the provider together
        series.outcomes["timeout"][place] += round(float(flow.seen[t, at.ABANDONED]))
        series.outcomes["http_error"][place] += round(float(flow.seen[t, at.FAILED] + flow.seen[t, at.TURNED_AWAY]))


def _count_latency(counters: RunCounters, flow: to.Flow, g: int, key: Key) -> None:
    for index, row in enumerate(flow.latency[:, g]):
        cell = counters.cohorts[key._replace(phase=index)]
        total, whole = float(row.sum()), Whole()
        for number in np.nonzero(row > 0)[0].tolist():
            took = to.LEAST * math.exp((number + 0.5) * to.WIDE)
            many = whole.of(float(row[number]) * cell.answered / total)
            cell.latency.add_many(took, many)
            cell.satisfied += many if took <= APDEX_SHARE * counters.scenario.slo else 0
        cell.satisfied = min(cell.satisfied, cell.good)
        cell.latency.never = cell.prompts - cell.latency.finite


def _count_moments(course: RecoverySeries, counters: RunCounters, plan: Plan, made: Shape, g: int) -> None:
    """The first failure and success around the disturbance, and when those who met it were through."""
    flow, disturbance = made.flow, counters.disturbance
    if disturbance.begin is None or disturbance.clear is None:
        return
    bad = flow.seen[:, (at.TURNED_AWAY, at.FAILED, at.ABANDONED)].sum(axis=1) + flow.felt.sum(axis=1)
    first = np.nonzero(np.cumsum(bad[int(disturbance.begin) :]) >= SEEN)[0]
    if len(first):
        course.first_failure = disturbance.begin + float(first[0])
    good = [second for second, many in course.good.items() if many]
    if good:
        course.first_success = disturbance.clear + min(good) + mean_service(counters.scenario.providers[plan.provider])
    whole, settled = Whole(), Sketch()
    for t in range(int(disturbance.begin), len(flow.settled)):
        settled.add_many(t - disturbance.clear, whole.of(float(flow.settled[t, g])))
    issued = float(flow.crowd[int(disturbance.begin) : int(disturbance.clear), g, at.ISSUED].sum())
    settled.never = max(0, round(issued) - settled.finite)
    course.settled = settled


def _count_alive(counters: RunCounters, flow: to.Flow, g: int) -> None:
    issued, settled = flow.crowd[:, g, at.ISSUED], flow.crowd[:, g, at.SETTLED] + flow.crowd[:, g, at.GIVEN_UP]
    for index, phase in enumerate(counters.timeline.phases):
        before, end = int(phase.start), int(phase.end)
        counters.alive[index] += round(float(issued[:end].sum() - settled[:before].sum()))
