"""The three-valued verdict: which result has precedence, and what never passes."""

import pytest

from mockbot.errors import ExitCode
from mockbot.evidence.count_run import count_run
from mockbot.evidence.judgement import ExpectationResult, Judgement, Verdict
from mockbot.evidence.records import Attempt, Prompt, ServiceSecond, Settled
from mockbot.evidence.validity import ValidityCheck
from mockbot.evidence.verdict import decide, judge
from mockbot.measures.scope import Scope
from mockbot.measures.threshold import parse_threshold
from mockbot.measures.values import Beyond, Known, Undefined, Value
from tests.evidence.build import CALM, FELT, attempt, evidence, measured, prompt, scenario, sound_run, steady

HOLDS, BROKEN = ValidityCheck("a", ok=True, says="fine"), ValidityCheck("b", ok=False, says="the worker was lost")


def result(verdict: Verdict) -> ExpectationResult:
    return ExpectationResult(Scope(), "availability", ">= 99%", 0.99, Known(0.5), verdict, "", "journal.jsonl")


PASS, FAIL, UNKNOWN = result("pass"), result("fail"), result("inconclusive")


@pytest.mark.parametrize(
    ("checks", "expectations", "verdict"),
    [
        ([HOLDS], [PASS], "pass"),
        ([HOLDS], [PASS, FAIL], "fail"),
        ([HOLDS], [PASS, UNKNOWN], "inconclusive"),
        ([HOLDS], [UNKNOWN, FAIL], "fail"),
        ([HOLDS], [], "inconclusive"),
        ([HOLDS, BROKEN], [PASS], "inconclusive"),
        ([HOLDS, BROKEN], [FAIL], "inconclusive"),
        ([BROKEN], [], "inconclusive"),
    ],
)
def test_the_rule(checks: list[ValidityCheck], expectations: list[ExpectationResult], verdict: Verdict) -> None:
    """A failed check, then a failure, then what could not be decided; a pass needs all of it."""
    found, reasons = decide(tuple(checks), tuple(expectations))

    assert found == verdict
    assert reasons


def test_every_verdict_has_its_exit_code() -> None:
    """0, 1 and 3, as the command line promises."""
    assert [ExitCode.of(verdict) for verdict in ("pass", "fail", "inconclusive")] == [0, 1, 3]


def judged(*expect: dict[str, str]) -> Judgement:
    return judge(evidence(sound_run(), FELT, of=scenario(expect=list(expect))))


def test_a_failed_expectation_says_what_was_expected_what_was_seen_and_where_to_look() -> None:
    """The blackout's availability, with the first prompts that were not good."""
    judgement = judged({"phase": "blackout", "availability": ">= 50%"})

    (expectation,) = judgement.expectations
    assert judgement.verdict == "fail"
    assert judgement.reasons == ("availability of phase blackout: expected >= 50%, saw 0%",)
    assert (
        expectation.where == "journal.jsonl: p100 (asked at 1:40.0), p100.5 (asked at 1:40.5), p101 (asked at 1:41.0)"
    )


def test_each_measure_of_an_expectation_is_judged_alone() -> None:
    """One holds, one does not."""
    judgement = judged({"phase": "after", "availability": ">= 99%", "latency_p50": "<= 500ms"})

    assert [(case.measure, case.result) for case in judgement.expectations] == [
        ("availability", "pass"),
        ("latency_p50", "fail"),
    ]


@pytest.mark.parametrize(
    ("expected", "result", "says"),
    [
        ("<= 1.5x steady", "fail", "latency_p50 of phase after: expected <= 1.5x steady (1.5s), saw 3s"),
        ("<= 4x steady", "pass", ""),
        ("<= 3x blackout", "inconclusive", "blackout has no value to compare with: only 5 prompts there, and 20 are"),
    ],
)
def test_an_expectation_may_be_relative_to_another_phase(expected: str, result: str, says: str) -> None:
    """What that came to is told; a phase without a value decides nothing."""
    run = [*steady(0, 100, took=1.0), *steady(100, 105, each=1.0, took=1.0), *steady(200, 400, took=3.0)]
    told = scenario(expect=[{"phase": "after", "latency_p50": expected}])

    (case,) = judge(evidence(run, FELT, of=told)).expectations

    assert case.result == result
    assert says in str(case)


