"""The control port: for our programs, and for nobody else."""

import json
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from mockbot.errors import TestbedError
from mockbot.faults.http_error import HttpError
from mockbot.service.control_client import ServiceControl
from tests.service.conftest import Serve
from tests.service.values import active, scenario_of

pytestmark = pytest.mark.live


def test_every_service_fault_crosses_the_control_port(serve: Serve) -> None:
    """A fault arrives with its scope and ramp as it was sent."""
    served = serve()
    fault = HttpError.model_validate({"http_error": 502, "share": "10% -> 90%", "tier": "plus", "keys": "30%"})
    served.control.set_faults("main", [active(fault, start=10, end=20)])

    with pytest.raises(TestbedError, match="no provider 'mian'; there are main"):
        served.control.set_faults("mian", [])


@pytest.mark.parametrize("headers", [{"user-agent": "Mozilla/5.0 (X11)"}, {"origin": "http://evil.example"}])
def test_browsers_are_refused(serve: Serve, headers: dict[str, str]) -> None:
    """No web page reaches into a run."""
    served = serve()

    assert httpx.get(f"{served.control_url}/_mockbot/health", headers=headers).status_code == 403
    assert httpx.get(f"{served.control_url}/_mockbot/health").status_code == 200


def test_control_is_not_on_the_public_port(serve: Serve) -> None:
    """The provider knows no such path."""
    served = serve()

    assert httpx.put(f"{served.main}/_mockbot/status", content="null").status_code == 404


def test_an_address_that_others_can_reach_needs_a_token(tmp_path: Path) -> None:
    """Bound to all addresses, control answers only to whoever has read the first line of output."""
    file = tmp_path / "scenario.json"
    file.write_text(scenario_of({"main": {}}).model_dump_json(), "utf-8")
    arguments = [sys.executable, "-m", "mockbot.service", str(file), "--host", "0.0.0.0", "--lease-stdin"]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        stranger, friend = ServiceControl(ready["control"]), ServiceControl(ready["control"], ready["token"])

        with pytest.raises(TestbedError, match="401"):
            stranger.set_status(None)
        friend.set_status(None)
        process.communicate()

    assert process.returncode == 0


def test_the_service_leaves_with_its_parent(tmp_path: Path) -> None:
    """When stdin ends the process ends, and its ports are free."""
    file = tmp_path / "scenario.json"
    file.write_text(scenario_of({"main": {}}).model_dump_json(), "utf-8")
    arguments = [sys.executable, "-m", "mockbot.service", str(file), "--lease-stdin"]
    with subprocess.Popen(
        arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        port = int(json.loads(process.stdout.readline())["providers"]["main"].rsplit(":", 1)[1])
        _, errors = process.communicate()

    assert (process.returncode, errors) == (0, "")
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", port))


def test_a_service_that_is_gone_is_a_testbed_error() -> None:
    """The driver is told in words, not with somebody's traceback."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        control = ServiceControl(f"http://127.0.0.1:{sock.getsockname()[1]}")

        with pytest.raises(TestbedError, match="does not answer"):
            control.seconds(0)
