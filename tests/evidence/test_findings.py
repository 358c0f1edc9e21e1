"""What clients did that made it worse: each finding on a journal that shows it, and on one that nearly does."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

import pytest

from mockbot.evidence.count_run import count_run
from mockbot.evidence.detection import DESCRIPTIONS, REMEDIES, Finding
from mockbot.evidence.detectors import reported_spans
from mockbot.evidence.journal import Broken
from mockbot.evidence.records import Attempt, Outcome, Prompt, Settled
from mockbot.scenario.schema import Scenario
from mockbot.scenario.timeline import Timeline
from tests.evidence.build import AFTER, CALM, OUTAGE, attempt, evidence, prompt, scenario

Lines = list[Attempt | Prompt]


def asked(
    at: float,
    *waits: float,
    took: float = 1.0,
    fails: Outcome = "http_error",
    last: Outcome = "ok",
    status: int | None = 503,
    retry_after: float | None = None,
    group: str = "patient",
    name: str = "",
    settled: Settled | None = None,
    providers: Sequence[str] = (),
) -> Lines:
    """A prompt with one attempt more than waits; all but the last of them fail."""
    lines: Lines = []
    start = at
    for n, wait in enumerate((*waits, 0.0)):
        final = n == len(waits)
        outcome = last if final else fails
        provider = providers[n] if providers else "main"
        one = attempt(start, took, outcome, of=name or f"p{at:g}", n=n, group=group, provider=provider)
        lines.append(
            replace(one, status=None if outcome == "ok" else status, retry_after=None if final else retry_after)
        )
        start += took + wait
    end: Settled = settled or ("answered" if last == "ok" else "gave_up")
    whole = lines[-1].end - at
    return [*lines, prompt(at, whole, end, name=name or f"p{at:g}", group=group, attempts=len(waits) + 1)]


def many(count: int, *waits: float, first: float = 100.0, each: float = 1.0, **how: Any) -> Lines:
    return list(chain(*(asked(first + n * each, *waits, name=f"m{first:g}-{n}", **how) for n in range(count))))


def found(lines: Sequence[Attempt | Prompt | Broken], of: Scenario | None = None, **info: Any) -> dict[str, Finding]:
    """By name; of the group `patient` unless only another has it."""
    return {finding.name: finding for finding in count_run(evidence(lines, of=of, **info)).findings.findings()}


def test_a_client_that_behaves_well_has_no_findings() -> None:
    """Waits that grow, Retry-After honoured, three attempts, an answer."""
    assert found(many(30, 1.0, 2.2, retry_after=0.5)) == {}


def test_retry_after_ignored_names_only_the_first_offences() -> None:
    """Told to wait 10 s, back after 2 s, ten times: counted, and the first three are shown with their times."""
    finding = found(many(10, 2.0, retry_after=10.0))["ignores_retry_after"]

    assert (finding.group, finding.times) == ("patient", 10)
    assert finding.did == "retried before the Retry-After was over, 10 times"
    assert finding.evidence == tuple(f"m100-{n} at 1:4{n}.0: told to wait 10s, came back after 2s" for n in range(3))


def test_retry_after_is_of_one_provider() -> None:
    """Going to the other one at once is what it is there for."""
    assert found(asked(100.0, 0.1, retry_after=10.0, providers=("main", "other"))) == {}


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_repeating_what_can_only_fail_is_found(status: int) -> None:
    """A request that is wrong stays wrong."""
    assert "retries_what_cannot_succeed" in found(asked(100.0, 2.0, status=status))


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 529])
def test_what_sdks_retry_may_be_retried(status: int) -> None:
    """Timeouts, conflicts, limits and every 5xx."""
    assert found(asked(100.0, 2.0, status=status)) == {}


def test_retrying_without_end_is_found() -> None:
    """Eleven attempts for one prompt; ten are still none."""
    waits = [1.0 + n for n in range(10)]

    assert found(asked(100.0, *waits))["retries_without_end"].evidence == ("p100 at 1:40.0: 11 attempts in 1m06s",)
    assert "retries_without_end" not in found(asked(100.0, *waits[1:]))


@pytest.mark.parametrize("waits", [(2.0, 2.0, 2.1, 2.0), (0.01, 0.01)], ids=["fixed", "at once"])
def test_no_back_off_is_found(waits: tuple[float, ...]) -> None:
    """Always the same wait, or hardly any."""
    assert "does_not_back_off" in found(many(30, *waits))


def test_full_jitter_is_a_back_off() -> None:
    """One prompt in thirty happens to wait for next to nothing twice: that is luck."""
    lucky = asked(50.0, 0.02, 0.03)

    assert "does_not_back_off" not in found([*lucky, *many(29, 0.7, 1.9)])


def test_a_hedge_is_no_retry() -> None:
    """A second attempt beside the first one neither ignores a Retry-After nor fails to back off."""
    slow = replace(attempt(100.0, 9.0, "rate_limited", of="h"), retry_after=30.0)
    hedges = [attempt(101.0 + n, 2.0, "ok" if n == 3 else "timeout", of="h", n=n + 1) for n in range(4)]

    assert "ignores_retry_after" not in found([slow, *hedges, prompt(100.0, 6.0, name="h")])


def test_an_answer_that_was_cut_and_taken_for_whole_is_found() -> None:
    """The user got half an answer and nobody noticed."""
    finding = found(asked(100.0, last="truncated", settled="answered"))["takes_broken_answers"]

    assert finding.evidence == ("p100 at 1:40.0: the answer was truncated, and nothing was asked again",)


@pytest.mark.parametrize("outcome", ["truncated", "error_event", "malformed", "blank"])
def test_a_broken_answer_that_the_user_was_told_of_is_no_finding(outcome: Outcome) -> None:
    """Our clients say what their user saw: an error."""
    assert "takes_broken_answers" not in found(asked(100.0, last=outcome, settled="gave_up"))


def test_of_a_client_that_is_not_ours_it_is_not_known_what_its_user_saw() -> None:
    """A broken answer without a retry is a finding there."""
    lines = asked(100.0, last="error_event", settled="gave_up")

    assert "takes_broken_answers" in found(lines, client="command")


def test_holding_on_without_a_word_is_found() -> None:
    """A minute and more of silence."""
    assert "hangs" in found(asked(100.0, took=61.0, last="timeout"))
    assert "hangs" not in found(asked(100.0, took=59.0, last="timeout"))


def test_a_slow_drip_without_a_deadline_is_found() -> None:
    """Tokens kept coming for longer than the user's patience of 60 s."""
    drip = replace(attempt(100.0, 90.0, "slow", of="d"), first_token=1.0, tokens=45)

    finding = found([drip, prompt(100.0, 90.0, "gave_up", name="d")])["no_total_deadline"]

    assert finding.evidence == ("d at 1:40.0: 1m30s, 45 tokens",)


