"""Faults of the handshake at a TLS server: what a client of Python's ssl meets, and what goes on."""

import contextlib
import ssl
import time
from collections.abc import Iterator

import pytest

from mockbot.interception.handshake_faults import FAULTS, HandshakeFault, Handshakes
from mockbot.interception.terminator import Terminator
from tests.interception.inside import Loop, connected, echo, running_loop, server
from tests.interception.test_terminator import client, terminator

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def at() -> Iterator[tuple[Loop, Terminator]]:
    with running_loop() as loop, server(echo) as service:
        yield loop, terminator(loop, service)


def _set(at: tuple[Loop, Terminator], *faults: HandshakeFault) -> Terminator:
    at[1].handshakes.faults = faults
    return at[1]


def _answers(sock: ssl.SSLSocket) -> bool:
    sock.sendall(b"x")
    return sock.recv(1) == b"x"


@pytest.mark.parametrize(
    ("fault", "code"),
    [("expired", 10), ("wrong_host", 62)],  # X509_V_ERR_CERT_HAS_EXPIRED, X509_V_ERR_HOSTNAME_MISMATCH
)
def test_a_certificate_that_no_client_may_trust(at: tuple[Loop, Terminator], fault: str, code: int) -> None:
    """It fails for its own reason alone; the run's CA is trusted, and nobody is counted as one who does not."""
    found = _set(at, *FAULTS.validate_python([{"id": fault, "how": fault, "delay": 0, "share": 1}]))

    with pytest.raises(ssl.SSLCertVerificationError) as error:
        client(found.port)
    assert error.value.verify_code == code
    assert (found.handshakes.felt[fault], found.distrusted) == (1, 0)


def test_a_refused_handshake_is_an_alert(at: tuple[Loop, Terminator]) -> None:
    """handshake_failure, which OpenSSL names in the error."""
    found = _set(at, HandshakeFault("no", "refused", 0.0, 1.0))

    with pytest.raises(ssl.SSLError) as error:
        client(found.port)
    assert "HANDSHAKE_FAILURE" in (error.value.reason or "")


def test_a_slow_handshake_succeeds_after_its_delay(at: tuple[Loop, Terminator]) -> None:
    """ServerHello is late, and everything after it as usual."""
    found, before = _set(at, HandshakeFault("late", "slow", 0.3, 1.0)), time.monotonic()

    with client(found.port) as sock:
        assert time.monotonic() - before >= 0.3
        assert _answers(sock)


def test_a_connection_that_is_open_goes_on(at: tuple[Loop, Terminator]) -> None:
    """Only new handshakes meet the fault."""
    with client(_set(at).port) as sock:
        found = _set(at, HandshakeFault("gone", "expired", 0.0, 1.0))

        assert _answers(sock)
    assert found.handshakes.felt["gone"] == 0


def test_a_share_hits_some_handshakes_and_each_is_counted(at: tuple[Loop, Terminator]) -> None:
    """Of two faults the first that hits is the only one."""
    found = _set(at, HandshakeFault("some", "refused", 0.0, 0.5), HandshakeFault("others", "expired", 0.0, 0.5))
    seen = {"refused": 0, "expired": 0, "fine": 0}
    for _ in range(40):
        try:
            with client(found.port):
                seen["fine"] += 1
        except ssl.SSLCertVerificationError:
            seen["expired"] += 1
        except ssl.SSLError:
            seen["refused"] += 1

    assert all(seen.values())
    assert (found.handshakes.felt["some"], found.handshakes.felt["others"]) == (seen["refused"], seen["expired"])


def test_a_server_that_ends_amid_a_slow_handshake_closes_its_connection() -> None:
    """The client does not wait for the rest of the delay."""
    with server(echo) as service:
        with running_loop() as loop:
            found = terminator(loop, service)
            found.handshakes.faults = (HandshakeFault("late", "slow", 60.0, 1.0),)
            sock = connected(found.port)
            while not found.handshakes.felt:
                time.sleep(0.01)

        with sock, contextlib.suppress(ConnectionResetError):
            assert sock.recv(1) == b""


def test_chance_is_seeded() -> None:
    """The same handshakes are hit in every run with the same seed."""
    half = (HandshakeFault("some", "expired", 0.0, 0.5),)
    hit = []
    for _ in range(2):
        handshakes = Handshakes("7/main")
        handshakes.faults = half
        hit.append([handshakes.next() is None for _ in range(50)])

    assert hit[0] == hit[1]
