"""`mockbot run`: a Scenario in; testbed, Locust child, live view, judgement and reports; an exit code out.

However a run ends, its folder says how, every process that it started has ended, and the exit code is never 0 without
evidence. Locust runs in a child process because importing it patches the process that does.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console
from rich.text import Text

from mockbot.commands.own_locustfile import check_locustfile
from mockbot.commands.run_observers import MODEL, NOBODY, Observers, Observing, observing
from mockbot.commands.system_run import WatchedSystem, behind_system, watched_system
from mockbot.commands.upstream_options import check_spending
from mockbot.commands.worker import Elsewhere, given_token, locustfiles, master_port, shown_arrivals
from mockbot.errors import ExitCode, UsageError
from mockbot.evidence.records import Progress, RunInfo
from mockbot.interception.environment import CERTIFICATE
from mockbot.interception.plan import told
from mockbot.observability.otlp_endpoint import OtlpEndpoint
from mockbot.process.held_port import held_port
from mockbot.process.process_group import end, signal_group
from mockbot.report.live_view import HiddenView, LiveView
from mockbot.report.plain_console import heading
from mockbot.runs.folder import RunFile, RunFolder
from mockbot.runs.journal_files import Follower, read_run_info, write_run_info
from mockbot.runs.judge import conclude
from mockbot.scenario.schema import Scenario
from mockbot.scenario.timeline import Timeline
from mockbot.scenario.transforms import without_system
from mockbot.testbed.start import EMBEDDED, Addresses, ProxyChoice, on_ports, open_testbed
from mockbot.testbed.system.system_file import System
from mockbot.units.formatting import format_wall
from mockbot.units.quantities import duration_text
from mockbot.upstream.settings import NO_UPSTREAMS, UpstreamSettings
from mockbot.upstream.sources import check_upstreams

STOP_WITHIN = 20.0  # wall seconds that Locust has to write its journals once it has been asked to stop
LEAVE_WITHIN = 3.0  # wall seconds within which a headless Locust exits after its run
LOOK = 0.25  # wall seconds between two looks at the progress
STALLED = 40.0  # wall seconds without a word from Locust, which tells of its progress twice a second: it hangs


@dataclass(frozen=True, slots=True)
class RunOptions:
    """The command line. `speed` None: the scenario's own; `locustfile` None: the bundled chat.py."""

    speed: float | None = None
    out: Path | None = None
    processes: int = 1
    ui: bool = False
    locustfile: Path | None = None
    proxy: ProxyChoice = EMBEDDED
    command: str = ""  # as typed, for the reader of a report to repeat
    port: int | None = None  # of the first provider, the others use the next ones; None: any free ones
    system: System | None = None  # between crowd and providers
    shortened: str = ""  # in words: from what length to what
    allowed: tuple[str, ...] = ()  # findings about the system that do not fail the run
    hidden: bool = False  # a drill: the terminal tells nothing of what is wrong until it is over
    hosts: Mapping[str, str] | None = None  # of the system to intercept (mockbot.interception.plan)
    tls: bool = False  # the providers' URLs are https
    upstreams: UpstreamSettings = NO_UPSTREAMS
    elsewhere: Elsewhere | None = None  # the load is made on other machines
    testbed: Addresses | None = None  # of one that somebody else has started, and will end
    observing: Observing = NOBODY


def run_command(scenario: Scenario, options: RunOptions, console: Console) -> ExitCode:
    """Run the scenario live and judge it. Raises UsageError or TestbedError; an interruption is an exit code."""
    scenario = _of_these_clients(scenario, options)
    speed = options.speed or scenario.speed
    check_upstreams(scenario, options.upstreams, speed)
    sends = check_spending(options.upstreams)
    timeline = Timeline(scenario)
    endpoint = options.observing.checked()
    folder = RunFolder.create(scenario, options.out)
    _announce(scenario, timeline.end, speed, options, console)
    for line in sends:
        console.print(Text(line), soft_wrap=True)
    watching = Observers(timeline)
    try:
        code = _play(scenario, options, endpoint, folder, console, watching)
        watching.judged(console, code, folder / RunFile.REPORT)
    finally:
        watching.judged(console)
    return code


