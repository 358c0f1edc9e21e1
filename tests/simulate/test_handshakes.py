"""Faults of the TLS handshake in virtual time: new connections meet them, open ones go on."""

import pytest

from mockbot.simulate.fast.refusals import refusals
from tests.simulate.build import Lived, live_through, scenario


def _lived(think: str, **tls: object) -> Lived:
    group = {"users": "100%", "policy": {"name": "once", "timeout": "20s"}, "think": think}
    return live_through(scenario([tls], group=group))


@pytest.mark.parametrize("how", ["expired", "wrong_host", "refused"])
def test_a_handshake_that_fails_is_a_tls_error_at_once(how: str) -> None:
    """Every attempt that needs a new connection fails, and each is counted as one that felt the fault."""
    lived = _lived("60s", tls=how)
    failed = [attempt for attempt in lived.during(100, 200) if attempt.outcome == "tls_error"]

    assert lived.outcomes(0, 95) == lived.outcomes(201, 290) == {"ok"}
    assert {attempt.end - attempt.start for attempt in failed} == {0.0}
    assert len(failed) > 0.5 * len(lived.during(100, 200))
    assert sum(second.felt.get("bad.0.tls", 0) for second in lived.seconds) == len(failed)


def test_a_slow_handshake_delays_the_first_token() -> None:
    """1 s as usual, and 7 s for ServerHello."""
    firsts = {round(a.first_token or 0, 3) for a in _lived("60s", tls={"how": "slow", "delay": "7s"}).during(101, 190)}

    assert firsts <= {1.0, 8.0}
    assert 8.0 in firsts


def test_a_slow_handshake_beyond_the_timeout_is_one() -> None:
    """The client gives up before ServerHello; the provider never sees the request."""
    lived = _lived("60s", tls={"how": "slow", "delay": "25s"})
    late = [attempt for attempt in lived.during(101, 170) if attempt.outcome == "timeout"]

    assert late
    assert sum(second.offered for second in lived.seconds) == len(lived.attempts) - len(
        [attempt for attempt in lived.attempts if attempt.outcome == "timeout"]
    )


def test_a_connection_that_is_open_goes_on() -> None:
    """Users who ask again within five seconds never need a new handshake after their first one."""
    group = {"users": "100%", "policy": "once", "think": "0s"}
    world = scenario([{"tls": "expired"}], group=group)

    assert live_through(world).outcomes(0, 300) == {"ok"}


def test_the_fast_engine_refuses_it_by_name() -> None:
    """It keeps no connections."""
    assert refusals(scenario([{"tls": "refused"}])) == ["fault bad.0.tls"]
