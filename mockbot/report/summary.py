"""A judgement in, `summary.json` out: the whole result as one versioned object for machines; the other reports show
its numbers.

A measure is a number in scenario seconds, shares of 1 or events per second; "never" when it never came; {"more_than":
x} when the run ended before it was over; null when it cannot be said, and then `unknown` says why. The schema is
`summary.schema.json`.
"""

import json
import math
from collections.abc import Mapping
from typing import Literal, assert_never

from pydantic import BaseModel, ConfigDict

from mockbot import __version__
from mockbot.evidence.disturbance import measured_begin, measured_end
from mockbot.evidence.findings import Finding
from mockbot.evidence.journal import RunEvidence
from mockbot.evidence.measures import Scope
from mockbot.evidence.records import Action, Prompt, RunInfo
from mockbot.evidence.values import Beyond, Known, Undefined, Value
from mockbot.evidence.verdict import ExpectationResult, Judgement, Row, Verdict
from mockbot.scenario.spans import FaultSpan, PhaseSpan

VERSION: Literal[1] = 1


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class MoreThan(_Frozen):
    """A lower bound: the run ended before it was over."""

    more_than: float


Number = float | Literal["never"] | MoreThan | None


class ScopeOut(_Frozen):
    """What a row is about: the whole run, narrowed by each name that is given."""

    phase: str | None = None
    group: str | None = None
    tier: str | None = None
    provider: str | None = None


class Measures(_Frozen):
    """All measures of one scope; `unknown` says why a measure is null, or more than."""

    scope: ScopeOut
    values: dict[str, Number]
    unknown: dict[str, str]


class Expected(_Frozen):
    """One expectation: what was expected, what was seen, and where to look."""

    scope: ScopeOut
    measure: str
    expected: str
    seen: Number
    result: Verdict
    why: str
    where: str


class Guard(_Frozen):
    """One way in which the run might have said nothing."""

    name: str
    ok: bool
    says: str


class PhaseOut(_Frozen):
    """From when to when, scenario seconds."""

    name: str
    start: float
    end: float


class FaultOut(_Frozen):
    """What was wrong, when it was planned, when it was measured to hold, and how many requests it hit."""

    id: str
    kind: str
    provider: str
    planned: tuple[float, float]
    measured: tuple[float, float]
    felt: int


class ActionOut(_Frozen):
    """One change: when it was due, sent and confirmed."""

    fault: str
    does: str
    due: float
    sent: float
    confirmed: float | None
    error: str | None


class FindingOut(_Frozen):
    """What a group of clients did that made its outage worse, with the first prompts that show it."""

    name: str
    group: str
    times: int
    did: str
    evidence: tuple[str, ...]
    remedy: str


class Pending(_Frozen):
    """A prompt that was still waiting when the run ended."""

    id: str
    group: str
    intended: float
    attempts: int


class Run(_Frozen):
    """How the run was made."""

    scenario: str
    title: str
    cause: str | None
    seed: int
    slo: float
    speed: float
    t0: float | None
    ended: str
    end: float
    engine: str
    nodes: int
    loop: str
    simulated: bool
    command: str
    versions: dict[str, str]


class Around(_Frozen):
    """Between which moments the run was disturbed, and what it is compared with."""

    begin: float | None
    clear: float | None
    baseline: tuple[float, float] | None


class Summary(_Frozen):
    """Everything that was found out about one run."""

    summary_version: Literal[1] = VERSION
    mockbot: str
    verdict: Verdict
    reasons: tuple[str, ...]
    run: Run
    phases: tuple[PhaseOut, ...]
    faults: tuple[FaultOut, ...]
    actions: tuple[ActionOut, ...]
    disturbance: Around
    expectations: tuple[Expected, ...]
    guards: tuple[Guard, ...]
    measures: tuple[Measures, ...]
    findings: tuple[FindingOut, ...]
    outcomes: dict[str, int]
    pending_count: int
    pending: tuple[Pending, ...]