def _play(
    scenario: Scenario, options: RunOptions, endpoint: OtlpEndpoint | None, folder: RunFolder, console: Console,
    watching: Observers,
) -> ExitCode:  # fmt: skip
    """The run in its folder, judged."""
    speed, timeline = options.speed or scenario.speed, watching.timeline
    interrupted, system = False, None
    try:
        with _testbed(scenario, speed, options, folder, console) as system, ExitStack() as ports:
            name = "" if system is None else system.running.system.name
            model = "" if system is not None or options.locustfile is not None else MODEL
            ports.enter_context(observing(watching, options.observing, endpoint, folder, console, name, model))
            port = ports.enter_context(held_port(8089)) if options.ui else None
            master = master_port(options.elsewhere, options.processes, ports, console)
            if port is not None:
                console.print(f"watch it at http://127.0.0.1:{port}", highlight=False)
            command = _locust_command(options, port, master, speed, folder)
            with _locust(command, folder / RunFile.LOCUST_LOG, system) as locust:
                view = HiddenView(console) if options.hidden else LiveView(console, timeline)
                with nullcontext() if options.elsewhere is None else shown_arrivals(locust, folder, console):
                    _show_progress(locust, folder, view, system, watching)
                if locust.poll() is None:  # the run is over: a headless Locust exits now, the web UI stays open
                    _record_command(folder, options, system)
                    with suppress(subprocess.TimeoutExpired):
                        locust.wait(LEAVE_WITHIN)
                    code = conclude(folder, console)
                    watching.judged(console, code, folder / RunFile.REPORT)
                    if options.ui and locust.poll() is None:
                        beside = f"a run that is started there is judged into {folder.path.absolute()}-…"
                        console.print(Text(f"the page stays open; {beside}; Ctrl-C closes it"), soft_wrap=True)
                        with suppress(KeyboardInterrupt):
                            locust.wait()
                    return code
    except KeyboardInterrupt:
        interrupted = True
    if not (folder / RunFile.RUN).exists():  # Locust ended before it could write it
        _note_end(scenario, options, folder, interrupted=interrupted)
    _record_command(folder, options, system)
    code = conclude(folder, console)
    return ExitCode.INTERRUPTED if interrupted else code


def _note_end(scenario: Scenario, options: RunOptions, folder: RunFolder, *, interrupted: bool) -> None:
    """Write the run.json that Locust did not come to write: how this run ended, and why."""
    speed = options.speed or scenario.speed
    unfinished = RunInfo(scenario.name, speed, None, "failed", 0.0, options.proxy.engine, seed=scenario.seed)
    if interrupted:
        write_run_info(folder, replace(unfinished, ended="interrupted", why="interrupted"))
        return
    log = folder / RunFile.LOCUST_LOG
    lines = log.read_text("utf-8", "replace").strip().splitlines() if log.exists() else []
    last = f"last line of {log}: {lines[-1]}" if lines else f"{log} is empty, as when it is killed"
    write_run_info(folder, replace(unfinished, why=f"Locust exited without reporting a result; {last}"))


def _of_these_clients(scenario: Scenario, options: RunOptions) -> Scenario:
    """As the system or the crowd meets it. UsageError where it, or a locustfile, does not fit."""
    if options.system is None:
        without_system(scenario, "there is none")
    else:
        if options.hosts is not None and options.system.start is None:
            raise UsageError("--intercept: the system runs already; mockbot has to start what it intercepts")
        scenario = behind_system(scenario, options.system, options.speed, options.allowed, os.environ)
    if options.elsewhere is not None:
        given_token(os.environ)
        system = options.system is not None
        real = bool(options.upstreams.urls)
        options.elsewhere.require_plain(
            scenario, processes=options.processes, system=system, tls=options.tls, real=real
        )
    if options.locustfile is not None:
        check_locustfile(options.locustfile, scenario.crowd, options.system)
    return scenario


def _announce(scenario: Scenario, lasts: float, speed: float, options: RunOptions, console: Console) -> None:
    """What is played and for how long; of a drill neither."""
    if not options.hidden:
        console.print(heading(scenario.title))
        lengths = f"{duration_text(lasts)} of outage in {format_wall(lasts / speed)} of your time"
        console.print(lengths + (f", {options.shortened}" if options.shortened else ""), highlight=False)
    if options.system is not None:
        console.print(f"through system {options.system.name}, from the moment it is ready", highlight=False)
        for line in told(scenario, options.hosts):
            console.print(Text(line), soft_wrap=True)


