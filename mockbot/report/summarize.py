"""A judgement in, its Summary out: the same results as the values of `summary.json`. Computes nothing new."""

import math
from collections.abc import Iterator
from typing import assert_never

from mockbot.evidence.counters import Work
from mockbot.evidence.disturbance import measured_begin, measured_end
from mockbot.evidence.journal import RunEvidence
from mockbot.evidence.verdict import ExpectationResult, Judgement
from mockbot.measures.values import Beyond, Known, Undefined, Value
from mockbot.report import summary
from mockbot.report.summary import MoreThan, Number, Summary
from mockbot.version import __version__


def summarize(evidence: RunEvidence, judgement: Judgement) -> Summary:
    """The judgement as the values of `summary.json`."""
    scenario, timeline, actions = evidence.scenario, evidence.timeline, evidence.actions
    copied = summary.Run.model_fields.keys() - {"scenario", "title", "cause", "slo"}
    run = {name: getattr(evidence.info, name) for name in copied}
    run |= {"scenario": scenario.name, "title": scenario.title, "cause": scenario.cause, "slo": scenario.slo}
    faults = (
        summary.FaultOut(
            id=fault.id,
            kind=fault.fault.kind,
            provider=fault.provider,
            planned=(fault.start, fault.end),
            measured=(measured_begin(fault, actions), measured_end(fault, actions)),
            felt=judgement.counters.felt[fault.id],
        )
        for fault in timeline.faults
    )
    rows = (
        summary.Measures(
            scope=summary.ScopeOut.model_validate(row.scope),
            values={name: _number(value) for name, value in row.measures.items()},
            unknown={name: each.why for name, each in row.measures.items() if isinstance(each, Undefined | Beyond)},
        )
        for row in judgement.rows
    )
    return Summary(
        mockbot=__version__,
        verdict=judgement.verdict,
        reasons=judgement.reasons,
        run=summary.Run(**run),
        phases=tuple(map(summary.PhaseOut.model_validate, timeline.phases)),
        faults=tuple(faults),
        actions=tuple(map(summary.ActionOut.model_validate, actions)),
        disturbance=summary.Around.model_validate(judgement.counters.disturbance),
        expectations=tuple(map(_expected, judgement.expectations)),
        guards=tuple(map(summary.Guard.model_validate, judgement.checks)),
        measures=tuple(rows),
        providers=tuple(_providers(evidence, judgement)),
        findings=tuple(map(summary.FindingOut.model_validate, judgement.findings)),
        outcomes=dict(judgement.counters.outcomes),
        pending_count=judgement.counters.pending_count,
        pending=tuple(map(summary.Pending.model_validate, judgement.counters.pending)),
    )


def _number(value: Value) -> Number:
    match value:
        case Known(number):
            return "never" if math.isinf(number) else round(number, 6)
        case Beyond(bound):
            return MoreThan(more_than=round(bound, 6))
        case Undefined():
            return None
        case _:
            assert_never(value)


def _expected(result: ExpectationResult) -> summary.Expected:
    return summary.Expected(
        scope=summary.ScopeOut.model_validate(result.scope),
        measure=result.measure,
        expected=result.expected,
        seen=_number(result.value),
        result=result.result,
        why=result.why,
        where=result.where,
    )


def _providers(evidence: RunEvidence, judgement: Judgement) -> Iterator[summary.ProviderOut]:
    """The work of each provider by phase, then of the whole run."""
    for provider in evidence.scenario.providers:
        whole, rows = Work(), list[tuple[str | None, Work]]()
        for index, phase in enumerate(evidence.timeline.phases):
            if (work := judgement.counters.work.get((index, provider))) is not None:
                whole.merge(work)
                rows.append((phase.name, work))
        for name, work in (*rows, (None, whole)):
            yield summary.ProviderOut(
                provider=provider,
                phase=name,
                offered=work.offered,
                refused=work.refused,
                failed=work.failed,
                finished=work.finished,
                busy=work.work / work.capacity if work.capacity else None,
                wasted=work.wasted / work.work if work.work else None,
            )
