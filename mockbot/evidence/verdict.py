"""A run's evidence in, a judgement out: pass, fail or inconclusive, with the reasons in words. Pure.

The rule, in this order:
1. A broken check makes the run inconclusive, whatever its expectations say: a failure of a run that was not what it
   was meant to be says as little as a success.
2. An expectation that failed makes it fail, even when others could not be decided.
3. An expectation that could not be decided makes it inconclusive; so does a scenario that expects nothing.
4. Only then it passes.

A client that is not ours (`RunInfo.client` "command") is judged by its manners and its exit code as well. They need few
requests, so that an expectation which needs more than it sent is told as undecided and does not decide.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from mockbot.evidence.antipatterns import antipatterns
from mockbot.evidence.findings import Finding
from mockbot.evidence.formulas import REGISTRY
from mockbot.evidence.formulas import measure as measure_scope
from mockbot.evidence.journal import JOURNAL, SERVICE, RunEvidence
from mockbot.evidence.records import Attempt, Prompt
from mockbot.evidence.run_counters import RunCounters, count_run
from mockbot.evidence.scope import Scope, ScopeCounters, counters_of
from mockbot.evidence.validity_checks import MIN_PROMPTS, ValidityCheck, check_validity
from mockbot.measures.text import format_value
from mockbot.measures.threshold import Threshold
from mockbot.measures.values import Beyond, Known, Undefined, Value, holds
from mockbot.scenario.schema import Expectation, Scenario
from mockbot.units.formatting import format_seconds

Verdict = Literal["pass", "fail", "inconclusive"]
PROVIDERS_SIDE = frozenset({"wasted_work", "overshoot"})  # taken from the service journal, whoever asked


@dataclass(frozen=True, slots=True)
class ExpectationResult:
    """One measure of one expectation: what was expected, what was seen, and where to look."""

    scope: Scope
    measure: str
    expected: str
    value: Value
    result: Verdict
    why: str  # of an undecided one
    where: str

    @property
    def seen(self) -> str:
        """The value in words."""
        return format_value(self.measure, self.value)

    def __str__(self) -> str:
        text = f"{self.measure} of {self.scope}: expected {self.expected}, saw {self.seen}"
        return f"{text} ({self.why})" if self.why else text


@dataclass(frozen=True, slots=True)
class Row:
    """All measures of one scope."""

    scope: Scope
    measures: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Judgement:
    """Everything that a report tells. `rows`: the whole run, then by phase, group, phase and group, tier, provider."""

    verdict: Verdict
    reasons: tuple[str, ...]
    expectations: tuple[ExpectationResult, ...]
    checks: tuple[ValidityCheck, ...]
    rows: tuple[Row, ...]
    pending: tuple[Prompt, ...]  # the first of them
    pending_count: int
    outcomes: Mapping[str, int]  # of all attempts
    findings: tuple[Finding, ...]
    counters: RunCounters


def judge(evidence: RunEvidence) -> Judgement:
    """Read the journals once and decide."""
    return judge_counted(evidence, count_run(evidence))


def judge_counted(evidence: RunEvidence, counters: RunCounters) -> Judgement:
    """Decide on what is counted already."""
    checks = check_validity(evidence, counters)
    guest = evidence.info.client == "command"
    behaviour = tuple(_behaviour(evidence)) if guest else ()
    expectations = (*_results(evidence.scenario, counters), *behaviour)
    verdict, reasons = decide(
        checks, tuple(each for each in expectations if each.result != "inconclusive" or not guest)
    )
    return Judgement(
        verdict,
        reasons,
        expectations,
        checks,
        tuple(Row(scope, measure_scope(counters, scope)) for scope in scopes(evidence.scenario, counters)),
        tuple(counters.pending),
        counters.pending_count,
        counters.outcomes,
        counters.findings.findings(),
        counters,
    )


def decide(
    checks: tuple[ValidityCheck, ...], expectations: tuple[ExpectationResult, ...]
) -> tuple[Verdict, tuple[str, ...]]:
    """The rule of this module's docstring, and nothing else."""
    if broken := tuple(check.says for check in checks if not check.ok):
        return "inconclusive", broken
    if failed := tuple(str(result) for result in expectations if result.result == "fail"):
        return "fail", failed
    if unknown := tuple(str(result) for result in expectations if result.result == "inconclusive"):
        return "inconclusive", unknown
    if not expectations:
        return "inconclusive", ("the scenario expects nothing, so there is nothing to judge; give it an `expect` list",)
    return "pass", (f"all {len(expectations)} expectations hold, and the run was what it was meant to be",)


def scopes(scenario: Scenario, counters: RunCounters) -> list[Scope]:
    """Every scope that a report has a row for, in reading order."""
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


def _results(scenario: Scenario, counters: RunCounters) -> list[ExpectationResult]:
    return [
        _result(counters_of(counters, _scope_of(expectation)), measure, getattr(expectation, measure), threshold)
        for expectation in scenario.expect
        for measure, threshold in expectation.thresholds()
    ]


def _behaviour(evidence: RunEvidence) -> Iterator[ExpectationResult]:
    """What needs no statistics: the habits of a client that is not ours, and how it ended."""
    scope = Scope(group=next(iter(evidence.scenario.crowd)))
    attempts = (line for line in evidence.requests() if isinstance(line, Attempt))
    for habit in antipatterns(attempts, evidence.info.speed):
        if habit.name not in evidence.info.allowed:
            bad = habit.times > 0
            result: Verdict = "fail" if bad else "pass"
            why = f"{'; '.join(habit.evidence)}. {habit.advice}" if bad else ""
            yield ExpectationResult(scope, habit.name, "== 0", Known(habit.times), result, why, JOURNAL)
    if (code := evidence.info.exit_code) is not None:
        why = f"the command ended with exit code {code}" if code else ""
        yield ExpectationResult(
            scope, "exit_code", "== 0", Known(code), "fail" if code else "pass", why, "the command's own output"
        )


def _scope_of(expectation: Expectation) -> Scope:
    return Scope(expectation.phase, expectation.group, expectation.tier, expectation.provider)


def _result(seen: ScopeCounters, measure: str, text: str, threshold: Threshold) -> ExpectationResult:
    value = _value(seen, measure)
    met = holds(threshold, value)
    result: Verdict = "inconclusive" if met is None else "pass" if met else "fail"
    why = value.why if isinstance(value, Undefined | Beyond) else ""
    return ExpectationResult(seen.scope, measure, text, value, result, why, _where(seen, measure))


def _value(seen: ScopeCounters, measure: str) -> Value:
    """The measure, unless too few prompts stand behind it."""
    if measure not in PROVIDERS_SIDE and seen.cohort.prompts < MIN_PROMPTS:
        return Undefined(f"only {seen.cohort.prompts} prompts there, and {MIN_PROMPTS} are needed")
    return REGISTRY[measure](seen)


def _where(seen: ScopeCounters, measure: str) -> str:
    if measure in PROVIDERS_SIDE:
        return SERVICE
    named = ", ".join(f"{name} (asked at {format_seconds(at, 1)})" for at, name in seen.cohort.examples)
    return f"{JOURNAL}: {named}" if named else JOURNAL
