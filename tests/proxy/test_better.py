"""Where the embedded engine is deliberately not like Toxiproxy 2.12.0, each with what the original does instead."""

import contextlib
import socket
import struct
import time
from typing import Any

import pytest

from mockbot.process.managed_process import ManagedProcess
from mockbot.proxy.toxiproxy_server import start_embedded
from tests.proxy.inprocess import running
from tests.proxy.wire import EOF, RST, SILENCE, Client, Control, Upstream, eventually, refused_address, request, sends

pytestmark = pytest.mark.live


@pytest.mark.parametrize(
    ("kind", "attributes"),
    [("slicer", {}), ("slicer", {"average_size": 0}), ("slicer", {"average_size": 5, "size_variation": 7}),
     ("slicer", {"average_size": 1, "size_variation": -1}), ("slicer", {"average_size": -1, "size_variation": 2}),
     ("bandwidth", {"rate": -1})],
)  # fmt: skip
def test_what_crashes_the_original_is_refused(embedded: Control, kind: str, attributes: dict[str, int]) -> None:
    """400 with the reason. The original accepts it, and its process dies with the next chunk (issue #541)."""
    proxy = embedded.proxy(refused_address())
    reply = embedded("POST", f"{proxy.path}/toxics", {"type": kind, "attributes": attributes})

    assert reply.status == 400
    assert reply.json["error"].startswith(f"bad request body: {kind}: ")
    assert proxy.show()["toxics"] == []


def test_an_update_to_what_crashes_is_refused_and_changes_nothing(embedded: Control) -> None:
    """The toxic keeps working as it was."""
    with Upstream() as up:
        proxy = embedded.proxy(up.address)
        toxic = proxy.toxic("bandwidth", rate=1000)

        assert proxy.update(toxic, rate=-5).status == 400
        assert proxy.show()["toxics"][0]["attributes"] == {"rate": 1000}


def test_a_refused_update_applies_nothing(embedded: Control) -> None:
    """The original applies the valid fields of a body that it refuses."""
    proxy = embedded.proxy(refused_address())
    toxic = proxy.toxic("latency", latency=1, jitter=2)

    assert embedded("PATCH", f"{proxy.path}/toxics/{toxic}", '{"attributes":{"jitter":9,"latency":"x"}}').status == 400
    assert proxy.show()["toxics"][0]["attributes"] == {"latency": 1, "jitter": 2}


def test_a_waiting_reset_can_be_removed(embedded: Control) -> None:
    """At once, and the chunk goes on. The original blocks its API for the rest of the wait."""
    with Upstream() as up:
        proxy = embedded.proxy(up.address)
        toxic = proxy.toxic("reset_peer", timeout=20_000)
        with proxy.client() as client:
            client.send(b"a")
            assert client.read(0.1) == SILENCE
            begin = time.monotonic()
            proxy.remove(toxic)

            assert client.read(5) == b"a"
            assert time.monotonic() - begin < 5


@pytest.mark.parametrize("listen", ["0.0.0.0:{}", ":{}", "[::]:{}"])
def test_wildcard_listeners_survive_a_repeated_populate(embedded: Control, listen: str) -> None:
    """Toxics and connections stay. The original replaces `0.0.0.0:p` and `:p` each time."""
    with Upstream() as up:
        port = refused_address().rpartition(":")[2]
        entry = {"name": f"wild{port}", "listen": listen.format(port), "upstream": up.address}
        embedded.made.append(entry["name"])
        assert embedded("POST", "/populate", [entry]).json["proxies"][0]["listen"] == f"[::]:{port}"
        embedded("POST", f"/proxies/wild{port}/toxics", {"type": "noop"})
        with Client(f"127.0.0.1:{port}") as client:
            client.ask(b"a")
            again = embedded("POST", "/populate", [entry]).json["proxies"][0]

            assert len(again["toxics"]) == 1
            assert client.ask(b"b") < 2


