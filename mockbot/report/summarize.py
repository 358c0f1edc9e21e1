"""A judgement in, its Summary out: what was measured, in the values that `summary.json` has. Computes nothing new."""

import math
from collections.abc import Iterator
from typing import assert_never

from mockbot.evidence.counters import Work
from mockbot.evidence.disturbance import measured_begin, measured_end
from mockbot.evidence.journal import RunEvidence
from mockbot.evidence.verdict import ExpectationResult, Judgement, Row
from mockbot.measures.values import Beyond, Known, Undefined, Value
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
from mockbot.scenario.spans import FaultSpan
from mockbot.version import __version__


def summarize(evidence: RunEvidence, judgement: Judgement) -> Summary:
    """The judgement as the values of `summary.json`."""
    disturbance = judgement.counters.disturbance
    return Summary(
        mockbot=__version__,
        verdict=judgement.verdict,
        reasons=judgement.reasons,
        run=_run(evidence),
        phases=tuple(map(PhaseOut.model_validate, evidence.timeline.phases)),
        faults=tuple(_fault(fault, evidence, judgement) for fault in evidence.timeline.faults),
        actions=tuple(map(ActionOut.model_validate, evidence.actions)),
        disturbance=Around.model_validate(disturbance),
        expectations=tuple(map(_expected, judgement.expectations)),
        guards=tuple(map(Guard.model_validate, judgement.checks)),
        measures=tuple(map(_measures, judgement.rows)),
        providers=tuple(_providers(evidence, judgement)),
        findings=tuple(map(FindingOut.model_validate, judgement.findings)),
        outcomes=judgement.counters.outcomes,
        pending_count=judgement.counters.pending_count,
        pending=tuple(map(Pending.model_validate, judgement.counters.pending)),
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


def _measures(row: Row) -> Measures:
    values = {name: number_of(value) for name, value in row.measures.items()}
    unknown = {name: value.why for name, value in row.measures.items() if isinstance(value, Undefined | Beyond)}
    return Measures(scope=ScopeOut.model_validate(row.scope), values=values, unknown=unknown)


def _expected(result: ExpectationResult) -> Expected:
    return Expected(
        scope=ScopeOut.model_validate(result.scope),
        measure=result.measure,
        expected=result.expected,
        seen=number_of(result.value),
        result=result.result,
        why=result.why,
        where=result.where,
    )


def _run(evidence: RunEvidence) -> Run:
    scenario = evidence.scenario
    own = {name: getattr(evidence.info, name) for name in Run.model_fields if name not in {"title", "cause", "slo"}}
    return Run(title=scenario.title, cause=scenario.cause, slo=scenario.slo, **own | {"scenario": scenario.name})


def _fault(fault: FaultSpan, evidence: RunEvidence, judgement: Judgement) -> FaultOut:
    return FaultOut(
        id=fault.id,
        kind=fault.fault.kind,
        provider=fault.provider,
        planned=(fault.start, fault.end),
        measured=(measured_begin(fault, evidence.actions), measured_end(fault, evidence.actions)),
        felt=judgement.counters.felt[fault.id],
    )


def _providers(evidence: RunEvidence, judgement: Judgement) -> Iterator[ProviderOut]:
    for provider in evidence.scenario.providers:
        whole = Work()
        for index, phase in enumerate(evidence.timeline.phases):
            if (work := judgement.counters.work.get((index, provider))) is not None:
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
        busy=work.work / work.capacity if work.capacity else None,
        wasted=work.wasted / work.work if work.work else None,
    )
