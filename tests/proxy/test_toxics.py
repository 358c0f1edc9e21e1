"""The toxics on the wire, on both engines: what a client and a server meet. Order and lower bounds, never ± ms."""

import time

import pytest

from tests.proxy.wire import EOF, RST, SILENCE, Control, Upstream, sends

pytestmark = pytest.mark.live


# -- latency


def test_latency_delays_an_answer(engine: Control) -> None:
    """150 ms of latency downstream: an echo takes at least that long."""
    with Upstream() as up, (proxy := engine.proxy(up.address)).client() as client:
        quick = client.ask(b"a")
        proxy.toxic("latency", latency=150)

        assert client.ask(b"b") >= 0.149 > quick


def test_latency_upstream_delays_the_request(engine: Control) -> None:
    """The same in the other direction, and a connect is never delayed."""
    with Upstream() as up:
        proxy = engine.proxy(up.address)
        proxy.toxic("latency", "upstream", latency=150)
        begin = time.monotonic()
        with proxy.client() as client:
            connected = time.monotonic() - begin

            assert client.ask(b"a") >= 0.149
        assert connected < 0.15


def test_latency_is_pipelined(engine: Control) -> None:
    """Ten chunks 20 ms apart all arrive about one latency after they were sent, not ten latencies."""
    with Upstream() as up:
        proxy = engine.proxy(up.address)
        proxy.toxic("latency", latency=300)
        with proxy.client() as client:
            begin = time.monotonic()
            for _ in range(10):
                client.send(b"x")
                time.sleep(0.02)
            client.read_until(10)

            assert 0.48 <= time.monotonic() - begin < 1.5


def test_two_latencies_add(engine: Control) -> None:
    """100 ms and 100 ms are 200 ms."""
    with Upstream() as up:
        proxy = engine.proxy(up.address)
        proxy.toxic("latency", latency=100)
        proxy.toxic("latency", name="second", latency=100)
        with proxy.client() as client:
            assert client.ask(b"a") >= 0.199


def test_jitter_never_reorders(engine: Control) -> None:
    """40 chunks under 20 ± 20 ms come out in order."""
    with Upstream() as up:
        proxy = engine.proxy(up.address)
        proxy.toxic("latency", latency=20, jitter=20)
        with proxy.client() as client:
            for number in range(40):
                client.send(bytes([number]))
            got = b""
            while len(got) < 40:
                part = client.read()
                assert isinstance(part, bytes), part
                got += part

            assert got == bytes(range(40))


def test_data_in_front_of_the_end_is_delayed_and_delivered(engine: Control) -> None:
    """A server sends 5 bytes and closes: they arrive late, the end right behind them."""
    with Upstream(sends(b"12345", then_close=True)) as up:
        proxy = engine.proxy(up.address)
        proxy.toxic("latency", latency=200)
        begin = time.monotonic()
        with proxy.client() as client:
            assert client.read() == b"12345"
            assert time.monotonic() - begin >= 0.199
            assert client.read() == EOF


def test_an_end_without_data_is_not_delayed(engine: Control) -> None:
    """Latency holds chunks, not the end of the stream."""
    with Upstream(sends(b"", then_close=True)) as up:
        proxy = engine.proxy(up.address)
        proxy.toxic("latency", latency=3000)
        begin = time.monotonic()
        with proxy.client() as client:
            assert client.read() == EOF
            assert time.monotonic() - begin < 2.5


def test_negative_latency_is_none(engine: Control) -> None:
    """-5 ms is accepted and does nothing."""
    with Upstream() as up:
        proxy = engine.proxy(up.address)
        proxy.toxic("latency", latency=-5)
        with proxy.client() as client:
            assert client.ask(b"a") < 1


# -- bandwidth


def test_bandwidth_sends_in_pieces_of_100_ms(engine: Control) -> None:
    """50 kB at 100 KB/s: nothing before 100 ms, all of it not before 500 ms."""
    with Upstream(sends(b"x" * 50_000)) as up:
        proxy = engine.proxy(up.address)
        proxy.toxic("bandwidth", rate=100)
        begin = time.monotonic()
        with proxy.client() as client:
            first = client.read()
            at_first = time.monotonic() - begin
            client.read_until(50_000 - len(first))

            assert at_first >= 0.098
            assert len(first) <= 10_000
            assert time.monotonic() - begin >= 0.49


