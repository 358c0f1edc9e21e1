"""A run's evidence in, a judgement out: pass, fail or inconclusive, with the reasons in words. Pure.

The rule, in this order:
1. A failed validity check makes the run inconclusive, whatever its expectations say: the failure of an invalid run
   shows as little as its success.
2. An expectation that failed makes the run fail, even when others could not be decided.
3. An expectation that could not be decided makes it inconclusive; so does a scenario without expectations.
4. Otherwise it passes.

The user's own client (`RunInfo.client` "command") is also judged by its anti-patterns and its exit code. Those need few
requests, so an expectation that needs more than the client sent is reported as undecided and does not decide. An
anti-pattern without an occasion is no expectation; one that is unsettled decides, as the run does not show how the
client retries. So does the missing exit code of a program that mockbot had to end.
"""

from collections.abc import Iterable, Iterator
from dataclasses import fields, replace
from typing import NamedTuple

from mockbot.evidence.added_latency import added_text
from mockbot.evidence.antipatterns import Antipattern, antipatterns
from mockbot.evidence.count_run import count_run
from mockbot.evidence.counters import Work
from mockbot.evidence.journal import BOTH_SIDES, JOURNAL, SERVICE, RunEvidence
from mockbot.evidence.judgement import (
    ExpectationResult,
    FaultResult,
    Judgement,
    OutageResult,
    ProviderResult,
    Row,
    RunSummary,
    Verdict,
)
from mockbot.evidence.outage_spans import measured_begin, measured_end
from mockbot.evidence.records import Attempt
from mockbot.evidence.run_counters import RunCounters
from mockbot.evidence.sampling import sampled_text
from mockbot.evidence.scope_counters import ScopeCounters, counters_of
from mockbot.evidence.system_findings import Finding
from mockbot.evidence.system_result import SystemResult, system_result
from mockbot.evidence.unserved import sentences
from mockbot.evidence.validity import ValidityCheck
from mockbot.evidence.validity_checks import check_validity
from mockbot.measures.measure import Measure
from mockbot.measures.outages import WorstOutage
from mockbot.measures.scope import Scope
from mockbot.measures.system import MEASURES as OF_A_SYSTEM
from mockbot.measures.table import TABLE, measure_all
from mockbot.measures.threshold import Threshold
from mockbot.measures.values import Beyond, Known, Undefined, Value
from mockbot.scenario.schema import Scenario
from mockbot.scenario.shorten import MIN_PROMPTS
from mockbot.units.formatting import format_clock, format_counted

MORE = "give it more users or time, or leave this expectation out"
LONGER = "let the scenario last longer, or leave this expectation out"
EXIT_CODE = "exit_code"  # of the user's own client; may be allowed like an anti-pattern


class JudgedRun(NamedTuple):
    """A run with its counters and its judgement: what charts and a comparison are made of."""

    evidence: RunEvidence
    counters: RunCounters
    judgement: Judgement


def judge(evidence: RunEvidence) -> Judgement:
    """Read the journals once and decide."""
    return judge_run(evidence).judgement


def judge_run(evidence: RunEvidence) -> JudgedRun:
    """As `judge`, with the counters."""
    counters, scenario, info = count_run(evidence), evidence.scenario, evidence.info
    checks, system = check_validity(evidence, counters), system_result(evidence, counters)
    expectations, deciding, idle = _expectations(evidence, counters, system)
    verdict, reasons = decide(checks, tuple(deciding or expectations))
    if verdict == "pass" and idle:
        reasons = (*reasons, f"not shown, for want of an occasion: {', '.join(idle)}")
    reasons += tuple(each for each in sentences(counters.unserved, scenario) if each not in "; ".join(reasons))
    rows = tuple(
        Row(scope=scope, values=measure_all(counters_of(counters, scope))) for scope in scopes(scenario, counters)
    )
    how_made = {each.name: getattr(info, each.name) for each in fields(info)}
    judgement = Judgement(
        verdict=verdict,
        reasons=reasons,
        run=RunSummary(**how_made, title=scenario.title, cause=scenario.cause, slo=scenario.slo),
        sampled=sampled_text(info.weight, evidence.timeline),
        testbed=added_text(info, rows, expectations),
        phases=evidence.timeline.phases,
        faults=tuple(_faults(evidence, counters)),
        actions=evidence.actions,
        disturbance=counters.disturbance,
        outages=tuple(_outages(scenario, counters)),
        expectations=tuple(expectations),
        guards=checks,
        measures=rows,
        providers=tuple(_providers(evidence, counters)),
        system=system,
        findings=counters.findings.findings(),
        outcomes=counters.outcomes,
        pending_count=counters.pending_count,
        pending=tuple(counters.pending),
    )
    return JudgedRun(evidence, counters, judgement)


