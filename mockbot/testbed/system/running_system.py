"""Start a system under test, wait until it is ready, end it. A System and the testbed's names in, its URL out.

It cannot outlive mockbot (`system_guard`). Its files are rendered into a private folder that goes with it. What it
prints is the log, with every secret masked.
"""

import http.client
import os
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from typing import IO
from urllib.parse import urlsplit

import psutil

from mockbot.errors import TestbedError, UsageError
from mockbot.process.process_group import MARK, end, end_marked
from mockbot.process.process_group_guard import GUARD_PATIENCE, PATIENCE
from mockbot.testbed.system.names import filled, unknown_provider
from mockbot.testbed.system.secret_mask import SecretMask
from mockbot.testbed.system.system_file import System
from mockbot.testbed.system.system_guard import KEPT

LOOK = 0.1  # wall seconds between two looks at whether it is ready
ANSWERS_WITHIN = 2.0  # wall seconds for one such look
QUOTED = 1000  # bytes of its log that an error quotes


class RunningSystem:
    """A system that is started, or runs already; `url` is where the crowd asks it, without a slash at the end."""

    def __init__(self, system: System, command: "SystemCommand | None" = None) -> None:
        self.system, self.url, self._command = system, str(system.url), command

    @property
    def ended(self) -> int | None:
        """The exit code of one that has ended by itself; None while it runs, or when mockbot did not start it.

        A negative one: a signal ended its guard, and the system may still run.
        """
        return None if self._command is None else self._command.exit_code

    def stop(self, *, planned: bool) -> None:
        """The first half of a restart: ask it to end, or kill it. Does not wait for its end."""
        if self._command is not None:
            self._command.halt(planned=planned)

    def start(self) -> None:
        """The second half; does not wait until it is ready. Safe to call again."""
        if self._command is not None:
            self._command.open()

    def wait_until_ready(self) -> None:
        """TestbedError when it ends, or is not ready in time."""
        ready, name = self.system.ready, self.system.name
        until = time.monotonic() + ready.within
        while (why := self._not_ready()) is not None:
            if self.ended is not None and self._command is not None:
                ended = f"system {name} ended with exit code {self.ended} before it was ready"
                raise TestbedError(f"{ended}: {self._command.tail()}; try its `start` by itself")
            if time.monotonic() > until:
                tail = "" if self._command is None else f"; its log ends with: {self._command.tail()}"
                late = f"system {name} was not ready within {ready.within:.0f} s: {why}{tail}"
                raise TestbedError(f"{late}; try its `start` by itself, or give it longer (ready: within)")
            threading.Event().wait(LOOK)

    def _not_ready(self) -> str | None:
        """Why it is not ready; None when it is."""
        path, place = self.system.ready.path or "/", urlsplit(self.url)
        kind = http.client.HTTPSConnection if place.scheme == "https" else http.client.HTTPConnection
        connection = kind(place.hostname or "", place.port, timeout=ANSWERS_WITHIN)
        try:
            connection.request("GET", place.path + path)
            status = connection.getresponse().status
        except ConnectionRefusedError:
            hint = "; does its command use {port}?" if "{port}" not in (self.system.start or "{port}") else ""
            return f"nothing listens at {self.url}{hint}"
        except (OSError, http.client.HTTPException) as error:
            return f"GET {self.url}{path}: {error or type(error).__name__}"
        finally:
            connection.close()
        limit = 500 if self.system.ready.path is None else 400
        return None if status < limit else f"GET {self.url}{path} answers {status}"


