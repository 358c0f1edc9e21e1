"""The noise of one run's measures, against formulas of statistics that can be worked out by hand."""

from collections.abc import Sequence
from math import inf, sqrt
from random import Random
from statistics import variance

import pytest

from mockbot.evidence.count_run import count_run
from mockbot.evidence.noise import FEW_USERS, PARTS, Noise, limits, noise_of
from mockbot.evidence.records import Prompt
from mockbot.evidence.scope_counters import counters_of
from mockbot.measures.scope import Scope
from tests.evidence.build import evidence, prompt

CALM = Scope(phase="steady")  # 0..100 s


def noise(prompts: Sequence[Prompt]) -> Noise:
    run = evidence(prompts)
    return noise_of(run, count_run(run), [CALM, Scope()])


def tries(blocks: Sequence[int], users: int = 1) -> list[Prompt]:
    """A prompt a second: ten that take so many attempts, ten that take so many, and so on."""
    return [
        prompt(n + 0.5, user=f"u{n % users}", name=f"p{n}", attempts=blocks[n // 10]) for n in range(10 * len(blocks))
    ]


def test_equal_blocks_give_the_variance_of_their_mean() -> None:
    """s^2/n, with n - 1 degrees of freedom. The blocks alternate, so that none resembles the next."""
    blocks = [1, 5, 2, 6, 1, 5, 2, 6, 1, 5]

    (found,) = noise(tries(blocks))["time"][CALM, "attempts_per_prompt"]

    assert found.variance == pytest.approx(variance(blocks) / PARTS)
    assert found.freedom == PARTS - 1


def test_blocks_that_resemble_the_next_one_count_for_fewer() -> None:
    """The first half of the phase needs 1 attempt, the other one 5: two blocks, as it were, and not ten.

    Each is 2 from the mean: the squares sum up to 40, the products of neighbours to 8 * 4 - 4 = 28.
    """
    (found,) = noise(tries([1] * 5 + [5] * 5))["time"][CALM, "attempts_per_prompt"]

    assert found.variance == pytest.approx((40 + 2 * 28) / (PARTS * (PARTS - 1)))


def test_a_block_has_at_least_as_many_prompts_as_there_are_blocks() -> None:
    """Of 30 prompts five blocks are made; of 3 one, which shows no noise."""
    assert [spread.freedom for spread in noise(tries([1, 2, 1]))["time"][CALM, "attempts_per_prompt"]] == [4]
    assert (CALM, "attempts_per_prompt") not in noise(tries([1])[:3])["time"]


def test_the_whole_run_has_the_noise_of_each_phase() -> None:
    """Of 50, 50 and 100 prompts, in 7, 7 and 10 blocks."""
    prompts = [prompt(2.0 * n, user="u", name=f"p{n}", attempts=1 + n % 3) for n in range(200)]

    assert [spread.freedom for spread in noise(prompts)["time"][Scope(), "attempts_per_prompt"]] == [6, 6, 9]


@pytest.mark.parametrize(("users", "freedom"), [(FEW_USERS - 1, []), (FEW_USERS, [FEW_USERS - 1]), (20, [PARTS - 1])])
def test_few_users_do_not_show_how_users_differ(users: int, freedom: list[int]) -> None:
    """From five on they do, in ten groups at most."""
    found = noise(tries([1, 2, 3, 4, 5, 6], users))["users"].get((CALM, "attempts_per_prompt"), ())

    assert [spread.freedom for spread in found] == freedom


def test_recovery_has_no_blocks_of_time() -> None:
    """It follows the course of the run, of which no part can be left out."""
    assert (Scope(), "recovery_time") not in noise(tries([1] * 10))["time"]


def test_a_percentile_has_the_noise_of_the_share_within_it() -> None:
    """400 independent durations: the share within their median has the standard error 0.5/20."""
    rng = Random(1)
    prompts = [prompt(n / 4, rng.expovariate(1.0), user=f"u{n % 50}", name=f"p{n}") for n in range(400)]
    run = evidence(prompts)
    counters = count_run(run)

    (found,) = noise_of(run, counters, [CALM])["time"][CALM, "latency_p50"]

    assert 0.3 * 0.025 < sqrt(found.variance) < 2 * 0.025  # 9 degrees of freedom
    durations = sorted(each.end - each.intended for each in prompts)
    low, high = limits(counters_of(counters, CALM), "latency_p50", 0.05)
    assert [low, high] == pytest.approx([durations[179], durations[219]], rel=0.004)
    assert limits(counters_of(counters, CALM), "latency_p95", 0.06)[1] == inf