class _Expectations(NamedTuple):
    """All results; those of them that the verdict is made of; and the anti-patterns that had no occasion to show."""

    every: list[ExpectationResult]
    deciding: list[ExpectationResult]
    idle: list[str]


def _expectations(evidence: RunEvidence, counters: RunCounters, system: SystemResult | None) -> _Expectations:
    """Those of the scenario, and those that every client of one's own, or every system, is to meet."""
    info, expectations = evidence.info, list[ExpectationResult]()
    for each in evidence.scenario.expect:
        counted = counters_of(counters, each.scope)
        expectations += [_result(counted, *threshold) for threshold in each.thresholds()]
    deciding, idle = expectations, list[str]()
    if info.client == "command":
        attempts = (line for line in evidence.requests() if isinstance(line, Attempt))
        patterns = [each for each in antipatterns(attempts, info.speed) if each.name not in info.allowed]
        idle = [each.name for each in patterns if each.undecided and not each.unsettled]
        expectations = [*expectations, *_behaviour(evidence, (each for each in patterns if each.name not in idle))]
        unsettled = {EXIT_CODE, *(each.name for each in patterns if each.unsettled)}
        deciding = [each for each in expectations if each.result != "inconclusive" or each.measure in unsettled]
    if system is not None:
        found = (each for each in system.findings if each.name not in info.allowed)
        expectations = deciding = [*expectations, *_none_of(Scope(), found, BOTH_SIDES)]
    return _Expectations(expectations, deciding, idle)


def decide(
    checks: tuple[ValidityCheck, ...], expectations: tuple[ExpectationResult, ...]
) -> tuple[Verdict, tuple[str, ...]]:
    """The verdict by the rule of this module's docstring, and its reasons."""
    if broken := tuple(check.says for check in checks if not check.ok):
        return "inconclusive", broken
    if failed := tuple(str(result) for result in expectations if result.result == "fail"):
        return "fail", failed
    if unknown := tuple(str(result) for result in expectations if result.result == "inconclusive"):
        return "inconclusive", unknown
    if not expectations:
        return "inconclusive", ("the scenario expects nothing, so there is nothing to judge; give it an `expect` list",)
    held = "the expectation holds" if len(expectations) == 1 else f"all {len(expectations)} expectations hold"
    return "pass", (f"{held}, and every check of the run holds",)


def scopes(scenario: Scenario, counters: RunCounters) -> list[Scope]:
    """Every scope that a report has a row for, in the order of the report."""
    groups = list(scenario.crowd)
    phases = [phase.name for phase in scenario.phases]
    tiers = sorted({key.tier for key in counters.cohorts} | {group.tier for group in scenario.crowd.values()})
    return [
        Scope(),
        *(Scope(phase=phase) for phase in phases),
        *(Scope(group=group) for group in groups),
        *(Scope(phase=phase, group=group) for phase in phases for group in groups),
        *(Scope(tier=tier) for tier in tiers),
        *(Scope(provider=provider) for provider in scenario.providers),
    ]


def _result(counted: ScopeCounters, measure: Measure, text: str, threshold: Threshold) -> ExpectationResult:
    prompts, where, value = counted.cohort.prompts, JOURNAL, measure.value(counted)
    if measure.provider_side:
        where = SERVICE
    elif measure in OF_A_SYSTEM:
        where = BOTH_SIDES
    elif examples := [f"{name} (asked at {format_clock(at, 1)})" for at, name in counted.cohort.examples]:
        where = f"{JOURNAL}: {', '.join(examples)}"
    # The service's journal measures work, however few prompts there were.
    if not measure.provider_side and prompts < MIN_PROMPTS:
        value = Undefined(f"only {format_counted(prompts, 'prompt')} there, and {MIN_PROMPTS} are needed")
    why = value.why if isinstance(value, Undefined | Beyond) else ""
    if threshold.phase is not None:
        base = _base(counted, measure, threshold.phase)
        if not isinstance(base, Known):
            why = f"{threshold.phase} has no value to compare with: {base.why}; {MORE}"
            return ExpectationResult(counted.scope, measure.name, text, None, value, "inconclusive", why, where)
        threshold = threshold.of(base.number)
    met = threshold.met_by(value)
    result: Verdict = "inconclusive" if met is None else "pass" if met else "fail"
    if met is None:
        why = f"{why}; {LONGER if isinstance(value, Beyond) else MORE}"
    return ExpectationResult(counted.scope, measure.name, text, threshold.value, value, result, why, where)


