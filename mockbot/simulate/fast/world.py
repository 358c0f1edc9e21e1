"""A provider of a scenario in, its World out: its numbers as the compiled code reads them. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from random import Random
from typing import assert_never

import numpy as np

from mockbot.clients.failures import AtLeast, Exactly, Never
from mockbot.clients.policy import AttemptResult
from mockbot.clients.policy_factory import reactions_of
from mockbot.clients.reactions import Loop, Loops
from mockbot.clients.waits import Exponential
from mockbot.dialects.dialect import Dialect, Reason
from mockbot.evidence.records import Outcome
from mockbot.faults import rank
from mockbot.faults.base import ServiceFault
from mockbot.faults.effects import Admission, ClosedPort, Crashed, EdgeAnswer, Effect, SlotFactor, Slowdown
from mockbot.scenario.answer_law import mean_seconds, pace_of, sigma
from mockbot.scenario.policies import Refresh
from mockbot.scenario.schema import Group, Provider
from mockbot.scenario.spans import FaultSpan
from mockbot.scenario.timeline import Timeline
from mockbot.simulate.change_points import moments
from mockbot.simulate.fast import layout as at
from mockbot.units.quantities import Ramp

Row = dict[str, float | int]
_KINDS: dict[type[Effect], int] = {
    Crashed: at.CRASH, EdgeAnswer: at.FAIL, Admission: at.SHED, SlotFactor: at.FEWER, Slowdown: at.SLOWER,
    ClosedPort: at.DOWN,
}  # fmt: skip
_REASONS: tuple[Reason, ...] = ("queue_full", "rate_limited", "shed")
_OUTCOMES: tuple[Outcome, ...] = ("timeout", "slow", "reset", "refused", "unfinished", "ok")  # by the kinds of layout


@dataclass(frozen=True, slots=True)
class Failure:
    """What a kind of failure looks like in a record."""

    outcome: Outcome
    status: int | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """One provider's part of a scenario: the World, and the names that its numbers stand for."""

    provider: str
    world: at.World
    groups: tuple[str, ...]
    faults: tuple[str, ...]
    failures: tuple[Failure, ...]
    most_users: tuple[int, ...]  # by group; 0: open


def plan(timeline: Timeline, provider: str, dialect: Dialect) -> Plan:
    """One provider's part of a scenario that has no `refusals`."""
    scenario, spec = timeline.scenario, timeline.scenario.providers[provider]
    names = tuple(n for n, group in scenario.crowd.items() if (group.uses or scenario.first_provider) == provider)
    groups = [scenario.crowd[name] for name in names]
    spans = [span for span in timeline.faults if span.provider == provider]
    spans.sort(key=lambda span: (span.fault.layer == "service", rank(span.fault)))
    faults = [(span.fault, span.fault.effect()) for span in spans]
    statuses = [_refusal_status(dialect, reason) for reason in _REASONS]
    statuses += [effect.status for _, effect in faults if isinstance(effect, EdgeAnswer)]
    failures = tuple(dict.fromkeys([*map(Failure, _OUTCOMES), *map(_answered, statuses)]))
    most = timeline.max_users()
    counts = tuple(most.get(name, 0) for name in names)
    starts = tuple(accumulate(counts, initial=0))[:-1]  # the number of each group's first user
    row = _provider(spec, failures, dialect)
    row |= {"end_of_load": timeline.end, "step": _step(spec, groups, sum(counts), timeline)}
    times = tuple(moments(timeline))
    conditions = [timeline.at(t) for t in times]
    bits = {span.id: 1 << number for number, span in enumerate(spans)}
    active = [sum(bits.get(fault.span.id, 0) for fault in now.faults) for now in conditions]
    users = [[now.users.get(name, 0) for name in names] for now in conditions]
    ramps = [[e.shares.get(group.tier) if isinstance(e, Admission) else None for group in groups] for _, e in faults]
    admit = [[(-1.0, -1.0) if ramp is None else (ramp.first, ramp.last) for ramp in row] for row in ramps]
    world = at.World(
        provider=_rows(at.PROVIDER_ROW, [row]),
        group=_rows(at.GROUP_ROW, [_group(group, spec, start) for group, start in zip(groups, starts, strict=True)]),
        fault=_rows(at.FAULT_ROW, [_fault(span, failures) for span in spans]),
        retried=_table([[_retries(group, failure) for failure in failures] for group in groups], len(failures)),
        hits=_table(
            [[not isinstance(f, ServiceFault) or f.tier in (None, group.tier) for group in groups] for f, _ in faults],
            len(groups),
        ),
        admit=np.array(admit, dtype=np.float64).reshape(len(faults), len(groups), 2),
        moment=np.array(times, dtype=np.float64),
        active=np.array(active, dtype=np.uint64),
        users=np.array(users, dtype=np.int64).reshape(len(times), len(names)),
    )  # fmt: skip
    return Plan(provider, world, names, tuple(span.id for span in spans), failures, counts)


def _rows(kind: "np.dtype[np.void]", rows: Sequence[Row]) -> at.Rows:
    return np.array([tuple(row[name] for name in kind.names or ()) for row in rows], dtype=kind)


