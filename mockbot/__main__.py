"""The entry point of `mockbot` and `python -m mockbot`: every error becomes a sentence on stderr and an exit code."""

import errno
import io
import signal
import sys
import traceback
from types import FrameType
from typing import Any, NoReturn

from mockbot.process.stop_signals import SIGNALS, interrupt, repeat_dropped_interrupts

# What the system refuses is no defect of mockbot: a full disk, a limit, a folder of another user.
_REFUSED = frozenset({
    errno.EACCES, errno.EDQUOT, errno.EFBIG, errno.EISDIR, errno.ELOOP, errno.EMFILE, errno.ENAMETOOLONG, errno.ENFILE,
    errno.ENOENT, errno.ENOMEM, errno.ENOSPC, errno.ENOTDIR, errno.EPERM, errno.EROFS,
})  # fmt: skip


class _Stdout(io.FileIO):
    """Standard output whose reader may leave (`| head -1`): the command goes on and keeps its exit code."""

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except BrokenPipeError:
            return memoryview(data).nbytes


_signals: list[int] = []  # that told this process to end


def _interrupt(number: int, frame: FrameType | None) -> None:
    _signals.append(number)
    interrupt(number, frame)


def start() -> None:  # noqa: C901 - one branch for each kind of end
    """Run the command line and exit."""
    if sys.platform == "win32":  # before the first import that would fail there
        from mockbot.errors import ON_WINDOWS, ExitCode

        sys.stderr.write(f"mockbot: {ON_WINDOWS}\n")
        sys.exit(ExitCode.TESTBED)
    # SIGTERM ends a run as Ctrl-C does. A shell's `&` has set SIGINT to ignored; this undoes it.
    for number in SIGNALS:
        signal.signal(number, _interrupt)
    repeat_dropped_interrupts()
    if sys.stdout is not None:
        raw, old = _Stdout(sys.stdout.fileno(), "w", closefd=False), sys.stdout
        # A title that the terminal's encoding does not have (LC_ALL=C) is told with escapes.
        sys.stdout = io.TextIOWrapper(io.BufferedWriter(raw), old.encoding, "backslashreplace", line_buffering=True)
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
        from mockbot.report.plain_console import plain

        click.echo(plain(f"mockbot: {error}" if "\n" not in str(error) else str(error)), err=True)
        sys.exit(error.exit_code)
    except OSError as error:
        if error.errno not in _REFUSED:
            _defect()
        where = f"{error.filename}: " if error.filename else ""
        click.echo(f"mockbot: {where}{error.strerror}; this says nothing about your client", err=True)
        sys.exit(ExitCode.TESTBED)
    except MemoryError as error:
        click.echo(f"mockbot: out of memory: {error}; take fewer users or a shorter scenario", err=True)
        sys.exit(ExitCode.TESTBED)
    except Exception:
        _defect()


def _defect() -> NoReturn:
    """Python's own exit code, 1, would mean "expectations failed"."""
    if _signals:  # native code may turn the interrupt into an exception of its own
        sys.exit(130)
    traceback.print_exc()
    sys.stderr.write("mockbot: this is a defect in mockbot; it says nothing about your client\n")
    sys.exit(4)


if __name__ == "__main__":
    start()
