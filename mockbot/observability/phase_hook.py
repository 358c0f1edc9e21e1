"""`--on-phase URL|COMMAND`: at each change of phase a message is posted, or a command is run. It never holds up a run.

A thread of its own works through what is to be told. What fails is told to the user and changes nothing else; what is
still under way at the end gets LAST_WITHIN, and then a command is killed with all that it started. Only a command line
names a hook: a scenario file is data, and what it says must not be executed. Its words are a secret, as the URLs of
Slack are: what is told of it names its host or its program.
"""

import io
import os
import queue
import re
import shlex
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from time import monotonic
from urllib.parse import urlsplit

import requests

from mockbot.errors import UsageError
from mockbot.process.process_group import end
from mockbot.units.formatting import format_clock, format_wall

WITHIN = 10.0  # wall seconds for one message
LAST_WITHIN = 3.0  # wall seconds for all that is left at the end
QUOTED = 200  # characters of what a command wrote
_ERRNO = re.compile(r"\[Errno -?\d+\] ([\w ]+)")


@dataclass(frozen=True, slots=True)
class PhaseMessage:
    """The JSON that is posted. `phase` "": the outage is over; `text` is what Slack, Mattermost and Teams show."""

    text: str
    scenario: str
    phase: str
    scenario_second: float
    wall_time: str  # ISO 8601, UTC
    wrong: tuple[str, ...]  # the faults that hold now
    verdict: str = ""  # of the run, in its last message
    report: str = ""  # the file of the report, in the same

    @classmethod
    def of(cls, scenario: str, phase: str, second: float, wrong: Sequence[str]) -> "PhaseMessage":
        """A phase begins now."""
        state = f"phase {phase}, {'; '.join(wrong) or 'nothing is wrong'}" if phase else "the outage is over"
        return cls(
            f"mockbot {scenario} [{format_clock(second)}]: {state}", scenario, phase, round(second, 3), _now(),
            tuple(wrong),
        )  # fmt: skip

    @classmethod
    def judged(cls, scenario: str, second: float, verdict: str, report: str) -> "PhaseMessage":
        """The last one of a run."""
        text = f"mockbot {scenario}: verdict {verdict}; {report}"
        return cls(text, scenario, "", round(second, 3), _now(), (), verdict, report)

    @property
    def environment(self) -> dict[str, str]:
        """The same for a command: MOCKBOT_PHASE and so on; what is wrong is one line each."""
        values = {**asdict(self), "wrong": "\n".join(self.wrong)}
        return {f"MOCKBOT_{name.upper()}": str(value) for name, value in values.items()}


def check_hook(target: str) -> None:
    """Raises UsageError for what can be known to be wrong before anything starts."""
    if _is_url(target):
        if not urlsplit(target).hostname:
            raise UsageError(f"--on-phase {target}: is no URL; give one like https://hooks.example/T0/B0")
        return
    try:
        words = shlex.split(target)
    except ValueError as error:
        raise UsageError(f"--on-phase {target}: {error}") from None
    if not words or shutil.which(words[0]) is None:
        raise UsageError(
            f"--on-phase {target}: no such command, and no URL; name a program of PATH, or an http:// or https:// URL"
        )