def test_bandwidth_is_per_connection(engine: Control) -> None:
    """Two connections at 100 KB/s each take as long as one."""
    with Upstream(sends(b"x" * 30_000)) as up:
        proxy = engine.proxy(up.address)
        proxy.toxic("bandwidth", rate=100)
        begin = time.monotonic()
        with proxy.client() as one, proxy.client() as two:
            one.read_until(30_000)
            two.read_until(30_000)

            assert 0.29 <= time.monotonic() - begin < 0.59


def test_bandwidth_gives_no_credit_for_idle_time(engine: Control) -> None:
    """After a pause the next chunk still takes its time."""
    with Upstream() as up:
        proxy = engine.proxy(up.address)
        proxy.toxic("bandwidth", rate=100)
        with proxy.client() as client:
            client.ask(b"a")
            time.sleep(0.3)

            assert client.ask(b"x" * 10_000) >= 0.098


def test_bandwidth_zero_lets_nothing_pass_until_removed(engine: Control) -> None:
    """Rate 0 holds the data; it comes out when the toxic goes."""
    with Upstream(sends(b"x" * 100)) as up:
        proxy = engine.proxy(up.address)
        toxic = proxy.toxic("bandwidth", rate=0)
        with proxy.client() as client:
            assert client.read(0.3) == SILENCE
            assert proxy.remove(toxic).status == 204
            assert client.read(3) == b"x" * 100


# -- slow_close


def test_slow_close_holds_the_end_but_not_the_data(engine: Control) -> None:
    """Data at once, the end 200 ms later."""
    with Upstream(sends(b"12345", then_close=True)) as up:
        proxy = engine.proxy(up.address)
        proxy.toxic("slow_close", delay=200)
        begin = time.monotonic()
        with proxy.client() as client:
            assert client.read() == b"12345"
            early = time.monotonic() - begin
            assert client.read() == EOF
            assert time.monotonic() - begin >= 0.199 > early


def test_slow_close_is_for_its_direction_only(engine: Control) -> None:
    """Upstream it holds a client's close; downstream it does not."""
    with Upstream() as up:
        held, free = engine.proxy(up.address), engine.proxy(up.address)
        held.toxic("slow_close", "upstream", delay=1500)
        free.toxic("slow_close", "downstream", delay=1500)
        with held.client() as client:
            client.ask(b"a")
        with free.client() as client:
            client.ask(b"a")

        assert up.saw(EOF, within=1.2)
        assert up.seen.count(EOF) == 1


def test_removing_slow_close_closes_now(engine: Control) -> None:
    """The end that was held for 5 s is let go."""
    with Upstream(sends(b"12345", then_close=True)) as up:
        proxy = engine.proxy(up.address)
        toxic = proxy.toxic("slow_close", delay=5000)
        with proxy.client() as client:
            client.read()
            assert client.read(0.1) == SILENCE
            proxy.remove(toxic)
            assert client.read(3) == EOF


# -- timeout


def test_timeout_closes_an_idle_connection(engine: Control) -> None:
    """An existing connection without data closes that long after the toxic came."""
    with Upstream() as up, (proxy := engine.proxy(up.address)).client() as client:
        client.ask(b"a")
        begin = time.monotonic()
        proxy.toxic("timeout", timeout=200)

        assert client.read() == EOF
        assert time.monotonic() - begin >= 0.199


def test_every_dropped_chunk_starts_the_timeout_again(engine: Control) -> None:
    """Data each 100 ms keeps a timeout of 250 ms from closing."""
    with Upstream() as up:
        proxy = engine.proxy(up.address)
        proxy.toxic("timeout", timeout=250)
        with proxy.client() as client:
            begin = time.monotonic()
            for _ in range(4):
                client.send(b"x")
                time.sleep(0.1)

            assert client.read() == EOF
            assert time.monotonic() - begin >= 0.54


def test_timeout_zero_hangs(engine: Control) -> None:
    """Data vanishes, nothing closes."""
    with Upstream() as up:
        proxy = engine.proxy(up.address)
        proxy.toxic("timeout", timeout=0)
        with proxy.client() as client:
            client.send(b"a")

            assert client.read(0.3) == SILENCE
        assert up.seen[0] == "1 bytes"


def test_the_server_s_end_passes_a_timeout(engine: Control) -> None:
    """Timeout drops data; the end of the stream it lets through."""
    with Upstream(sends(b"123", then_close=True)) as up:
        proxy = engine.proxy(up.address)
        proxy.toxic("timeout", timeout=0)
        with proxy.client() as client:
            assert client.read() == EOF


