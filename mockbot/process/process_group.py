"""End a process and everything that it started: ask, wait, then SIGKILL to its whole process group.

Every process here must have been started with `start_new_session=True`: it then leads a group of its own, and Ctrl-C
in the terminal does not reach it. What it started in yet another session is found by a mark in its environment.
"""

import os
import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress

MARK = "MOCKBOT_STARTED_BY"  # environment variable: its value marks a process and everything that it starts


def signal_group(process: "subprocess.Popen[bytes]", number: signal.Signals) -> None:
    """Send a signal to the group that `process` leads; nothing happens when no process of it is left."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def end(process: "subprocess.Popen[bytes]", ask: Callable[[], object], patience: float) -> None:
    """`ask()` it to leave, give it `patience` seconds, then kill what is left of its group. Safe to call again."""
    try:
        with suppress(BrokenPipeError, ProcessLookupError):  # it has left already
            ask()
        with suppress(subprocess.TimeoutExpired):
            process.wait(patience)
    finally:  # also when Ctrl-C comes while we wait
        signal_group(process, signal.SIGKILL)
        process.wait()


def end_marked(mark: str, patience: float) -> None:
    """End every process with this value of MARK except this one: SIGTERM, `patience` seconds, SIGKILL."""
    import psutil  # noqa: PLC0415 - a guard must start fast

    def left() -> list[psutil.Process]:
        every = psutil.process_iter(["environ"])  # None where this user may not read it
        return [each for each in every if (each.info["environ"] or {}).get(MARK) == mark and each.pid != os.getpid()]

    for number in (signal.SIGTERM, signal.SIGKILL, signal.SIGKILL):  # the last for what was started meanwhile
        if not (processes := left()):
            return
        for process in processes:
            with suppress(psutil.Error):  # gone, or of another user
                process.send_signal(number)
        psutil.wait_procs(processes, patience)


def has_ended(pid: int) -> bool:
    """Whether no process with this id runs; one whose parent has not asked for its exit code has ended, too."""
    import psutil  # noqa: PLC0415 - as above

    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True
