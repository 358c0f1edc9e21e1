"""Informed users read the status page itself: they know what it shows, and nothing while it is down."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.load.conftest import Inside
from tests.load.fault_server import FaultServer

pytestmark = pytest.mark.live

T0 = datetime(2024, 11, 8, 16, 6, tzinfo=UTC).timestamp()
SAID = [
    {"at": "0s", "state": "investigating", "says": "We look."},
    {"at": "5m", "state": "identified", "says": "Back at four.", "back_in": "15m", "provider": "main"},
]
INFORMED = {"name": "informed", "attempts": 4, "base": "1ms", "cap": "1ms", "look": "10m", "return_within": "0s"}


def _read(inside: Inside, speed: float, *urls: str) -> list[dict[str, Any] | None]:
    seen: list[dict[str, Any] | None] = inside("reading", str(T0), str(speed), json.dumps(SAID), *urls)
    return seen


def test_a_reader_sees_what_the_page_shows(inside: Inside, faults: FaultServer) -> None:
    """The newest update of what is open, since when in scenario time, and what its words mean in the scenario."""
    seen, calm, *unknown = _read(
        inside,
        15.0,
        f"{faults.url}/incident",
        f"{faults.url}/all_well",
        f"{faults.url}/unavailable",
        "http://127.0.0.1:1",
    )

    assert seen is not None
    assert seen["since"] == pytest.approx(20 * 15)
    assert (seen["state"], seen["back_in"], seen["provider"]) == ("identified", "15m", "main")
    assert calm is None
    assert [each and each["page"] for each in unknown] == ["empty", "empty"]  # neither an outage nor its end


@pytest.mark.parametrize(("page", "attempts"), [("incident", 1), ("all_well", 4), ("unavailable", 4)])
def test_what_the_page_shows_decides_what_is_sent(
    inside: Inside, faults: FaultServer, page: str, attempts: int
) -> None:
    """While an incident is shown nothing more is sent; a page that is green or down stops nobody."""
    group = {"users": "100%", "policy": INFORMED, "patience": "1s", "stream": False}
    records = inside("asking", f"{faults.url}/reset_before_headers", json.dumps(group), "1", f"{faults.url}/{page}")

    assert [record["attempts"] for record in records if record["kind"] == "prompt"] == [attempts]
