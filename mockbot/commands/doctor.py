"""`mockbot doctor`: whether this machine can play an outage, in a few seconds; what hinders it, and what to do, out.

A finding that is bad ends with exit code 4, as a run on this machine would; a doubtful one is worth knowing.
"""

import os
import platform
import shutil
import socket
import threading
import time
import webbrowser
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from textwrap import fill
from typing import Literal

import psutil
import requests
from rich.console import Console
from rich.text import Text

from mockbot.dialects.families import FAMILIES
from mockbot.errors import ExitCode, MockbotError
from mockbot.process.self_watch import descriptor_limit
from mockbot.proxy.toxiproxy_server import INSTALL, find_toxiproxy
from mockbot.report.progress import progress
from mockbot.scenario.load import read_scenario
from mockbot.simulate.all_cores import cores
from mockbot.testbed.start import open_testbed
from mockbot.units.rank import nearest_rank

State = Literal["ok", "absent", "doubtful", "bad"]
DESCRIPTORS = 4096  # 4 for each of 1,000 users, and the programs' own
LATE, BUSY = 0.02, 0.5  # seconds of a timer, share of the machine: what makes latencies of a run doubtful
MEMORY, DISK = 500, 500  # MB
JUMP = 0.05  # seconds between the wall clock and the monotonic one
TIMERS, EACH = 200, 0.005
SCENARIO = """
name: doctor
title: One question
providers: {main: {slots: 1}}
crowd: {one: {users: 100%, policy: once}}
phases: [{name: calm, lasts: 1m, users: 1}]
"""
QUESTION = FAMILIES["openai"].chat.path, {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "?"}]}
MARKS: dict[State, str] = {"ok": "ok", "absent": "-", "doubtful": "?", "bad": "BAD"}


@dataclass(frozen=True, slots=True)
class Finding:
    """`says`: what was looked at and seen; `do`: what to do about it, empty where nothing is to be done."""

    name: str
    state: State
    says: str
    do: str = ""


def doctor_command(console: Console) -> ExitCode:
    """Look at one thing after the other, so that none disturbs another, and tell each when it is known."""
    bad = []
    with progress(console, "looking") as report:
        for number, look in enumerate(_LOOKS, 1):
            for found in look():
                if found.state == "bad":
                    bad.append(found.name)
                _tell(found, console)
            report(number, len(_LOOKS), "")
    if bad:
        console.print(Text(f"This machine cannot play outages: {', '.join(bad)}."))
        return ExitCode.TESTBED
    console.print(Text("This machine can play outages."))
    return ExitCode.PASS


def _tell(found: Finding, console: Console) -> None:
    """Lines as wide as the console; a path is not broken."""
    lines = [f"{MARKS[found.state]:>3}  {found.name:<12} {found.says}"]
    if found.do:
        lines.append(f"     {'':<12} -> {found.do}")
    for line in lines:
        told = fill(line, console.width, subsequent_indent=" " * 18, break_long_words=False, break_on_hyphens=False)
        console.print(Text(told), soft_wrap=True)


def _system() -> Iterator[Finding]:
    yield Finding("system", "ok", f"{platform.system()} {platform.release()}, Python {platform.python_version()}")
    memory = psutil.virtual_memory().available // 2**20
    short = memory < MEMORY
    do = f"end other programs: a run takes about {MEMORY} MB"
    yield Finding("memory", "doubtful" if short else "ok", f"{memory:,} MB are free", do if short else "")


def _time() -> Iterator[Finding]:
    """Cores, timers and clocks, over one second: what else runs here shows in all three."""
    psutil.cpu_percent()
    skew, late = time.time() - time.perf_counter(), []
    wait = threading.Event().wait
    for _ in range(TIMERS):
        begun = time.perf_counter()
        wait(EACH)
        late.append(time.perf_counter() - begun - EACH)
    busy, jumped = psutil.cpu_percent() / 100, abs(time.time() - time.perf_counter() - skew)
    p99 = nearest_rank(sorted(late), 0.99) or 0.0
    says = f"{cores()} cores, {busy:.0%} busy with other things"
    do = "wait until it is idle: a machine without CPU makes a run inconclusive"
    yield Finding("CPU", "doubtful" if busy > BUSY else "ok", says, do if busy > BUSY else "")
    says = f"one of a hundred is later than {1000 * p99:.1f} ms"
    do = "latencies of a live run will have that in them; use a lower --speed, or another machine"
    yield Finding("timers", "doubtful" if p99 > LATE else "ok", says, do if p99 > LATE else "")
    says = f"wall clock and monotonic clock went {1000 * jumped:.0f} ms apart within a second"
    do = "something sets the wall clock; durations are right, dates may not be"
    yield Finding("clock", "doubtful" if jumped > JUMP else "ok", says, do if jumped > JUMP else "")


