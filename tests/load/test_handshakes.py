"""What the crowd makes of faults of the TLS handshake: a user of the fast client, and one with an official SDK."""

import json

import pytest

from mockbot.interception.interceptor_control import InterceptorControl
from mockbot.scenario.schema import Scenario
from mockbot.scenario.timeline import Timeline
from mockbot.testbed.start import open_testbed
from tests.load.conftest import Inside

pytestmark = [pytest.mark.live, pytest.mark.second]
FAULTS = {"expired": "expired", "wrong-host": "wrong_host", "slow": "slow", "refused": "refused"}
QUICK = {"answer": {"first_token": "20ms", "tokens": {"median": 10, "p95": 10}, "pace": "1000/s"}}
BAD = [{"on": on, "tls": how} for on, how in FAULTS.items()]
SCENARIO = Scenario.model_validate(
    {
        "name": "handshakes",
        "title": "Each provider has a fault of its own",
        "providers": dict.fromkeys(("main", *FAULTS), QUICK),
        "crowd": {"one": {"users": "100%", "policy": "once"}},
        "phases": [{"name": "all", "lasts": "60s", "users": 1, "faults": BAD}],
    }
)


def test_a_failed_handshake_is_a_tls_error_and_a_slow_one_a_timeout(inside: Inside) -> None:
    """For both kinds of users; where nothing is wrong, the run's CA is trusted."""
    with open_testbed(SCENARIO, 1.0, None) as addresses:
        for provider in addresses.providers:
            holding = Timeline(SCENARIO).at(1.0).of(provider)
            InterceptorControl(addresses.interceptor).set_faults(provider, holding, 1.0)
        outcomes = inside("handshakes", addresses.authority, json.dumps(dict(addresses.providers)))
        felt = InterceptorControl(addresses.interceptor).felt()

    failed = dict.fromkeys(("expired", "wrong-host", "refused"), ["tls_error"] * 2)
    assert outcomes == {"main": ["ok"] * 2, "slow": ["timeout"] * 2, **failed}
    assert all(sum(felt[provider].values()) >= 2 for provider in FAULTS)