def _base(counted: ScopeCounters, measure: Measure, phase: str) -> Value:
    """What the measure is in this phase, for the same clients and provider."""
    there = counters_of(counted.run, replace(counted.scope, phase=phase))
    if not measure.provider_side and there.cohort.prompts < MIN_PROMPTS:
        return Undefined(f"only {format_counted(there.cohort.prompts, 'prompt')} there, and {MIN_PROMPTS} are needed")
    return measure.value(there)


def _none_of(scope: Scope, found: Iterable[Antipattern | Finding], where: str) -> Iterator[ExpectationResult]:
    """Expectations that none of these occurred; they need no statistics."""
    for each in found:
        seen: Value = Undefined(each.undecided) if each.undecided else Known(each.times)
        why = f"{'; '.join(each.evidence)}. {each.advice}" if each.times else each.undecided
        result: Verdict = "fail" if each.times else "inconclusive" if each.undecided else "pass"
        yield ExpectationResult(scope, each.name, "== 0", 0.0, seen, result, why, where)


def _behaviour(evidence: RunEvidence, patterns: Iterable[Antipattern]) -> Iterator[ExpectationResult]:
    """Expectations of an external client: no anti-patterns, and exit code 0."""
    scope = Scope(group=next(iter(evidence.scenario.crowd)))
    yield from _none_of(scope, patterns, JOURNAL)
    info, where = evidence.info, "the command's own output"
    code = info.exit_code
    if EXIT_CODE in info.allowed or (code is None and (not info.command or info.ended != "completed")):
        return
    if code is None:
        why = (
            "the command did not end by itself, and mockbot ended it; give it a time limit of its own, or say "
            f"--allow {EXIT_CODE} if it is a server"
        )
        yield ExpectationResult(scope, EXIT_CODE, "== 0", 0.0, Undefined(why), "inconclusive", why, where)
    else:
        why = f"the command ended with exit code {code}" if code else ""
        yield ExpectationResult(scope, EXIT_CODE, "== 0", 0.0, Known(code), "fail" if code else "pass", why, where)


def _faults(evidence: RunEvidence, counters: RunCounters) -> Iterator[FaultResult]:
    for fault in evidence.timeline.faults:
        measured = measured_begin(fault, evidence.actions), measured_end(fault, evidence.actions)
        felt = counters.felt[fault.id]
        planned = fault.start, fault.end
        yield FaultResult(fault.id, fault.fault.kind, fault.provider, fault.replica, planned, measured, felt)


def _outages(scenario: Scenario, counters: RunCounters) -> Iterator[OutageResult]:
    """Each outage of each group, with the measures that are about outages."""
    formulas = {name: each.formula for name, each in TABLE.items() if isinstance(each.formula, WorstOutage)}
    for group in scenario.crowd:
        counted = counters_of(counters, Scope(group=group))
        for part in counted.parts():
            for index, outage in enumerate(part.outages):
                values = {name: formula.of_outage(counted, part, index) for name, formula in formulas.items()}
                yield OutageResult(
                    group=group, begin=outage.begin, clear=outage.clear, causes=outage.causes, values=values
                )


def _providers(evidence: RunEvidence, counters: RunCounters) -> Iterator[ProviderResult]:
    """The work of each provider by phase, then of the whole run."""
    for provider in evidence.scenario.providers:
        whole, rows = Work(), list[tuple[str | None, Work]]()
        for index, phase in enumerate(evidence.timeline.phases):
            if (work := counters.work.get((index, provider))) is not None:
                whole.merge(work)
                rows.append((phase.name, work))
        for name, work in (*rows, (None, whole)):
            yield ProviderResult(
                provider,
                name,
                work.offered,
                work.refused,
                work.failed,
                work.finished,
                busy=work.work / work.capacity if work.capacity else None,
                wasted=work.wasted / work.work if work.work else None,
            )
