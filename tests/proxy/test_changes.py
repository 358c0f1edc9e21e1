"""Changes while connections live, on both engines: what is added, updated, removed, disabled, and who notices."""

import time

import pytest

from tests.proxy.wire import EOF, RST, Client, Control, Upstream, late_answer, refused_address, sends

pytestmark = pytest.mark.live


# -- toxics


def test_removing_latency_releases_what_it_held(engine: Control) -> None:
    """Nothing is lost, nothing waits any more."""
    with Upstream() as up:
        proxy = engine.proxy(up.address)
        toxic = proxy.toxic("latency", latency=8000)
        with proxy.client() as client:
            for part in (b"one", b"two", b"six"):
                client.send(part)
                up.saw("3 bytes")
                time.sleep(0.02)
            proxy.remove(toxic)

            assert client.read_until(9) < 4


def test_updating_latency_releases_the_chunk_that_waits(engine: Control) -> None:
    """Even to a longer delay: the stage is restarted with empty hands."""
    with Upstream() as up:
        proxy = engine.proxy(up.address)
        toxic = proxy.toxic("latency", latency=8000)
        with proxy.client() as client:
            client.send(b"x")
            up.saw("1 bytes")
            time.sleep(0.05)
            proxy.update(toxic, latency=9000)

            assert client.read(3) == b"x"


def test_an_update_changes_only_what_it_names(engine: Control) -> None:
    """Latency 100 with jitter 3, updated to latency 0: jitter stays."""
    with Upstream() as up:
        proxy = engine.proxy(up.address)
        toxic = proxy.toxic("latency", latency=100, jitter=3)

        assert proxy.update(toxic, latency=0).json["attributes"] == {"latency": 0, "jitter": 3}


def test_a_toxic_added_between_two_chunks_meets_the_second(engine: Control) -> None:
    """Adding acts on live connections at once."""
    with Upstream() as up, (proxy := engine.proxy(up.address)).client() as client:
        client.ask(b"a")
        proxy.toxic("limit_data", bytes=0)
        client.send(b"b")

        assert client.read() == EOF


def test_toxics_are_listed_upstream_first_then_in_chain_order(engine: Control) -> None:
    """Order of creation within a direction."""
    proxy = engine.proxy(refused_address())
    for name, stream in (("d1", "downstream"), ("u1", "upstream"), ("d2", "downstream"), ("u2", "upstream")):
        proxy.toxic("noop", stream, name=name)

    assert [toxic["name"] for toxic in proxy.show()["toxics"]] == ["u1", "u2", "d1", "d2"]


def test_removing_from_the_middle_keeps_the_others_working(engine: Control) -> None:
    """Of three latencies the middle one goes; the two outer ones still add."""
    with Upstream() as up:
        proxy = engine.proxy(up.address)
        for name in ("first", "middle", "last"):
            proxy.toxic("latency", name=name, latency=60)
        with proxy.client() as client:
            proxy.remove("middle")

            assert client.ask(b"a") >= 0.119


# -- toxicity


def slow_ones(clients: list[Client]) -> set[int]:
    """The indices of connections whose echo is not there within 400 ms; all are read to the end."""
    for client in clients:
        client.send(b"a")
    time.sleep(0.4)
    waiting = {index for index, client in enumerate(clients) if client.read(0.001) == "SILENCE"}
    for index in waiting:
        clients[index].read(5)
    return waiting


def test_toxicity_is_rolled_per_connection_and_kept(engine: Control) -> None:
    """At 0.5 some of 30 connections are slow, the same ones every time, until the toxic is updated."""
    with Upstream() as up:
        proxy = engine.proxy(up.address)
        toxic = proxy.toxic("latency", toxicity=0.5, latency=800)  # a machine that stalls for less makes none slow
        clients = [proxy.client() for _ in range(30)]
        first, second = slow_ones(clients), slow_ones(clients)
        proxy.update(toxic)
        third = slow_ones(clients)
        for client in clients:
            client.sock.close()

        assert 4 <= len(first) <= 26
        assert first == second != third


@pytest.mark.parametrize(("toxicity", "slow"), [(0, False), (-0.3, False), (1, True), (5, True)])
def test_toxicity_out_of_range_is_never_or_always(engine: Control, toxicity: float, slow: bool) -> None:
    """There is no range check; the comparison decides."""
    with Upstream() as up:
        proxy = engine.proxy(up.address)
        proxy.toxic("latency", toxicity=toxicity, latency=100)
        with proxy.client() as client:
            assert (client.ask(b"a") >= 0.099) == slow


# -- connections


def test_an_upstream_that_refuses_looks_like_an_immediate_end(engine: Control) -> None:
    """The client is accepted first and closed then; a reset if it had already spoken."""
    proxy = engine.proxy(refused_address())

    with proxy.client() as client:
        assert client.read() in (EOF, RST)
    assert engine("GET", proxy.path).status == 200


def test_there_is_no_half_close(engine: Control) -> None:
    """A client that ends its side loses the answer that was still to come."""
    with Upstream(late_answer) as up, engine.proxy(up.address).client() as client:
        client.send(b"hi")
        client.sock.shutdown(1)

        assert client.read() == EOF
        assert up.saw(EOF)


def test_the_server_s_end_reaches_the_client(engine: Control) -> None:
    """Data first, then the end."""
    with Upstream(sends(b"bye", then_close=True)) as up, engine.proxy(up.address).client() as client:
        assert client.read_all() == (3, EOF)


def test_the_client_s_end_reaches_the_server(engine: Control) -> None:
    """At once, without toxics."""
    with Upstream() as up:
        with engine.proxy(up.address).client() as client:
            client.ask(b"a")

        assert up.saw(EOF)


