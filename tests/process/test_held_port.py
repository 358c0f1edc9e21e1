"""A port that a child process will listen on stays ours until it does."""

import socket
import sys

import pytest

from mockbot.process.held_port import held_port


def test_the_wanted_port_is_given_if_it_is_free_and_another_one_if_not() -> None:
    """Two at once never get the same."""
    with held_port() as free:
        pass
    with socket.create_server(("127.0.0.1", free)), held_port(free) as other:
        assert other != free
        with held_port() as third:
            assert third not in {free, other}


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a port cannot be held")
def test_a_held_port_is_nobody_elses_and_its_servers() -> None:
    """A server that sets SO_REUSEADDR gets it; one that takes any free port gets another one."""
    with held_port() as port:
        with socket.socket() as stranger, pytest.raises(OSError, match="in use"):
            stranger.bind(("127.0.0.1", port))
        with socket.create_server(("127.0.0.1", port)) as server:
            assert server.getsockname()[1] == port


def test_on_macos_the_port_is_free_for_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second bind would fail there, so nobody holds it: also a server without SO_REUSEADDR gets it."""
    monkeypatch.setattr(sys, "platform", "darwin")
    with held_port() as port, socket.socket() as server:
        server.bind(("127.0.0.1", port))
        server.listen()

        assert server.getsockname()[1] == port
