"""Machines with addresses of their own: each a network namespace, all on one wire."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Address
from pathlib import Path

import pytest

FIRST = IPv4Address("10.231.7.1")
DELAY = 0.005  # wall seconds, one way


@dataclass(frozen=True, slots=True)
class Machine:
    """A namespace and its address."""

    namespace: str
    address: str

    def command(self, *words: str | Path) -> list[str]:
        """The command line that runs the words there; its process is theirs."""
        return ["ip", "netns", "exec", self.namespace, *map(str, words)]


@cache
def why_none() -> str:
    """Why this system permits no such machines; "" when it does."""
    if not os.path.exists("/dev/net/tun"):  # noqa: PTH110 - a device
        return "no /dev/net/tun"
    name = f"mb-try-{os.getpid()}"
    for command in (["unshare", "--time", "--monotonic=1", "--fork", "true"], ["ip", "netns", "add", name]):
        try:
            tried = subprocess.run(command, capture_output=True, text=True, check=False)
        except FileNotFoundError:
            return f"no `{command[0]}`"
        if tried.returncode:
            return f"{command[0]}: {tried.stderr.strip()[:200]}"
    subprocess.run(["ip", "netns", "delete", name], check=True)
    return ""


needs_machines = pytest.mark.skipif(bool(why_none()), reason=f"WORKERS ELSEWHERE NOT TESTED: {why_none()}")


@contextmanager
def machines(count: int, delay: float = DELAY) -> Iterator[list[Machine]]:
    """So many, `delay` wall seconds apart from each other; nothing is left of them."""
    names = [f"mb{os.getpid()}-{n}" for n in range(count)]
    made = [Machine(name, str(FIRST + n)) for n, name in enumerate(names)]
    try:
        for name in names:
            subprocess.run(["ip", "netns", "add", name], check=True)
        command = [sys.executable, "-m", "tests.networks.wire", str(delay), str(FIRST), *names]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as wire:
            assert wire.stdout is not None
            assert wire.stdout.readline() == "ready\n"
            try:
                yield made
            finally:
                wire.communicate()
    finally:
        for name in names:
            subprocess.run(["ip", "netns", "delete", name], check=False)
