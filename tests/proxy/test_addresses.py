"""Addresses and request lines in odd spellings, on each engine: read or refused as Go does it."""

import socket
from collections.abc import Iterator
from http.client import HTTPResponse
from threading import Thread

import pytest

from tests.proxy.wire import EOF, RST, Client, Control, Upstream, sends

pytestmark = pytest.mark.live

LISTENS = {
    "127.1:0": "lookup 127.1: no such host",
    "2130706433:0": "lookup 2130706433: no such host",
    "127.0.0.01:0": "lookup 127.0.0.01: no such host",
    "0177.0.0.1:0": "lookup 0177.0.0.1: no such host",
    "1.2.3:0": "lookup 1.2.3: no such host",
    "0:0": "lookup 0: no such host",
    "000.0.0.0:0": "lookup 000.0.0.0: no such host",
    "*:0": "lookup *: no such host",
    "\uff11\uff12\uff17.0.0.1:0": "lookup \uff11\uff12\uff17.0.0.1: no such host",
    "127.0.0.1%lo:0": "lookup 127.0.0.1%lo: no such host",
    "127.0.0.1:-1": "address -1: invalid port",
    "127.0.0.1:65536": "address 65536: invalid port",
    "[::1:0": "address [::1:0: missing ']' in address",
    "127.0.0.1:-0": "127.0.0.1",
    "127.0.0.1:+0": "127.0.0.1",
    "LOCALHOST:0": "127.0.0.1",
    "[::ffff:127.0.0.1]:0": "127.0.0.1",
    "[::ffff:7f00:1]:0": "127.0.0.1",
    "[127.0.0.1]:0": "127.0.0.1",
    "[::ffff:0.0.0.0]:0": "[::]",
    "[0:0::0]:0": "[::]",
    "[::1%lo]:0": "[::1]",
}


@pytest.mark.parametrize("listen", LISTENS)
def test_a_listen_address_is_read_as_go_reads_it(engine: Control, listen: str) -> None:
    """What libc would take for a number, and Go does not, is no address."""
    reply = engine("POST", "/proxies", {"name": "odd", "listen": listen, "upstream": "127.0.0.1:1"})
    engine.made.append("odd")

    if reply.status == 201:
        assert reply.json["listen"].rpartition(":")[0] == LISTENS[listen]
    else:
        assert (reply.status, reply.json["error"]) == (500, f"listen tcp: {LISTENS[listen]}")


@pytest.fixture
def on_ipv6() -> Iterator[int]:
    """A port of ::1 that says hi."""
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as server:

        def greet() -> None:
            client, _ = server.accept()
            client.sendall(b"hi")
            client.close()

        Thread(target=greet, daemon=True).start()
        yield server.getsockname()[1]


@pytest.mark.parametrize("host", ["", "0.0.0.0", "[::]", "[::0]", "[::ffff:127.0.0.1]", "localhost"])
def test_an_upstream_without_a_host_is_this_machine(engine: Control, host: str) -> None:
    """Of either family, as Go dials it."""
    with Upstream(sends(b"hi")) as up, engine.proxy(f"{host}:{up.address.rpartition(':')[2]}").client() as client:
        assert client.read() == b"hi"


def test_the_wildcard_of_ipv6_is_this_machine_on_ipv6_first(engine: Control, on_ipv6: int) -> None:
    """A server that listens on ::1 only is reached."""
    with engine.proxy(f"[::]:{on_ipv6}").client() as client:
        assert client.read() == b"hi"


@pytest.mark.parametrize("host", ["127.1", "2130706433", "0x7f000001", "127.0.0.01"])
def test_an_upstream_that_go_cannot_resolve_is_unreachable(engine: Control, host: str) -> None:
    """Although libc would reach it."""
    with Upstream(sends(b"hi")) as up, engine.proxy(f"{host}:{up.address.rpartition(':')[2]}").client() as client:
        assert client.read() in (EOF, RST)


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (b"GET http://toxi:8474/version HTTP/1.1", 200),
        (b"GET https://[::1]:5/version?x=%zz HTTP/1.1", 200),
        ("GET http://caf\u00e9/version HTTP/1.1".encode(), 200),
        ("GET /proxies/caf\u00e9 HTTP/1.1".encode(), 404),
        (b"GET /\xff HTTP/1.1", 404),
        (b"GET /proxies/%zz HTTP/1.1", 400),
        (b"GET /proxies/a%2 HTTP/1.1", 400),
        (b"GET version HTTP/1.1", 400),
        (b"GET /a b HTTP/1.1", 400),
    ],
)
@pytest.mark.parametrize("size", [1, 1000])
def test_request_lines_are_read_as_go_reads_them(engine: Control, line: bytes, status: int, size: int) -> None:
    """However they arrive: the whole URL (RFC 9112, 3.2.2), raw UTF-8, and escapes that are none; twice on a connection
    that stays open.
    """
    data = line + b"\r\nHost: a\r\n\r\n"
    if status == 400:  # may be answered, and the connection closed, before the rest is sent
        size = len(data)
    with Client(engine.url.removeprefix("http://")) as client:
        for _ in range(1 if status == 400 else 2):
            for at in range(0, len(data), size):
                client.send(data[at : at + size])

            answer = HTTPResponse(client.sock)
            answer.begin()
            answer.read()
            assert answer.status == status


def test_a_proxy_with_a_name_in_raw_utf8_is_found(engine: Control) -> None:
    """The path names it byte for byte."""
    engine("POST", "/proxies", {"name": "caf\u00e9", "listen": "127.0.0.1:0", "upstream": "127.0.0.1:1"})
    engine.made.append("caf\u00e9")
    with Client(engine.url.removeprefix("http://")) as client:
        client.send("GET /proxies/caf\u00e9 HTTP/1.1\r\nHost: a\r\n\r\n".encode())

        assert client.sock.recv(65536).startswith(b"HTTP/1.1 200 ")
