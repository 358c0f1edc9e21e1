"""`mockbot run NAME -- COMMAND`: somebody's own program is the client. A Scenario and a command line in, a verdict out.

The program finds the way through the proxy in its environment. It is judged by what providers and proxies saw of it
and by its exit code; a program that asks nothing never passes. The run ends with the program, and a program that does
not end is ended some time after the scenario; how it ends then does not count.

It keeps its own clock: its timeouts and back-off cannot be compressed with the scenario, so the speed is 1.
"""

import os
import shutil
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from rich.console import Console
from rich.text import Text

from mockbot.clock import Clock
from mockbot.errors import ExitCode, UsageError
from mockbot.evidence.antipatterns import ANTIPATTERNS
from mockbot.evidence.records import Action, Ended, RunInfo, ServiceSecond
from mockbot.process.process_group_guard import guarded
from mockbot.report.phrases import fault_text
from mockbot.runs.folder import RunFolder
from mockbot.runs.journal_files import JournalWriter, write_run_info
from mockbot.runs.judge import conclude
from mockbot.scenario.schema import Scenario
from mockbot.scenario.timeline import Timeline
from mockbot.scenario.transforms import for_external_client
from mockbot.testbed.client_environment import environment
from mockbot.testbed.client_observer import ClientObserver
from mockbot.testbed.driver import Driver
from mockbot.testbed.fault_confirmations import FaultConfirmations
from mockbot.testbed.start import Addresses, open_testbed
from mockbot.units.quantities import duration_text

LOOK = 0.25  # wall seconds between two looks at the command
GRACE = 60.0  # wall seconds that it may go on after the scenario


@dataclass(frozen=True, slots=True)
class CommandOptions:
    """What the command line asks. `allowed`: habits (mockbot.evidence.antipatterns) that are no reason to fail."""

    speed: float | None = None
    out: Path | None = None
    grace: float = GRACE
    allowed: tuple[str, ...] = ()
    command: str = ""


@dataclass(frozen=True, slots=True)
class _End:
    """How it went: when the client ended (scenario seconds), and its exit code when it ended by itself."""

    ended: Ended
    t: float
    exit_code: int | None


def run_command(scenario: Scenario, options: CommandOptions, argv: Sequence[str], console: Console) -> ExitCode:
    """Play the scenario to one client and judge it. Raises UsageError or TestbedError."""
    _check(options, argv)
    guest = for_external_client(scenario)
    folder = RunFolder.create(guest, options.out)
    _tell(scenario, guest, argv, console)
    with open_testbed(guest, 1.0, folder.logs) as addresses:
        clock = Clock(time.time())
        end = _play(guest, addresses, folder, argv, options, clock, console)
    write_run_info(folder, _info(guest, options, clock, end))
    code = conclude(folder, console)
    return ExitCode.INTERRUPTED if end.ended == "interrupted" else code


def _check(options: CommandOptions, argv: Sequence[str]) -> None:
    if options.speed not in {None, 1.0}:
        raise UsageError(
            f"a command keeps its own clock: its timeouts and waits would be {options.speed:g} times too long for the "
            "outage; leave --speed out, and take a scenario whose real length you have the time for"
        )
    if not argv or shutil.which(argv[0]) is None:
        raise UsageError(f"no such command: {argv[0] if argv else 'nothing after --'}")
    for name in options.allowed:
        if name not in ANTIPATTERNS:
            near = get_close_matches(name, ANTIPATTERNS, n=1)
            known = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(ANTIPATTERNS)}"
            raise UsageError(f"--allow {name}: that is not an anti-pattern; {known}")


def _tell(scenario: Scenario, guest: Scenario, argv: Sequence[str], console: Console) -> None:
    console.print(f"[bold]{scenario.title}[/bold]")
    left_out = len(scenario.expect) - len(guest.expect)
    others = f"; {left_out} expectations are of the scenario's own crowd and left out" if left_out else ""
    length = duration_text(Timeline(guest).end)
    console.print(Text(f"{length} in real time, with one client: {' '.join(argv)}{others}"), soft_wrap=True)


def _play(
    guest: Scenario,
    addresses: Addresses,
    folder: RunFolder,
    argv: Sequence[str],
    options: CommandOptions,
    clock: Clock,
    console: Console,
) -> _End:
    timeline = Timeline(guest)
    with ExitStack() as stack:
        journal = stack.enter_context(JournalWriter(folder))
        watcher, confirmations = ClientObserver(addresses), FaultConfirmations(timeline)
        stack.callback(watcher.close)

        def sink(record: Action | ServiceSecond) -> None:
            if isinstance(record, Action):
                confirmations.take(record)
            journal.write(record)

        driver = Driver(timeline, addresses, sink)
        driver.start(clock)
        try:
            confirmations.wait(0.0)
            end = _accompany(
                timeline, clock, argv, environment(guest, addresses, os.environ), options, watcher, console
            )
        finally:
            driver.stop()
        watcher.look()
        for line in watcher.journal():
            journal.write(line)
    return end


def _accompany(
    timeline: Timeline, clock: Clock, argv: Sequence[str], variables: Mapping[str, str], options: CommandOptions,
    watcher: ClientObserver, console: Console,
) -> _End:  # fmt: skip
    """Stay with the command to its end, or to the end of our patience."""
    phase = None
    with guarded(argv, {**os.environ, **variables}) as process:
        try:
            while process.poll() is None:
                now = clock.now()
                if now > timeline.end + clock.scenario(options.grace):
                    return _End("completed", min(now, timeline.end), None)
                if now < timeline.end and phase != (phase := timeline.phase_at(now).name):
                    wrong = ", ".join(fault_text(active.span) for active in timeline.at(now).faults)
                    console.print(Text(f"[{now:6.0f} s] {phase}: {wrong or 'nothing is wrong'}"), soft_wrap=True)
                watcher.look()
                threading.Event().wait(LOOK)
        except KeyboardInterrupt:
            return _End("interrupted", min(clock.now(), timeline.end), None)
        return _End("completed", min(clock.now(), timeline.end), process.returncode)


def _info(guest: Scenario, options: CommandOptions, clock: Clock, end: _End) -> RunInfo:
    return RunInfo(
        scenario=guest.name,
        speed=clock.speed,
        t0=clock.t0,
        ended=end.ended,
        end=end.t,
        engine="embedded",
        nodes=0,
        seed=guest.seed,
        why="interrupted" if end.ended == "interrupted" else "",
        command=options.command,
        client="command",
        exit_code=end.exit_code,
        allowed=options.allowed,
    )
