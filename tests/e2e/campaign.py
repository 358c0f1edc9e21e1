"""Play a run of 12 s and break it: a shape of run and a way to break it in, one row of the campaign's table out.

Each run has a mark in its environment, by which every process that it started is found, and a folder of its own for
temporary files, which must be empty in the end. The moment is random and comes from SEED and the way's name.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from threading import Lock
from urllib.parse import urlsplit

import psutil

from mockbot.process.control_port import ask
from mockbot.proxy.toxiproxy_server import require_toxiproxy, start_toxiproxy
from tests.e2e.conftest import Run, put_up
from tests.e2e.shapes import ROLES, SHAPES, SYSTEM

SEED = 20241211
ANY_TIME = (0.0, 9.5)  # wall seconds from the first record to the moment
IN_BLACKOUT = (0.0, 1.5)  # from the begin of the fault
BOUND = 75.0  # wall seconds in which a broken run must have ended by itself
MARK = "MOCKBOT_CAMPAIGN"
BUSY = {"generator lag", "machine"}  # the checks that fail where the machine has other things to do
STARTING = Lock()  # a start takes a core for seconds, which would disturb the runs beside it


@dataclass(frozen=True)
class Row:
    """One line of the table. `verdict`: of summary.json, or "-"; `reason`: the first one, or the last line printed."""

    way: str
    moment: float | None = None  # wall seconds after the first record
    code: int | None = None  # None: it did not end within BOUND
    verdict: str = "-"
    reason: str = ""
    said: str = ""  # all that it printed, in one line
    left: tuple[str, ...] = ()
    busy: bool = False  # nothing is wrong with the run but that the machine had other work
    folder: Path = Path()

    def __str__(self) -> str:
        moment = "after it" if self.moment is None else f"{self.moment:.1f} s"
        left = ", ".join(self.left) or "nothing"
        return f"{self.way} | {moment} | {self.code} | {self.verdict} | {self.reason[:160]} | {left}"


@dataclass
class Target:
    """A run that goes on, for a way to break it."""

    run: Run
    base: Path
    random: Random

    @property
    def folder(self) -> Path:
        """The run folder as the run sees it: it may be on a disk that only the run has mounted."""
        inside = Path(f"/proc/{self.run.process.pid}/root{self.run.folder}")
        return inside if inside.exists() else self.run.folder

    def one(self, role: str) -> psutil.Process:
        """The process with this role; a random one of the workers."""
        if role == "runner":
            return psutil.Process(self.run.process.pid)
        # The runner's own command line has the words of the client that it starts.
        found = [each for each in marked(self.base) - {psutil.Process(self.run.process.pid)} if _role(each) == role]
        assert found, f"no process is the {role}"
        return self.random.choice(sorted(found, key=lambda each: each.pid))

    def addresses(self) -> dict[str, object]:
        """logs/testbed.json; of `-- COMMAND`, which has none, what the command is told."""
        file = self.folder / "logs" / "testbed.json"
        if not file.exists():
            told = (each.info["environ"].get("MOCKBOT_MAIN_URL") for each in marked(self.base))
            return {"providers": next(filter(None, told))}
        return dict(json.loads(file.read_text("utf-8")))

    def port(self, of: str) -> int:
        """The port of "service_control" or "proxy_control", or "providers" or "direct" of main."""
        found = self.addresses()[of]
        return urlsplit(str(found["main"] if isinstance(found, dict) else found)).port or 0

    def proxy(self, method: str, path: str, body: object = ...) -> None:
        """One request to the proxy's control port; `{main}` in the path is the name of main's proxy."""
        addresses = self.addresses()
        names = addresses["proxies"]
        assert isinstance(names, dict)
        answer = ask(str(addresses["proxy_control"]), method, path.replace("{main}", names["main"]), body)
        assert answer.status < 300, answer

    def inside(self, *command: str) -> None:
        """Run a program in the run's own network and mounts."""
        pid = str(self.run.process.pid)
        subprocess.run(["nsenter", "-t", pid, "-U", "-n", "-m", "--preserve-credentials", *command], check=True)


@dataclass(frozen=True)
class Way:
    """A way to break a run of a shape. `act`: at the moment; without one, `damage` changes the folder when it is over.

    `says`: a regular expression that the terminal's text must match. `before`: the program that starts mockbot, with
    its arguments; `{base}` in them is the run's own folder.
    """

    name: str
    shape: str = "crowd"
    act: Callable[[Target], None] | None = None
    damage: Callable[[Path, Random], None] | None = None
    says: str = ""
    codes: frozenset[int] = frozenset({3})
    before: tuple[str, ...] = ()
    during: tuple[float, float] = ANY_TIME
    since: tuple[str, str] = ("service.jsonl", "{")  # the first record: that file has that text
    needs: str = ""  # a program or a library

    @property
    def id(self) -> str:
        """How `-k` and the table call it."""
        return f"{self.shape}: {self.name}"