class SystemCommand:
    """The processes of a system, and the thread that writes its log."""

    def __init__(
        self, argv: list[str], environment: Mapping[str, str], folder: Path, log: IO[bytes], secrets: Iterable[str]
    ) -> None:
        # A mark of its own: with that of a process that has started us, the guard would end us too.
        self._argv, self._folder, self._log, self._mark = argv, folder, log, token_hex(8)
        self._environment = {**environment, MARK: self._mark}
        self._secrets = frozenset(secrets)
        self._process: subprocess.Popen[bytes] | None = None
        self._leaving: subprocess.Popen[bytes] | None = None  # the one that `halt` has ended
        self._reader = threading.Thread()

    @property
    def exit_code(self) -> int | None:
        """None while it runs, and while mockbot has stopped it."""
        return None if self._process is None else self._process.poll()

    def open(self) -> None:
        """Start it, once its earlier self has gone. Safe to call again."""
        if self._process is not None:
            return
        self._leave()
        self._process = subprocess.Popen(
            # -P: a file of the user's that is named like a module must not be imported in place of it.
            [sys.executable, "-P", "-m", "mockbot.testbed.system.system_guard", str(self._folder), *self._argv],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=self._environment,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._copy, args=(self._process.stdout,), name="system log", daemon=True)
        self._reader.start()

    def halt(self, *, planned: bool) -> None:
        """SIGTERM, and SIGKILL after the guard's patience; or SIGKILL at once, to all its processes."""
        process, self._process = self._process, None
        if process is None:
            return
        self._leaving = process
        (self._folder / KEPT).touch()
        if planned and process.stdin is not None:
            process.stdin.close()
        elif not planned:
            with suppress(psutil.NoSuchProcess):
                for child in psutil.Process(process.pid).children(recursive=True):
                    child.kill()

    def close(self) -> None:
        """End it. Safe to call again."""
        self._leave()
        self._leaving, self._process = self._process, None
        self._leave()

    def _leave(self) -> None:
        process, self._leaving = self._leaving, None
        if process is not None:
            with suppress(OSError):  # the folder is gone
                (self._folder / KEPT).touch()
            end(process, lambda: process.stdin and process.stdin.close(), GUARD_PATIENCE)
            if process.returncode < 0:  # the guard was killed, so that it could not end the system
                end_marked(self._mark, PATIENCE)
            self._reader.join(GUARD_PATIENCE)
            if process.stdout is not None:
                process.stdout.close()

    def tail(self) -> str:
        """The end of its log."""
        self._reader.join(LOOK)
        self._log.flush()
        text = Path(self._log.name).read_bytes()[-QUOTED:].decode("utf-8", "replace").strip()
        return text or "its log is empty"

    def _copy(self, output: IO[bytes]) -> None:
        mask = SecretMask(self._secrets)
        while chunk := os.read(output.fileno(), 65536):
            self._log.write(mask.feed(chunk))
            self._log.flush()
        self._log.write(mask.flush())
        self._log.flush()


def check_startable(system: System, names: Mapping[str, str], environment: Mapping[str, str]) -> None:
    """Raises UsageError for what can be known before anything starts: a provider or a program that is not there."""
    if (provider := unknown_provider([system.start or "", system.model_dump_json()], names)) is not None:
        there = ", ".join(name.removesuffix(".url") for name in names if name.endswith(".url") and name != "status.url")
        raise UsageError(
            f"system {system.name} needs a provider {provider!r}, and the scenario has {there}; "
            f"add one with --set 'providers.{provider}={{}}'"
        )
    program = shlex.split(system.start)[0] if system.start else ""
    path = system.env.get("PATH") or _path(environment)
    if program and "{" not in program and shutil.which(program, path=path) is None:
        raise UsageError(
            f"system {system.name}: no such command: {program}; write its path, or put its folder into PATH"
        )


def _path(environment: Mapping[str, str]) -> str:
    """With the folder of mockbot's own interpreter at its end: a virtual environment need not be activated."""
    return os.pathsep.join(filter(None, (environment.get("PATH"), str(Path(sys.executable).parent))))


@contextmanager
def open_system(
    system: System, names: Mapping[str, str], environment: Mapping[str, str], log: Path, secrets: Iterable[str] = ()
) -> Iterator[RunningSystem]:
    """The system, ready; ended with everything it left when the block ends.

    `names`: what `{main.url}` and so on stand for. `environment`: of its process, before its own `env`. `secrets` are
    masked in `log`. Raises UsageError when its program is not there, TestbedError when it does not become ready.
    """
    check_startable(system, names, environment)
    if system.start is None:
        found = RunningSystem(system.filled(names))
        found.wait_until_ready()
        yield found
        return
    folder = Path(tempfile.mkdtemp(prefix="mockbot-system-"))  # 0700
    try:
        port = str(_free_port())
        names = {**names, "dir": str(folder), "port": port}
        argv = [filled(word, names) for word in shlex.split(system.start)]
        system = system.model_copy(update={"url": system.url or "http://127.0.0.1:{port}"}).filled(names)
        variables = {**environment, "PATH": _path(environment), "PORT": port, **system.env}
        for name, text in system.files.items():
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, "utf-8")
        with log.open("wb") as output:
            command = SystemCommand(argv, variables, folder, output, secrets)
            try:
                command.open()
                started = RunningSystem(system, command)
                started.wait_until_ready()
                yield started
            finally:
                command.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
