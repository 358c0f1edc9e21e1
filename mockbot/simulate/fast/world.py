"""Turn a scenario into Worlds, one for each provider; what this engine cannot express it refuses by name. Pure.

Nothing is approximated in silence: a scenario that needs more than one retry loop, a client's own parts (budget,
breaker), fail-over, a broken wire or a flawed stream is for the reference engine.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from random import Random
from typing import Any, assert_never

import numpy as np

from mockbot.clients.failures import AtLeast, Exactly, Never
from mockbot.clients.policy import AttemptResult
from mockbot.clients.policy_factory import reactions_of
from mockbot.clients.reactions import Loop, Loops, Reloads
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
from mockbot.scenario.policies import Guarded, Informed, Preset, Refresh
from mockbot.scenario.schema import Group, Provider, Scenario
from mockbot.scenario.spans import FaultSpan
from mockbot.scenario.timeline import Timeline
from mockbot.service.active_faults import ORDER
from mockbot.simulate.answer_law import sigma
from mockbot.simulate.change_points import moments
from mockbot.simulate.fast import layout as at
from mockbot.units.quantities import Ramp

Row = dict[str, float | int]
_KINDS = {Shed: at.SHED, Slow: at.SLOWER, Capacity: at.FEWER, Crash: at.CRASH, Down: at.DOWN}
_REASONS: tuple[Reason, ...] = ("queue_full", "rate_limited", "shed")
MOST_FAULTS, MOST_GROUPS = 64, 500
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


def refusals(scenario: Scenario) -> list[str]:
    """Everything in a scenario that this engine cannot express, in words."""
    found = [f"group {name}: {why}" for name, group in scenario.crowd.items() for why in _group_refusals(group)]
    found += [
        f"provider {name}: {why}" for name, each in scenario.providers.items() for why in _provider_refusals(each)
    ]
    timeline = Timeline(scenario)
    found += [f"fault {span.id}" for span in timeline.faults if not _is_known(span.fault)]
    if len(timeline.faults) > MOST_FAULTS or len(scenario.crowd) > MOST_GROUPS:
        found.append(f"more than {MOST_FAULTS} faults or {MOST_GROUPS} groups")
    return found


def _group_refusals(group: Group) -> Iterator[str]:
    policy = group.policy
    yield from (key for key in ("burst", "session") if getattr(group, key) != 1)
    if group.falls_over_to is not None:
        yield "falls_over_to"
    if isinstance(policy, Preset | Informed):
        yield f"policy {policy.name}"
    elif isinstance(policy, Guarded):
        yield from (part for part in ("budget", "breaker", "throttle", "hedge") if getattr(policy, part) is not None)
    if not isinstance(policy, Preset | Informed) and not _is_simple(group):
        yield f"policy {policy.name} with more than one exponential retry loop"


def _is_simple(group: Group) -> bool:
    reaction = reactions_of(group.policy)()
    if isinstance(reaction, Reloads):
        return True
    if not isinstance(reaction, Loops) or len(reaction.loops) != 1:
        return False
    loop = reaction.loops[0]
    told_everywhere = not isinstance(loop.obeys, Exactly) or loop.obeys.statuses is None
    return (
        isinstance(loop.wait, Exponential) and told_everywhere and math.isinf(loop.stop_after) and not loop.sleeps_last
    )


def _provider_refusals(provider: Provider) -> Iterator[str]:
    asked = {
        "queue.order lifo": provider.queue.order != "fifo",
        "queue.max_wait": provider.queue.max_wait is not None,
        "queue.first": provider.queue.first,
        "abandoned_work stops": provider.abandoned_work == "stops",
        "answer.slowdown_from": provider.answer.slowdown_from is not None,
        "token_limits": provider.token_limits,
        "refusal_cost": provider.refusal_cost,
    }
    return (name for name, is_asked in asked.items() if is_asked)


def _is_known(fault: FaultBase) -> bool:
    if isinstance(fault, ServiceFault) and not "/v1/chat/completions".startswith(fault.endpoint or ""):
        return False
    return isinstance(fault, HttpError | Maintenance | RateLimited | Capacity | Crash | Shed | Slow | Down)


def plans(scenario: Scenario, dialects: Mapping[str, Dialect]) -> tuple[Plan, ...]:
    """One for each provider. The scenario has no `refusals`."""
    timeline = Timeline(scenario)
    return tuple(_plan(timeline, name, dialects[name]) for name in scenario.providers)


def _plan(timeline: Timeline, provider: str, dialect: Dialect) -> Plan:
    scenario = timeline.scenario
    spec = scenario.providers[provider]
    names = tuple(n for n, group in scenario.crowd.items() if (group.uses or scenario.first_provider) == provider)
    groups = [scenario.crowd[name] for name in names]
    spans = [span for span in timeline.faults if span.provider == provider]
    spans.sort(key=lambda span: ORDER.index(type(span.fault)) if type(span.fault) in ORDER else -1)
    failures = _failures(spans, dialect)
    rates = [spec.limits.get(group.tier, 0.0) for group in groups]
    most = timeline.max_users()
    counts = tuple(most.get(name, 0) for name in names)
    starts = tuple(accumulate(counts, initial=0))[:-1]  # the number of each group's first user
    step = _step(spec, groups, sum(counts), timeline)
    faults = [span.fault for span in spans]
    admit = [[_admitted(fault, group.tier) for group in groups] for fault in faults]
    world = at.World(
        provider=_rows(
            at.PROVIDER_ROW, [_provider(spec, failures, dialect) | {"end_of_load": timeline.end, "step": step}]
        ),
        group=_rows(at.GROUP_ROW, [_group(*row) for row in zip(groups, rates, starts, strict=True)]),
        fault=_rows(at.FAULT_ROW, [_fault(span, failures) for span in spans]),
        retried=_table([[_retries(group, failure) for failure in failures] for group in groups], len(failures)),
        hits=_table([[_hits(fault, group.tier) for group in groups] for fault in faults], len(groups)),
        admit=np.array(admit, dtype=np.float64).reshape(len(faults), len(groups), 2),
        **_changes(timeline, names, spans),
    )
    return Plan(provider, world, names, tuple(span.id for span in spans), failures, counts)


def _rows(kind: "np.dtype[np.void]", rows: Sequence[Row]) -> at.Rows:
    return np.array([tuple(row[name] for name in kind.names or ()) for row in rows], dtype=kind)


def _table(rows: Sequence[Sequence[bool]], columns: int) -> at.Bools:
    return np.array(rows, dtype=np.bool_).reshape(len(rows), columns)


# -- groups --------------------------------------------------------------------------------------------------------


def _group(group: Group, rate: float, start: int) -> Row:
    reaction = reactions_of(group.policy)()
    loop = reaction.loops[0] if isinstance(reaction, Loops) else Loop(1, Exponential(0.0, 0.0))
    wait = loop.wait if isinstance(loop.wait, Exponential) else Exponential(0.0, 0.0)
    return {
        "start": start,
        "think": group.think,
        "patience": group.patience,
        "timeout": group.policy.timeout if isinstance(group.policy, Refresh) else reaction.timeout(Random(0)),
        "attempts": loop.attempts,
        "every": group.policy.every if isinstance(group.policy, Refresh) else -1.0,
        "base": wait.base,
        "cap": wait.cap,
        "low": wait.low,
        "plus": wait.plus,
        "floor": wait.floor,
        **_obeys(loop),
        "comes_back": -1.0 if group.comes_back is None else group.comes_back,
        "limit": rate,
        "streams": int(group.stream),
    }


def _retries(group: Group, failure: Failure) -> bool:
    reaction = reactions_of(group.policy)()
    return not isinstance(reaction, Loops) or reaction.loops[0].retried.has(_seen(failure, group))


def _obeys(loop: Loop) -> Row:
    said: Row = {"obeys": 0, "at_most": math.inf, "beyond": 0, "zero": 0, "told_plus": 0.0, "spread": 0.0}
    match loop.obeys:
        case Never():
            return said
        case Exactly(at_most=most, beyond=beyond, zero=zero, plus=plus):
            return said | {
                "obeys": 1,
                "at_most": most,
                "beyond": ("own", "stop", "capped").index(beyond),
                "zero": int(zero),
                "told_plus": plus,
            }
        case AtLeast(spread=spread):
            return said | {"obeys": 2, "spread": spread}
        case other:
            assert_never(other)


def _seen(failure: Failure, group: Group) -> AttemptResult:
    """What the client saw. Once a stream has begun its status is 200; to a plain reader it is no answer at all."""
    begun = failure.outcome == "slow"
    status = 200 if begun and group.stream else failure.status
    return AttemptResult(failure.outcome, "", 0.0, status, streamed=begun and group.stream)


# -- the provider and its faults -----------------------------------------------------------------------------------


def _failures(spans: Sequence[FaultSpan], dialect: Dialect) -> tuple[Failure, ...]:
    kinds = [Failure(outcome) for outcome in _OUTCOMES]
    kinds += [_refused(dialect, reason) for reason in _REASONS]
    kinds += [_answered(status) for span in spans if (status := _status(span.fault)) is not None]
    return tuple(dict.fromkeys(kinds))


def _refused(dialect: Dialect, reason: Reason) -> Failure:
    return _answered(dialect.refusal(reason, None).status)


def _answered(status: int) -> Failure:
    return Failure("rate_limited" if status == 429 else "http_error", status)


def _status(fault: FaultBase) -> int | None:
    match fault:
        case HttpError(http_error=spec):
            return spec.status
        case Maintenance():
            return 503
        case RateLimited():
            return 429
        case _:
            return None


def _provider(spec: Provider, failures: Sequence[Failure], dialect: Dialect) -> Row:
    tokens = spec.answer.tokens
    return {
        "first_token": spec.answer.first_token,
        "per_token": 1.0 / spec.answer.pace,
        "median": tokens.median,
        "sigma": sigma(spec.answer),
        "base_slots": spec.slots,
        "queue": spec.queue.limit,
        "leaves_queue": int(spec.abandoned_work == "leaves_queue"),
        "told": at.NOT_TOLD if spec.retry_after is None else spec.retry_after,
        "queue_full": failures.index(_refused(dialect, "queue_full")),
        "over_limit": failures.index(_refused(dialect, "rate_limited")),
        "shed": failures.index(_refused(dialect, "shed")),
    }


def _fault(span: FaultSpan, failures: Sequence[Failure]) -> Row:
    fault = span.fault
    status = _status(fault)
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
        "tells": _tells(fault),
        "factor_first": factor.first,
        "factor_last": factor.last,
        "added_first": added.first,
        "added_last": added.last,
        "warm_up": fault.crash.warm_up if isinstance(fault, Crash) else 0.0,
    }


def _hits(fault: FaultBase, tier: str) -> bool:
    return not isinstance(fault, ServiceFault) or fault.tier in (None, tier)


def _admitted(fault: FaultBase, tier: str) -> tuple[float, float]:
    """The share of this tier that is let in at the fault's begin and end; -1: it says nothing of this tier."""
    ramp = fault.shed.admit.get(tier) if isinstance(fault, Shed) else None
    return (-1.0, -1.0) if ramp is None else (ramp.first, ramp.last)


