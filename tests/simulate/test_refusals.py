"""What an engine cannot express it refuses, by the name that the file gives it; and what can be scaled is bounded."""

from typing import Any

import pytest

from mockbot.errors import UsageError
from mockbot.scenario.scale import scaled_to
from mockbot.simulate.engines import choose
from mockbot.simulate.fast.refusals import refusals
from tests.simulate.build import scenario

pytest.importorskip("numba")

POLICIES: dict[str, Any] = {
    "budget": {"name": "backoff", "budget": "grpc"},
    "breaker": {"name": "backoff", "breaker": "consecutive"},
    "throttle": {"name": "backoff", "throttle": 2.0},
    "hedge": {"name": "backoff", "hedge": "1s"},
    "policy informed": "informed",
    "policy litellm-router": "litellm-router",
    "policy openai-python": "openai-python",
    "more than one exponential retry loop": {"name": "backoff", "jitter": "decorrelated"},
}
PROVIDERS: dict[str, Any] = {
    "queue.order lifo": {"queue": {"order": "lifo"}},
    "queue.max_wait": {"queue": {"max_wait": "5s"}},
    "queue.first": {"queue": {"first": ["free"]}},
    "abandoned_work stops": {"abandoned_work": "stops"},
    "answer.slowdown_from": {"answer": {"slowdown_from": 5}},
    "token_limits": {"token_limits": {"free": "1000/m"}},
    "refusal_cost": {"refusal_cost": "100ms"},
    "replicas": {"replicas": 2},
    "answer.tokens beyond 4,294,967,295": {"answer": {"tokens": {"median": 40_000, "p95": 40_000_000}}},
}
FAULTS: list[Any] = [
    {"latency": "1s"},
    {"bandwidth": "1000/s"},
    {"timeout": "3s"},
    {"reset_peer": "1s"},
    {"slicer": {"average_size": 64}},
    {"slow_close": "1s"},
    {"limit_data": 1500},
    {"stall": "nothing"},
    {"cut": "reset"},
    {"error_event": "server_error"},
    {"malformed_event": 3},
    {"blank_answer": True},
    {"http_error": 503, "endpoint": "/v1/embeddings"},
    {"http_error": {"status": 503, "retry_after": {"ms": "700ms"}}},
    {"http_error": {"status": 503, "headers": {"x-should-retry": "false"}}},
]


def _refused(**more: Any) -> str:
    """What --engine fast says; `auto` takes the reference instead, however many there are."""
    world = scaled_to(scenario(**more), 1e5).scenario
    with pytest.raises(UsageError) as refusal:
        choose("fast", world)
    assert choose("auto", world) == "reference"
    return str(refusal.value)


@pytest.mark.parametrize("named", POLICIES)
def test_a_client_that_is_too_much_for_the_fast_engine_is_named(named: str) -> None:
    """The group, and the part of its policy."""
    assert f"group all: {named}" in _refused(group={"policy": POLICIES[named]}).replace("policy backoff with ", "")


@pytest.mark.parametrize("named", PROVIDERS)
def test_a_provider_that_is_too_much_for_the_fast_engine_is_named(named: str) -> None:
    """The provider, and the key."""
    assert f"provider main: {named}" in _refused(provider=PROVIDERS[named])


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: next(iter(fault)))
def test_a_fault_that_is_too_much_for_the_fast_engine_is_named(fault: dict[str, Any]) -> None:
    """Where it stands in the file, and what it is."""
    assert f"fault bad.0.{next(iter(fault))}" in _refused(faults=[fault])


def test_falling_over_is_named() -> None:
    """A group that falls over has two providers, and each of the engine's users has one."""
    providers = {"main": {"slots": 1000}, "other": {"slots": 10}}

    assert "group all: falls_over_to" in _refused(group={"falls_over_to": "other"}, providers=providers)


@pytest.mark.parametrize(("pause", "refused"), [("30s", True), ("70s", False)])
def test_users_who_come_while_others_leave_are_named(pause: str, refused: bool) -> None:
    """Who has left may still be within a prompt, for as long as its patience; after that its place is free."""
    phases = [
        {"name": "rush", "lasts": "1m", "users": 80},
        {"name": "ebb", "lasts": pause, "users": 20},
        {"name": "rush-again", "lasts": "1m", "users": "20 -> 80"},
    ]

    assert refusals(scenario(phases=phases)) == ["group all: users come while others leave"] * refused


def test_everything_is_named_at_once() -> None:
    """Who mends one thing is not told the next one afterwards."""
    said = _refused(faults=[{"latency": "1s"}], provider={"queue": {"order": "lifo"}}, group={"policy": "informed"})

    assert all(name in said for name in ("informed", "lifo", "bad.0.latency", "--engine reference"))


@pytest.mark.parametrize("users", [0, -5, 1e12, float("inf"), float("nan")])
def test_absurd_crowds_are_refused(users: float) -> None:
    """With the number of users that may be."""
    with pytest.raises(UsageError, match="--users"):
        scaled_to(scenario(), users)
