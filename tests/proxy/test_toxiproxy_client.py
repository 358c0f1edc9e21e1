"""ToxicControl on both engines: the library's work without the library's surprises."""

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest
import toxiproxy

from mockbot.errors import TestbedError
from mockbot.proxy.control_session import ControlError, ControlPlaneHung, ControlUnreachable
from mockbot.proxy.toxiproxy_client import CLOSED_BY_DISABLE, ToxicControl, ToxicSpec
from tests.proxy.inprocess import running
from tests.proxy.wire import EOF, RST, Control, Upstream, refused_address

pytestmark = pytest.mark.live

LATENCY = ToxicSpec("slow", "latency", attributes={"latency": 100})


@pytest.fixture
def control(engine: Control) -> Iterator[ToxicControl]:
    toxic_control = ToxicControl(engine.url)
    yield toxic_control
    for name in ("api", "other", "q?x #é%", "second"):
        toxic_control.delete(name)


def test_a_proxy_is_created_where_it_says(control: ToxicControl) -> None:
    """Port 0 becomes the real port, and traffic passes."""
    with Upstream() as up:
        address = control.create("api", up.address)

        assert address.startswith("127.0.0.1:")
        assert control.get_proxy("api").listen == address
        host, _, port = address.rpartition(":")
        with socket.create_connection((host, int(port)), timeout=3) as sock:
            sock.sendall(b"a")
            assert sock.recv(1) == b"a"


def test_names_are_quoted(control: ToxicControl) -> None:
    """A name with a question mark, a space and an accent can be used for everything (the library cannot)."""
    name = "q?x #é%"
    control.create(name, refused_address())
    control.add_toxic(name, ToxicSpec("t?", "noop"))
    control.disable(name)
    control.enable(name)
    control.update_toxic(name, ToxicSpec("t?", "noop", toxicity=0.5))

    assert control.get_proxy(name).toxics == ("t?",)
    control.remove_toxic(name, "t?")
    assert control.get_proxy(name).toxics == ()
    control.delete(name)
    assert name not in control.proxies()


def test_a_port_in_use_is_an_error_with_status_and_reason(control: ToxicControl) -> None:
    """The library raises KeyError: 'name'."""
    address = control.create("api", refused_address())

    with pytest.raises(ControlError, match="address already in use") as caught:
        control.create("second", refused_address(), address)
    assert (caught.value.status, caught.value.exit_code) == (500, 4)
    assert isinstance(caught.value, TestbedError)


def test_an_enable_that_fails_is_an_error(control: ToxicControl) -> None:
    """The library says nothing and believes that it worked."""
    address = control.create("api", refused_address())
    control.disable("api")
    host, _, port = address.rpartition(":")
    with socket.create_server((host, int(port))), pytest.raises(ControlError, match="address already in use"):
        control.enable("api")

    assert control.get_proxy("api").enabled is False


@pytest.mark.parametrize(
    ("toxic", "status"),
    [(ToxicSpec("x", "nonsense"), 400), (ToxicSpec("x", "latency", "sideways"), 400), (ToxicSpec("slow", "noop"), 409)],
)
def test_a_refused_toxic_says_why(control: ToxicControl, toxic: ToxicSpec, status: int) -> None:
    """Status and message, not the library's wrong exception."""
    control.create("api", refused_address())
    control.add_toxic("api", LATENCY)

    with pytest.raises(ControlError) as caught:
        control.add_toxic("api", toxic)
    assert caught.value.status == status


def test_what_is_unknown_is_404(control: ToxicControl) -> None:
    """For everything but removals, which are idempotent."""
    for call in (control.enable, control.disable, control.get_proxy):
        with pytest.raises(ControlError, match="proxy not found") as caught:
            call("nobody")
        assert caught.value.status == 404

    control.delete("nobody")
    control.remove_toxic("nobody", "nothing")


def test_crashing_attributes_never_reach_a_server(control: ToxicControl) -> None:
    """On both engines: the original would die of them."""
    control.create("api", refused_address())

    for toxic in (ToxicSpec("s", "slicer"), ToxicSpec("b", "bandwidth", attributes={"rate": -1})):
        with pytest.raises(ControlError) as caught:
            control.add_toxic("api", toxic)
        assert caught.value.status == 400
    assert control.version()


def test_updating_and_removing_work_and_leave_the_proxy_up(control: ToxicControl) -> None:
    """The original's proxy is created again for it, and is up afterwards as before."""
    with Upstream() as up:
        control.create("api", up.address)
        control.add_toxic("api", LATENCY)
        control.update_toxic("api", ToxicSpec("slow", "latency", attributes={"latency": 5}))
        control.remove_toxic("api", "slow")
        control.remove_toxic("api", "slow")

        assert control.get_proxy("api").enabled is True
        assert control.get_proxy("api").toxics == ()


def test_a_proxy_that_was_down_stays_down_through_a_removal(control: ToxicControl) -> None:
    """A proxy that is created again for a change is not enabled when it was not."""
    control.create("api", refused_address())
    control.add_toxic("api", LATENCY)
    control.disable("api")
    control.remove_toxic("api", "slow")

    assert control.get_proxy("api").enabled is False


def test_update_proxy_moves_the_upstream(control: ToxicControl) -> None:
    """The library cannot."""
    control.create("api", refused_address())
    elsewhere = refused_address()

    assert control.update_proxy("api", upstream=elsewhere).upstream == elsewhere


