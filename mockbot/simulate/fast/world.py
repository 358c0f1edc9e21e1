"""A provider of a scenario in, its World out: its numbers as the compiled code reads them. Pure."""

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
from mockbot.faults.union import (
    Capacity,
    Crash,
    Down,
    FaultBase,
    HttpError,
    Maintenance,
    RateLimited,
    ServiceFault,
    Shed,
    Slow,
)
from mockbot.scenario.answer_law import mean_seconds, pace_of, sigma
from mockbot.scenario.policies import Refresh
from mockbot.scenario.schema import Group, Provider
from mockbot.scenario.spans import FaultSpan
from mockbot.scenario.timeline import Timeline
from mockbot.service.active_faults import ORDER
from mockbot.simulate.change_points import moments
from mockbot.simulate.fast import layout as at
from mockbot.units.quantities import Ramp

Row = dict[str, float | int]
_KINDS = {Shed: at.SHED, Slow: at.SLOWER, Capacity: at.FEWER, Crash: at.CRASH, Down: at.DOWN}
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
    spans.sort(key=lambda span: ORDER.index(type(span.fault)) if type(span.fault) in ORDER else -1)
    faults = [span.fault for span in spans]
    statuses = [_refusal_status(dialect, reason) for reason in _REASONS]
    statuses += [status for fault in faults if (status := _error(fault)[0]) is not None]
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
    ramps = [[f.shed.admit.get(group.tier) if isinstance(f, Shed) else None for group in groups] for f in faults]
    admit = [[(-1.0, -1.0) if ramp is None else (ramp.first, ramp.last) for ramp in row] for row in ramps]
    world = at.World(
        provider=_rows(at.PROVIDER_ROW, [row]),
        group=_rows(at.GROUP_ROW, [_group(group, spec, start) for group, start in zip(groups, starts, strict=True)]),
        fault=_rows(at.FAULT_ROW, [_fault(span, failures) for span in spans]),
        retried=_table([[_retries(group, failure) for failure in failures] for group in groups], len(failures)),
        hits=_table(
            [[not isinstance(f, ServiceFault) or f.tier in (None, group.tier) for group in groups] for f in faults],
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
    # Once a stream has begun its status is 200; to a plain reader it is no answer at all.
    streamed = failure.outcome == "slow" and group.stream
    result = AttemptResult(failure.outcome, "", 0.0, 200 if streamed else failure.status, streamed=streamed)
    reaction = reactions_of(group.policy)()
    return not isinstance(reaction, Loops) or reaction.loops[0].retried.has(result)


# -- the provider and its faults -----------------------------------------------------------------------------------


def _refusal_status(dialect: Dialect, reason: Reason) -> int:
    return dialect.refusal(reason, None).status


def _answered(status: int) -> Failure:
    return Failure("rate_limited" if status == 429 else "http_error", status)


def _error(fault: FaultBase) -> tuple[int | None, float]:
    """(status, Retry-After) of a fault that answers requests itself; status None: another kind of fault."""
    status, seconds = None, None
    match fault:
        case Maintenance(maintenance=spec):
            status, seconds = 503, at.UNTIL_END if spec.retry_after == "until_end" else spec.retry_after
        case HttpError(http_error=spec):
            status, seconds = spec.status, spec.retry_after
        case RateLimited(rate_limited=spec):
            status, seconds = 429, spec.retry_after
    return status, at.NO_RETRY_AFTER if seconds is None else float(seconds)


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
    fault = span.fault
    status, retry_after = _error(fault)
    keys = fault.keys if isinstance(fault, ServiceFault) else None
    factor, added = Ramp(1.0, 1.0), Ramp(0.0, 0.0)
    if isinstance(fault, Capacity):
        factor = fault.capacity.factor
    elif isinstance(fault, Slow):
        factor, added = Ramp(fault.slow.factor, fault.slow.factor), fault.slow.first_token
    return {
        "kind": _KINDS.get(type(fault), at.FAIL),
        "failure": 0 if status is None else failures.index(_answered(status)),
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
        "warm_up": fault.crash.warm_up if isinstance(fault, Crash) else 0.0,
    }


def _step(spec: Provider, groups: Sequence[Group], users: int, timeline: Timeline) -> float:
    """Seconds of a bucket: a few events each when all is well, and never so long that a second has only a few."""
    thinks = users / max(1.0, min((group.think for group in groups if group.users), default=1.0))
    arrivals = max((sum(timeline.at(phase.start).arrivals.values()) for phase in timeline.phases), default=0.0)
    return min(0.05, max(1e-5, 4.0 / max(spec.slots / max(mean_seconds(spec.answer), 1e-3), thinks, arrivals, 1.0)))
