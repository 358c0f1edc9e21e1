"""`mockbot run`: a Scenario in; testbed, Locust child, live view, judgement and reports; an exit code out.

The rule: whatever happens, the run folder says what happened, nothing that was started is left, and the exit code is
never 0 without evidence. Locust lives in a child process because importing it patches the process it happens in.
"""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console

from mockbot.errors import ExitCode, TestbedError
from mockbot.evidence.records import Progress, RunInfo
from mockbot.process.process_group import end
from mockbot.report.live_view import LiveView
from mockbot.runs.folder import RunFile, RunFolder
from mockbot.runs.journal_files import Follower, read_run_info, write_run_info
from mockbot.runs.judge import conclude
from mockbot.scenario.library import loadtest
from mockbot.scenario.schema import Scenario
from mockbot.scenario.timeline import Timeline
from mockbot.testbed.start import EMBEDDED, Addresses, ProxyChoice, open_testbed
from mockbot.units.formatting import format_seconds
from mockbot.units.quantities import duration_text

STOP_WITHIN = 20.0  # wall seconds in which Locust has to write what it saw once it was told to stop
LEAVE_WITHIN = 3.0  # wall seconds in which a headless Locust is gone once its run is over
LOOK = 0.25  # wall seconds between two looks at the progress


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What the command line asks of a run. `speed` None: the scenario's own; `locustfile` None: the bundled chat.py."""

    speed: float | None = None
    out: Path | None = None
    processes: int = 1
    ui: bool = False
    locustfile: Path | None = None
    wire: ProxyChoice = EMBEDDED
    command: str = ""  # what the user typed, for whoever wants to repeat it


def run(scenario: Scenario, options: RunOptions, console: Console) -> ExitCode:
    """Play the scenario live and judge it. Raises UsageError or TestbedError; an interruption is an exit code."""
    speed = options.speed or scenario.speed
    timeline = Timeline(scenario)
    folder = RunFolder.create(scenario, options.out)
    console.print(f"[bold]{scenario.title}[/bold]")
    console.print(
        f"{duration_text(timeline.end)} of outage in {format_seconds(timeline.end / speed)} of your time",
        highlight=False,
    )
    port = _free_port() if options.ui else None
    if port is not None:
        console.print(f"watch it at http://127.0.0.1:{port}", highlight=False)
    interrupted = False
    try:
        with open_testbed(scenario, speed, folder.logs, options.wire) as addresses:
            command = _locust_command(options, port, addresses, folder)
            with _locust(command, folder / RunFile.LOCUST_LOG) as locust:
                _watch(locust, folder, LiveView(console, timeline))
                if locust.poll() is None:
                    _sign(folder, options.command)
                    return _stay(locust, folder, console)
    except KeyboardInterrupt:
        interrupted = True
    _account_for_the_end(folder, scenario, speed, options.wire, interrupted=interrupted)
    _sign(folder, options.command)
    code = conclude(folder, console)
    return ExitCode.INTERRUPTED if interrupted else code


def _watch(locust: "subprocess.Popen[bytes]", folder: RunFolder, view: LiveView) -> None:
    """Show the run's progress until it is over, or Locust is."""
    progress = Follower(folder / RunFile.PROGRESS, Progress)
    with view:
        while locust.poll() is None and not _over(folder):
            for look in progress.new():
                view.update(look)
            threading.Event().wait(LOOK)


def _over(folder: RunFolder) -> bool:
    """From its beginning a run's run.json says that it failed, until its end says otherwise."""
    info = read_run_info(folder)
    return info is not None and info.ended != "failed"


def _stay(locust: "subprocess.Popen[bytes]", folder: RunFolder, console: Console) -> ExitCode:
    """The run is over and the web UI is not: tell the verdict and leave the page open. A headless Locust just ends."""
    with suppress(subprocess.TimeoutExpired):
        locust.wait(LEAVE_WITHIN)
        return conclude(folder, console)
    code = conclude(folder, console)
    console.print("the page stays open; Ctrl-C closes it")
    with suppress(KeyboardInterrupt):
        locust.wait()
    return code


def _locust_command(options: RunOptions, port: int | None, addresses: Addresses, folder: RunFolder) -> list[str]:
    folder.put(RunFile.TESTBED, addresses.to_json())
    command = [sys.executable, "-m", "locust", "-f", str((options.locustfile or loadtest("chat")).absolute())]
    command += ["--scenario", str((folder / RunFile.SCENARIO_YAML).absolute()), "--speed", f"{addresses.speed:.10g}"]
    command += ["--out", str(folder.path.absolute()), "--testbed", str((folder / RunFile.TESTBED).absolute())]
    command += ["--headless"] if port is None else ["--autostart", "--web-host", "127.0.0.1", "--web-port", str(port)]
    return command + (_several(options.processes) if options.processes > 1 else [])


def _several(processes: int) -> list[str]:
    """Workers of our own, on loopback: left to itself, Locust's master listens everywhere, and always at 5557."""
    port = str(_free_port(5557))
    master = ["--master-bind-host", "127.0.0.1", "--master-bind-port", port, "--master-port", port]
    return ["--processes", str(processes), *master]


def _free_port(wanted: int = 8089) -> int:
    """Locust's usual port when nobody has it, else any."""
    for port in (wanted, 0):
        with suppress(OSError), socket.create_server(("127.0.0.1", port)) as server:
            return int(server.getsockname()[1])
    raise TestbedError("no port is free on 127.0.0.1")


@contextmanager
def _locust(command: list[str], log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Locust in a session of its own: Ctrl-C comes to us, and it is we who ask it to stop and write what it saw."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LOCUST_")}
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=log.parent,  # where no locust.conf of the user's is
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            end(process, process.terminate, STOP_WITHIN)  # the whole session, so that no worker is left


def _sign(folder: RunFolder, command: str) -> None:
    """Locust wrote the command that it was started with; what can be repeated is the user's."""
    info = read_run_info(folder)
    if info is not None and command:
        write_run_info(folder, replace(info, command=command))


def _account_for_the_end(
    folder: RunFolder, scenario: Scenario, speed: float, wire: ProxyChoice, *, interrupted: bool
) -> None:
    """Write the run.json that Locust could not write itself."""
    if (folder / RunFile.RUN).exists():
        return
    log = folder / RunFile.LOCUST_LOG
    words = log.read_text("utf-8", "replace").strip().splitlines() if log.exists() else []
    why = (
        "interrupted"
        if interrupted
        else f"Locust exited without reporting a result; last line of {log}: {words[-1] if words else ''}"
    )
    info = RunInfo(
        scenario=scenario.name,
        speed=speed,
        t0=None,
        ended="interrupted" if interrupted else "failed",
        end=0.0,
        engine=wire.engine,
        seed=scenario.seed,
        why=why,
    )
    write_run_info(folder, info)
