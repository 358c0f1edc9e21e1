"""How much load retries add, in the long run, against failures of probability p: closed forms and published numbers."""

from random import Random

import pytest

from mockbot.clients.policy import AttemptResult, Send
from mockbot.clients.throttle import AdaptiveThrottle
from tests.clients.play import Server, Words, play, policies


def failing(p: float, rng: Random) -> Server:
    """A provider that fails each attempt with probability p, whatever happened before."""

    def serve(send: Send) -> AttemptResult:
        failed = rng.random() < p
        return AttemptResult("http_error" if failed else "ok", send.provider, send.at, 503 if failed else 200)

    return serve


def attempts_per_prompt(policy: Words, p: float, prompts: int = 8_000, *, skip: int = 0) -> float:
    """The mean over many prompts of one client process, a second apart; the first `skip` are not counted."""
    rng = Random(7)
    client, server = policies(policy).new_client(rng), failing(p, rng)
    made = [len(play(client, server, now * 100.0).sends) for now in range(prompts + skip)]
    return sum(made[skip:]) / prompts


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
@pytest.mark.parametrize(("policy", "m"), [("sdk", 3), ({"name": "fixed", "attempts": 4}, 4)])
def test_retries_amplify_as_the_formula_says(policy: Words, m: int, p: float) -> None:
    """(1 - p^m) / (1 - p) attempts per prompt, within 1 %."""
    assert attempts_per_prompt(policy, p, 12_000) == pytest.approx((1 - p**m) / (1 - p), rel=0.01)


@pytest.mark.parametrize(("p", "retries"), [(0.1, 0.0989), (0.5, 0.0526), (0.9, 0.0101)])
def test_a_budget_per_success_bounds_the_retries(p: float, retries: float) -> None:
    """10 % per success: min(demand, f(1-p)/(1-f(1-p))) retries per prompt, within 3 %."""
    policy = {"name": "fixed", "attempts": 4, "budget": {"name": "per_success", "earns": "10%"}}

    made = attempts_per_prompt(policy, p, 20_000, skip=2000) - 1

    assert made == pytest.approx(retries, rel=0.03)


def test_grpc_throttle_lets_rare_failures_be_retried() -> None:
    """At 2 % failures, well below ratio/(1+ratio) = 9.09 %, nearly every failure is retried."""
    assert attempts_per_prompt({"name": "fixed", "attempts": 2, "budget": "grpc"}, 0.02) > 1.015


@pytest.mark.parametrize(("p", "most"), [(0.15, 1.012), (0.3, 1.0005), (0.5, 1.0), (0.9, 1.0)])
def test_grpc_throttle_stops_retries_above_nine_percent(p: float, most: float) -> None:
    """Above 9.09 % failures there are no retries in the long run."""
    assert attempts_per_prompt({"name": "fixed", "attempts": 4, "budget": "grpc"}, p, skip=200) <= most


def test_finagle_budget_adds_a_fifth() -> None:
    """Everything fails, a thousand prompts a second: in ten seconds 20 % of them and 10 a second are retried."""
    rng = Random(1)
    client = policies({"name": "fixed", "attempts": 4, "wait": "0s", "budget": "finagle"}).new_client(rng)
    server = failing(1.0, rng)

    sent = sum(len(play(client, server, 100 + n / 1000).sends) for n in range(10_000))

    assert sent - 10_000 == pytest.approx(0.2 * 10_000 + 100, rel=0.06)


def test_finagle_budget_never_leaves_a_quiet_client_without_retries() -> None:
    """One prompt a second and nothing but failures: 10 retries a second are always affordable."""
    assert attempts_per_prompt({"name": "fixed", "attempts": 4, "budget": "finagle"}, 1.0, 100) == 4.0


@pytest.mark.parametrize(("k", "sent"), [(2.0, 200.8), (1.1, 110.9)])
def test_adaptive_throttle_sends_k_times_what_is_accepted(k: float, sent: float) -> None:
    """1000 wanted and 100 accepted in two minutes: the provider sees R(1 - max(0, (R - KA)/(R + 1))), 200.8 +- 5."""
    throttle, rng, accepted, seen_by_provider = AdaptiveThrottle(k, 120.0), Random(3), 0, 0

    for n in range(150_000):
        now = n * 0.12
        if throttle.admits(now, rng):
            seen_by_provider += 1
            if accepted < 100 * now / 120:
                accepted += 1
                throttle.accepted(now)

    assert seen_by_provider / 150 == pytest.approx(sent, abs=5)


def test_adaptive_throttle_probes_a_dead_provider_once_a_window() -> None:
    """Nothing accepted: about one attempt in two minutes, of a thousand wanted."""
    client = policies({"name": "once", "throttle": 2}).new_client(Random(3))

    sent = sum(len(play(client, failing(1.0, Random(1)), n * 0.12).sends) for n in range(10_000))

    assert sent / 10 == pytest.approx(1.0, abs=0.8)