@pytest.mark.parametrize(
    ("expect", "why"),
    [
        ({"group": "hasty", "availability": ">= 0%"}, "only 0 prompts there, and 20 are needed"),
        ({"group": "patient", "wasted_work": "<= 100%"}, "a provider does not tell its clients' groups apart"),
        ({"phase": "after", "recovery_time": "<= 3m"}, "is about the whole run and not about one phase"),
        ({"first_token_p95": "<= 1h"}, "never"),
    ],
)
def test_what_cannot_be_said_is_never_a_pass(expect: dict[str, str], why: str) -> None:
    """This holds for every threshold."""
    judgement = judged(expect)

    assert judgement.verdict != "pass"
    assert why in judgement.reasons[0]


def test_a_measure_of_a_provider_that_nobody_asked_is_undecided() -> None:
    """No data is no success: no request is on record there, and 0 would meet any limit."""
    told = scenario(
        providers={"main": {"slots": 10}, "other": {"slots": 10}},
        expect=[
            {"provider": "other", "overshoot": "<= 10"},
            {"provider": "other", "wasted_work": "<= 100%"},
            {"provider": "other", "latency_p95": "<= 1h"},
            {"provider": "other", "goodput": "<= 9/s"},
        ],
    )
    idle = tuple(ServiceSecond(t, "other", capacity=10.0) for t in range(400))

    judgement = judge(evidence(sound_run(), (*FELT, *idle), of=told))

    assert [each.result for each in judgement.expectations] == 4 * ["inconclusive"]
    assert "nothing was asked of a provider after an outage" in judgement.reasons[0]


def test_a_scenario_that_expects_nothing_is_not_passed() -> None:
    """Without expectations the verdict is inconclusive."""
    judgement = judged()

    assert (judgement.verdict, "expects nothing" in judgement.reasons[0]) == ("inconclusive", True)


def test_an_unrecovered_run_fails_what_it_has_outlived_and_leaves_the_rest_open() -> None:
    """Observed for 200 s without a recovery: 3 minutes are failed, 10 minutes are unknown."""
    run = [*steady(0, 100), *steady(100, 400, took=5.0, settled="gave_up")]
    told = scenario(expect=[{"recovery_time": "<= 3m"}, {"recovery_time": "<= 10m"}, {"recovery_time": "> 1m"}])

    judgement = judge(evidence(run, FELT, of=told))

    assert [case.result for case in judgement.expectations] == ["fail", "inconclusive", "pass"]
    assert judgement.expectations[0].seen_text == "> 3m11s"


def test_judging_again_gives_the_same() -> None:
    """A judgement depends on the evidence alone."""
    run = evidence(sound_run(), FELT)

    assert [row.values for row in judge(run).measures] == [row.values for row in judge(run).measures]


def test_rows_cover_the_run_its_phases_groups_tiers_and_providers() -> None:
    """In reading order, the whole run first."""
    names = [str(row.scope) for row in judged().measures]

    assert names[:4] == ["whole run", "phase steady", "phase blackout", "phase after"]
    assert {"group hasty", "phase blackout, group patient", "tier plus", "provider main"} <= set(names)


INF = float("inf")


@pytest.mark.parametrize(
    ("text", "value", "met"),
    [
        ("<= 3m", Known(180.0), True),
        ("<= 3m", Known(181.0), False),
        ("<= 3m", Known(INF), False),
        ("> 3m", Known(INF), True),
        ("<= 3m", Beyond(179.0, ""), None),
        ("<= 3m", Beyond(181.0, ""), False),
        ("> 3m", Beyond(181.0, ""), True),
        (">= 3m", Beyond(100.0, ""), None),
        ("== 3m", Beyond(181.0, ""), False),
        ("== 3m", Beyond(100.0, ""), None),
        ("> 0s", Undefined(""), None),
    ],
)
def test_a_threshold_against_what_is_not_quite_known(text: str, value: Value, met: bool | None) -> None:
    """A lower bound decides only what it can."""
    assert parse_threshold("recovery_time", text).met_by(value) is met


def test_hung_prompts_fail_their_phase() -> None:
    """All of the blackout's prompts are cut off by the end of the run: asked, and not good."""
    hung = [prompt(100.0 + n, 300.0 - n, "unfinished") for n in range(100)]
    told = scenario(expect=[{"phase": "blackout", "availability": ">= 1%"}])

    judgement = judge(evidence([*steady(0, 100), *hung, *steady(200, 400)], FELT, of=told))

    assert judgement.expectations[0].result == "fail"
    assert (judgement.verdict, judgement.pending_count) == ("inconclusive", 100)