def test_felt_is_known_to_the_embedded_engine_only(control: ToxicControl, engine: Control) -> None:
    """The original cannot tell: None, which is not zero."""
    with Upstream() as up:
        address = control.create("api", up.address)
        control.add_toxic("api", ToxicSpec("cut", "limit_data"))
        host, _, port = address.rpartition(":")
        with socket.create_connection((host, int(port)), timeout=3) as sock:
            sock.sendall(b"a")
            sock.recv(1)
        control.remove_toxic("api", "cut")

        assert control.felt("api") == ({"cut": 1, CLOSED_BY_DISABLE: 0} if engine.embedded else None)


def test_many_threads_can_share_one_control(control: ToxicControl) -> None:
    """Eight threads add and remove their own toxics; each finds what it did."""
    control.create("api", refused_address())
    failures: list[object] = []

    def work(name: str) -> None:
        for _ in range(5):
            control.add_toxic("api", ToxicSpec(name, "noop"))
            if name not in control.get_proxy("api").toxics:
                failures.append(name)
            control._session.delete(f"/proxies/api/toxics/{name}")

    threads = [threading.Thread(target=work, args=(f"t{number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert failures == []
    assert control.get_proxy("api").toxics == ()


# -- without an engine


def test_nobody_there_is_unreachable() -> None:
    """A typed error that names the address."""
    address = refused_address()

    with pytest.raises(ControlUnreachable, match=address):
        ToxicControl(f"http://{address}").version()


def test_a_server_that_does_not_answer_is_hung() -> None:
    """After the read limit (5 s; here 0.2), never for ever: for the library's own calls too."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        control = ToxicControl(f"http://127.0.0.1:{silent.getsockname()[1]}", limits=(0.2, 0.2))
        begin = time.monotonic()

        with pytest.raises(ControlPlaneHung, match="did not answer"):
            control.version()
        with pytest.raises(ControlPlaneHung, match="did not answer"):
            control.create("a", "b:1")
        assert time.monotonic() - begin < 4


def test_a_503_means_that_the_control_plane_is_stuck() -> None:
    """It is how a deadlocked Toxiproxy answers after its own 25 s; the body is HTML."""

    def stuck(conn: socket.socket, seen: list[str]) -> None:
        conn.recv(65536)
        conn.sendall(b"HTTP/1.1 503 x\r\nContent-Type: text/html\r\nContent-Length: 13\r\n\r\n<html></html>")
        seen.append(EOF)

    with Upstream(stuck) as up, pytest.raises(ControlPlaneHung, match="stuck"):
        ToxicControl(f"http://{up.address}").version()


def test_two_controls_in_one_process_do_not_mix() -> None:
    """The library has one address for the whole process; here each object keeps its own, the library too."""
    with running() as one, running() as two:
        first, second = ToxicControl(one.url), ToxicControl(two.url)
        first.create("api", "x:1")

        assert (first.proxies(), second.proxies()) == (("api",), ())
        assert (toxiproxy.api.APIConsumer.host, toxiproxy.api.APIConsumer.port) == ("127.0.0.1", 8474)


def test_proxy_variables_are_not_obeyed(embedded: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    """A control port on loopback is never reached through a company's proxy."""
    monkeypatch.setenv("http_proxy", f"http://{refused_address()}")
    monkeypatch.setenv("HTTP_PROXY", f"http://{refused_address()}")
    monkeypatch.delenv("no_proxy", raising=False)

    assert ToxicControl(embedded.url).version() == "2.12.0"


def test_a_token_is_sent(embedded: Control) -> None:
    """An engine with a token refuses those without it: 401, and says what it wants."""
    with running(token="s3cret") as engine:
        with pytest.raises(ControlError, match="needs its token") as caught:
            ToxicControl(engine.url).proxies()
        assert caught.value.status == 401
        assert ToxicControl(engine.url, token="s3cret").proxies() == ()


def test_it_works_under_gevent_s_monkey_patching(embedded: Control) -> None:
    """Locust's process is patched; two greenlets drive one control there."""
    code = (
        "import gevent.monkey; gevent.monkey.patch_all()\n"
        "import sys, gevent\n"
        "from mockbot.proxy.toxiproxy_client import ToxicControl, ToxicSpec\n"
        "c = ToxicControl(sys.argv[1]); c.create('green', 'x:1')\n"
        "def work(n):\n"
        "    c.add_toxic('green', ToxicSpec(n, 'noop')); c.remove_toxic('green', n)\n"
        "jobs = [gevent.spawn(work, f't{n}') for n in range(5)]; gevent.joinall(jobs, raise_error=True)\n"
        "c.disable('green'); c.enable('green'); print(c.get_proxy('green').toxics, c.felt('green'))\n"
        "c.delete('green')\n"
    )
    said = subprocess.run(
        [sys.executable, "-c", code, embedded.url], capture_output=True, text=True, timeout=60, check=False
    )

    assert said.stdout.strip() == "() {'(proxy disabled)': 0}", said.stderr


def test_a_disable_through_the_control_cuts_connections(control: ToxicControl) -> None:
    """What the fault `down` is made of."""
    with Upstream() as up:
        address = control.create("api", up.address)
        host, _, port = address.rpartition(":")
        with socket.create_connection((host, int(port)), timeout=3) as sock:
            sock.sendall(b"a")
            sock.recv(1)
            control.disable("api")
            try:
                got: bytes | str = sock.recv(1) or EOF
            except ConnectionResetError:
                got = RST

        assert got in (EOF, RST)
