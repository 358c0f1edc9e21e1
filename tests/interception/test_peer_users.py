"""The forward proxy serves the user who has started it, by the kernel's word on who has opened a connection."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from mockbot.interception.forward_proxy import ForwardProxy
from mockbot.interception.peer_users import PeerUsers
from tests.interception.inside import HOSTS, OPENAI, Loop, connected, echo, everything, running_loop, server, tunnel


def _told() -> bool:
    if (users := PeerUsers.of_this_one()) is not None:
        users.close()
    return users is not None


pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(not _told(), reason="USERS NOT TESTED: this kernel does not tell them"),
]
ASKS = """
import os, socket, sys
"".encode("idna")  # imported while its file can be read
os.setgid(65534); os.setuid(65534)
sock = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
sock.sendall(b"CONNECT api.openai.com:443 HTTP/1.1\\r\\n\\r\\n")
print(sock.recv(4096).decode())
"""


@pytest.fixture
def loop() -> Iterator[Loop]:
    with running_loop() as loop:
        yield loop


@contextmanager
def _started(loop: Loop, users: PeerUsers) -> Iterator[tuple[ForwardProxy, int]]:
    proxy = ForwardProxy(dict.fromkeys(HOSTS, "main"), users=users)
    with closing(users), server(echo) as main:
        proxy.addresses = {"main": ("127.0.0.1", main)}
        try:
            yield proxy, loop.call(proxy.start())
        finally:
            loop.call(proxy.close())


def _users(*allowed: int) -> PeerUsers:
    return PeerUsers(frozenset(allowed))


def test_the_own_user_is_served_and_another_one_refused(loop: Loop) -> None:
    """The same connection, once of a user who may and once of one who may not: 403 with a sentence, and counted."""
    with _started(loop, _users(os.geteuid())) as (proxy, port), tunnel(port, f"{OPENAI}:443") as sock:
        sock.sendall(b"x")
        assert sock.recv(1) == b"x"
    assert proxy.strangers == 0

    with _started(loop, _users(os.geteuid() + 1)) as (proxy, port), connected(port) as sock:
        sock.sendall(f"CONNECT {OPENAI}:443 HTTP/1.1\r\n\r\n".encode())
        says = everything(sock).decode()

    assert says.startswith("HTTP/1.1 403 ")
    assert "of the user who has started it" in says
    assert (proxy.strangers, proxy.connects.total()) == (1, 0)


@pytest.mark.skipif(os.geteuid() != 0, reason="ANOTHER USER NOT TESTED: only root can become one")
def test_a_real_other_user_is_refused(loop: Loop) -> None:
    """As above, of a process that has become nobody."""
    users = PeerUsers.of_this_one()
    assert users is not None
    with _started(loop, users) as (proxy, port):
        asked = subprocess.run(
            [sys.executable, "-c", ASKS, str(port)], capture_output=True, text=True, check=False, timeout=30
        )

    assert asked.stdout.startswith("HTTP/1.1 403 "), asked.stderr
    assert proxy.strangers == 1


def test_a_connection_that_its_program_has_closed_is_nobodys() -> None:
    """The kernel says user 0 of it, who is root: else whoever closes at once would be taken for root."""
    with server(echo) as port, closing(_users(os.geteuid(), 0)) as users, connected(port) as sock:
        client, at = sock.getsockname(), sock.getpeername()
        assert users.allow(client, at)
        sock.close()

        assert not users.allow(client, at)
        assert not users.allow(("127.0.0.1", 1), ("127.0.0.1", 2))
