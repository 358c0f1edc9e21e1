"""CONNECT requests in: tunnels to providers and to other hosts out, and none to this machine."""

import hashlib
import http.client
import os
import socket
import ssl
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from mockbot.interception.certificate_authority import CertificateAuthority
from mockbot.interception.forward_proxy import ForwardProxy
from mockbot.interception.terminator import Terminator
from tests.interception.inside import (
    HOSTS,
    OPENAI,
    Loop,
    connected,
    cut,
    descriptors,
    echo,
    everything,
    running_loop,
    server,
    tunnel,
)

pytestmark = pytest.mark.live
RESET = struct.pack("ii", 1, 0)


@pytest.fixture
def loop() -> Iterator[Loop]:
    with running_loop() as loop:
        yield loop


@pytest.fixture
def started(loop: Loop) -> Iterator[Callable[..., tuple[ForwardProxy, int]]]:
    """Starts a proxy whose providers are at these ports; closes it at the end."""
    made: list[ForwardProxy] = []

    def start(main: int, *, own: int = 0, upstream: str = "", **options: object) -> tuple[ForwardProxy, int]:
        to = urlsplit(upstream) if upstream else None
        proxy = ForwardProxy(dict.fromkeys(HOSTS, "main"), to, **options)  # type: ignore[arg-type]
        proxy.addresses = {"main": ("127.0.0.1", main), "own": ("127.0.0.1", own)}
        made.append(proxy)
        return proxy, loop.call(proxy.start())

    yield start
    for proxy in made:
        loop.call(proxy.close())


Start = Callable[..., tuple[ForwardProxy, int]]


def answer(port: int, request: bytes) -> tuple[int, str]:
    """Status and text of the answer to a whole request."""
    with connected(port) as sock:
        sock.sendall(request)
        response = http.client.HTTPResponse(sock)
        response.begin()
        return response.status, response.read().decode()


def connect(target: str) -> bytes:
    return f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode()


def assert_echoes(sock: socket.socket, size: int) -> None:
    """The same bytes come back, by their checksum, while both directions are full."""
    sent = os.urandom(size)
    writer = threading.Thread(target=sock.sendall, args=(sent,))
    writer.start()
    back, left = hashlib.sha256(), size
    while left:
        data = sock.recv(65536)
        assert data
        left -= len(data)
        back.update(data)
    writer.join()
    assert back.digest() == hashlib.sha256(sent).digest()


@pytest.mark.parametrize("target", [f"{OPENAI}:443", "MINE.openai.azure.com.:443", "10.1.2.3:8443"])
def test_an_intercepted_host_leads_to_its_provider(started: Start, target: str) -> None:
    """Any port of it, whatever the case of its letters, and an address too: nothing reaches the real one."""
    with server(echo) as main:
        proxy, port = started(main)
        with tunnel(port, target) as sock:
            assert_echoes(sock, 3_000_000)

    assert sum(proxy.connects.values()) == 1
    assert not proxy.passed


def test_any_other_host_is_passed_untouched(started: Start) -> None:
    """Its bytes are not ours to read."""
    with server(cut) as main, server(echo) as elsewhere:
        proxy, port = started(main, own=elsewhere)
        with tunnel(port, f"127.0.0.1:{elsewhere}") as sock:
            assert_echoes(sock, 3_000_000)

    assert proxy.passed == {"127.0.0.1": 1}
    assert not proxy.connects


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "0.0.0.0", "[::ffff:127.0.0.1]", "a.localhost"])
def test_a_port_of_this_machine_that_is_not_ours_is_refused(started: Start, host: str) -> None:
    """A client must not reach what listens here by way of the proxy; the answer says how it does."""
    with server(echo) as main, server(echo) as database:
        _, port = started(main)

        status, says = answer(port, connect(f"{host}:{database}"))

    assert status == 403
    assert "NO_PROXY" in says


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET http://example.org/ HTTP/1.1\r\nHost: example.org\r\n\r\n", 405),
        (b"CONNECT example.org HTTP/1.1\r\n\r\n", 400),
        (b"CONNECT example.org:99999 HTTP/1.1\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\r\n\r\n", 405),
        (b"CONNECT " + b"a" * 20_000, 431),
    ],
)
def test_what_is_no_connect_is_refused(started: Start, request_: bytes, status: int) -> None:
    """With a sentence."""
    with server(echo) as main:
        _, port = started(main)

        found, says = answer(port, request_)

    assert found == status
    assert says.startswith("mockbot: ")


def test_a_host_that_cannot_be_reached_is_a_bad_gateway(started: Start) -> None:
    """Of a name that nobody has; mockbot says so, and not the provider."""
    with server(echo) as main:
        _, port = started(main)

        status, says = answer(port, connect("nowhere.invalid:443"))

    assert status == 502
    assert "nowhere.invalid" in says


def test_a_slow_head_is_dropped(started: Start) -> None:
    """Slow loris: one byte after the other holds no connection for ever."""
    with server(echo) as main:
        _, port = started(main, head_within=0.3)
        with connected(port) as sock:

            def drip() -> None:
                for byte in connect(f"{OPENAI}:443"):
                    sock.sendall(bytes([byte]))
                    time.sleep(0.05)

            with pytest.raises(ConnectionError):
                drip()


def test_a_closed_port_is_a_reset_and_no_error_of_a_proxy(started: Start) -> None:
    """Libraries report a status of CONNECT as a failure of the proxy, which no outage of a provider is."""
    with server(echo) as main:
        pass
    _, port = started(main)

    with tunnel(port, f"{OPENAI}:443") as sock, pytest.raises(ConnectionResetError):
        sock.recv(1)