def test_a_megabyte_passes_unchanged(engine: Control) -> None:
    """Both directions at once, more than any buffer."""
    data = bytes(range(256)) * 4096
    with Upstream(sends(data)) as up, engine.proxy(up.address).client() as client:
        got = b""
        while len(got) < len(data):
            part = client.read()
            assert isinstance(part, bytes), part
            got += part

        assert got == data


def test_a_slow_reader_slows_the_sender_down(engine: Control) -> None:
    """Backpressure is TCP's own: a server cannot push 200 MB into a client that does not read."""
    sent = []

    def pour(conn: object, seen: list[str]) -> None:
        for _ in range(200):
            conn.sendall(b"x" * 1_000_000)  # type: ignore[attr-defined]
            sent.append(1)

    with Upstream(pour) as up, engine.proxy(up.address).client() as client:
        client.read(5)
        time.sleep(0.5)

        assert len(sent) < 100


# -- proxies


def test_disable_closes_every_connection_and_refuses_new_ones(engine: Control) -> None:
    """Client and server see the end; a new client is refused."""
    with Upstream() as up, (proxy := engine.proxy(up.address)).client() as client:
        client.ask(b"a")
        assert proxy.set(enabled=False).json["enabled"] is False

        assert client.read() in (EOF, RST)
        assert up.saw(EOF)
        with pytest.raises(ConnectionRefusedError):
            proxy.client()


def test_enable_keeps_port_and_toxics(engine: Control) -> None:
    """Down and up again: the same address, the same toxics."""
    with Upstream() as up:
        proxy = engine.proxy(up.address)
        proxy.toxic("latency", latency=100)
        proxy.set(enabled=False)
        after = proxy.set(enabled=True).json

        assert after["listen"] == proxy.address
        with proxy.client() as client:
            assert client.ask(b"a") >= 0.099


@pytest.mark.parametrize("change", ["{}", '{"enabled": true}', '{"listen": "same", "upstream": "same"}'])
def test_an_update_that_changes_nothing_keeps_connections(engine: Control, change: str) -> None:
    """Also when the values are given again."""
    with Upstream() as up, (proxy := engine.proxy(up.address)).client() as client:
        client.ask(b"a")
        body = change.replace("same", proxy.address, 1).replace("same", up.address)
        assert engine("PATCH", proxy.path, body).status == 200

        assert client.ask(b"b") < 2


def test_localhost_is_its_address(engine: Control) -> None:
    """Listen is compared resolved, so this changes nothing."""
    with Upstream() as up, (proxy := engine.proxy(up.address)).client() as client:
        client.ask(b"a")
        proxy.set(listen=proxy.address.replace("127.0.0.1", "localhost"))

        assert client.ask(b"b") < 2


def test_a_new_upstream_closes_connections_and_serves_new_ones(engine: Control) -> None:
    """Toxics stay."""
    with Upstream() as one, Upstream() as two, (proxy := engine.proxy(one.address)).client() as client:
        client.ask(b"a")
        proxy.toxic("noop", name="stays")
        proxy.set(upstream=two.address)

        assert client.read() in (EOF, RST)
        with proxy.client() as new:
            new.ask(b"b")
        assert "1 bytes" in two.seen
        assert [toxic["name"] for toxic in proxy.show()["toxics"]] == ["stays"]


def test_a_listener_that_cannot_move_ends_disabled_at_its_new_address(engine: Control) -> None:
    """500, and the proxy says where it wanted to be."""
    one, two = engine.proxy(refused_address()), engine.proxy(refused_address())
    reply = two.set(listen=one.address)

    assert reply.status == 500
    assert reply.json["error"] == f"listen tcp {one.address}: bind: address already in use"
    assert (two.show()["enabled"], two.show()["listen"]) == (False, one.address)


def test_delete_closes_connections(engine: Control) -> None:
    """And the name is gone."""
    with Upstream() as up, (proxy := engine.proxy(up.address)).client() as client:
        client.ask(b"a")
        assert engine("DELETE", proxy.path).status == 204

        assert client.read() in (EOF, RST)
        assert engine("GET", proxy.path).status == 404


def test_reset_removes_toxics_starts_proxies_and_keeps_connections(engine: Control) -> None:
    """One call puts everything right."""
    with Upstream() as up, (proxy := engine.proxy(up.address)).client() as client:
        down = engine.proxy(refused_address(), enabled=True)
        down.set(enabled=False)
        client.ask(b"a")
        proxy.toxic("noop")
        assert engine("POST", "/reset").status == 204

        assert client.ask(b"b") < 2
        assert proxy.show()["toxics"] == []
        assert down.show()["enabled"] is True


def test_populate_leaves_what_does_not_differ_alone(engine: Control) -> None:
    """Toxics, connections and even the enabled flag of an equal proxy stay."""
    with Upstream() as up, (proxy := engine.proxy(up.address)).client() as client:
        client.ask(b"a")
        proxy.toxic("noop")
        entry = {"name": proxy.name, "listen": proxy.address, "upstream": up.address, "enabled": False}
        reply = engine("POST", "/populate", [entry])

        assert reply.status == 201
        assert reply.json["proxies"][0]["enabled"] is True
        assert len(proxy.show()["toxics"]) == 1
        assert client.ask(b"b") < 2


def test_populate_replaces_what_differs(engine: Control) -> None:
    """A new proxy without toxics; connections are closed."""
    with Upstream() as up, (proxy := engine.proxy(up.address)).client() as client:
        client.ask(b"a")
        proxy.toxic("noop")
        entry = {"name": proxy.name, "listen": proxy.address, "upstream": refused_address()}
        assert engine("POST", "/populate", [entry]).status == 201

        assert client.read() in (EOF, RST)
        assert proxy.show()["toxics"] == []
