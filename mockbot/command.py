"""`mockbot run NAME -- COMMAND`: somebody's own program is the client. A Scenario and a command line in, a verdict out.

The program finds the way through the proxy in its environment. It is judged by what providers and proxies saw of it
and by its exit code; a program that asks nothing never passes. The run ends with the program, and a program that does
not end is ended some time after the scenario; how it ends then does not count.

It keeps its own clock: its timeouts and back-off cannot be compressed with the scenario, so the speed is 1.
"""

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from rich.console import Console
from rich.text import Text

from mockbot import leash
from mockbot.clock import Clock
from mockbot.driver import Driver
from mockbot.errors import ExitCode, UsageError
from mockbot.evidence.journal import ACTIONS, JOURNAL, SERVICE, Writer, write_run_info
from mockbot.evidence.manners import HABITS
from mockbot.evidence.records import Action, Ended, RunInfo, ServiceSecond
from mockbot.guest import Cues, Watcher, environment
from mockbot.report.words import fault_words
from mockbot.runner import conclude, make_run_folder
from mockbot.scenario.derive import for_guest
from mockbot.scenario.schema import Scenario
from mockbot.scenario.timeline import Timeline
from mockbot.scenario.units import duration_text
from mockbot.stage import Addresses, open_stage

LOOK = 0.25  # wall seconds between two looks at the command
LEAVES_WITHIN = 5.0  # wall seconds in which a command that is told to end does
GRACE = 60.0  # wall seconds that it may go on after the scenario


@dataclass(frozen=True, slots=True)
class CommandOptions:
    """What the command line asks. `allowed`: habits (mockbot.evidence.manners) that are no reason to fail."""

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
    guest = for_guest(scenario)
    folder = make_run_folder(guest, options.out)
    _tell(scenario, guest, argv, console)
    with open_stage(guest, 1.0, folder / "logs") as stage:
        clock = Clock(time.time())
        end = _play(guest, stage, folder, argv, options, clock, console)
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
        if name not in HABITS:
            near = get_close_matches(name, HABITS, n=1)
            known = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(HABITS)}"
            raise UsageError(f"--allow {name}: that is not an anti-pattern; {known}")


def _tell(scenario: Scenario, guest: Scenario, argv: Sequence[str], console: Console) -> None:
    console.print(f"[bold]{scenario.title}[/bold]")
    left_out = len(scenario.expect) - len(guest.expect)
    others = f"; {left_out} expectations are of the scenario's own crowd and left out" if left_out else ""
    length = duration_text(Timeline(guest).end)
    console.print(Text(f"{length} in real time, with one client: {' '.join(argv)}{others}"), soft_wrap=True)


def _play(
    guest: Scenario, stage: Addresses, folder: Path, argv: Sequence[str], options: CommandOptions, clock: Clock,
    console: Console,
) -> _End:  # fmt: skip
    timeline = Timeline(guest)
    with ExitStack() as stack:
        seconds = stack.enter_context(Writer(folder / SERVICE))
        actions = stack.enter_context(Writer(folder / ACTIONS))
        journal = stack.enter_context(Writer(folder / JOURNAL))
        watcher, cues = Watcher(stage), Cues(timeline)
        stack.callback(watcher.close)

        def sink(record: Action | ServiceSecond) -> None:
            if isinstance(record, Action):
                cues.heard(record)
                actions.write(record)
            else:
                seconds.write(record)

        driver = Driver(timeline, stage, sink)
        driver.start(clock)
        try:
            cues.wait(0.0)
            end = _accompany(timeline, clock, argv, environment(guest, stage, os.environ), options, watcher, console)
        finally:
            driver.stop()
        watcher.look()
        for line in watcher.journal():
            journal.write(line)
    return end


def _accompany(
    timeline: Timeline, clock: Clock, argv: Sequence[str], variables: Mapping[str, str], options: CommandOptions,
    watcher: Watcher, console: Console,
) -> _End:  # fmt: skip
    """Stay with the command to its end, or to the end of our patience."""
    phase = None
    with _started(argv, variables) as process:
        try:
            while process.poll() is None:
                now = clock.now()
                if now > timeline.end + clock.scenario(options.grace):
                    return _End("completed", min(now, timeline.end), None)
                if now < timeline.end and phase != (phase := timeline.phase_at(now).name):
                    wrong = ", ".join(fault_words(active.span) for active in timeline.at(now).faults)
                    console.print(Text(f"[{now:6.0f} s] {phase}: {wrong or 'nothing is wrong'}"), soft_wrap=True)
                watcher.look()
                threading.Event().wait(LOOK)
        except KeyboardInterrupt:
            return _End("interrupted", min(clock.now(), timeline.end), None)
        return _End("completed", min(clock.now(), timeline.end), process.returncode)


@contextmanager
def _started(argv: Sequence[str], variables: Mapping[str, str]) -> Iterator["subprocess.Popen[bytes]"]:
    """The command on a leash that we hold; it is gone when the block ends."""
    process = subprocess.Popen(
        [sys.executable, "-I", leash.__file__, *argv],
        stdin=subprocess.PIPE,
        env={**os.environ, **variables},
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.stdin is not None:
            process.stdin.close()
        try:
            process.wait(LEAVES_WITHIN)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


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
