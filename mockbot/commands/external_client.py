"""`mockbot run NAME -- COMMAND`: the client is the user's own program. A Scenario and a command line in, a verdict out.

Environment variables lead the program through the proxy. It is judged by its requests, as providers and proxies
recorded them, and by its exit code; a program that sends no request never passes. The run ends with the program. A
program that still runs GRACE seconds after the scenario is ended; without its exit code the run is inconclusive, unless
`--allow exit_code` says that it is a server.

A program's timeouts and back-off run in real time and cannot be compressed with the scenario, so the speed is 1.
"""

import os
import shutil
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.text import Text

from mockbot.clock import Clock
from mockbot.commands.run_observers import NOBODY, Observers, Observing, client_observers, export_client
from mockbot.dialects.client_identity import command_text
from mockbot.errors import ExitCode, TestbedError, UsageError
from mockbot.evidence.antipatterns import check_allowed
from mockbot.evidence.records import Action, Ended, Interception, RunInfo, ServiceSecond
from mockbot.evidence.verdict import EXIT_CODE
from mockbot.interception.interceptor_control import InterceptorControl
from mockbot.interception.plan import told
from mockbot.interception.sealed import require_sealing, sealed
from mockbot.process.process_group_guard import guarded
from mockbot.report.phrases import NO_FAULT, fault_text
from mockbot.report.plain_console import heading
from mockbot.runs.folder import RunFile, RunFolder
from mockbot.runs.journal_files import JournalWriter, write_run_info
from mockbot.runs.judge import conclude
from mockbot.scenario.schema import Scenario
from mockbot.scenario.timeline import Timeline
from mockbot.scenario.transforms import for_external_client
from mockbot.testbed.client_environment import elsewhere, environment
from mockbot.testbed.client_observer import ClientObserver
from mockbot.testbed.driver import Driver
from mockbot.testbed.fault_confirmations import FaultConfirmations
from mockbot.testbed.start import Addresses, open_testbed
from mockbot.units.formatting import format_clock
from mockbot.units.quantities import duration_text
from mockbot.upstream.settings import NO_UPSTREAMS, UpstreamSettings
from mockbot.upstream.sources import check_upstreams

LOOK = 0.25  # wall seconds between two looks at the command
GRACE = 60.0  # wall seconds that the command may go on after the scenario


@dataclass(frozen=True, slots=True)
class ClientOptions:
    """The command line. `allowed`: anti-patterns (mockbot.evidence.antipatterns) that do not fail the run."""

    command: tuple[str, ...]
    speed: float | None = None
    out: Path | None = None
    allowed: tuple[str, ...] = ()
    hosts: Mapping[str, str] | None = None  # to intercept (mockbot.interception.plan); None: by base URLs
    sealed: bool = False  # an intercepted one that reaches nobody but the forward proxy
    tls: bool = False  # the providers' URLs are https
    upstreams: UpstreamSettings = NO_UPSTREAMS
    observing: Observing = NOBODY


@dataclass(frozen=True, slots=True)
class _End:
    """How and at which scenario second a command ended; `exit_code`: its own, if it ended by itself."""

    at: float
    ended: Ended = "completed"
    why: str = ""
    exit_code: int | None = None


def run_client_command(scenario: Scenario, options: ClientOptions, console: Console) -> ExitCode:
    """Run the scenario for one client and judge it. Raises UsageError or TestbedError."""
    _check(options)
    check_upstreams(scenario, options.upstreams, 1.0)
    endpoint, watching = options.observing.checked(), client_observers(options.observing, Timeline(scenario))
    left_out = len(scenario.expect)
    scenario = for_external_client(scenario)
    left_out -= len(scenario.expect)
    folder = RunFolder.create(scenario, options.out)
    console.print(heading(scenario.title))
    others = f"; {left_out} expectations are of the scenario's own crowd and left out" if left_out else ""
    length = duration_text(Timeline(scenario).end)
    client = command_text(options.command)
    console.print(Text(f"{length} in real time, with one client: {client}{others}"), soft_wrap=True)
    for line in told(scenario, options.hosts):
        console.print(Text(line), soft_wrap=True)
    started = open_testbed(
        scenario, 1.0, folder.logs, hosts=options.hosts, tls=options.tls, upstreams=options.upstreams
    )
    try:
        with started as addresses:
            info = _run_client(scenario, addresses, folder, options, console, watching)
        write_run_info(folder, info)
        code = conclude(folder, console)
        export_client(watching, endpoint, folder)
        watching.judged(console, code, folder / RunFile.REPORT)
    finally:
        watching.judged(console)  # no command of a hook outlives the run, whatever ends it
    return ExitCode.INTERRUPTED if info.ended == "interrupted" else code


