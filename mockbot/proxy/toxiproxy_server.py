"""Start a proxy as a child process: the embedded one or a real Toxiproxy; or lease proxies on one that is shared.

Every child ends when its stdin does, so it also ends when this process is killed with -9. On a shared Toxiproxy the
lease then deletes our proxies and touches nothing else.
"""

import json
import shutil
import subprocess
from pathlib import Path

from mockbot.errors import TestbedError
from mockbot.process.managed_process import ManagedProcess

GET_ONE = (
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
    candidates += [folder / "bin" / "server" for folder in go_paths()]
    return next((path for path in candidates if is_toxiproxy(path)), None)


def require_toxiproxy(hint: str | None = None) -> Path:
    """As `find_toxiproxy`; TestbedError that says how to get one."""
    binary = find_toxiproxy(hint)
    if binary is None:
        raise TestbedError(f"no toxiproxy-server found{f' at {hint}' if hint else ''}: {GET_ONE}")
    return binary


def is_toxiproxy(path: Path) -> bool:
    """Whether `-version` names Toxiproxy: `go install` calls the program `server`, as other programs are called."""
    if not path.is_file():
        return False
    try:
        said = subprocess.run([str(path), "-version"], capture_output=True, timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return said.stdout.startswith(b"toxiproxy-server version")


def go_paths() -> list[Path]:
    """Go's workspaces; none when there is no Go."""
    go = shutil.which("go")
    if go is None:
        return []
    said = subprocess.run([go, "env", "GOPATH"], capture_output=True, text=True, timeout=10, check=False)
    return [Path(folder) for folder in said.stdout.strip().split(":") if folder]