def test_never_retrying_is_a_habit_of_the_whole_group() -> None:
    """Three failures, each the only attempt; one retry anywhere and it is no habit."""
    once = many(3, last="http_error")

    assert found(once)["never_retries"].times == 3
    assert "never_retries" not in found([*once, *asked(150.0, 1.0)])
    assert "never_retries" not in found(many(3, last="http_error", status=400))


def test_failures_that_may_have_been_retried_in_other_words_are_no_habit() -> None:
    """Six prompts, each perhaps the retry of the one before."""
    lines = many(6, last="http_error")
    doubtful = [replace(line, may_retry="p") if isinstance(line, Attempt) else line for line in lines]

    assert found(lines)["never_retries"].times == 6
    assert "never_retries" not in found(doubtful)


def test_a_retry_storm_is_more_than_three_attempts_a_prompt() -> None:
    """Twenty prompts of the blackout with five attempts each, the largest named."""
    storm = [*many(19, 1.0, 2.0, 4.0), *asked(190.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, name="worst")]

    finding = found(storm)["retry_storm"]

    assert finding.did == "sent 83 requests for 20 prompts while the provider was in trouble"
    assert finding.evidence[0] == "worst at 3:10.0: 7 attempts"
    assert "retry_storm" not in found(many(20, 1.0, 2.0))


def test_a_herd_is_retries_of_many_prompts_in_one_second() -> None:
    """Twenty clients that retry at the same moment: all back at 160 s."""
    herd = list(chain(*(asked(100.0 + n, 59.0 - n, name=f"h{n:02}") for n in range(20))))

    finding = found(herd)["herd"]

    assert finding.did == "retried at the same time: 20 retries in one second"
    assert finding.evidence == ("h00 at 2:40.0", "h01 at 2:40.0", "h02 at 2:40.0")


def test_busy_retries_are_no_herd() -> None:
    """Twenty a second all the time is much, and not synchronised."""
    assert "herd" not in found(many(600, 3.0, each=0.05))