def _descriptors() -> Iterator[Finding]:
    limit = descriptor_limit()
    few = limit < DESCRIPTORS
    do = f"raise `ulimit -Hn` to {DESCRIPTORS} or more: with {limit} keep to {max(1, (limit - 200) // 4)} users"
    yield Finding("descriptors", "doubtful" if few else "ok", f"a process may open {limit:,}", do if few else "")


def _folder() -> Iterator[Finding]:
    """Where run folders go."""
    runs = Path("runs")
    at = runs if runs.exists() else Path()
    if not at.is_dir() or not os.access(at, os.W_OK):
        yield Finding("folder", "bad", f"{at.absolute()} cannot be written", "run from another folder, or give --out")
        return
    free = shutil.disk_usage(at).free // 2**20
    do = "make room: a run of an hour takes up to 100 MB" if free < DISK else ""
    yield Finding("folder", "doubtful" if do else "ok", f"{runs.absolute()} has {free:,} MB left", do)


def _environment() -> Iterator[Finding]:
    """Variables that lead requests elsewhere; mockbot's own ignore them."""
    proxies = sorted(name for name in os.environ if name.lower() in {"http_proxy", "https_proxy", "all_proxy"})
    if proxies:
        says = f"{', '.join(proxies)}: commands also get NO_PROXY, so that they reach 127.0.0.1 directly"
        yield Finding("proxies", "ok", says)


def _testbed() -> Iterator[Finding]:
    """One question to a service behind the embedded proxy, on real sockets."""
    try:
        scenario = read_scenario(SCENARIO)
        with open_testbed(scenario, 100.0, None) as addresses, requests.Session() as session:
            session.trust_env = False
            session.post(addresses.providers["main"] + QUESTION[0], json=QUESTION[1], timeout=5).raise_for_status()
        yield Finding("testbed", "ok", "service and embedded proxy start on loopback, and answer")
    except (MockbotError, OSError) as error:
        do = "see whether a firewall or a sandbox keeps programs from listening at and asking 127.0.0.1"
        yield Finding("testbed", "bad", f"service and proxy do not work: {error}", do)


def _extras() -> Iterator[Finding]:
    """What not every run needs."""
    toxiproxy = find_toxiproxy()
    says = f"is here: {toxiproxy}" if toxiproxy else f"is not here; only --proxy toxiproxy needs it ({INSTALL})"
    yield Finding("Toxiproxy", "ok" if toxiproxy else "absent", says)
    fast = find_spec("numba") is not None
    says = "is here" if fast else "is not here; simulate --users 1000000 needs the extra `fast`"
    yield Finding("fast engine", "ok" if fast else "absent", says)
    try:
        webbrowser.get()
        yield Finding("browser", "ok", "is here")
    except webbrowser.Error:
        says = "is not here; take report.html, or the port of --ui (ssh -L), to where one is"
        yield Finding("browser", "absent", says)


def _ports() -> Iterator[Finding]:
    """Some are left for the connections of a crowd."""
    taken: list[socket.socket] = []
    try:
        for _ in range(100):
            sock = socket.socket()
            taken.append(sock)
            sock.bind(("127.0.0.1", 0))
    except OSError as error:
        do = "end what holds the ports (`ss -s` counts connections), or widen net.ipv4.ip_local_port_range"
        yield Finding("ports", "bad", f"100 free ports of 127.0.0.1 cannot be had: {error}", do)
    else:
        yield Finding("ports", "ok", "free ports of 127.0.0.1 can be had")
    finally:
        for sock in taken:
            sock.close()


_LOOKS: tuple[Callable[[], Iterator[Finding]], ...] = (
    _system,
    _time,
    _descriptors,
    _ports,
    _folder,
    _environment,
    _testbed,
    _extras,
)