def _table(rows: Sequence[Sequence[bool]], columns: int) -> at.Bools:
    return np.array(rows, dtype=np.bool_).reshape(len(rows), columns)


# -- groups --------------------------------------------------------------------------------------------------------


def _group(group: Group, spec: Provider, start: int) -> Row:
    reaction = reactions_of(group.policy)()
    loop = reaction.loops[0] if isinstance(reaction, Loops) else Loop(1, Exponential(0.0, 0.0))
    wait = loop.wait if isinstance(loop.wait, Exponential) else Exponential(0.0, 0.0)
    row: Row = {
        "start": start,
        "think": group.think,
        "patience": group.patience,
        "timeout": group.policy.timeout if isinstance(group.policy, Refresh) else reaction.timeout(Random(0)),
        "attempts": loop.attempts,
        "every": group.policy.every if isinstance(group.policy, Refresh) else -1.0,
        **{name: getattr(wait, name) for name in ("base", "cap", "low", "plus", "floor")},
        "comes_back": -1.0 if group.comes_back is None else group.comes_back,
        "limit": spec.limits.get(group.tier, 0.0),
        "streams": int(group.stream),
        "obeys": 0,
        "at_most": np.inf,
        "beyond": 0,
        "zero": 0,
        "after_plus": 0.0,
        "spread": 0.0,
    }
    match loop.obeys:
        case Never():
            return row
        case Exactly(at_most=most, beyond=beyond, zero=zero, plus=plus):
            rule = ("own", "stop", "capped").index(beyond)
            return row | {"obeys": 1, "at_most": most, "beyond": rule, "zero": int(zero), "after_plus": plus}
        case AtLeast(spread=spread):
            return row | {"obeys": 2, "spread": spread}
        case other:
            assert_never(other)


def _retries(group: Group, failure: Failure) -> bool:
    """Does the group's policy retry after this failure?"""
    streamed = failure.outcome == "slow"  # once a stream has begun its status is 200
    result = AttemptResult(failure.outcome, "", 0.0, 200 if streamed else failure.status, streamed=streamed)
    reaction = reactions_of(group.policy)()
    return not isinstance(reaction, Loops) or reaction.loops[0].retried.has(result)


# -- the provider and its faults -----------------------------------------------------------------------------------


def _refusal_status(dialect: Dialect, reason: Reason) -> int:
    return dialect.refusal(reason, None).status


def _answered(status: int) -> Failure:
    return Failure("rate_limited" if status == 429 else "http_error", status)


def _provider(spec: Provider, failures: Sequence[Failure], dialect: Dialect) -> Row:
    queue_full, over_limit, shed = (failures.index(_answered(_refusal_status(dialect, reason))) for reason in _REASONS)
    pace = pace_of(spec.answer)
    return {
        "first_token": pace.first,
        "per_token": pace.per_token,
        "median": spec.answer.tokens.median,
        "sigma": sigma(spec.answer.tokens),
        "mean": mean_seconds(spec.answer),
        "base_slots": spec.slots,
        "queue": spec.queue.limit,
        "leaves_queue": int(spec.abandoned_work == "leaves_queue"),
        "retry_after": at.NO_RETRY_AFTER if spec.retry_after is None else spec.retry_after,
        "queue_full": queue_full,
        "over_limit": over_limit,
        "shed": shed,
    }


def _fault(span: FaultSpan, failures: Sequence[Failure]) -> Row:
    fault, effect = span.fault, span.fault.effect()
    keys = fault.keys if isinstance(fault, ServiceFault) else None
    failure, retry_after, factor, added, warm_up = 0, at.NO_RETRY_AFTER, Ramp(1.0, 1.0), Ramp(0.0, 0.0), 0.0
    match effect:
        case Crashed(warm_up=warm_up):
            pass
        case EdgeAnswer(status=status, retry_after=after):
            failure = failures.index(_answered(status))
            retry_after = at.UNTIL_END if after == "until_end" else at.NO_RETRY_AFTER if after is None else after
        case SlotFactor(factor=factor):
            pass
        case Slowdown(factor=times, first_token=added):
            factor = Ramp(times, times)
    return {
        "kind": _KINDS[type(effect)],
        "failure": failure,
        "begin": span.start,
        "end": span.end,
        "share_first": fault.share.first,
        "share_last": fault.share.last,
        "keys": 1.0 if keys is None else keys,
        "retry_after": retry_after,
        "factor_first": factor.first,
        "factor_last": factor.last,
        "added_first": added.first,
        "added_last": added.last,
        "warm_up": warm_up,
    }


def _step(spec: Provider, groups: Sequence[Group], users: int, timeline: Timeline) -> float:
    """Seconds of a bucket: a few events each when all is well, and a power of two, as `timer_wheel` needs it."""
    thinks = users / max(1.0, min((group.think for group in groups if group.users), default=1.0))
    arrivals = max((sum(timeline.at(phase.start).arrivals.values()) for phase in timeline.phases), default=0.0)
    few = 4.0 / max(spec.slots / max(mean_seconds(spec.answer), 1e-3), thinks, arrivals, 1.0)
    return float(2.0 ** math.floor(math.log2(min(0.05, max(1e-5, few)))))
