"""--sealed: the only way out is the forward proxy; where the system does not permit that, the run does not begin."""

import subprocess
import sys
from pathlib import Path

import pytest

from mockbot.errors import UsageError
from mockbot.interception.sealed import require_sealing
from tests.commands.build import mockbot, run, scenario_file
from tests.interception.clients import program
from tests.interception.inside import echo, server
from tests.interception.test_clients import failed_checks, played, seen

pytestmark = pytest.mark.live


def _permitted() -> bool:
    try:
        require_sealing()
    except UsageError:
        return False
    return True


permitted = pytest.mark.skipif(not _permitted(), reason="SEALING NOT TESTED: no network namespaces here")
ESCAPES = """
import os, socket
for place in (("192.0.2.1", 443), ("127.0.0.1", PORT)):
    try:
        socket.create_connection(place, timeout=5)
        print("ESCAPED", place)
    except OSError as error:
        print("SEALED", os.getuid(), error.errno)
"""


@permitted
@pytest.mark.second
def test_a_sealed_client_reaches_the_proxy_and_nobody_else(tmp_path: Path) -> None:
    """It is who it was, meets the outage, and reaches neither the network nor what listens on this machine."""
    with server(echo) as port:
        text = ESCAPES.replace("PORT", str(port)) + program("openai")
        _, says = played(tmp_path, sys.executable, "-c", text, "60", options=("--sealed",))

    assert failed_checks(tmp_path) == [], says
    assert "ESCAPED" not in says.partition("intercepted for")[2]
    assert says.count(f"SEALED {_uid()} ") == 2
    assert {"ok", "http_error"} <= seen(tmp_path)[1]


def _uid() -> str:
    return subprocess.run(["id", "-u"], capture_output=True, text=True, check=True).stdout.strip()


@permitted
@pytest.mark.nightly
def test_a_sealed_client_that_goes_past_asks_nobody(tmp_path: Path) -> None:
    """aiohttp without trust_env, on its way to the real api.openai.com."""
    code, says = played(tmp_path, sys.executable, "-c", program("aiohttp"), "1", options=("--sealed",))

    assert code == 3
    assert "trust_env=True" in says


@permitted
def test_sealing_is_refused_with_the_reason(tmp_path: Path) -> None:
    """Within a namespace that allows no further ones, as many containers do."""
    command = mockbot("run", scenario_file(tmp_path), "--out", tmp_path / "run", "--sealed", "--", "true")
    none = ["unshare", "-r", "sh", "-c", 'echo 0 >/proc/sys/user/max_user_namespaces && exec "$@"', "sh"]
    done = subprocess.run([*none, *command], capture_output=True, text=True, check=False)

    assert done.returncode == 2, done.stdout + done.stderr
    assert "--sealed: this system permits no network namespace" in done.stderr
    assert not (tmp_path / "run").exists()


def test_interception_is_for_a_command(tmp_path: Path) -> None:
    """The crowd needs none."""
    done = run("run", scenario_file(tmp_path), "--intercept")

    assert done.returncode == 2
    assert "add `-- COMMAND`" in done.stderr


def test_on_macos_sealing_is_refused_with_the_way_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its network namespaces are Linux's."""
    monkeypatch.setattr("sys.platform", "darwin")

    with pytest.raises(UsageError, match=r"needs Linux.*; leave it out$"):
        require_sealing()