def test_a_reset_is_a_reset(started: Start) -> None:
    """So that the fault reset_peer is what the client's own connection feels."""
    with server(cut) as main:
        _, port = started(main)
        with tunnel(port, f"{OPENAI}:443") as sock:
            sock.sendall(b"x")

            with pytest.raises(ConnectionResetError):
                sock.recv(1)


def test_a_half_close_is_one(started: Start) -> None:
    """The other direction goes on."""

    def whole(connection: socket.socket) -> None:
        connection.sendall(hashlib.sha256(everything(connection)).digest())

    with server(whole) as main:
        _, port = started(main)
        with tunnel(port, f"{OPENAI}:443") as sock:
            sock.sendall(b"x" * 100_000)
            sock.shutdown(socket.SHUT_WR)

            assert everything(sock) == hashlib.sha256(b"x" * 100_000).digest()


def test_what_is_sent_with_the_connect_arrives(started: Start) -> None:
    """A client may send its first bytes before it has seen the 200."""
    with server(echo) as main:
        _, port = started(main)
        with connected(port) as sock:
            sock.sendall(connect(f"{OPENAI}:443") + b"early")
            found = b""
            while not found.endswith(b"early"):
                found += sock.recv(100)


def test_the_users_own_proxy_is_asked_for_other_hosts(started: Start) -> None:
    """With the password of its URL, and not for what NO_PROXY excepts or what is intercepted."""
    heads: list[bytes] = []

    def corporate(connection: socket.socket) -> None:
        heads.append(connection.recv(4096))
        connection.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n")

    with server(echo) as main, server(corporate) as upstream:
        _, port = started(main, upstream=f"http://me:p%40ss@127.0.0.1:{upstream}", bypass="nowhere.invalid")

        assert answer(port, connect("example.org:443"))[0] == 407
        assert answer(port, connect("nowhere.invalid:443"))[0] == 502
        assert answer(port, connect("127.0.0.1:9"))[0] == 403
        tunnel(port, f"{OPENAI}:443").close()

    head = b"CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n"
    assert heads == [head + b"Proxy-Authorization: Basic bWU6cEBzcw==\r\n\r\n"]


def flood(started: Start, loop: Loop, count: int) -> None:
    """So many CONNECTs, of clients that end in each way, some of them before they have an answer."""
    with server(echo) as main:
        proxy, port = started(main)
        tunnel(port, f"{OPENAI}:443").close()
        before = loop.tasks()
        for number in range(count):
            if number % 4 == 0:
                with connected(port) as sock:
                    sock.sendall(connect(f"{OPENAI}:443"))
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                continue
            with tunnel(port, f"{OPENAI}:443") as sock:
                sock.sendall(b"x")
                if number % 4 > 1:
                    assert sock.recv(1) == b"x"
                if number % 4 == 3:
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        until = time.monotonic() + 20
        while proxy.open_connections or loop.tasks() > before:
            assert time.monotonic() < until, (proxy.open_connections, loop.tasks(), before)
            time.sleep(0.05)

    assert proxy.connects[OPENAI] > count * 0.7


def test_a_thousand_connects_leave_nothing(started: Start, loop: Loop) -> None:
    """No task, no connection and no descriptor."""
    flood(started, loop, 10)
    before = descriptors()
    flood(started, loop, 1000)

    assert descriptors() <= before + 1  # the proxy's own listener


@pytest.mark.nightly
def test_ten_thousand_connects_leave_nothing(started: Start, loop: Loop) -> None:
    """As above."""
    flood(started, loop, 10)
    before = descriptors()
    flood(started, loop, 10_000)

    assert descriptors() <= before + 1


@pytest.fixture
def https(loop: Loop, started: Start, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """A whole chain, without a fault proxy: the address of the forward proxy, and the CA's file."""
    authority = CertificateAuthority(HOSTS)

    def say_hello(connection: socket.socket) -> None:
        while connection.recv(65536):
            connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello")

    async def terminator(service: int) -> Terminator:
        made = Terminator(authority, ("127.0.0.1", service))
        loop.loop.create_task(made.serve())
        return made

    file = tmp_path / "ca.pem"
    file.write_bytes(authority.certificate_pem)
    with server(say_hello) as service:
        _, port = started(loop.call(terminator(service)).port)
        yield f"http://127.0.0.1:{port}", str(file)


def test_curl_and_httpx_are_intercepted(https: tuple[str, str]) -> None:
    """By their own TLS; curl offers HTTP/2 and falls back."""
    proxy, bundle = https
    url = f"https://{OPENAI}/v1/models"

    curl = ["curl", "-s", "--http2", "-w", " %{http_version}", "--proxy", proxy, "--cacert", bundle, url]
    assert subprocess.run(curl, capture_output=True, text=True, check=False).stdout == "hello 1.1"
    with httpx.Client(proxy=proxy, verify=ssl.create_default_context(cafile=bundle), http2=False) as client:
        assert client.get(url).text == "hello"


def test_the_terminator_gives_each_host_its_own_leaf(https: tuple[str, str]) -> None:
    """By the name in the client's hello; the connection is verified as strictly as clients do."""
    proxy, bundle = https
    context = ssl.create_default_context(cafile=bundle)
    for name in (OPENAI, "a.openai.azure.com"):
        with (
            tunnel(urlsplit(proxy).port or 0, f"{name}:443") as sock,
            context.wrap_socket(sock, server_hostname=name) as tls,
        ):
            certificate = tls.getpeercert()
            assert certificate is not None
            assert certificate["subjectAltName"] == (("DNS", name),)
