"""Where a client goes when its provider fails, when it comes back, and who pays for it."""

from collections.abc import Mapping
from random import Random
from typing import Any

from mockbot.clients.policy import AttemptResult, Send
from tests.clients.play import DOWN, OK, Server, always, answers, play, policies, status


def _servers(of: Mapping[str, AttemptResult]) -> Server:
    def serve(send: Send) -> AttemptResult:
        return of[send.provider]._replace(provider=send.provider, started=send.at)

    return serve


MAIN_DOWN = _servers({"main": DOWN, "other": OK})
BREAKER: dict[str, Any] = {"name": "once", "breaker": {"name": "consecutive", "failures": 3, "open_for": "30s"}}


def test_each_retry_goes_to_the_next_provider() -> None:
    """Without a breaker: home, other, home, other."""
    told = always({"name": "backoff", "attempts": 4}, DOWN, falls_over_to="other")

    assert told.providers == ["main", "other", "main", "other"]


def test_without_another_provider_there_is_no_fail_over() -> None:
    """Every attempt goes home."""
    assert set(always({"name": "backoff", "fail_over": "retry"}, DOWN).providers) == {"main"}


def test_a_new_prompt_begins_at_home() -> None:
    """Failing over is forgotten with the prompt, unless it should `stay`."""
    client = policies("backoff", falls_over_to="other").new_client(Random(1))

    told = [play(client, MAIN_DOWN, start) for start in (0.0, 100.0)]

    assert [prompt.providers for prompt in told] == [["main", "other"]] * 2


def test_it_stays_away_and_fails_back() -> None:
    """`stay: 5m`: for five minutes new prompts of the whole process begin at the other one, then at home again."""
    shared = policies({"name": "backoff", "fail_over": {"when": "retry", "stay": "5m"}}, falls_over_to="other")
    play(shared.new_client(Random(1)), MAIN_DOWN)

    others = [play(shared.new_client(Random(2)), answers(OK), start).providers for start in (10.0, 290.0, 310.0)]

    assert others == [["other"], ["other"], ["main"]]


def test_it_comes_home_early_when_the_other_one_fails() -> None:
    """Away for five minutes, but the other one fails as well: the next prompt begins at home."""
    client = policies(
        {"name": "backoff", "fail_over": {"when": "retry", "stay": "5m"}}, falls_over_to="other"
    ).new_client(Random(1))
    play(client, answers(DOWN, DOWN, OK))

    assert play(client, answers(OK), 20.0).providers == ["main"]


def test_it_can_bear_some_failures_first() -> None:
    """`failures: 2`: two attempts at each provider before it turns to the other."""
    words = {"name": "fixed", "attempts": 6, "fail_over": {"when": "retry", "failures": 2}}

    assert always(words, DOWN, falls_over_to="other").providers == ["main", "main", "other", "other", "main", "main"]


def test_it_does_not_wait_for_the_provider_that_it_leaves() -> None:
    """Home says Retry-After 60 s: the other provider is asked at once after the own back-off."""
    told = always("backoff", status(503, retry_after=60.0), falls_over_to="other", patience="30s")

    assert told.providers[:2] == ["main", "other"]
    assert told.gaps[0] <= 1.0


def test_an_open_breaker_turns_to_the_other_provider() -> None:
    """Three failures at home; from then on the other one answers, without any retry."""
    client = policies(BREAKER, falls_over_to="other").new_client(Random(1))

    told = [play(client, MAIN_DOWN, float(n)) for n in range(6)]

    assert [prompt.providers for prompt in told] == [["main"]] * 3 + [["other"]] * 3
    assert told[-1].gave_up is None


def test_the_probe_is_the_way_back() -> None:
    """After 30 s one prompt probes home; it is answered, and all go home again."""
    client = policies(BREAKER, falls_over_to="other").new_client(Random(1))
    for n in range(4):
        play(client, MAIN_DOWN, float(n))

    told = [play(client, answers(OK), start) for start in (20.0, 33.0, 34.0)]

    assert [prompt.providers for prompt in told] == [["other"], ["main"], ["main"]]


def test_after_the_breaker_opened_it_can_stay_away_longer() -> None:
    """`stay: 5m`: home could be probed after 30 s, and is not before five minutes have passed."""
    client = policies({**BREAKER, "fail_over": {"when": "breaker", "stay": "5m"}}, falls_over_to="other").new_client(
        Random(1)
    )
    for n in range(4):
        play(client, MAIN_DOWN, float(n))

    told = [play(client, answers(OK), start) for start in (40.0, 300.0, 310.0)]

    assert [prompt.providers for prompt in told] == [["other"], ["other"], ["main"]]


def test_when_both_are_open_the_client_refuses_itself() -> None:
    """Both providers fail: after three failures at each nothing is sent any more."""
    client = policies(BREAKER, falls_over_to="other").new_client(Random(1))

    told = [play(client, answers(DOWN), n * 0.1) for n in range(8)]

    assert [prompt.providers for prompt in told] == [["main"]] * 3 + [["other"]] * 3 + [[]] * 2


def test_exhausted_means_everything_at_home_first() -> None:
    """All attempts at home, then all of them at the other one."""
    told = always({"name": "fixed", "attempts": 3, "fail_over": "exhausted"}, DOWN, falls_over_to="other")

    assert told.providers == ["main"] * 3 + ["other"] * 3


def test_having_exhausted_home_it_can_stay_away() -> None:
    """`stay: 5m`: the next prompts begin at the other one; when that fails, everything is tried at home as well."""
    words = {"name": "fixed", "attempts": 2, "fail_over": {"when": "exhausted", "stay": "5m"}}
    client = policies(words, falls_over_to="other").new_client(Random(1))
    play(client, MAIN_DOWN)

    told = [play(client, server, start) for start, server in ((10.0, answers(OK)), (20.0, answers(DOWN)))]

    assert [prompt.providers for prompt in told] == [["other"], ["other", "other", "main", "main"]]


def test_a_budget_does_not_forbid_to_fail_over() -> None:
    """Home is dead and the budget long spent: still every prompt is answered, by the other one."""
    words = {"name": "fixed", "attempts": 3, "budget": {"name": "per_success", "burst": 1}}
    client = policies(words, falls_over_to="other").new_client(Random(1))

    told = [play(client, MAIN_DOWN, start * 100.0) for start in range(50)]

    assert all(prompt.providers == ["main", "other"] for prompt in told)


def test_a_budget_forbids_the_retries_after_it() -> None:
    """Both are dead: one attempt at each is free, and once the budget is spent there is no third."""
    words = {"name": "fixed", "attempts": 6, "budget": {"name": "per_success", "burst": 1}}
    client = policies(words, falls_over_to="other").new_client(Random(1))

    told = [play(client, answers(DOWN), start * 100.0) for start in range(5)]

    assert told[-1].providers == ["main", "other"]
    assert told[-1].gave_up is not None
    assert told[-1].gave_up.why == "retry budget"
