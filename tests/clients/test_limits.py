"""What holds for every policy, whatever the words, the server and the chance: patience, attempts, reaction times."""

from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from mockbot.clients.policy import AttemptResult, Send
from mockbot.scenario.policies import POLICY_NAMES
from tests.clients.play import DOWN, HUNG, LIMITED, OK, Server, play, policies, status

SOME = st.sampled_from([None, 0.0, 0.5, 20.0, 500.0])
ANSWERS = st.sampled_from(
    [
        DOWN,
        LIMITED,
        HUNG,
        OK,
        status(400),
        *[status(200, outcome=bad) for bad in ("reset", "slow", "truncated", "blank")],
    ]
)
PARTS: dict[str, Any] = {
    "budget": st.sampled_from(["grpc", "finagle", "per_success"]),
    "breaker": st.sampled_from(["consecutive", "windowed"]),
    "throttle": st.sampled_from([1.1, 2.0]),
    "hedge": st.just("2s"),
    "fail_over": st.sampled_from(["retry", "exhausted"]),
    "attempts": st.integers(1, 12),
    "retry_after": st.sampled_from([True, False, "exact"]),
}
COMPOSED = st.fixed_dictionaries({"name": st.sampled_from(["backoff", "informed"])}, optional=PARTS)
POLICIES = st.one_of(st.sampled_from(POLICY_NAMES), COMPOSED)


def _server(seed: int, seen: list[AttemptResult], told: float | None) -> Server:
    rng = Random(seed)

    def serve(send: Send) -> AttemptResult:
        return rng.choice(seen)._replace(provider=send.provider, started=send.at, retry_after=told)

    return serve


@settings(max_examples=150, deadline=None)
@given(
    policy=POLICIES,
    seen=st.lists(ANSWERS, min_size=1, max_size=4),
    told=SOME,
    patience=st.floats(0.5, 200.0),
    takes=st.sampled_from([0.0, 0.3, 40.0]),
    other=st.sampled_from([None, "other"]),
    seed=st.integers(0, 2**32),
)
def test_nothing_is_sent_after_the_patience_is_over(
    policy: Any,
    seen: list[AttemptResult],
    told: float | None,
    patience: float,
    takes: float,
    other: str | None,
    seed: int,
) -> None:
    """No attempt starts after it, none lasts past it, and the user leaves at that moment at the latest."""
    users = policies(policy, patience=patience, falls_over_to=other)
    client, server = users.new_client(Random(seed)), _server(seed, seen, told)

    for begun in (0.0, 1000.0, 2000.0):  # what is shared, is used
        prompt = play(client, server, begun, takes=takes)

        assert all(send.at < begun + patience for send in prompt.sends)
        assert all(send.at + send.timeout <= begun + patience + 1e-6 for send in prompt.sends)
        assert prompt.ended <= begun + patience + 1e-6


@settings(max_examples=80, deadline=None)
@given(
    attempts=st.integers(1, 9),
    parts=st.fixed_dictionaries(
        {}, optional={key: PARTS[key] for key in ("budget", "breaker", "throttle", "retry_after")}
    ),
    seen=st.lists(ANSWERS, min_size=1, max_size=4),
    told=SOME,
    seed=st.integers(0, 2**32),
)
def test_attempts_never_exceed_the_limit(
    attempts: int, parts: dict[str, Any], seen: list[AttemptResult], told: float | None, seed: int
) -> None:
    """Not with any part around the back-off, and not with any answer."""
    client = policies({"name": "backoff", "attempts": attempts, **parts}).new_client(Random(seed))

    for begun in (0.0, 10_000.0):
        assert len(play(client, _server(seed, seen, told), begun).sends) <= attempts


@settings(max_examples=80, deadline=None)
@given(policy=POLICIES, told=SOME, seed=st.integers(0, 2**32))
def test_nobody_reacts_in_no_time(policy: Any, told: float | None, seed: int) -> None:
    """At least a millisecond between an error and the next attempt, at least a second for a person."""
    client = policies(policy, patience="5m", falls_over_to="other").new_client(Random(seed))

    gaps = play(client, _server(seed, [DOWN], told)).gaps

    assert all(gap >= (1.0 if policy == "refresh" else 0.001) - 1e-9 for gap in gaps)


@settings(max_examples=40, deadline=None)
@given(policy=POLICIES, seed=st.integers(0, 2**32))
def test_the_same_seed_decides_the_same(policy: Any, seed: int) -> None:
    """Two runs with one seed make the same moves at the same times."""
    runs = [
        play(
            policies(policy, falls_over_to="other").new_client(Random(seed)),
            _server(seed, [DOWN, LIMITED], 2.0),
            takes=0.2,
        )
        for _ in range(2)
    ]

    assert runs[0] == runs[1]


def test_a_retry_that_is_never_sent_costs_no_budget() -> None:
    """Waits of 20 s in a patience of 10 s: nobody retries, so the fourth prompt's reason is still its patience."""
    policy = {"name": "fixed", "attempts": 3, "wait": "20s", "budget": {"name": "per_success", "burst": 3}}
    users = policies(policy, patience=10.0)

    ends = [play(users.new_client(Random(n)), _server(n, [DOWN], None), 0.0).gave_up for n in range(4)]

    assert [end and end.why for end in ends] == ["patience"] * 4
