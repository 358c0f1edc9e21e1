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
client retries.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from mockbot.evidence.antipatterns import Antipattern, antipatterns
from mockbot.evidence.findings import Finding
from mockbot.evidence.formulas import REGISTRY
from mockbot.evidence.formulas import measure as measure_scope
from mockbot.evidence.journal import JOURNAL, SERVICE, RunEvidence
from mockbot.evidence.records import Attempt
from mockbot.evidence.run_counters import RunCounters, count_run
from mockbot.evidence.scope import Scope, ScopeCounters, counters_of
from mockbot.evidence.validity_checks import MIN_PROMPTS, ValidityCheck, check_validity
from mockbot.measures.text import format_value
from mockbot.measures.threshold import Threshold
from mockbot.measures.values import Beyond, Known, Undefined, Value, holds
from mockbot.scenario.schema import Scenario
from mockbot.units.formatting import format_seconds

Verdict = Literal["pass", "fail", "inconclusive"]
PROVIDERS_SIDE = frozenset({"wasted_work", "overshoot"})  # measures taken from the service's journal


@dataclass(frozen=True, slots=True)
class ExpectationResult:
    """One measure of one expectation: the threshold, the measured value, and the records to look at."""

    scope: Scope
    measure: str
    expected: str
    value: Value
    result: Verdict
    why: str  # it is undecided, or why an external client failed
    where: str

    @property
    def seen(self) -> str:
        """The measured value with its unit."""
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
    """The content of a report. `rows`: the whole run, then by phase, group, phase and group, tier, provider."""

    verdict: Verdict
    reasons: tuple[str, ...]
    expectations: tuple[ExpectationResult, ...]
    checks: tuple[ValidityCheck, ...]
    rows: tuple[Row, ...]
    findings: tuple[Finding, ...]
    counters: RunCounters


def judge(evidence: RunEvidence) -> Judgement:
    """Read the journals once and decide."""
    info, counters = evidence.info, count_run(evidence)
    checks = check_validity(evidence, counters)
    expectations = []
    for each in evidence.scenario.expect:
        counted = counters_of(counters, Scope(each.phase, each.group, each.tier, each.provider))
        expectations += [
            _result(counted, name, getattr(each, name), threshold) for name, threshold in each.thresholds()
        ]
    deciding, idle = expectations, list[str]()
    if info.client == "command":
        attempts = (line for line in evidence.requests() if isinstance(line, Attempt))
        patterns = [each for each in antipatterns(attempts, info.speed) if each.name not in info.allowed]
        idle = [each.name for each in patterns if each.undecided and not each.unsettled]
        expectations = [*expectations, *_behaviour(evidence, (each for each in patterns if each.name not in idle))]
        unsettled = {each.name for each in patterns if each.unsettled}
        deciding = [each for each in expectations if each.result != "inconclusive" or each.measure in unsettled]
    verdict, reasons = decide(checks, tuple(deciding or expectations))
    if verdict == "pass" and idle:
        reasons = (*reasons, f"not shown, for want of an occasion: {', '.join(idle)}")
    return Judgement(
        verdict,
        reasons,
        tuple(expectations),
        checks,
        tuple(Row(scope, measure_scope(counters, scope)) for scope in scopes(evidence.scenario, counters)),
        counters.findings.findings(),
        counters,
    )


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
    return "pass", (f"all {len(expectations)} expectations hold, and every check of the run holds",)


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


def _result(counted: ScopeCounters, measure: str, text: str, threshold: Threshold) -> ExpectationResult:
    prompts, where, value = counted.cohort.prompts, JOURNAL, REGISTRY[measure](counted)
    if measure in PROVIDERS_SIDE:
        where = SERVICE
    elif examples := [f"{name} (asked at {format_seconds(at, 1)})" for at, name in counted.cohort.examples]:
        where = f"{JOURNAL}: {', '.join(examples)}"
    # The service's journal measures work, however few prompts there were.
    if measure not in PROVIDERS_SIDE and prompts < MIN_PROMPTS:
        value = Undefined(f"only {prompts} prompts there, and {MIN_PROMPTS} are needed")
    met = holds(threshold, value)
    result: Verdict = "inconclusive" if met is None else "pass" if met else "fail"
    why = value.why if isinstance(value, Undefined | Beyond) else ""
    return ExpectationResult(counted.scope, measure, text, value, result, why, where)


def _behaviour(evidence: RunEvidence, patterns: Iterable[Antipattern]) -> Iterator[ExpectationResult]:
    """Expectations of an external client that need no statistics: no anti-patterns, and exit code 0."""
    scope = Scope(group=next(iter(evidence.scenario.crowd)))
    for each in patterns:
        seen: Value = Undefined(each.undecided) if each.undecided else Known(each.times)
        why = f"{'; '.join(each.evidence)}. {each.advice}" if each.times else each.undecided
        result: Verdict = "fail" if each.times else "inconclusive" if each.undecided else "pass"
        yield ExpectationResult(scope, each.name, "== 0", seen, result, why, JOURNAL)
    if (code := evidence.info.exit_code) is not None:
        why = f"the command ended with exit code {code}" if code else ""
        result = "fail" if code else "pass"
        yield ExpectationResult(scope, "exit_code", "== 0", Known(code), result, why, "the command's own output")
