"""Every error that mockbot reports to its user, and its exit code.

MockbotError
├── UsageError        2    the command line or a scenario file is wrong: where, what, and what to do about it
│   └── ScenarioError 2    one or more problems in a scenario file, each `file:line:column: path: message`
└── TestbedError      4    the testbed could not run (a port in use, a child that ended, a hung control port)

A verdict is not an error: `ExitCode.of(verdict)` is 0, 1 or 3.
"""

from enum import IntEnum
from typing import Literal

REPORT_IT = "run again, and report it if it happens again"  # what to do about an error of mockbot's own
ON_WINDOWS = "mockbot runs on Linux and macOS; on Windows, install and start it inside WSL (wsl --install)"


class ExitCode(IntEnum):
    """What `mockbot` exits with (design: "never 0 without evidence")."""

    PASS = 0
    FAIL = 1
    USAGE = 2
    INCONCLUSIVE = 3
    TESTBED = 4
    INTERRUPTED = 130

    @classmethod
    def of(cls, verdict: Literal["pass", "fail", "inconclusive"]) -> "ExitCode":
        """What a run with this verdict exits with."""
        return {"pass": cls.PASS, "fail": cls.FAIL, "inconclusive": cls.INCONCLUSIVE}[verdict]


class MockbotError(Exception):
    """The root; its text is complete enough to be shown to the user as it is."""

    exit_code = ExitCode.TESTBED


class UsageError(MockbotError):
    """The user can correct this in the command line or a file."""

    exit_code = ExitCode.USAGE


class ScenarioError(UsageError):
    """All problems of one scenario file, one `file:line:column: path: message` a line."""


class TestbedError(MockbotError):
    """The testbed could not do its work; the run says nothing about the client."""

    __test__ = False  # pytest would otherwise collect the name
    exit_code = ExitCode.TESTBED
