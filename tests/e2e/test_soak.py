"""Forty minutes of five hundred users, and beside it forty minutes of `mockbot serve --loop`: nothing grows.

Every process of both is looked at each LOOK seconds. What it takes while it warms up, a quarter of the time, says
nothing. Of the rest a line is fitted by Theil and Sen's method (the median slope of all pairs): no peak moves it.
"""

import subprocess
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from statistics import median

import httpx
import psutil
import pytest

from mockbot.runs.folder import RunFolder
from mockbot.runs.journal_files import read_run
from tests.commands.build import mockbot

pytestmark = [pytest.mark.live, pytest.mark.nightly, pytest.mark.timeout(3600)]
MINUTES = 40
LOOK = 10.0  # wall seconds
WARM = 0.25  # of the time
RING_FILLS = 0.25  # of the proxy's: it keeps its last KEPT_LOGS connections, many more than come in this time
MEMORY_GROWS = 0.05  # at most, of the median, from the end of the warm-up to the end
DESCRIPTORS_GROW = 0.05  # of the median: most are connections of users, whose number goes up and down
LAG_GROWS = 0.5  # of the median
CROWD = f"""
name: soak
title: Five hundred users, and a fault now and then
speed: 1
providers:
  main: {{slots: 400, queue: {{limit: 400}}}}
crowd:
  patient: {{users: 50%, policy: backoff, think: 2m}}
  sdk: {{users: 50%, policy: sdk, think: 2m}}
phases:
  - {{name: steady, lasts: 1m, users: 500}}
  - name: flapping
    lasts: {MINUTES - 2}m
    faults: [{{http_error: 503, flap: {{period: 2m}}, share: 50%}}]
  - {{name: after, lasts: 1m}}
"""
LOOP = """
name: loop
title: A minute of calm and a minute of 503, again and again
speed: 1
providers: {main: {}}
crowd: {all: {users: 100%, policy: once}}
phases:
  - {name: calm, lasts: 1m, users: 1}
  - {name: blackout, lasts: 1m, faults: [{http_error: 503, share: 50%}, {reset_peer: 0s, share: 10%}]}
"""


@dataclass
class Looks:
    """What each process took, look by look: resident bytes and open descriptors."""

    memory: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    descriptors: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def look(self, part: str, process: psutil.Process) -> None:
        """At one process, by what it runs; one that has just ended is left out."""
        try:
            command = process.cmdline()
            modules = [each for each in command if each in {"locust", "mockbot"} or each.startswith("mockbot.")]
            name = f"{part}: {' '.join(modules[:1]) or Path(command[0]).name}"
            self.memory[name].append(process.memory_info().rss)
            self.descriptors[name].append(process.num_fds())
        except (psutil.Error, IndexError):
            return


def growth(values: list[float]) -> float:
    """What the fitted line gains from the end of the warm-up to the last look."""
    late = values[int(len(values) * WARM) :]
    slopes = [(b - a) / (j - i) for (i, a), (j, b) in combinations(enumerate(late), 2)]
    return median(slopes) * (len(late) - 1)


@contextmanager
def asked(url: str) -> Iterator[list[int]]:
    """A client of one provider that asks twice a second, each time on a connection of its own: status by status."""
    statuses: list[int] = []
    done = threading.Event()
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hello"}]}

    def ask() -> None:
        while not done.wait(0.5):
            try:
                answer = httpx.post(f"{url}/v1/chat/completions", json=body, headers={"authorization": "Bearer sk-a"})
                statuses.append(answer.status_code)
            except httpx.HTTPError:
                statuses.append(0)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield statuses
    finally:
        done.set()
        thread.join()


def test_nothing_grows(tmp_path: Path) -> None:
    """Memory, descriptors, and how late prompts are sent."""
    crowd, loop = tmp_path / "crowd.yaml", tmp_path / "loop.yaml"
    crowd.write_text(CROWD, "utf-8")
    loop.write_text(LOOP, "utf-8")
    looks = Looks()
    served = subprocess.Popen(mockbot("serve", loop, "--loop"), stdout=subprocess.PIPE, text=True)
    played = subprocess.Popen(mockbot("run", crowd, "--out", tmp_path / "run"), stdout=subprocess.DEVNULL)
    assert served.stdout is not None
    try:
        lines = iter(served.stdout.readline, "")
        url = next(line.partition("=")[2].strip() for line in lines if line.startswith("export MOCKBOT_URL="))
        drained = threading.Thread(target=served.stdout.read)  # a line for each phase must not fill the pipe
        drained.start()
        began = time.monotonic()
        with asked(url) as statuses:
            while played.poll() is None:
                for part, root in (("run", played), ("serve", served)):
                    parent = psutil.Process(root.pid)
                    for process in (parent, *parent.children(recursive=True)):
                        looks.look(part, process)
                threading.Event().wait(LOOK)
        lasted = time.monotonic() - began
        served.send_signal(2)
        assert served.wait(30) == 130
        drained.join()
    finally:
        for started in (served, played):
            started.kill()
            started.wait()
        served.stdout.close()

    health = [each.lag_p99 for each in read_run(RunFolder(tmp_path / "run")).health if each.t < (MINUTES - 1) * 60]
    found = [
        *(
            (name, "memory", growth(all_) / median(all_), RING_FILLS if "proxy" in name else MEMORY_GROWS)
            for name, all_ in looks.memory.items()
        ),
        *(
            (name, "descriptors", growth(all_) / median(all_), DESCRIPTORS_GROW)
            for name, all_ in looks.descriptors.items()
        ),
        ("run", "lag p99", growth(health[:: max(1, len(health) // 500)]) / max(median(health), 1e-4), LAG_GROWS),
    ]
    for name, what, grows, _ in found:
        print(f"{name}: {what} grows by {grows:.3g}")  # noqa: T201 - figures of a long test
    for name, all_ in looks.memory.items():
        print(f"{name}: {median(all_) / 1e6:.0f} MB, {median(looks.descriptors[name]):.0f} descriptors")  # noqa: T201
    assert lasted > (MINUTES - 1) * 60
    assert {200, 503, 0} <= set(statuses)
    assert len(looks.memory) >= 6, sorted(looks.memory)
    assert [each for each in found if each[2] > each[3]] == []