class PhaseHook:
    """`tell` returns at once; `failed` gets a sentence for each message that was not taken, in the hook's thread."""

    def __init__(self, target: str, failed: Callable[[str], None]) -> None:
        self._target, self._failed = target, failed
        self._messages: queue.SimpleQueue[PhaseMessage | None] = queue.SimpleQueue()
        self._running: subprocess.Popen[bytes] | None = None
        self._closing = False
        self._starting = threading.Lock()  # so that no command starts once `close` has looked for one
        self._thread = threading.Thread(target=self._work, name="on-phase", daemon=True)
        self._thread.start()

    def tell(self, message: PhaseMessage) -> None:
        """Post it, or run the command for it, after the earlier ones."""
        self._messages.put(message)

    def close(self) -> None:
        """Wait LAST_WITHIN for what is left, then end it."""
        self._messages.put(None)
        self._thread.join(LAST_WITHIN)
        with self._starting:
            self._closing, process = True, self._running
        if self._thread.is_alive():
            late = f"still busy {format_wall(LAST_WITHIN)} after the end and was ended"
            self._failed(f"--on-phase was {late}: {_shown(self._target)}")
        if process is not None:
            end(process, process.terminate, 0.0)

    def _work(self) -> None:
        while (message := self._messages.get()) is not None and not self._closing:
            try:
                if _is_url(self._target):
                    _post(self._target, message)
                else:
                    self._run(message)
            except (OSError, requests.RequestException, subprocess.SubprocessError) as error:
                if not self._closing:
                    what = f"phase {message.phase}" if message.phase else "the end"
                    self._failed(f"--on-phase failed at {what}: {_shown(self._target)}: {_why(error)}")

    def _run(self, message: PhaseMessage) -> None:
        """The command, for one message. Raises OSError or SubprocessError when it fails."""
        with self._starting:
            if self._closing:
                return
            process = self._running = subprocess.Popen(
                shlex.split(self._target),
                env={**os.environ, **message.environment},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        said, until = bytearray(), monotonic() + WITHIN
        reader = threading.Thread(target=_keep_last, args=(process.stdout, said), name="on-phase output", daemon=True)
        reader.start()
        try:
            reader.join(WITHIN)
            if reader.is_alive():  # it, or what it has started
                raise subprocess.TimeoutExpired(process.args, WITHIN)
            process.wait(max(0.0, until - monotonic()))
        finally:
            end(process, process.terminate, 0.0)
            self._running = None
        if process.returncode:
            text = said.decode("utf-8", "replace").strip()[-QUOTED:]
            raise OSError(f"exit code {process.returncode}{': ' if text else ''}{text}")


def _post(url: str, message: PhaseMessage) -> None:
    """Raises OSError, as RequestException is, when it is not taken; a redirect would turn the POST into a GET."""
    with requests.post(
        url, json=asdict(message), timeout=WITHIN, allow_redirects=False, stream=True
    ) as response:  # whose body may have no end, and is not read
        if response.is_redirect:
            raise OSError(f"{response.status_code} {response.reason}; give the URL to which it redirects")
        if not response.ok:
            raise OSError(f"{response.status_code} {response.reason}")


def _keep_last(pipe: io.BufferedReader, said: bytearray) -> None:
    """Read what a process writes, which may be without end, and keep what can be quoted."""
    with pipe:
        for chunk in iter(partial(pipe.read1, 1 << 16), b""):
            said[:] = (said + chunk)[-4 * QUOTED :]  # UTF-8 has at most 4 bytes for a character


def _shown(target: str) -> str:
    return urlsplit(target).netloc.rpartition("@")[2] if _is_url(target) else shlex.split(target)[0]


def _why(error: Exception) -> str:
    if isinstance(error, requests.Timeout | subprocess.TimeoutExpired):
        return f"it took longer than {format_wall(WITHIN)}"
    if isinstance(error, requests.RequestException):  # its text has the whole URL
        cause = _ERRNO.search(str(error))
        return cause[1] if cause else type(error).__name__
    return str(error)


@contextmanager
def told_phases(
    target: str | None, scenario: str, failed: Callable[[str], None]
) -> Iterator[Callable[[str, float, Sequence[str]], None]]:
    """A function to be told of phases: name, second, what is wrong. Raises UsageError; None: nobody is told."""
    if target is None:
        yield lambda *_: None
        return
    check_hook(target)
    with closing(PhaseHook(target, failed)) as hook:
        yield lambda phase, second, wrong: hook.tell(PhaseMessage.of(scenario, phase, second, wrong))


def _is_url(target: str) -> bool:
    return target.startswith(("http://", "https://"))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
