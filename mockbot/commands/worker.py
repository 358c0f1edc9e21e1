"""`mockbot worker MASTER`, and what `mockbot run --workers N --bind ADDRESS` tells its user about such workers.

A worker is a Locust worker that introduces itself (mockbot.load.worker_gate). It needs no scenario: the master sends
the users that it is to be.
"""

import os
import re
import secrets
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address
from pathlib import Path
from typing import NoReturn

from rich.console import Console
from rich.text import Text

from mockbot.commands.own_locustfile import CONNECT_LOCUST, check_locustfile
from mockbot.errors import UsageError
from mockbot.load.introduction import MASTER_PORT, TOKEN, WorkerEvent
from mockbot.process.held_port import held_port
from mockbot.runs.folder import RunFile, RunFolder
from mockbot.runs.journal_files import Follower
from mockbot.scenario.library import loadtest
from mockbot.scenario.schema import Scenario
from mockbot.units.formatting import format_wall
from mockbot.units.quantities import parse_duration

_MASTER = re.compile(r"(?P<host>\w[\w.-]*)(?::(?P<port>\d{1,5}))?")
WAIT = 60.0  # wall seconds
LOOK = 0.25  # wall seconds between two looks at who has come


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """`workers` that come from other machines to the IPv4 address `bind` of this one, within `wait` wall seconds."""

    workers: int
    bind: str
    wait: float

    @classmethod
    def of(cls, workers: int | None, bind: str | None, wait: str | None) -> "Elsewhere | None":
        """From the options of the command line. Raises UsageError."""
        if workers is None and bind is None:
            if wait is not None:
                raise UsageError(f"--wait {wait} is how long --workers are waited for; add --workers and --bind")
            return None
        if workers is None or bind is None:
            raise UsageError(
                "--workers and --bind belong together: how many come, and the address of this machine to which they "
                "come; for more processes on this machine use --processes"
            )
        try:
            address = IPv4Address(bind)
        except AddressValueError:
            raise UsageError(f"--bind {bind} is no IPv4 address; write one of this machine, as 10.0.0.1") from None
        if address.is_unspecified or address.is_multicast:
            raise UsageError(f"--bind {bind} is no single address; name the one to which the workers come, as 10.0.0.1")
        try:
            socket.create_server((bind, 0)).close()
        except OSError as error:
            raise UsageError(f"--bind {bind}: cannot be listened on ({error.strerror}); see `ip address`") from None
        try:
            seconds = WAIT if wait is None else parse_duration(wait)
        except ValueError as error:
            raise UsageError(f"--wait {wait}: {error}") from None
        if not seconds:
            raise UsageError(f"--wait {wait}: nobody comes at once; write it like 60s")
        return cls(workers, bind, seconds)

    def require_plain(self, scenario: Scenario, *, processes: int, system: bool, tls: bool, real: bool) -> None:
        """UsageError for what cannot be combined with workers on other machines. `real`: a provider is."""
        if processes > 1:
            raise UsageError("--workers and --processes: give one of them; start a worker for each core instead")
        if system:
            raise UsageError("--workers and --system: the system listens on this machine only; leave one of them out")
        if real:
            raise UsageError(
                "--workers and --upstream: whoever is on that network could ask the real provider with your key; "
                "use --processes, or --replay recorded answers"
            )
        if tls or scenario.over_tls:
            raise UsageError(
                "--workers: the certificates of a run are for this machine's loopback address; leave --tls and the "
                "faults of the handshake out, or use --processes"
            )

    def told(self, port: int, token: str) -> Iterator[str]:
        """Lines for the user: what to start elsewhere, and what is open meanwhile."""
        yield f"waits {format_wall(self.wait)} for {self.workers} workers; start each with"
        yield f"  {TOKEN}={token} mockbot worker {self.bind}:{port}"
        parts = "providers, status page and Locust's master"
        yield f"until the end, {parts} are open to the network of {self.bind}, unencrypted"

    def arguments(self, port: int) -> list[str]:
        """For the master."""
        bound = ["--master", "--master-bind-host", self.bind, "--master-bind-port", str(port)]
        return [*bound, "--join", str(self.workers), "--join-wait", f"{self.wait:.10g}"]


def run_token(environment: MutableMapping[str, str]) -> str:
    """How the user is told the token, which is in the environment afterwards, for the children. Raises UsageError.

    A new one is spelled out. One that was there before is a secret of whoever put it there, and output is kept as logs.
    An empty one is none: so a secret that CI does not have arrives, and nobody could join with it.
    """
    if given_token(environment):
        return f"${TOKEN}"
    environment[TOKEN] = secrets.token_urlsafe(12)
    return environment[TOKEN]


def given_token(environment: Mapping[str, str]) -> str:
    """That of the environment, or "". Raises UsageError."""
    token = environment.get(TOKEN, "")
    if not token.isprintable():  # nor could it be sent: bytes that are no UTF-8 are half characters here
        raise UsageError(f"{TOKEN} has characters that cannot be printed; give it letters and digits, or unset it")
    return token


def master_port(elsewhere: Elsewhere | None, processes: int, ports: ExitStack, console: Console) -> int | None:
    """Where Locust's master will listen, held until `ports` is closed; None: this process needs no master.

    The user is told what to start elsewhere.
    """
    if elsewhere is None:  # Locust's master would always use MASTER_PORT, and listen on every interface
        return ports.enter_context(held_port(MASTER_PORT)) if processes > 1 else None
    port = ports.enter_context(held_port(MASTER_PORT, elsewhere.bind))
    for line in elsewhere.told(port, run_token(os.environ)):
        console.print(Text(line), soft_wrap=True)
    return port


@contextmanager
def shown_arrivals(locust: "subprocess.Popen[bytes]", folder: RunFolder, console: Console) -> Iterator[None]:
    """Say which workers come and which are refused until the load begins; at the end of the block, which came late."""
    events = Follower(folder / RunFile.WORKERS, WorkerEvent)

    def show() -> None:
        for event in events.new():
            console.print(Text(event.says), soft_wrap=True)

    while locust.poll() is None and not (folder / RunFile.RUN).exists():
        show()
        threading.Event().wait(LOOK)
    show()
    yield
    show()


def locustfiles(own: Path | None) -> str:
    """Locust's `-f`, the same for a master and its workers."""
    files = [loadtest("chat")] if own is None else [CONNECT_LOCUST, own]
    return ",".join(str(file.absolute()) for file in files)


def become_worker(master: str, locustfile: Path | None) -> NoReturn:
    """Replace this process by a worker of the master at HOST[:PORT]. Raises UsageError."""
    place = _MASTER.fullmatch(master)
    if place is None or not 0 < int(port := place["port"] or MASTER_PORT) < 1 << 16:
        raise UsageError(
            f"{master} is no address; write the master's HOST or HOST:PORT, as `mockbot run --workers` prints it"
        )
    if not given_token(os.environ):
        raise UsageError(f"{TOKEN} is not set; copy the line that `mockbot run --workers` prints, which begins with it")
    if locustfile is not None:  # Locust would end with exit code 1, which is a run's that has failed
        check_locustfile(locustfile, {}, None)
    command = [sys.executable, "-P", "-m", "locust", "-f", locustfiles(locustfile), "--worker", "--join", "1"]
    command += ["--master-host", place["host"], "--master-port", str(port)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LOCUST_")}
    os.execve(sys.executable, [*command, "--loglevel", "WARNING"], environment)  # noqa: S606 - no shell is wanted
