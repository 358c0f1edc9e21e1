"""A judgement in, its Summary out: what was measured, in the values that `summary.json` has. Computes nothing new."""

import math
from collections.abc import Iterator, Mapping
from typing import assert_never

from mockbot.evidence.cells import Work
from mockbot.evidence.disturbance import measured_begin, measured_end
from mockbot.evidence.findings import Finding
from mockbot.evidence.journal import RunEvidence
from mockbot.evidence.records import Action, Prompt, RunInfo
from mockbot.evidence.scope import Scope
from mockbot.evidence.values import Beyond, Known, Undefined, Value
from mockbot.evidence.verdict import ExpectationResult, Judgement, Row
from mockbot.report.summary import (
    ActionOut,
    Around,
    Expected,
    FaultOut,
    FindingOut,
    Guard,
    Measures,
    MoreThan,
    Number,
    Pending,
    PhaseOut,
    ProviderOut,
    Run,
    ScopeOut,
    Summary,
)
from mockbot.scenario.spans import FaultSpan, PhaseSpan
from mockbot.version import __version__


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
        providers=tuple(_providers(evidence, judgement)),
        findings=tuple(map(_finding, judgement.findings)),
        outcomes=dict(judgement.outcomes),
        pending_count=judgement.pending_count,
        pending=tuple(map(_pending, judgement.pending)),
    )


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


def _providers(evidence: RunEvidence, judgement: Judgement) -> Iterator[ProviderOut]:
    for provider in evidence.scenario.providers:
        whole = Work()
        for index, phase in enumerate(evidence.timeline.phases):
            if (work := judgement.tally.work.get((index, provider))) is not None:
                whole.merge(work)
                yield _provider(provider, phase.name, work)
        yield _provider(provider, None, whole)


def _provider(provider: str, phase: str | None, work: Work) -> ProviderOut:
    return ProviderOut(
        provider=provider,
        phase=phase,
        offered=work.offered,
        refused=work.refused,
        failed=work.failed,
        finished=work.finished,
        busy=round(work.work / work.capacity, 6) if work.capacity else None,
        wasted=round(work.wasted / work.work, 6) if work.work else None,
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