def _tells(fault: FaultBase) -> float:
    told = None
    match fault:
        case Maintenance(maintenance=spec):
            told = at.UNTIL_END if spec.retry_after == "until_end" else spec.retry_after
        case HttpError(http_error=spec):
            told = spec.retry_after
        case RateLimited(rate_limited=spec):
            told = spec.retry_after
    return at.NOT_TOLD if told is None else float(told)


# -- time ----------------------------------------------------------------------------------------------------------


def _changes(timeline: Timeline, groups: Sequence[str], spans: Sequence[FaultSpan]) -> dict[str, Any]:
    times = tuple(moments(timeline))
    bits = {span.id: 1 << number for number, span in enumerate(spans)}
    seen = [timeline.at(t) for t in times]
    active = [sum(bits.get(fault.span.id, 0) for fault in conditions.faults) for conditions in seen]
    users = [[conditions.users.get(group, 0) for group in groups] for conditions in seen]
    return {
        "moment": np.array(times, dtype=np.float64),
        "active": np.array(active, dtype=np.uint64),
        "users": np.array(users, dtype=np.int64).reshape(len(times), len(groups)),
    }


def _step(spec: Provider, groups: Sequence[Group], users: int, timeline: Timeline) -> float:
    """Seconds of a bucket: a few events each when all is well, and never so long that a second has only a few."""
    mean = spec.answer.first_token + spec.answer.tokens.median / spec.answer.pace
    thinks = users / max(1.0, min((group.think for group in groups if group.users), default=1.0))
    arrivals = max((sum(timeline.at(phase.start).arrivals.values()) for phase in timeline.phases), default=0.0)
    return min(0.05, max(1e-5, 4.0 / max(spec.slots / max(mean, 1e-3), thinks, arrivals, 1.0)))