def _check(options: ClientOptions) -> None:
    if options.speed not in {None, 1.0}:
        raise UsageError(
            f"a command keeps its own clock, so its timeouts and waits do not fit a speed of {options.speed:g}; "
            "leave --speed out, and take a scenario whose real length you have the time for"
        )
    if shutil.which(options.command[0]) is None:
        raise UsageError(f"no such command: {options.command[0]}; write its path, or put its folder into PATH")
    check_allowed(options.allowed, EXIT_CODE)
    if options.sealed:
        require_sealing()


def _run_client(
    scenario: Scenario, addresses: Addresses, folder: RunFolder, options: ClientOptions, console: Console,
    watching: Observers,
) -> RunInfo:  # fmt: skip
    """Drive the timeline while the command runs, and write the journals."""
    timeline, clock = Timeline(scenario), Clock.start()
    confirmations, unwritten = FaultConfirmations(timeline), list[str]()
    observer = ClientObserver(addresses)
    with JournalWriter(folder) as journal:
        driver = Driver(timeline, addresses, partial(_keep, journal, confirmations, unwritten))
        driver.start(clock)
        try:
            confirmations.wait(0.0)
            own = environment(scenario, addresses, os.environ)
            variables, command = {**os.environ, **own}, options.command
            if options.sealed:
                command = sealed(command, addresses.certificates, addresses.forward_proxy)
            end = _wait_for_end(command, variables, driver, clock, observer, console, watching)
        finally:
            driver.stop()
        end, seen = _last_look(observer, addresses, end)
        for record in observer.journal():
            journal.write(record)
    if options.observing.otel is not None:
        watching.write(folder / RunFile.TRACED, observer.every)
    if unwritten:
        end = replace(end, ended="failed", why=unwritten[0])
    return RunInfo(
        scenario=scenario.name, speed=clock.speed, t0=clock.t0, ended=end.ended, end=end.at, engine="embedded",
        nodes=0, seed=scenario.seed, why=end.why, command=command_text(options.command), client="command",
        exit_code=end.exit_code, allowed=options.allowed, elsewhere=elsewhere(os.environ, own), intercepted=seen,
        records=journal.written,
    )  # fmt: skip


def _keep(
    journal: JournalWriter, confirmations: FaultConfirmations, unwritten: list[str], record: Action | ServiceSecond
) -> None:
    """Take a record of the driver's, in its thread, which an error raised here would end."""
    if isinstance(record, Action):
        confirmations.take(record)
    try:
        journal.write(record)
    except TestbedError as error:
        unwritten.append(str(error))


def _last_look(observer: ClientObserver, addresses: Addresses, end: _End) -> tuple[_End, Interception | None]:
    """Collect what is left. Where the testbed does not tell it, what it had told before is judged, and is not all."""
    try:
        observer.look()
        return end, InterceptorControl(addresses.interceptor).seen() if addresses.forward_proxy else None
    except TestbedError as error:
        why = f"the last records of the testbed are missing ({error})"
    return replace(end, ended="failed", why=why) if end.ended == "completed" else end, None


def _wait_for_end(
    command: tuple[str, ...], variables: Mapping[str, str], driver: Driver, clock: Clock,
    observer: ClientObserver, console: Console, watching: Observers,
) -> _End:  # fmt: skip
    """Start the command and print each phase, until it ends or the testbed fails."""
    phase, timeline = None, driver.timeline
    with guarded(command, variables) as process:
        try:
            while process.poll() is None:
                now = clock.now()
                if now > timeline.end + clock.scenario(GRACE):
                    return _End(timeline.end)
                if now < timeline.end and phase != (phase := timeline.phase_at(now).name):
                    faults = ", ".join(fault_text(active.span) for active in timeline.at(now).faults)
                    console.print(Text(f"[{format_clock(now):>7}] {phase}: {faults or NO_FAULT}"), soft_wrap=True)
                watching.at(now)
                observer.look()
                if driver.broken:
                    return _End(min(now, timeline.end), "failed", driver.broken)
                threading.Event().wait(LOOK)
        except KeyboardInterrupt:
            return _End(min(clock.now(), timeline.end), "interrupted", "interrupted")
        except TestbedError as error:
            return _End(min(clock.now(), timeline.end), "failed", str(error))
        now = min(clock.now(), timeline.end)
        if process.returncode < 0:
            return _End(now, "failed", f"signal {-process.returncode} ended the guard of the command; run it again")
        return _End(now, exit_code=process.returncode)
