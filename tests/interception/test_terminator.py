"""A TLS client in, its bytes and ends out at a plain service, and back."""

import hashlib
import os
import socket
import ssl
import struct
import threading
from collections.abc import Iterator

import pytest

from mockbot.interception.certificate_authority import CertificateAuthority
from mockbot.interception.terminator import Terminator
from tests.interception.inside import (
    HOSTS,
    OPENAI,
    Loop,
    connected,
    cut,
    echo,
    everything,
    running_loop,
    say_goodbye,
    server,
    trusting,
)

pytestmark = pytest.mark.live
AUTHORITY = CertificateAuthority(HOSTS)
RESET = struct.pack("ii", 1, 0)


@pytest.fixture(scope="module")
def loop() -> Iterator[Loop]:
    with running_loop() as loop:
        yield loop


def terminator(loop: Loop, service: int) -> Terminator:
    async def start() -> Terminator:
        made = Terminator(AUTHORITY, ("127.0.0.1", service))
        loop.loop.create_task(made.serve())
        return made

    return loop.call(start())


def client(port: int, context: ssl.SSLContext | None = None) -> ssl.SSLSocket:
    return (context or trusting(AUTHORITY)).wrap_socket(
        connected(port), server_hostname=OPENAI, suppress_ragged_eofs=False
    )


def test_every_byte_passes_in_both_directions(loop: Loop) -> None:
    """More than all buffers hold, both ways at once, so that both sides have to wait for one another."""
    sent = os.urandom(8_000_000)
    with server(echo) as service, client(terminator(loop, service).port) as sock:
        writer = threading.Thread(target=sock.sendall, args=(sent,))
        writer.start()
        back, left = hashlib.sha256(), len(sent)
        while left:
            data = sock.recv(65536)
            left -= len(data)
            back.update(data)
        writer.join()

    assert back.digest() == hashlib.sha256(sent).digest()


def test_an_end_in_order_is_one(loop: Loop) -> None:
    """What the service had sent before comes first."""
    with server(say_goodbye) as service, client(terminator(loop, service).port) as sock:
        sock.sendall(b"x")

        assert everything(sock) == b"bye"


def test_a_reset_is_a_reset(loop: Loop) -> None:
    """The service's is the client's; seen on the socket itself, because Python's ssl reports one as an EOF."""
    with (
        server(cut) as service,
        client(terminator(loop, service).port) as sock,
        socket.socket(fileno=os.dup(sock.fileno())) as bare,
    ):
        sock.sendall(b"x")
        bare.settimeout(10)

        with pytest.raises(ConnectionResetError):
            everything(bare)


def test_the_service_sees_how_the_client_ends(loop: Loop) -> None:
    """A reset by the client is one at the service, an end in order is one."""
    seen: list[object] = []
    done = threading.Semaphore(0)

    def watch(connection: socket.socket) -> None:
        try:
            connection.recv(1)
            seen.append(connection.recv(1))
        except OSError as error:
            seen.append(type(error))
        done.release()

    with server(watch) as service:
        port = terminator(loop, service).port
        for ending in ("reset", "in order"):
            sock = client(port)
            sock.sendall(b"x")
            if ending == "reset":
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            else:
                sock.unwrap().close()
            sock.close()
            assert done.acquire(timeout=10)

    assert seen == [ConnectionResetError, b""]


def test_a_service_that_refuses_connections_cuts_the_handshake(loop: Loop) -> None:
    """As a proxy without TLS cuts the connection."""
    with server(echo) as service:
        port = terminator(loop, service).port

    with pytest.raises(ConnectionResetError):
        client(port)


def test_a_client_with_its_own_list_of_cas_is_counted(loop: Loop) -> None:
    """It goes to the right host and refuses the certificate: the remedy is another one than for a bypass."""
    with server(echo) as service:
        found = terminator(loop, service)
        with pytest.raises(ssl.SSLCertVerificationError):
            client(found.port, ssl.create_default_context())
        with client(found.port) as sock:  # whose handshake ends later
            sock.sendall(b"x")
            sock.recv(1)

    assert found.distrusted == 1


def test_each_connection_is_known_by_both_ports(loop: Loop) -> None:
    """So that a connection which the proxy has cut is found among the service's requests."""
    ports: list[int] = []

    def note(connection: socket.socket) -> None:
        ports.append(connection.getpeername()[1])
        echo(connection)

    with server(note) as service:
        found = terminator(loop, service)
        with client(found.port) as sock:
            own = sock.getsockname()[1]
            sock.sendall(b"x")
            sock.recv(1)

    assert found.ports == [(own, ports[0])]