def test_reset_goes_on_past_a_proxy_that_cannot_start(embedded: Control) -> None:
    """It is reported, and all others are reset. The original stops there."""
    first = embedded.proxy(refused_address())
    stuck = embedded.proxy(refused_address(), enabled=True)
    last = embedded.proxy(refused_address())
    first.toxic("noop")
    last.toxic("noop")
    stuck.set(enabled=False)
    host, _, port = stuck.address.rpartition(":")
    with socket.create_server((host, int(port))):
        reply = embedded("POST", "/reset")

    assert (reply.status, reply.json["error"]) == (500, f"listen tcp {stuck.address}: bind: address already in use")
    assert (first.show()["toxics"], last.show()["toxics"]) == ([], [])


def test_a_request_that_dawdles_is_cut_off() -> None:
    """Slow-loris: a client that trickles or is silent gets the read limit (15 s; here 0.4) and no more."""
    begin = time.monotonic()
    with running(read_limit=0.4) as engine:
        address = engine.url.removeprefix("http://")
        with Client(address) as slow, Client(address) as silent:
            with contextlib.suppress(OSError):
                for byte in b"GET /proxies HTTP/1.1\r\nHost: a\r\nX-Slow: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n":
                    slow.send(bytes([byte]))
                    time.sleep(0.02)

            assert slow.read() in (EOF, RST)
            assert silent.read() in (EOF, RST)
        assert request(engine.url, "GET", "/version").status == 200
    assert time.monotonic() - begin < 5


def test_a_reset_of_the_server_reaches_the_client(embedded: Control) -> None:
    """Behind the data that came before it, and through the toxics. The original closes the client in order."""

    def speaks_and_resets(conn: socket.socket, _: list[str]) -> None:
        conn.recv(10)
        conn.sendall(b"half")
        conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        conn.close()

    with Upstream(speaks_and_resets) as up:
        proxy = embedded.proxy(up.address)
        for toxics in (False, True):
            with proxy.client() as client:
                client.send(b"a")

                assert (client.read(), client.read()) == (b"half", RST)
            if not toxics:
                proxy.toxic("latency", latency=50)


def test_a_disabled_proxy_resets_its_connections(embedded: Control) -> None:
    """As a machine that has gone. The original closes them in order."""
    with Upstream() as up:
        proxy = embedded.proxy(up.address)
        with proxy.client() as client:
            client.ask(b"a")
            proxy.set(enabled=False)

            assert client.read() == RST


def test_a_dawdling_body_is_cut_off_too() -> None:
    """The headers came in time, the body does not."""
    with running(read_limit=0.4) as engine, Client(engine.url.removeprefix("http://")) as slow:
        slow.send(b"POST /proxies HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{")

        assert slow.read() in (EOF, RST)


# -- the seed


def jittered(url: str) -> list[int]:
    """Which of 24 connections a toxicity of one half touched on a fresh engine."""
    with Upstream() as up:
        control = Control(url, "embedded")
        body = {"name": "seeded", "listen": "127.0.0.1:0", "upstream": up.address}
        address = control("POST", "/proxies", body).json["listen"]
        control("POST", "/proxies/seeded/toxics", {"type": "limit_data", "toxicity": 0.5})
        ends = []
        for _ in range(24):
            with Client(address) as client:
                client.send(b"a")
                ends.append(int(client.read() == EOF))
        return ends


def test_the_same_seed_touches_the_same_connections() -> None:
    """Two runs with one seed agree, another seed does not. The original's seed does nothing (issue #610)."""
    runs = []
    for seed in (1, 1, 2):
        with start_embedded(seed) as child:
            runs.append(jittered(child.url))

    assert runs[0] == runs[1] != runs[2]
    assert 0 < sum(runs[0]) < 24


# -- what was felt


def test_a_toxic_in_the_chain_that_changed_nothing_was_not_felt(embedded: Control) -> None:
    """slow_close while nothing closes, a limit not reached, a slicer with small chunks: no one felt them."""
    with Upstream() as up:
        proxy = embedded.proxy(up.address)
        proxy.toxic("slow_close", delay=50)
        proxy.toxic("limit_data", bytes=1000)
        proxy.toxic("slicer", average_size=100)
        proxy.toxic("latency", latency=0)
        proxy.toxic("noop")
        with proxy.client() as client:
            client.ask(b"a")

            assert proxy.felt()["felt"] == {}


