"""Proxies as child processes, the watchdog and the lease: nothing outlives us, and only ours is touched."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import psutil
import pytest

from mockbot.errors import TestbedError
from mockbot.process.managed_process import ManagedProcess
from mockbot.proxy.control_session import ControlPlaneHung
from mockbot.proxy.toxiproxy_client import ToxicControl, ToxicSpec
from mockbot.proxy.toxiproxy_server import (
    Lease,
    find_toxiproxy,
    is_toxiproxy,
    require_toxiproxy,
    start_embedded,
    start_toxiproxy,
)
from tests.proxy.dying import dying_clients
from tests.proxy.wire import Control, eventually, refused_address, request

pytestmark = pytest.mark.live


def reachable(url: str) -> bool:
    try:
        return request(url, "GET", "/version", limit=2).status == 200
    except OSError:
        return False


def killed_parent(code: str, *arguments: str) -> dict[str, object]:
    """Run a program that prints one JSON line and waits; kill it with -9; the line."""
    program = textwrap.dedent(code) + "\nimport signal; signal.pause()\n"
    parent = subprocess.Popen([sys.executable, "-c", program, *arguments], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    line = parent.stdout.readline()
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    return dict(json.loads(line))


def test_an_embedded_engine_dies_with_a_killed_parent() -> None:
    """kill -9: no cleanup code of ours runs, and still its port is free again."""
    said = killed_parent("""
        import json
        from mockbot.proxy.toxiproxy_server import start_embedded
        child = start_embedded(1)
        print(json.dumps({"url": child.url, "pid": child.pid}), flush=True)
    """)

    assert eventually(lambda: not reachable(str(said["url"])), 5)
    assert eventually(lambda: not psutil.pid_exists(int(str(said["pid"]))), 5)


def test_a_toxiproxy_we_started_dies_with_a_killed_parent(toxiproxy: Path) -> None:
    """Its watchdog sees the end of stdin and ends it."""
    said = killed_parent(
        """
        import json, sys, pathlib
        from mockbot.proxy.toxiproxy_server import start_toxiproxy
        child = start_toxiproxy(pathlib.Path(sys.argv[1]))
        print(json.dumps({"url": child.url, "pid": child.pid}), flush=True)
        """,
        str(toxiproxy),
    )

    assert eventually(lambda: not reachable(str(said["url"])), 5)
    assert eventually(lambda: not psutil.pid_exists(int(str(said["pid"]))), 5)


def test_a_lease_deletes_our_proxies_after_kill_9_and_no_others(engine: Control) -> None:
    """On a shared server: ours go, the neighbour's stays, with its toxics."""
    neighbour = engine.proxy(refused_address())
    neighbour.toxic("latency", latency=1)
    killed_parent(
        """
        import json, sys
        from mockbot.proxy.toxiproxy_client import ToxicControl
        from mockbot.proxy.toxiproxy_server import Lease
        lease, control = Lease(sys.argv[1]), ToxicControl(sys.argv[1])
        for name in ("ours?é", "dropped"):
            lease.hold(name)
            control.create(name, "127.0.0.1:1")
        control.delete("dropped")
        lease.drop("dropped")
        print(json.dumps({}), flush=True)
        """,
        engine.url,
    )

    assert eventually(
        lambda: list(engine("GET", "/proxies").json) == [neighbour.name] or engine_has_no("ours?é", engine), 5
    )
    assert len(neighbour.show()["toxics"]) == 1


def engine_has_no(name: str, engine: Control) -> bool:
    return name not in engine("GET", "/proxies").json


def test_a_lease_that_is_closed_cleans_up_at_once(engine: Control) -> None:
    """The same on the ordinary way out; a dropped name is left alone."""
    control = ToxicControl(engine.url)
    with Lease(engine.url) as lease:
        for name in ("leased", "kept"):
            lease.hold(name)
            control.create(name, refused_address())
        lease.drop("kept")

    assert engine_has_no("leased", engine)
    assert not engine_has_no("kept", engine)
    control.delete("kept")


def test_a_child_that_cannot_start_says_why(tmp_path: Path) -> None:
    """The child's own last words, and no child left."""
    liar = tmp_path / "toxiproxy-server"
    liar.write_text("#!/bin/sh\nexit 0\n")
    liar.chmod(0o755)

    with pytest.raises(TestbedError, match="did not open its control port"):
        start_toxiproxy(liar)


def test_ctrl_c_does_not_reach_the_children() -> None:
    """They are in a session of their own, so that cleaning up is ours to order."""
    with start_embedded(1) as child:
        assert os.getsid(child.pid) != os.getsid(0)
        assert child.alive


def test_a_file_called_server_must_prove_that_it_is_toxiproxy(tmp_path: Path) -> None:
    """`go install` gives it that name, and so may anyone."""
    other = tmp_path / "server"
    other.write_text("#!/bin/sh\necho nginx version 1\n")
    other.chmod(0o755)

    assert not is_toxiproxy(other)
    assert find_toxiproxy(str(other)) is None
    with pytest.raises(TestbedError, match="go install"):
        require_toxiproxy(str(other))


def test_a_stopped_server_is_reported_as_hung_and_can_still_be_ended(toxiproxy: Path) -> None:
    """A real server that does not run any more: ControlPlaneHung within the limit, and closing it does not hang."""
    with start_toxiproxy(toxiproxy) as child:
        control = ToxicControl(child.url, limits=(0.3, 0.3))
        control.create("a", refused_address())
        [server] = psutil.Process(child.pid).children()
        server.suspend()
        stopped = psutil.STATUS_STOPPED
        assert eventually(lambda: all(psutil.Process(each.id).status() == stopped for each in server.threads()), 5)

        with pytest.raises(ControlPlaneHung):
            control.add_toxic("a", ToxicSpec("t", "noop"))
    assert eventually(lambda: not server.is_running(), 5)


def test_removing_toxics_under_dying_clients_does_not_hang(engine: Control) -> None:
    """What deadlocks the original within 24 cycles when it is done in place (issue #558): 20 cycles on either engine.

    The toxics are added while the proxy is down: adding to live connections can hang the original too.
    """
    control, pause = ToxicControl(engine.url), threading.Event()
    with dying_clients(engine) as name:
        for _ in range(20):
            control.disable(name)
            control.remove_toxic(name, "absent")  # creates it again at the original, without connections about to end
            control.add_toxic(name, ToxicSpec("slow", "latency", attributes={"latency": 20}))
            control.enable(name)
            pause.wait(0.06)
            control.remove_toxic(name, "slow")

        assert control.get_proxy(name).toxics == ()
        assert control.get_proxy(name).enabled


def test_the_embedded_engine_changes_toxics_under_dying_clients(embedded: Control) -> None:
    """Adding, updating and removing on live connections, 60 times, in place."""
    control, pause = ToxicControl(embedded.url), threading.Event()
    with dying_clients(embedded) as name:
        for _ in range(60):
            control.add_toxic(name, ToxicSpec("slow", "latency", attributes={"latency": 20}))
            control.update_toxic(name, ToxicSpec("slow", "latency", attributes={"latency": 5}))
            pause.wait(0.01)
            control.remove_toxic(name, "slow")

        assert control.felt(name) is not None


def test_closing_a_child_twice_is_fine() -> None:
    """Exit stacks may do so."""
    child: ManagedProcess = start_embedded(1)
    child.close()
    child.close()

    assert not child.alive
