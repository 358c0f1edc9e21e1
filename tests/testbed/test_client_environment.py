"""The variables that a client gets."""

from mockbot.testbed.client_environment import environment
from mockbot.testbed.start import Addresses
from tests.scenario.build import scenario


def test_no_address_bypasses_proxies_twice_or_breaks_an_old_client() -> None:
    """httpx 0.24.0 raises InvalidURL for ::1 (encode/httpx#2674); what the user has set stays, in its order."""
    addresses = Addresses("", "", dict.fromkeys(("main", "other"), "http://127.0.0.1:3"), {}, {}, 1.0)
    base = {"NO_PROXY": "10.0.0.0/8, localhost,,localhost"}

    variables = environment(scenario(), addresses, base)

    assert variables["NO_PROXY"] == variables["no_proxy"] == "10.0.0.0/8,localhost,127.0.0.1"
