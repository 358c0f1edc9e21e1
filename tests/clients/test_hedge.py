"""Hedging: a second attempt beside a slow first one, never more than allowed."""

from random import Random

from mockbot.clients.policy import AttemptResult, GiveUp, Send
from tests.clients.play import DOWN, policies


def _slow(policy: dict[str, object], seed: int = 1) -> tuple[Send | None, Send]:
    """The first attempt of a user, and what hedging it after three seconds gives."""
    client = policies({"name": "once", **policy}).new_client(Random(seed))
    first = client.begin(0.0)
    assert isinstance(first, Send)
    return client.hedge(3.0, first), first


def test_a_slow_attempt_is_hedged() -> None:
    """`hedge: 3s`: the attempt says when to hedge, and the twin starts then, within the patience."""
    twin, first = _slow({"hedge": "3s"})

    assert first.hedge_after == 3.0
    assert twin == Send(3.0, "main", 30.0, None)


def test_at_most_one_twin() -> None:
    """A second hedge of the same prompt is refused; with `at_most: 2` the third is."""
    client = policies({"name": "once", "hedge": {"after": "3s", "at_most": 2}}).new_client(Random(1))
    first = client.begin(0.0)
    assert isinstance(first, Send)

    twins = [client.hedge(3.0 * n, first) for n in (1, 2, 3)]

    assert [twin is not None for twin in twins] == [True, True, False]


def test_without_the_word_nothing_is_hedged() -> None:
    """A policy without `hedge` names no time, and makes no twin."""
    twin, first = _slow({})

    assert twin is None
    assert first.hedge_after is None


def test_a_budget_limits_hedges() -> None:
    """gRPC: no hedge while the tokens are at half or less (gRFC A6)."""
    client = policies({"name": "once", "hedge": "3s", "budget": "grpc"}).new_client(Random(1))
    for start in range(5):
        assert isinstance(client.begin(float(start)), Send)
        client.after(start + 0.5, DOWN._replace(started=float(start)))
    first = client.begin(10.0)
    assert isinstance(first, Send)

    assert client.hedge(13.0, first) is None


def test_a_half_open_breaker_gets_one_probe_and_no_twin() -> None:
    """The probe may be slow; hedging it would be a second probe."""
    client = policies({"name": "once", "hedge": "3s", "breaker": {"name": "consecutive", "failures": 1}}).new_client(
        Random(1)
    )
    client.begin(0.0)
    client.after(0.0, DOWN)
    probe = client.begin(31.0)
    assert isinstance(probe, Send)

    assert client.hedge(34.0, probe) is None


def test_an_abandoned_twin_is_no_failure() -> None:
    """The first answer wins; the breaker that opens after one failure stays closed, and its probe's place is free."""
    client = policies({"name": "once", "hedge": "3s", "breaker": {"name": "consecutive", "failures": 1}}).new_client(
        Random(1)
    )
    first = client.begin(0.0)
    assert isinstance(first, Send)
    assert client.hedge(3.0, first) is not None

    client.succeeded(4.0, AttemptResult("ok", "main", 3.0, 200))
    client.beside(4.0, AttemptResult("unfinished", "main", 0.0))

    assert isinstance(client.begin(5.0), Send)


def test_both_fail_and_the_prompt_is_over() -> None:
    """The first failure is only told, the last one asks; both are counted."""
    client = policies({"name": "once", "hedge": "3s"}).new_client(Random(1))
    first = client.begin(0.0)
    assert isinstance(first, Send)
    assert client.hedge(3.0, first) is not None

    client.beside(4.0, DOWN)

    assert client.after(5.0, DOWN) == GiveUp(5.0, "2 attempts")


def test_a_hedge_that_the_breaker_forbids_is_not_paid_for() -> None:
    """The breaker opened meanwhile; the budget's only token is still there for the next hedge."""
    guards = {"breaker": {"name": "consecutive", "failures": 1}, "budget": {"name": "per_success", "burst": 1}}
    client = policies({"name": "once", "hedge": "3s", **guards}).new_client(Random(1))
    first = client.begin(0.0)
    assert isinstance(first, Send)
    client.beside(1.0, DOWN)
    assert client.hedge(3.0, first) is None

    assert isinstance(client.begin(40.0), Send)  # the probe
    client.succeeded(41.0, AttemptResult("ok", "main", 40.0, 200))
    again = client.begin(42.0)
    assert isinstance(again, Send)
    assert client.hedge(45.0, again) is not None