@contextmanager
def _testbed(
    scenario: Scenario, speed: float, options: RunOptions, folder: RunFolder, console: Console
) -> Iterator[WatchedSystem | None]:
    """The testbed, with its addresses in the folder, and the system under test when there is one."""
    started = open_testbed(
        scenario, speed, folder.logs, options.proxy, options.hosts, tls=options.tls, upstreams=options.upstreams,
        bind="127.0.0.1" if options.elsewhere is None else options.elsewhere.bind,
    )  # fmt: skip
    with started if options.testbed is None else nullcontext(options.testbed) as opened:
        addresses = opened if options.port is None else on_ports(opened, options.port)
        if addresses.certificates and not options.hidden:
            certificate = Path(addresses.certificates) / CERTIFICATE
            console.print(Text(f"over TLS; the certificate of its CA is {certificate}"), soft_wrap=True)
        if options.system is None:
            folder.put(RunFile.TESTBED, addresses.to_json())
            yield None
            return
        with watched_system(options.system, scenario, addresses, folder, os.environ, ui=options.ui) as system:
            folder.put(RunFile.TESTBED, system.addresses.to_json())
            yield system


def _show_progress(
    locust: "subprocess.Popen[bytes]", folder: RunFolder, view: LiveView | HiddenView, system: WatchedSystem | None,
    watching: Observers,
) -> None:  # fmt: skip
    """Update the view until the run or Locust has ended. A Locust that hangs in its run is killed."""
    progress, begun, newest = Follower(folder / RunFile.PROGRESS, Progress), False, 0.0
    with view:
        while locust.poll() is None:
            info = read_run_info(folder)
            if info is not None and info.ended != "failed":  # run.json says "failed" until the run has ended
                break
            for record in progress.new():
                view.update(record)
                watching.progress(record)
                begun, newest = True, time.monotonic()
            if begun and time.monotonic() - newest > STALLED:
                signal_group(locust, signal.SIGKILL)
                locust.wait()
                if info is not None:
                    why = f"the load process stood still for {format_wall(STALLED)} and was killed; run it again"
                    write_run_info(folder, replace(info, why=why))
                break
            if begun and system is not None:
                system.look()
            if begun:
                watching.look()
            threading.Event().wait(LOOK)
    if system is not None:
        system.finish()
    watching.run_over()


def _locust_command(
    options: RunOptions, port: int | None, master: int | None, speed: float, folder: RunFolder
) -> list[str]:
    command = [sys.executable, "-P", "-m", "locust", "-f", locustfiles(options.locustfile)]
    command += ["--scenario", str((folder / RunFile.SCENARIO_YAML).absolute()), "--speed", f"{speed:.10g}"]
    command += ["--out", str(folder.path.absolute()), "--testbed", str((folder / RunFile.TESTBED).absolute())]
    command += ["--traced"] if options.observing.otel is not None else []
    command += ["--headless"] if port is None else ["--autostart", "--web-host", "127.0.0.1", "--web-port", str(port)]
    if options.elsewhere is not None and master is not None:
        command += options.elsewhere.arguments(master)
    elif master is not None:
        command += ["--processes", str(options.processes), "--master-bind-host", "127.0.0.1"]
        command += ["--master-bind-port", str(master), "--master-port", str(master)]
    return command


@contextmanager
def _locust(command: list[str], log: Path, system: WatchedSystem | None) -> Iterator["subprocess.Popen[bytes]"]:
    """Locust in a session of its own: Ctrl-C reaches only this process, which then asks Locust to stop."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LOCUST_")}
    if system is not None:
        environment["MOCKBOT_SYSTEM"] = system.asked.model_dump_json()
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=log.parent,  # where there is no locust.conf of the user's
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            end(process, process.terminate, STOP_WITHIN)  # the whole session, workers included


def _record_command(folder: RunFolder, options: RunOptions, system: WatchedSystem | None) -> None:
    """Put into run.json what Locust does not know: the command line that the user typed and can repeat, the system."""
    info = read_run_info(folder)
    if info is None:
        return
    info = replace(info, command=options.command or info.command, shortened=options.shortened, allowed=options.allowed)
    write_run_info(folder, info if system is None else system.noted(info))