def summarize(evidence: RunEvidence, judgement: Judgement) -> Summary:
    """The judgement as the values of `summary.json`."""
    what = judgement.tally.what
    return Summary(
        mockbot=__version__,
        verdict=judgement.verdict,
        reasons=judgement.reasons,
        run=_run(evidence, evidence.info),
        phases=tuple(map(_phase, evidence.timeline.phases)),
        faults=tuple(_fault(fault, evidence, judgement) for fault in evidence.timeline.faults),
        actions=tuple(map(_action, evidence.actions)),
        disturbance=Around(begin=_round(what.begin), clear=_round(what.clear), baseline=what.baseline),
        expectations=tuple(map(_expected, judgement.expectations)),
        guards=tuple(Guard(name=guard.name, ok=guard.ok, says=guard.says) for guard in judgement.guards),
        measures=tuple(map(_measures, judgement.rows)),
        findings=tuple(map(_finding, judgement.findings)),
        outcomes=dict(judgement.outcomes),
        pending_count=judgement.pending_count,
        pending=tuple(map(_pending, judgement.pending)),
    )


def summary_json(summary: Summary) -> str:
    """The text of `summary.json`: the same bytes for the same run."""
    return summary.model_dump_json(indent=1) + "\n"


def schema_json() -> str:
    """The text of `summary.schema.json`."""
    schema = Summary.model_json_schema(mode="serialization")
    return json.dumps({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}, indent=1) + "\n"


def number_of(value: Value) -> Number:
    """A measure as JSON has it."""
    match value:
        case Known(number):
            return "never" if math.isinf(number) else round(number, 6)
        case Beyond(bound):
            return MoreThan(more_than=round(bound, 6))
        case Undefined():
            return None
        case _:
            assert_never(value)


def _unknown(measures: Mapping[str, Value]) -> dict[str, str]:
    return {name: value.why for name, value in measures.items() if isinstance(value, Undefined | Beyond)}


def _measures(row: Row) -> Measures:
    values = {name: number_of(value) for name, value in row.measures.items()}
    return Measures(scope=_scope(row.scope), values=values, unknown=_unknown(row.measures))


def _scope(scope: Scope) -> ScopeOut:
    return ScopeOut(phase=scope.phase, group=scope.group, tier=scope.tier, provider=scope.provider)


def _expected(result: ExpectationResult) -> Expected:
    return Expected(
        scope=_scope(result.scope),
        measure=result.measure,
        expected=result.expected,
        seen=number_of(result.value),
        result=result.result,
        why=result.why,
        where=result.where,
    )


def _run(evidence: RunEvidence, info: RunInfo) -> Run:
    scenario = evidence.scenario
    return Run(
        scenario=scenario.name,
        title=scenario.title,
        cause=scenario.cause,
        seed=info.seed,
        slo=scenario.slo,
        speed=info.speed,
        t0=info.t0,
        ended=info.ended,
        end=info.end,
        engine=info.engine,
        nodes=info.nodes,
        loop=info.loop,
        simulated=info.simulated,
        command=info.command,
        versions=info.versions,
    )


def _phase(phase: PhaseSpan) -> PhaseOut:
    return PhaseOut(name=phase.name, start=phase.start, end=phase.end)


def _fault(fault: FaultSpan, evidence: RunEvidence, judgement: Judgement) -> FaultOut:
    measured = measured_begin(fault, evidence.actions), measured_end(fault, evidence.actions)
    return FaultOut(
        id=fault.id,
        kind=fault.fault.kind,
        provider=fault.provider,
        planned=(fault.start, fault.end),
        measured=(round(measured[0], 6), round(measured[1], 6)),
        felt=judgement.tally.felt[fault.id],
    )


def _action(action: Action) -> ActionOut:
    return ActionOut(
        fault=action.fault,
        does=action.does,
        due=round(action.due, 6),
        sent=round(action.sent, 6),
        confirmed=_round(action.confirmed),
        error=action.error,
    )


def _finding(finding: Finding) -> FindingOut:
    return FindingOut(
        name=finding.name,
        group=finding.group,
        times=finding.times,
        did=finding.did,
        evidence=finding.evidence,
        remedy=finding.remedy,
    )


def _pending(prompt: Prompt) -> Pending:
    return Pending(id=prompt.id, group=prompt.group, intended=round(prompt.intended, 6), attempts=prompt.attempts)


def _round(number: float | None) -> float | None:
    return None if number is None else round(number, 6)
