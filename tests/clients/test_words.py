"""What a scenario may say about a policy: it survives being written and read, and is refused when wrong."""

from typing import Any

import pytest
from pydantic import ValidationError

from mockbot.scenario.policies import POLICY_NAMES, Backoff
from mockbot.scenario.resilience_specs import Grpc
from mockbot.scenario.schema import Group
from tests.clients.play import group

COMPOSED: list[Any] = [
    {"name": "backoff", "attempts": 6, "budget": "grpc", "breaker": {"name": "windowed", "failures": "40%"}},
    {"name": "backoff", "jitter": "decorrelated", "retry_after": "exact", "throttle": 2},
    {"name": "fixed", "wait": "3s", "hedge": "2s", "fail_over": {"when": "retry", "failures": 2, "stay": "5m"}},
    {"name": "once", "budget": "finagle", "throttle": {"k": 1.5, "window": "1m"}, "processes": 20},
    {"name": "sdk", "retries": 5, "budget": {"name": "per_success", "earns": "20%", "burst": 50}},
    {"name": "informed", "look": "30s", "breaker": "consecutive", "fail_over": "breaker"},
    {"name": "google-genai-retrying", "timeout": "1m"},
]


@pytest.mark.parametrize("words", [*POLICY_NAMES, *COMPOSED], ids=str)
def test_every_policy_is_the_same_when_it_is_read_again(words: Any) -> None:
    """To JSON and back, as the service and Locust's child get it."""
    before = group(words)

    assert Group.model_validate_json(before.model_dump_json()) == before


def test_a_name_alone_is_the_thing_with_its_defaults() -> None:
    """`policy: backoff`, `budget: grpc`."""
    assert group("backoff").policy == Backoff()
    assert group({"name": "backoff", "budget": "grpc"}).policy == Backoff(budget=Grpc())


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("bakoff", "bakoff"),
        ("a preset", "Input should be 'openai-python'"),
        ("own", "'own' found using"),
        ({"attempts": 3}, "Unable to extract tag"),
        ({"name": 3}, "Unable to extract tag"),
        ({"name": "once", "attempts": 3}, "attempts"),
        ({"name": "openai-node", "budget": "grpc"}, "budget"),
        ({"name": "refresh", "breaker": "consecutive"}, "breaker"),
        ({"name": "backoff", "budget": "gprc"}, "gprc"),
        ({"name": "backoff", "breaker": {"failures": 3}}, "Unable to extract tag"),
        ({"name": "backoff", "breaker": {"name": "windowed", "failures": 3}}, "not a share"),
        ({"name": "backoff", "retry_after": "sometimes"}, "exact"),
        ({"name": "backoff", "fail_over": "breaker"}, "has no breaker; add breaker: consecutive"),
        ({"name": "backoff", "fail_over": {"when": "exhausted", "failures": 3}}, "for 'when: retry' only"),
        ({"name": "backoff", "throttle": 0.5}, "greater than or equal to 1"),
        ({"name": "backoff", "attempts": 0}, "greater than or equal to 1"),
        ({"name": "backoff", "hedge": 3}, "is not a duration"),
    ],
    ids=str,
)
def test_wrong_words_are_refused(words: Any, says: str) -> None:
    """A typo, a part where it has no meaning, a number out of bounds."""
    with pytest.raises(ValidationError, match=says):
        Group.model_validate({"users": "100%", "policy": words}, context={"file": True})
