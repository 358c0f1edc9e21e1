"""`mockbot serve --control-port`: its control endpoint where somebody else's script expects it."""

import socket
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from tests.commands.build import run, scenario_file
from tests.commands.test_serve import served

pytestmark = pytest.mark.second


def free_port() -> int:
    """A port that nobody has at the moment."""
    with closing(socket.socket()) as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
    return port


def test_its_control_endpoint_is_where_it_is_told(tmp_path: Path) -> None:
    """The printed address has the port that was asked for, and answers."""
    port = free_port()
    with served(tmp_path, "--hold", "calm", "--control-port", str(port)) as play:
        play.until("^calm ")

        assert play.control() == f"http://127.0.0.1:{port}/_mockbot/play"
        assert httpx.get(play.control(), trust_env=False).json()["phase"] == "calm"


def test_a_taken_control_port_is_named(tmp_path: Path) -> None:
    """Exit code 4, with the port."""
    with closing(socket.socket()) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        port = sock.getsockname()[1]
        done = run("serve", scenario_file(tmp_path), "--control-port", str(port))

    assert done.returncode == 4
    assert f"the control endpoint cannot listen on port {port}" in done.stderr
