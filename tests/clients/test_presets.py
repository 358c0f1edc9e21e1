"""Each real client against what was measured of it: attempts, gaps, Retry-After, what it retries."""

from random import Random
from typing import Any, get_args

import pytest

from mockbot.clients.presets import PRESETS
from mockbot.evidence.records import Outcome
from mockbot.scenario.policies import PresetName
from tests.clients.play import DOWN, HUNG, LIMITED, Words, always, answers, play, policies, status

SEEDS = range(60)
OPENAI_LIKE = ["openai-python", "openai-python-1", "anthropic-python", "anthropic-python-0", "openai-node", "litellm"]
OPENAI = [(0.375, 0.5), (0.75, 1.0)]  # seconds between attempts, least and most
LLAMA_INDEX = [*OPENAI, (1.5, 2.0)]


def test_every_named_client_is_declared() -> None:
    """The names that a scenario may use are exactly the declared clients."""
    assert set(PRESETS) == set(get_args(PresetName))


@pytest.mark.parametrize(
    ("policy", "attempts"),
    [
        *[(name, 3) for name in OPENAI_LIKE],
        ("vercel-ai", 3),
        ("litellm-num-retries", 5),
        ("litellm-router", 3),
        ("langchain-with-retry", 9),
        ("llama-index", 12),
        ("google-genai", 1),
        ("google-genai-retrying", 5),
    ],
)
def test_attempts_against_an_endless_503(policy: str, attempts: int) -> None:
    """As many requests as the server counted for one call."""
    assert len(always(policy, DOWN).sends) == attempts


@pytest.mark.parametrize(
    ("policy", "bounds"),
    [
        *[(name, OPENAI) for name in OPENAI_LIKE],
        ("vercel-ai", [(2.0, 2.0), (4.0, 4.0)]),
        ("litellm-num-retries", [*OPENAI, (0.001, 0.001), (0.001, 0.001)]),
        ("litellm-router", [(0.5, 1.25), (1.0, 1.75)]),
        ("google-genai-retrying", [(1.0, 2.0), (2.0, 3.0), (4.0, 5.0), (8.0, 9.0)]),
        ("langchain-with-retry", [*OPENAI, (1.0, 2.0), *OPENAI, (2.0, 3.0), *OPENAI]),
        ("llama-index", [*LLAMA_INDEX, (1.0, 1.0), *LLAMA_INDEX, (1.0, 2.0), *LLAMA_INDEX]),
    ],
)
def test_gaps_are_within_the_formula(policy: str, bounds: list[tuple[float, float]]) -> None:
    """Every gap lies within its formula's bounds, and over many calls comes close to both."""
    runs = [always(policy, DOWN, seed=seed).gaps for seed in SEEDS]

    for n, (least, most) in enumerate(bounds):
        column = [gaps[n] for gaps in runs]
        assert least - 1e-9 <= min(column) <= least + (most - least) * 0.2 + 1e-9
        assert most - (most - least) * 0.2 - 1e-9 <= max(column) <= most + 1e-9


SHORT = (0.375, 0.5)  # the own back-off of the SDKs
STOPS = None


