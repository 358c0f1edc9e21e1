"""`python -m mockbot.commands.handed_run`: `mockbot run --system` on a testbed of its parent's, which is the fixture.

A line of JSON on stdin says what to run (`Handed`). It prints `{}` when it has begun, and when the run is judged
`{"error": ...}`: empty, or why there is no verdict. What `mockbot run` prints goes to stderr. It ends with its stdin.
"""

import os
import signal
import sys
from functools import partial
from pathlib import Path

from pydantic import BaseModel

from mockbot.commands.run import RunOptions, run_command
from mockbot.errors import MockbotError
from mockbot.process.lifeline import report_ready, wait_for_stdin_to_end, when_stdin_ends
from mockbot.report.plain_console import PlainConsole
from mockbot.scenario.schema import Scenario
from mockbot.testbed.start import Addresses
from mockbot.testbed.system.system_file import System


class Handed(BaseModel):
    """What to run; `out` and so on as in RunOptions."""

    scenario: Scenario
    testbed: Addresses
    system: System
    out: Path
    shortened: str
    allowed: tuple[str, ...]


def main() -> None:
    """The child process."""
    handed = Handed.model_validate_json(sys.stdin.buffer.readline())
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: the run ends what it has started
    when_stdin_ends(partial(os.kill, os.getpid(), signal.SIGTERM))
    report_ready({})
    options = RunOptions(
        out=handed.out, system=handed.system, shortened=handed.shortened, allowed=handed.allowed,
        testbed=handed.testbed, command="mockbot.crowd(...)",
    )  # fmt: skip
    try:
        run_command(handed.scenario, options, PlainConsole(stderr=True))
        report_ready({"error": ""})
    except MockbotError as error:
        report_ready({"error": str(error)})
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    wait_for_stdin_to_end()


if __name__ == "__main__":
    main()