def test_giving_up_while_the_provider_is_back_is_found() -> None:
    """Cleared at 200 s, well at 202 s; somebody waits for his next attempt until his patience ends at 230 s."""
    well = asked(201.0)
    late = [*asked(170.0, 5.0, last="http_error", name="late")[:-1], prompt(170.0, 60.0, "gave_up", name="late")]
    early = [*asked(141.0, 5.0, last="http_error", name="early")[:-1], prompt(141.0, 60.0, "gave_up", name="early")]

    finding = found([*well, *late, *early])["gave_up_too_soon"]

    assert finding.evidence == ("late at 2:50.0, last tried at 2:56.0, gave up at 3:50.0",)


def test_who_tried_after_the_clear_did_not_give_up_too_soon() -> None:
    """It tried at 206 s, and failed once more."""
    tried = [*asked(170.0, 35.0, last="http_error", name="t")[:-1], prompt(170.0, 60.0, "gave_up", name="t")]

    assert "gave_up_too_soon" not in found([*asked(201.0), *tried])


TWO = scenario(
    providers={"main": {"slots": 10}, "other": {"slots": 10}},
    crowd={"patient": {"users": "100%", "policy": "backoff", "falls_over_to": "other"}},
    phases=[CALM, OUTAGE, AFTER],
)


def test_staying_with_a_failing_provider_is_found() -> None:
    """It has another one and never went there."""
    assert found(many(20, last="http_error"), of=TWO)["did_not_fall_over"].times == 20
    assert "did_not_fall_over" not in found(many(20, last="http_error"))


def test_not_coming_back_is_found() -> None:
    """A hundred seconds after the clear everybody is still with the other provider."""
    away = [*many(5, 0.5, providers=("main", "other")), *many(40, first=350.0, providers=("other",))]

    assert found(away, of=TWO)["did_not_come_back"].times == 40
    assert "did_not_come_back" not in found([*away, *asked(399.0)], of=TWO)


def page(*updates: tuple[str, str]) -> Scenario:
    return scenario(status_page=[{"at": at, "state": state} for at, state in updates])


LOOKING = page(("blackout+20s", "investigating"), ("blackout+80s", "monitoring"))


def test_hammering_on_while_the_page_says_wait_is_found() -> None:
    """One attempt every two seconds in the calm, one and a half a second while it is looked into."""
    calm = many(50, first=0.0, each=2.0)
    hammering = many(30, 0.5, 1.0, first=120.0, each=2.0)

    finding = found([*calm, *hammering], of=LOOKING)["hammers_on"]

    assert finding.did.startswith("sent 3.0 times as much as usual while the status page")
    assert finding.evidence[0] == "m120-0 at 2:01.5: attempt 2"


def test_the_same_attempts_without_a_page_are_no_hammering() -> None:
    """Without a status page there is nothing to ignore."""
    assert "hammers_on" not in found([*many(50, first=0.0, each=2.0), *many(30, 0.5, 1.0, first=120.0, each=2.0)])


def test_the_spans_of_the_status_page() -> None:
    """From the first word until the page says that it is only watched, or to the end."""
    waits = list(reported_spans(Timeline(LOOKING)))
    open_end = list(reported_spans(Timeline(page(("after", "identified")))))

    assert (waits, open_end) == ([(120.0, 180.0)], [(200.0, 400.0)])


def test_two_users_who_ask_the_same_cause_no_finding() -> None:
    """Attempts belong to a prompt by its id, so two users with the same question are no retry."""
    pairs = list(chain(*(asked(100.0 + n, name=f"{who}{n}") for n in range(40) for who in "ab")))

    assert found(pairs) == {}


def test_every_finding_names_a_prompt_and_a_remedy() -> None:
    """None without evidence."""
    lines = [*many(30, 0.01, 0.01, last="http_error", retry_after=9.0), *asked(190.0, took=70.0, last="timeout")]

    findings = found(lines)

    assert set(findings) >= {"ignores_retry_after", "hangs"}
    assert all(finding.evidence and finding.remedy for finding in findings.values())
    assert all(line.startswith(("m100-", "p190")) for finding in findings.values() for line in finding.evidence)
    assert set(findings) <= set(DESCRIPTIONS) == set(REMEDIES)


def test_an_external_client_is_judged_by_its_own_clock() -> None:
    """At speed 20, three scenario seconds are 0.15 s of a real SDK's time, and 1.4 s are at once."""
    lines = many(30, 1.4, 1.4)

    assert "does_not_back_off" in found(lines, speed=20.0, client="command")
    assert "does_not_back_off" not in found(lines, speed=20.0)
