"""A signal that asks for the end is never lost, and does not interrupt what is half done."""

import signal
import subprocess
import sys

from mockbot.process.stop_signals import first_signal_calls

DROPPED = """
import signal, sys, time
from mockbot.process.stop_signals import repeat_dropped_interrupts

signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background has inherited that it is ignored
repeat_dropped_interrupts() if sys.argv[1] == "repeated" else None

class Collected:
    def __del__(self):
        signal.raise_signal(signal.SIGINT)

try:
    Collected()
    time.sleep(3)
    print("went on")
except KeyboardInterrupt:
    print("interrupted")
"""


def ended(how: str) -> str:
    done = subprocess.run([sys.executable, "-c", DROPPED, how], capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.strip()


def test_an_interrupt_that_python_drops_is_raised_again() -> None:
    """A destructor was running when the signal came."""
    assert ended("as python does") == "went on"
    assert ended("repeated") == "interrupted"


IMPORTING = """
import os, signal, sys, threading
from importlib import _bootstrap
from mockbot.process.stop_signals import interrupt

signal.signal(signal.SIGINT, interrupt if sys.argv[1] == "put off" else signal.default_int_handler)
imp, interrupted = _bootstrap._imp, []

class InterruptedOnce:
    def __getattr__(self, name):
        return getattr(imp, name)

    def acquire_lock(self):
        imp.acquire_lock()
        if not interrupted:
            interrupted.append(True)
            signal.raise_signal(signal.SIGINT)

_bootstrap._imp = InterruptedOnce()
try:
    import colorsys
    threading.Event().wait(3)
    print("went on")
except KeyboardInterrupt:
    other = threading.Thread(target=lambda: __import__("tabnanny"), daemon=True)
    other.start()
    other.join(3)
    print("interrupted; another thread", "hangs" if other.is_alive() else "imports", flush=True)
os._exit(0)  # a lock that is held for ever would hold up the end of the process
"""


def test_an_interrupt_does_not_leave_the_lock_of_imports_held() -> None:
    """It came after the lock was taken and before what gives it back."""
    script = [sys.executable, "-W", "ignore", "-c", IMPORTING]

    said = [
        subprocess.run([*script, how], capture_output=True, text=True, check=True, timeout=60).stdout.splitlines()[-1]
        for how in ("as python does", "put off")
    ]

    assert said == ["interrupted; another thread hangs", "interrupted; another thread imports"]


def test_the_first_signal_calls_and_the_second_interrupts() -> None:
    """The main thread goes on after the first one."""
    told: list[str] = []
    seen: list[str] = []
    before = signal.getsignal(signal.SIGTERM)
    inherited = signal.signal(signal.SIGINT, signal.default_int_handler)  # it may have been ignored
    try:
        with first_signal_calls(lambda: told.append("stop")):
            signal.raise_signal(signal.SIGTERM)
            seen.append("went on")
            signal.raise_signal(signal.SIGINT)
            seen.append("not reached")
    except KeyboardInterrupt:
        seen.append("interrupted")
    finally:
        signal.signal(signal.SIGINT, inherited)

    assert (told, seen) == (["stop"], ["went on", "interrupted"])
    assert signal.getsignal(signal.SIGTERM) is before


def test_after_the_block_signals_do_what_they_did() -> None:
    """Both of them."""
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]

    with first_signal_calls(lambda: None):
        assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] != before

    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
