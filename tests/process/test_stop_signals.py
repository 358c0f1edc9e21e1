"""A signal that asks for the end is never lost, and does not interrupt what is half done."""

import signal
import subprocess
import sys

from mockbot.process.stop_signals import first_signal_calls

DROPPED = """
import signal, sys, time
from mockbot.process.stop_signals import repeat_dropped_interrupts

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


def test_the_first_signal_calls_and_the_second_interrupts() -> None:
    """The main thread goes on after the first one."""
    told: list[str] = []
    seen: list[str] = []
    before = signal.getsignal(signal.SIGTERM)
    try:
        with first_signal_calls(lambda: told.append("stop")):
            signal.raise_signal(signal.SIGTERM)
            seen.append("went on")
            signal.raise_signal(signal.SIGINT)
            seen.append("not reached")
    except KeyboardInterrupt:
        seen.append("interrupted")

    assert (told, seen) == (["stop"], ["went on", "interrupted"])
    assert signal.getsignal(signal.SIGTERM) is before


def test_after_the_block_signals_do_what_they_did() -> None:
    """Both of them."""
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]

    with first_signal_calls(lambda: None):
        assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] != before

    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
