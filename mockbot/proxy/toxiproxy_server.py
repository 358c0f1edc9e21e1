"""Start the embedded proxy or a real Toxiproxy as a child process; or lease proxies on a Toxiproxy that is shared.

A child ends when its stdin does, so also when this process is killed with -9. The lease then deletes the proxies of
this run and nothing else.
"""

import json
import shutil
import subprocess
from pathlib import Path

from mockbot.errors import TestbedError
from mockbot.process.managed_process import ManagedProcess

INSTALL = (
    "install a release of Toxiproxy 2.12.0, or build it with "
    "`go install github.com/Shopify/toxiproxy/v2/cmd/server@v2.12.0` (the program is then called `server`)"
)


def start_embedded(seed: int, log: Path | None = None) -> ManagedProcess:
    """The embedded engine on a free loopback port."""
    options = ["--host", "127.0.0.1", "--port", "0", "--seed", str(seed), "--lease-stdin"]
    return ManagedProcess(["mockbot.proxy", *options], log)


def start_toxiproxy(binary: Path, log: Path | None = None) -> ManagedProcess:
    """A real Toxiproxy on a free loopback port; its watchdog ends it with us."""
    return ManagedProcess(["mockbot.proxy.cleanup_watchdog", "server", str(binary)], log)


class Lease(ManagedProcess):
    """Our proxies on a Toxiproxy that we did not start; a watchdog deletes them when we end, however we end."""

    def __init__(self, url: str) -> None:
        super().__init__(["mockbot.proxy.cleanup_watchdog", "proxies", url])

    def hold(self, name: str) -> None:
        """Before the proxy is created: from here on it will be deleted."""
        self.tell("+" + json.dumps(name))

    def drop(self, name: str) -> None:
        """After the proxy was deleted."""
        self.tell("-" + json.dumps(name))


def find_toxiproxy(hint: str | None = None) -> Path | None:
    """A real server: the hint, `toxiproxy-server` on PATH, or `server` where `go install` puts it."""
    if hint:
        return Path(hint) if is_toxiproxy(Path(hint)) else None
    found = shutil.which("toxiproxy-server")
    candidates = [Path(found)] if found else []
    if go := shutil.which("go"):
        answer = subprocess.run([go, "env", "GOPATH"], capture_output=True, text=True, timeout=10, check=False)
        candidates += [Path(path) / "bin" / "server" for path in answer.stdout.strip().split(":") if path]
    return next((path for path in candidates if is_toxiproxy(path)), None)


def require_toxiproxy(hint: str | None = None) -> Path:
    """As `find_toxiproxy`; TestbedError with how to install one."""
    binary = find_toxiproxy(hint)
    if binary is None:
        raise TestbedError(f"no toxiproxy-server found{f' at {hint}' if hint else ''}; {INSTALL}")
    return binary


def is_toxiproxy(path: Path) -> bool:
    """Whether `-version` names Toxiproxy: `go install` calls the program `server`, as other programs are called."""
    if not path.is_file():
        return False
    try:
        answer = subprocess.run([str(path), "-version"], capture_output=True, timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.stdout.startswith(b"toxiproxy-server version")
