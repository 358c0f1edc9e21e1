"""Which service faults hit which requests."""

from typing import Any

import pytest

from mockbot.faults.base import ServiceFault
from mockbot.faults.blank_answer import BlankAnswer
from mockbot.faults.cut import Cut
from mockbot.faults.http_error import HttpError
from mockbot.faults.maintenance import Maintenance
from mockbot.faults.rate_limited import RateLimited
from mockbot.faults.shed import Shed
from mockbot.faults.slow import Slow
from mockbot.faults.stall import Stall
from mockbot.service.active_faults import ActiveFaults, Failed
from tests.service.values import active

CHAT = "/v1/chat/completions"


def faults_of(*faults: ServiceFault, seed: int = 1, **span: Any) -> ActiveFaults:
    """A provider at which these faults hold."""
    holding = ActiveFaults(seed, "main")
    holding.set([active(fault, **span) for fault in faults])
    return holding


def http_error(status: int = 503, **scope: Any) -> HttpError:
    """An http_error fault as a file would write it."""
    return HttpError.model_validate({"http_error": status, **scope})


def share_hit(faults: ActiveFaults, n: int = 10_000, now: float = 0.0) -> float:
    """How many of n requests by n keys are failed at the edge."""
    return sum(faults.at_the_edge(now, "free", f"sk-free-{i}", CHAT) is not None for i in range(n)) / n


def test_maintenance_answers_before_an_http_error_whatever_the_file_says_first() -> None:
    """The order is that of `FAULTS`, not the file's."""
    faults = faults_of(
        RateLimited.model_validate({"rate_limited": True}),
        http_error(500),
        Maintenance.model_validate({"maintenance": True}),
    )

    failed = faults.at_the_edge(0.0, "free", "key", CHAT)

    assert failed is not None
    assert (failed.fault, failed.answer.status) == ("maintenance", 503)


def test_maintenance_tells_until_when() -> None:
    """Retry-After is what is left of the fault."""
    maintenance = Maintenance.model_validate({"maintenance": True})
    faults = faults_of(maintenance, start=100, end=400)

    assert faults.at_the_edge(150.0, "free", "key", CHAT) == Failed("maintenance", maintenance.effect(), 250.0)


def test_a_fault_hits_nobody_after_its_end_though_the_driver_is_late() -> None:
    """A client that comes back when Retry-After says must not meet the last moment of the window."""
    faults = faults_of(http_error(), start=0.0, end=60.0)

    assert faults.at_the_edge(59.99, "free", "key", CHAT) is not None
    assert faults.at_the_edge(60.0, "free", "key", CHAT) is None


def test_maintenance_spares_what_is_exempt() -> None:
    """The model list still answers."""
    faults = faults_of(Maintenance.model_validate({"maintenance": True}))

    assert faults.at_the_edge(0.0, "free", "key", "/v1/models") is None


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 1.0])
def test_a_share_of_requests_is_hit(share: float) -> None:
    """Within sampling error of what was asked for."""
    assert share_hit(faults_of(http_error(share=f"{share:.0%}"))) == pytest.approx(share, abs=0.02)


def test_a_ramp_is_read_at_the_moment_of_the_request() -> None:
    """A quarter into a ramp from nothing to all, a quarter is hit, although no update was sent."""
    faults = faults_of(http_error(share="0% -> 100%"), start=100, end=200)

    assert share_hit(faults, now=125.0) == pytest.approx(0.25, abs=0.02)


def test_a_share_of_keys_is_always_the_same_keys() -> None:
    """A key that fails always fails, one that does not never does, and more keys are those and others."""
    keys = [f"sk-free-{n}" for n in range(2000)]

    def failing(share: str) -> set[str]:
        faults = faults_of(http_error(keys=share))
        hits = [{key for key in keys if faults.at_the_edge(0.0, "free", key, CHAT)} for _ in range(3)]
        assert hits[0] == hits[1] == hits[2]
        return hits[0]

    some, more = failing("30%"), failing("60%")
    assert len(some) / 2000 == pytest.approx(0.3, abs=0.04)
    assert some < more


def test_scope_by_tier_and_endpoint() -> None:
    """Only the tier named, only paths that begin so."""
    faults = faults_of(http_error(tier="plus", endpoint="/v1/chat"))

    assert faults.at_the_edge(0.0, "plus", "key", CHAT)
    assert not faults.at_the_edge(0.0, "free", "key", CHAT)
    assert not faults.at_the_edge(0.0, "plus", "key", "/v1/models")


def test_one_fault_more_changes_nobody_elses_luck() -> None:
    """Each fault draws from its own stream."""
    alone = faults_of(http_error(500, share="40%"))
    both = faults_of(http_error(500, share="40%"), Slow.model_validate({"slow": 2.0, "share": "50%"}))

    def luck(faults: ActiveFaults) -> list[bool]:
        hits = []
        for _ in range(200):
            faults.slowness(0.0, "free", "key", CHAT)
            hits.append(faults.at_the_edge(0.0, "free", "key", CHAT) is not None)
        return hits

    assert luck(alone) == luck(both)


def test_updating_a_ramp_does_not_start_its_luck_anew() -> None:
    """A stream goes on over updates; otherwise each update would hit the same few first requests."""
    fault = active(http_error(share="50%"))
    faults = ActiveFaults(1, "main")
    faults.set([fault])
    first = [faults.at_the_edge(0.0, "free", "key", CHAT) is not None for _ in range(64)]
    faults.set([fault])

    assert [faults.at_the_edge(0.0, "free", "key", CHAT) is not None for _ in range(64)] != first


def test_shedding_lets_a_share_of_a_tier_in() -> None:
    """Free users first: none of free, half of plus, all of the tiers that are not named."""
    faults = faults_of(Shed.model_validate({"shed": {"admit": {"free": "0%", "plus": "50%"}}}))

    shed = {
        tier: sum(faults.shed_by(0.0, tier, "key", CHAT) is not None for _ in range(2000))
        for tier in ("free", "plus", "team")
    }

    assert (shed["free"], shed["team"]) == (2000, 0)
    assert shed["plus"] / 2000 == pytest.approx(0.5, abs=0.05)


def test_slowness_adds_up() -> None:
    """Factors multiply, delays add, and both faults are named."""
    faults = ActiveFaults(1, "main")
    faults.set(
        [
            active(Slow.model_validate({"slow": 2.0}), id="a"),
            active(Slow.model_validate({"slow": {"factor": 3.0, "first_token": "5s"}}), id="b"),
        ]
    )

    slowness = faults.slowness(0.0, "free", "key", CHAT)

    assert slowness is not None
    assert (slowness.factor, slowness.added, slowness.faults) == (6.0, 5.0, ("a", "b"))


def test_flaws_come_in_the_order_of_their_tokens() -> None:
    """And at the same token in the module's order."""
    faults = faults_of(
        BlankAnswer.model_validate({"blank_answer": True}),
        Cut.model_validate({"cut": {"after_tokens": 5}}),
        Stall.model_validate({"stall": {"after_tokens": 5}}),
    )

    assert [fault.fault for fault in faults.stream_faults(0.0, "free", "key", CHAT)] == [
        "blank_answer",
        "stall",
        "cut",
    ]