@pytest.mark.parametrize(
    ("kind", "attributes"),
    [("latency", {"latency": 5}), ("bandwidth", {"rate": 10}), ("timeout", {}), ("reset_peer", {"timeout": 50}),
     ("limit_data", {}), ("slicer", {"average_size": 1}), ("slow_close", {"delay": 5})],
)  # fmt: skip
def test_a_toxic_that_changed_something_was_felt_once_per_connection(
    embedded: Control, kind: str, attributes: dict[str, int]
) -> None:
    """Three connections, each touched many times: three. And the count survives the toxic."""
    with Upstream(sends(b"12345678", then_close=kind == "slow_close")) as up:
        proxy = embedded.proxy(up.address)
        toxic = proxy.toxic(kind, **attributes)  # type: ignore[arg-type]
        clients = [proxy.client(0.5) for _ in range(3)]
        for client in clients:
            client.read()
        assert eventually(lambda: proxy.felt()["felt"] == {toxic: 3})
        proxy.remove(toxic)
        for client in clients:
            client.sock.close()

        assert proxy.felt()["felt"] == {toxic: 3}


def test_a_toxic_that_was_not_rolled_was_not_felt(embedded: Control) -> None:
    """Toxicity 0."""
    with Upstream() as up:
        proxy = embedded.proxy(up.address)
        proxy.toxic("latency", toxicity=0, latency=50)
        with proxy.client() as client:
            client.ask(b"a")

        assert proxy.felt()["felt"] == {}


def test_connections_closed_by_a_disable_are_counted(embedded: Control) -> None:
    """Two of three were open when the proxy went down."""
    with Upstream() as up:
        proxy = embedded.proxy(up.address)
        with proxy.client() as gone:
            gone.ask(b"a")
        assert eventually(lambda: proxy.felt()["live"] == 0)
        with proxy.client() as one, proxy.client() as two:
            one.ask(b"a")
            two.ask(b"a")
            proxy.set(enabled=False)
        answer = proxy.felt()

        assert (answer["connections"], answer["closed_by_disable"], answer["live"]) == (3, 2, 0)


def test_each_connection_keeps_a_log_of_the_toxics_that_touched_it(embedded: Control) -> None:
    """In the order of the first touch (asked for in issue #414 of the original)."""
    with Upstream() as up:
        proxy = embedded.proxy(up.address)
        proxy.toxic("slicer", average_size=1, name="cut")
        proxy.toxic("latency", "upstream", latency=5, name="late")
        with proxy.client() as client:
            client.ask(b"abc")
        assert eventually(lambda: len(ended(embedded, proxy, 0)["log"]) == 1)

        assert ended(embedded, proxy, 0)["log"][0]["toxics"] == ["late", "cut"]


def ended(embedded: Control, proxy: Any, known: int) -> Any:
    return embedded("GET", f"/mockbot{proxy.path}/ended/{known}").json


def test_connections_that_end_between_two_looks_are_all_told_once(embedded: Control) -> None:
    """A reader that knows n of them gets the others, however many there are."""
    with Upstream() as up:
        proxy = embedded.proxy(up.address)
        for _ in range(3):
            with proxy.client() as client:
                client.ask(b"abc")
        assert eventually(lambda: len(ended(embedded, proxy, 0)["log"]) == 3)

    assert [each["number"] for each in ended(embedded, proxy, 2)["log"]] == [2]
    assert ended(embedded, proxy, 3) == {"first": 3, "log": []}


def test_an_unreachable_upstream_is_counted(embedded: Control) -> None:
    """The client saw a connection and its end; the engine knows why."""
    proxy = embedded.proxy(refused_address())
    with proxy.client() as client:
        client.read()

    assert proxy.felt()["unreachable"] == 1


def test_the_engine_names_itself(embedded_child: ManagedProcess) -> None:
    """In a header, since /version must be a Toxiproxy's."""
    reply = request(embedded_child.url, "GET", "/version")

    assert reply.headers["x-mockbot-engine"] == "embedded"
    assert reply.json == {"version": "2.12.0"}