@pytest.mark.parametrize(
    ("policy", "told", "waits"),
    [
        ("openai-python", 7.0, (7.0, 7.0)),
        ("openai-python", 120.0, (120.0, 120.0)),
        ("openai-python", 121.0, STOPS),
        ("openai-python", 0.0, SHORT),
        ("openai-python", -3.0, SHORT),
        ("openai-python-1", 60.0, (60.0, 60.0)),
        ("openai-python-1", 61.0, SHORT),
        ("openai-python-1", 121.0, SHORT),
        ("anthropic-python", 3600.0, (3600.0, 3600.0)),
        ("anthropic-python", 5_000_000.0, (4_294_967.0, 4_294_967.0)),
        ("anthropic-python", 0.0, SHORT),
        ("anthropic-python-0", 61.0, SHORT),
        ("openai-node", 100_000.0, (100_000.0, 100_000.0)),
        ("openai-node", 0.0, (0.0, 0.01)),
        ("vercel-ai", 59.9, (59.9, 59.9)),
        ("vercel-ai", 60.0, (2.0, 2.0)),
        ("vercel-ai", 0.0, (0.0, 0.01)),
        ("litellm", 121.0, STOPS),
        ("litellm-router", 60.0, (60.0, 60.75)),
        ("litellm-router", 61.0, (0.5, 1.25)),
        ("google-genai-retrying", 9.0, (1.0, 2.0)),
    ],
)
def test_retry_after(policy: str, told: float, waits: tuple[float, float] | None) -> None:
    """What each client does when a 503 tells it to wait: obeys, ignores it, or stops."""
    runs = [always(policy, status(503, retry_after=told), seed=seed, patience="4800h") for seed in SEEDS]

    if waits is STOPS:
        assert {len(run.sends) for run in runs} == {1}
    else:
        assert all(waits[0] <= run.gaps[0] <= waits[1] + 1e-6 for run in runs)


def test_litellm_ignores_retry_after_in_its_second_layer() -> None:
    """The SDK inside waits as told twice; the layer around it comes back at once."""
    gaps = always("litellm-num-retries", status(503, retry_after=5.0)).gaps

    assert gaps == pytest.approx([5.0, 5.0, 0.001, 0.001])


def test_llama_index_obeys_a_429_in_both_layers() -> None:
    """Told to wait 30 s by a 429, also tenacity around the SDK does; by a 503 it takes its own second."""
    limited = always("llama-index", status(429, retry_after=10.0)).gaps
    refused = always("llama-index", status(503, retry_after=10.0)).gaps

    assert limited[:4] == [10.0, 10.0, 10.0, 10.0]
    assert refused[:4] == [10.0, 10.0, 10.0, 1.0]


def test_llama_index_stops_after_a_minute() -> None:
    """Calls of 25 s each: the outer loop does not begin again when a minute has passed."""
    told = play(policies("llama-index").new_client(Random(1)), answers(DOWN), takes=25.0)

    assert len(told.sends) == 4


@pytest.mark.parametrize("policy", ["openai-python", "anthropic-python", "openai-node"])
def test_statuses_that_the_sdks_retry(policy: str) -> None:
    """408, 409, 429 and every 5xx; nothing else."""
    retried = [code for code in range(400, 600) if len(always(policy, status(code)).sends) == 3]

    assert retried == [408, 409, 429, *range(500, 600)]


@pytest.mark.parametrize(("code", "attempts"), [(429, 5), (504, 5), (529, 1), (409, 1), (501, 1)])
def test_statuses_that_google_retries(code: int, attempts: int) -> None:
    """Five statuses, by their number: 529 is not among them."""
    assert len(always("google-genai-retrying", status(code)).sends) == attempts


def test_langchain_retries_even_a_wrong_request() -> None:
    """`.with_retry()` retries any exception: three calls for a 400."""
    assert len(always("langchain-with-retry", status(400)).sends) == 3


@pytest.mark.parametrize(("says", "code", "attempts"), [(False, 503, 1), (True, 400, 3), (None, 400, 1)])
def test_x_should_retry_decides(says: bool | None, code: int, attempts: int) -> None:
    """The header stops a retry of 503 and forces one of 400."""
    assert len(always("openai-python", status(code, should_retry=says)).sends) == attempts


def test_a_long_retry_after_overrides_x_should_retry() -> None:
    """openai 3.x: more than 120 s stops, even if x-should-retry says true."""
    assert len(always("openai-python", status(503, should_retry=True, retry_after=121.0)).sends) == 1


MID_STREAM: list[dict[str, Any]] = [
    {"outcome": outcome, "streamed": True}
    for outcome in ("reset", "slow", "truncated", "error_event", "malformed", "blank")
]