def test_removing_a_timeout_closes_its_connections(engine: Control) -> None:
    """Their data is gone, so they are of no use."""
    with Upstream() as up, (proxy := engine.proxy(up.address)).client() as client:
        client.ask(b"a")
        toxic = proxy.toxic("timeout", timeout=0)
        client.send(b"b")
        proxy.remove(toxic)

        assert client.read() == EOF


def test_removing_a_timeout_closes_even_connections_it_did_not_affect(engine: Control) -> None:
    """Toxicity 0: the data passed, and the removal closes all the same (Toxiproxy 2.12.0)."""
    with Upstream() as up, (proxy := engine.proxy(up.address)).client() as client:
        toxic = proxy.toxic("timeout", toxicity=0, timeout=0)
        client.ask(b"b")
        proxy.remove(toxic)

        assert client.read() == EOF


def test_an_updated_timeout_takes_effect(engine: Control) -> None:
    """From 0 to 150 ms: a hanging connection closes."""
    with Upstream() as up:
        proxy = engine.proxy(up.address)
        toxic = proxy.toxic("timeout", timeout=0)
        with proxy.client() as client:
            client.send(b"q")
            assert client.read(0.2) == SILENCE
            proxy.update(toxic, timeout=150)
            assert client.read(3) == EOF


# -- reset_peer


def test_reset_peer_resets_both_sides(engine: Control) -> None:
    """On the answer's way: the client and the server each see a reset."""
    with Upstream() as up:
        proxy = engine.proxy(up.address)
        proxy.toxic("reset_peer", timeout=0)
        with proxy.client() as client:
            client.send(b"a")

            assert client.read() == RST
        assert up.saw(RST)


def test_reset_peer_leaves_an_idle_connection_alone(engine: Control) -> None:
    """It waits for the first chunk, even with timeout 0."""
    with Upstream() as up:
        proxy = engine.proxy(up.address)
        proxy.toxic("reset_peer", timeout=0)
        with proxy.client() as client:
            assert client.read(0.3) == SILENCE


def test_reset_peer_waits_its_timeout(engine: Control) -> None:
    """200 ms after the first chunk, not before."""
    with Upstream() as up:
        proxy = engine.proxy(up.address)
        proxy.toxic("reset_peer", timeout=200)
        with proxy.client() as client:
            client.send(b"a")
            begin = time.monotonic()

            assert client.read() == RST
            assert time.monotonic() - begin >= 0.19


def test_reset_peer_upstream_hides_the_request(engine: Control) -> None:
    """The server sees a reset and never the request."""
    with Upstream() as up:
        proxy = engine.proxy(up.address)
        proxy.toxic("reset_peer", "upstream", timeout=0)
        with proxy.client() as client:
            client.send(b"a")

            assert client.read() == RST
        assert up.saw(RST)
        assert "1 bytes" not in up.seen


def test_reset_peer_added_later_only_closes(engine: Control) -> None:
    """SO_LINGER is set when the connection is made; one that was there before gets an ordinary end."""
    with Upstream() as up, (proxy := engine.proxy(up.address)).client() as client:
        client.ask(b"a")
        proxy.toxic("reset_peer", timeout=0)
        client.send(b"b")

        assert client.read() == EOF


def test_an_unaffected_reset_peer_still_resets_at_the_end(engine: Control) -> None:
    """Toxicity 0: data passes, and the close is a reset (Toxiproxy 2.12.0, issue #603)."""

    def once(conn: object, seen: list[str]) -> None:
        seen.append("answered")
        conn.sendall(conn.recv(10))  # type: ignore[attr-defined]

    with Upstream(once) as up:
        proxy = engine.proxy(up.address)
        proxy.toxic("reset_peer", toxicity=0, timeout=0)
        with proxy.client() as client:
            client.send(b"a")
            ends = [client.read(), client.read()]

            assert RST in ends


# -- slicer


def test_slicer_cuts_and_keeps_every_byte(engine: Control) -> None:
    """1000 bytes in pieces of about 100 with 10 ms after each: several reads, the same bytes."""
    data = bytes(range(250)) * 4
    with Upstream(sends(data)) as up:
        proxy = engine.proxy(up.address)
        proxy.toxic("slicer", average_size=100, size_variation=20, delay=10_000)
        begin = time.monotonic()
        parts: list[bytes] = []
        with proxy.client() as client:
            while sum(len(part) for part in parts) < 1000:
                part = client.read()
                assert isinstance(part, bytes), part
                parts.append(part)

        assert b"".join(parts) == data
        assert len(parts) > 4
        assert time.monotonic() - begin >= 0.06