@pytest.mark.parametrize(
    ("measure", "expected", "seen", "told"),
    [
        ("failed_p50", "<= 20s", 20.049, "20.049s"),
        ("latency_p95", "<= 60s", 60.4, "60.4s"),
        ("recovery_time", "<= 3m", 180.4, "180.4s"),
        ("attempts_per_prompt", "<= 3", 3.001, "3.001"),
        ("goodput", ">= 2.0/s", 1.9996, "1.9996"),
        ("latency_p95", "< 20s", 20.0, "20s"),
        ("latency_p95", "<= 20s", 31.0, "31s"),
    ],
)
def test_a_failed_expectation_shows_the_digits_that_decided(
    measure: str, expected: str, seen: float, told: str
) -> None:
    """Where both would be written alike: "20s" and "20s", or "1m00s" for what was to be at most "60s"."""
    limit = parse_threshold(measure, expected).value
    result = ExpectationResult(Scope(), measure, expected, limit, Known(seen), "fail", "", "journal.jsonl")

    assert result.outcome == f"expected {expected}, saw {told}"


def test_answers_that_take_exactly_the_slo_are_good() -> None:
    """Begin and end are rounded to 0.1 ms on their own, so that 2 s may be written as 2.0001 s."""
    late = [prompt(float(at), 2.0001) for at in range(100)]
    run = evidence(late, of=scenario(slo="2s", phases=[CALM], expect=[]), did=())

    assert measured(count_run(run), Scope())["availability"] == Known(1.0)


def client_run(*prompts: list[Attempt], allowed: tuple[str, ...] = (), exit_code: int | None = 0) -> Judgement:
    """Of a user's own client that sent these prompts in the blackout, and ended well."""
    lines: list[Attempt | Prompt] = []
    for attempts in prompts:
        first, last = attempts[0], attempts[-1]
        settled: Settled = "answered" if last.outcome == "ok" else "gave_up"
        lines += [*attempts, prompt(first.start, last.end - first.start, settled, name=first.prompt)]
    told = scenario(expect=[{"availability": ">= 0%"}])
    return judge(
        evidence(lines, FELT, of=told, client="command", command="pytest", exit_code=exit_code, allowed=allowed)
    )


def test_a_client_that_gave_up_once_passes_nothing() -> None:
    """One failed request and exit code 0: how it retries is not known, and the reason says what to do."""
    judgement = client_run([attempt(150, outcome="http_error", status=503)])

    assert judgement.verdict == "inconclusive"
    (reason,) = judgement.reasons
    assert reason == (
        "never_retries of group patient: expected == 0, saw - (1 failure given up and none retried; 3 would show that "
        "the client never retries, so let more of its requests fail)"
    )
    assert client_run([attempt(150, outcome="http_error", status=503)], allowed=("never_retries",)).verdict == "pass"


def test_a_command_that_had_to_be_ended_passes_only_as_a_server() -> None:
    """It asked well, and may have hung in its own tests all the same; the reason says what to do."""
    retried = [attempt(150, outcome="http_error", status=503, of="p"), attempt(153, of="p", n=1)]

    ended = client_run(retried, exit_code=None)

    assert ended.verdict == "inconclusive"
    (reason,) = ended.reasons
    assert reason == (
        "exit_code of group patient: expected == 0, saw - (the command did not end by itself, and mockbot ended it; "
        "give it a time limit of its own, or say --allow exit_code if it is a server)"
    )
    assert client_run(retried, exit_code=None, allowed=("exit_code",)).verdict == "pass"


def test_a_pass_names_the_anti_patterns_without_an_occasion() -> None:
    """A retry was answered: that it ends and is made at all is shown, the rest is not claimed."""
    failed, answered = attempt(150, outcome="http_error", status=503, of="p"), attempt(153, of="p", n=1)
    judgement = client_run([failed, answered])

    assert {each.measure for each in judgement.expectations if each.result == "pass"} == {
        "retries_without_end",
        "never_retries",
        "exit_code",
    }
    assert judgement.reasons[1] == (
        "not shown, for want of an occasion: ignores_retry_after, retries_what_cannot_succeed, does_not_back_off, "
        "takes_broken_answers, hangs"
    )