@pytest.mark.parametrize("policy", ["openai-python", "anthropic-python", "openai-node", "vercel-ai", "litellm-router"])
@pytest.mark.parametrize("facts", [*MID_STREAM, {"outcome": "timeout"}], ids=lambda facts: str(facts["outcome"]))
def test_nothing_retries_once_a_200_has_begun(policy: str, facts: dict[str, Any]) -> None:
    """In every library: one attempt, whatever happens in the stream."""
    assert len(always(policy, status(200, **facts)).sends) == 1


@pytest.mark.parametrize("outcome", ["refused", "reset", "timeout"])
def test_no_answer_at_all_is_retried(outcome: Outcome) -> None:
    """Connection refused, reset before any byte, and a timeout: three attempts."""
    assert len(always("openai-python", HUNG._replace(outcome=outcome)).sends) == 3


def test_a_hung_server_costs_half_an_hour() -> None:
    """With the defaults, 3 x 600 s pass before the one exception."""
    told = always("openai-python", HUNG)

    assert len(told.sends) == 3
    assert told.ended == pytest.approx(1800, abs=2)


def test_google_waits_for_ever() -> None:
    """No timeout at all: only the user's patience ends it."""
    assert always("google-genai", HUNG).sends[0].timeout == 3600.0


def test_the_timeout_can_be_set() -> None:
    """`policy: {name: openai-python, timeout: 20s}`."""
    assert always({"name": "openai-python", "timeout": "20s"}, HUNG).sends[0].timeout == 20.0


def test_the_router_sleeps_before_it_raises() -> None:
    """Three attempts, and the error shows 2 to 2.75 s after the last one."""
    told = always("litellm-router", DOWN)

    assert 2.0 <= told.ended - told.sends[-1].at <= 2.75


@pytest.mark.parametrize(("policy", "each"), [("litellm-router", 3), ("openai-python", 3), ("langchain-with-retry", 9)])
def test_a_fallback_is_tried_when_all_is_exhausted(policy: Words, each: int) -> None:
    """A fallback model gets all the attempts again: 3 + 3 for the Router, as measured."""
    told = always(policy, DOWN, falls_over_to="other")

    assert told.providers == ["main"] * each + ["other"] * each


def test_a_pair_of_deployments_is_asked_without_a_wait() -> None:
    """Router, two deployments: gaps of nothing, 3 attempts on 503, and only 2 on 429, which cools a deployment down."""
    refused = [always("litellm-router-pair", DOWN, seed=seed, falls_over_to="other") for seed in SEEDS]
    limited = [always("litellm-router-pair", LIMITED, seed=seed, falls_over_to="other") for seed in SEEDS]

    assert {len(told.sends) for told in refused} == {3}
    assert {len(told.sends) for told in limited} == {2}
    assert {frozenset(told.providers) for told in limited} == {frozenset({"main", "other"})}
    assert max(gap for told in refused for gap in told.gaps) <= 0.01


def test_a_single_deployment_never_cools_down() -> None:
    """With nothing to fall over to a 429 is tried three times."""
    assert always("litellm-router-pair", LIMITED).providers == ["main"] * 3


def test_a_cooled_down_deployment_is_back_after_five_seconds() -> None:
    """After a 429 everyone goes to the other deployment; five seconds later both are asked again."""
    shared = policies("litellm-router-pair", falls_over_to="other")
    first = play(shared.new_client(Random(1)), answers(LIMITED, status(200, outcome="ok")))
    limited = first.providers[0]

    soon = {
        play(shared.new_client(Random(seed)), answers(status(200, outcome="ok")), 1.0).providers[0] for seed in SEEDS
    }
    later = {
        play(shared.new_client(Random(seed)), answers(status(200, outcome="ok")), 5.1).providers[0] for seed in SEEDS
    }

    assert soon == {"main", "other"} - {limited}
    assert later == {"main", "other"}