@pytest.mark.parametrize(("average", "variation"), [(5, 5), (5, 6), (1, 2), (0, 1), (5, -3)])
def test_sizes_at_the_edge_of_what_the_original_survives_deliver_everything(
    engine: Control, average: int, variation: int
) -> None:
    """Whatever is cut, and however often."""
    with Upstream(sends(b"x" * 20_000, then_close=True)) as up:
        proxy = engine.proxy(up.address)
        proxy.toxic("slicer", average_size=average, size_variation=variation)
        with proxy.client() as client:
            assert client.read_all() == (20_000, EOF)


def test_slicer_leaves_small_chunks_whole(engine: Control) -> None:
    """A chunk below the average is not cut."""
    with Upstream() as up:
        proxy = engine.proxy(up.address)
        proxy.toxic("slicer", average_size=100, size_variation=0, delay=0)
        with proxy.client() as client:
            client.send(b"x" * 50)

            assert client.read() == b"x" * 50


# -- limit_data


@pytest.mark.parametrize(("size", "limit", "passes"), [(1000, 300, 300), (300, 300, 300), (300, 0, 0)])
def test_limit_data_passes_exactly_its_bytes_then_closes(engine: Control, size: int, limit: int, passes: int) -> None:
    """Cut inside a chunk; reaching the limit exactly closes too; 0 lets nothing through."""
    with Upstream(sends(b"x" * size)) as up:
        proxy = engine.proxy(up.address)
        proxy.toxic("limit_data", bytes=limit)
        with proxy.client() as client:
            assert client.read_all() == (passes, EOF)


def test_limit_data_counts_from_when_it_came(engine: Control) -> None:
    """100 bytes before the toxic do not count."""
    with Upstream() as up, (proxy := engine.proxy(up.address)).client() as client:
        client.ask(b"a" * 100)
        proxy.toxic("limit_data", bytes=50)
        client.send(b"b" * 100)

        assert client.read_all() == (50, EOF)


def test_limit_data_keeps_its_count_over_an_update(engine: Control) -> None:
    """60 of 100 sent, then lowered to 80: 20 more."""
    with Upstream() as up:
        proxy = engine.proxy(up.address)
        toxic = proxy.toxic("limit_data", bytes=100)
        with proxy.client() as client:
            client.ask(b"a" * 60)
            proxy.update(toxic, bytes=80)
            client.send(b"a" * 60)

            assert client.read_all() == (20, EOF)


def test_limit_data_upstream_cuts_the_request(engine: Control) -> None:
    """The server gets 3 bytes and the end."""
    with Upstream() as up:
        proxy = engine.proxy(up.address)
        proxy.toxic("limit_data", "upstream", bytes=3)
        with proxy.client() as client:
            client.send(b"abcdef")

            assert up.saw("3 bytes")
            assert up.saw(EOF) or RST in up.seen  # a reset when its echo met the closed connection


def test_noop_does_nothing(engine: Control) -> None:
    """It is in Toxiproxy's list, so it must exist."""
    with Upstream() as up:
        proxy = engine.proxy(up.address)
        proxy.toxic("noop")
        with proxy.client() as client:
            assert client.ask(b"abc") < 1


# -- chains


def test_toxics_work_in_the_order_of_their_creation(engine: Control) -> None:
    """limit_data behind bandwidth counts what bandwidth let through: the first 10 kB come at its pace."""
    with Upstream(sends(b"x" * 50_000)) as up:
        proxy = engine.proxy(up.address)
        proxy.toxic("bandwidth", rate=100)
        proxy.toxic("limit_data", bytes=15_000)
        begin = time.monotonic()
        with proxy.client() as client:
            assert client.read_all() == (15_000, EOF)
        assert time.monotonic() - begin >= 0.19


def test_every_toxic_at_once_lets_the_bytes_through(engine: Control) -> None:
    """Latency, bandwidth, slicer, slow_close and noop in both directions: a kilobyte comes back unchanged."""
    with Upstream() as up:
        proxy = engine.proxy(up.address)
        for stream in ("upstream", "downstream"):
            proxy.toxic("latency", stream, latency=10, jitter=5)
            proxy.toxic("bandwidth", stream, rate=1000)
            proxy.toxic("slicer", stream, average_size=100, size_variation=50, delay=10)
            proxy.toxic("slow_close", stream, delay=10)
            proxy.toxic("noop", stream)
        with proxy.client() as client:
            assert client.ask(bytes(range(250)) * 4) >= 0.009