def play(way: Way, base: Path) -> Row:
    """The whole life of one run."""
    base.mkdir()
    (base / "tmp").mkdir()
    (base / "scenario.yaml").write_text(SHAPES[way.shape][0], "utf-8")
    (base / "system.yaml").write_text(SYSTEM, "utf-8")
    (base / "clock").write_text("0", "utf-8")
    random = Random(f"{SEED}/{way.id}")
    variables = {MARK: str(base), "TMPDIR": str(base / "tmp")}
    with ExitStack() as stack:
        url = stack.enter_context(_shared()) if way.shape == "shared toxiproxy" else ""
        words = {"URL": url, "SYSTEM": str(base / "system.yaml")}
        arguments = [words.get(word, word) for word in SHAPES[way.shape][1]]
        begin = stack.enter_context(put_up(lambda _: base))
        before = [word.format(base=base) for word in way.before]
        with STARTING:
            run = begin(base / "scenario.yaml", *arguments, before=before, environment=variables)
            target = Target(run, base, random)
            _wait(lambda: _has(target, way.since), run)
        moment = None
        if way.act is not None and run.process.poll() is None:
            moment = random.uniform(*way.during)
            _wait(lambda: False, run, moment)
            run.descendants |= marked(base)
            way.act(target)
        _wait(lambda: False, run, BOUND)
        run.descendants |= marked(base)
        row = Row(way.id, moment, run.process.poll())
        return replace(_told(row, run), left=_left(run, base, url))


def play_in_calm(way: Way, base: Path) -> Row:
    """As `play`, again where the machine was too busy for it, which is no word about mockbot; three times at most."""
    row = play(way, base)
    for number in (2, 3):
        if row.busy:
            row = replace(play(way, base.with_name(f"{base.name}-{number}")), way=f"{way.id}, try {number}")
    return row


def report(way: Way, whole: Path, base: Path) -> Row:
    """Damage a copy of the folder of a run that is over, and judge it again."""
    base.mkdir()
    shutil.copytree(whole, base / "out")
    assert way.damage is not None
    way.damage(base / "out", Random(f"{SEED}/{way.id}"))
    with (base / "output").open("w") as output:
        code = subprocess.run(
            [sys.executable, "-m", "mockbot", "report", str(base / "out")], stdout=output, stderr=subprocess.STDOUT,
            check=False, timeout=BOUND, env={**os.environ, "COLUMNS": "100", "TMPDIR": str(base)},
        ).returncode  # fmt: skip
    extra = sorted(each.name for each in base.iterdir() if each.name not in {"out", "output"})
    return replace(_told(Row(way.id, None, code), Run(None, base / "out")), left=tuple(extra))  # type: ignore[arg-type]


def marked(base: Path) -> set[psutil.Process]:
    """Every process that a run started, by its environment."""
    found = psutil.process_iter(["environ"])  # None where it is a zombie, or of another user
    return {each for each in found if (each.info["environ"] or {}).get(MARK) == str(base)}


def _role(process: psutil.Process) -> str:
    """Empty: none."""
    with suppress(psutil.Error):
        line, parent = process.cmdline(), process.parent()
        role = next((role for role, word in ROLES.items() if word in line), "")
        return "worker" if role == "load" and parent is not None and "locust" in parent.cmdline() else role
    return ""


@contextmanager
def _shared() -> Iterator[str]:
    """A Toxiproxy that somebody else has started; with a proxy of theirs."""
    with start_toxiproxy(require_toxiproxy()) as child:
        theirs = {"name": "theirs", "listen": "127.0.0.1:0", "upstream": "127.0.0.1:1"}
        assert ask(child.url, "POST", "/proxies", theirs).status == 201
        yield child.url


def _has(target: Target, record: tuple[str, str]) -> bool:
    """Whether a file of the run has a text. The first second of a provider comes about a second after the load."""
    with suppress(OSError):
        return record[1] in (target.folder / record[0]).read_text("utf-8", "replace")
    return False


def _wait(until: Callable[[], bool], run: Run, within: float = 90.0) -> None:
    end = time.monotonic() + within
    while run.process.poll() is None and not until() and time.monotonic() < end:
        time.sleep(0.05)


def _told(row: Row, run: Run) -> Row:
    said = " ".join(run.output().split())
    last = (run.output().strip().splitlines() or [""])[-1]
    if not (run.folder / "summary.json").exists():
        return replace(row, said=said, reason=last)
    summary = json.loads((run.folder / "summary.json").read_text("utf-8"))
    failed = {guard["name"] for guard in summary["guards"] if not guard["ok"]}
    verdict, reason = summary["verdict"], (summary["reasons"] or [""])[0]
    busy = verdict == "inconclusive" and failed <= BUSY
    return replace(row, said=said, verdict=verdict, reason=reason, busy=busy, folder=run.folder)


def _left(run: Run, base: Path, toxiproxy: str) -> tuple[str, ...]:
    processes, ports = run.left()
    left = [*processes, *(f"port {port}" for port in ports if _is_held_by(base, port))]
    left += [f"temporary {each.name}" for each in (base / "tmp").iterdir()]
    until = time.monotonic() + 10.0
    while toxiproxy:
        try:
            proxies = [name for name in ask(toxiproxy, "GET", "/proxies").json() if name != "theirs"]
        except (ConnectionError, TimeoutError):
            break  # it is gone, and all its proxies
        if not proxies or time.monotonic() > until:
            return (*left, *(f"proxy {name}" for name in proxies))
        time.sleep(0.1)
    return tuple(left)


def _is_held_by(base: Path, port: int) -> bool:
    """Whether a process of this run listens: a free port is soon given to somebody else."""
    for pid in _listening(port):
        with suppress(psutil.Error):
            return psutil.Process(pid).environ().get(MARK) == str(base)
    return False


def _listening(port: int) -> list[int]:
    """The processes that listen at a port."""
    every = psutil.net_connections("tcp")
    return [
        each.pid for each in every if each.pid and each.laddr and each.laddr.port == port and each.status == "LISTEN"
    ]
