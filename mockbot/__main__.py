"""The entry point of `mockbot` and `python -m mockbot`: every error becomes a sentence on stderr and an exit code."""

import signal
import sys
import traceback
from types import FrameType
from typing import NoReturn


def _interrupt(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def start() -> None:
    """Run the command line and exit."""
    # SIGTERM ends a run as Ctrl-C does. A shell's `&` has set SIGINT to ignored; this undoes it.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    try:  # the imports take half a second, in which a Ctrl-C must not print a traceback
        import click

        from mockbot.cli import cli
        from mockbot.errors import ExitCode, MockbotError
    except KeyboardInterrupt:
        sys.exit(130)
    try:
        cli.main(standalone_mode=False)
    except (click.exceptions.Abort, KeyboardInterrupt):
        sys.exit(ExitCode.INTERRUPTED)
    except click.ClickException as error:
        error.show()
        sys.exit(ExitCode.USAGE)
    except MockbotError as error:
        click.echo(f"mockbot: {error}" if "\n" not in str(error) else str(error), err=True)
        sys.exit(error.exit_code)
    except Exception:
        # A defect of mockbot: Python's own exit code, 1, would mean "expectations failed".
        traceback.print_exc()
        click.echo("mockbot: this is a defect in mockbot; it says nothing about your client", err=True)
        sys.exit(ExitCode.TESTBED)


if __name__ == "__main__":
    start()
