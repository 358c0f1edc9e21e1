"""What is done to a run to break it: signals, limits, dropped packets, full disks, changed files. All of it is real.

An `Act` breaks a run that goes on; a `Damage` changes a run folder. What needs a network or a disk of its own gets it
from namespaces that the run has, so that nothing of this machine changes and everything goes with the run.
"""

import json
import resource
import shutil
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random

from mockbot.clock import Clock
from mockbot.scenario.load import read_scenario
from mockbot.scenario.timeline import Timeline
from mockbot.service.control_client import ServiceControl
from tests.e2e.campaign import Target, marked
from tests.e2e.shapes import CROWD

Act = Callable[[Target], None]
Damage = Callable[[Path, Random], None]


def sent(number: signal.Signals, *roles: str) -> Act:
    """A signal to each of these."""

    def act(target: Target) -> None:
        for process in [target.one(role) for role in roles]:
            process.send_signal(number)

    return act


def stopped(*roles: str) -> Act:
    """SIGSTOP, and SIGCONT after 2.5 to 4 s."""

    def act(target: Target) -> None:
        processes = [target.one(role) for role in roles]
        for process in processes:
            process.suspend()
        time.sleep(target.random.uniform(2.5, 4.0))
        for process in processes:
            process.resume()

    return act


def all_stopped(target: Target) -> None:
    """As when the machine sleeps: every process of the run stands still for some seconds."""
    processes = marked(target.base)
    for process in processes:
        process.suspend()
    time.sleep(target.random.uniform(2.5, 4.0))
    for process in processes:
        process.resume()


def limited(role: str, what: int, most: int) -> Act:
    """A limit of the kernel from now on."""
    return lambda target: resource.prlimit(target.one(role).pid, what, (most, most)) and None


def dropped(port: str, how: str = "DROP") -> Act:
    """No packet for this port arrives any more. `how`: DROP, or what iptables accepts after -j."""
    rule = "iptables -A INPUT -p tcp --dport {} -j " + how
    return lambda target: target.inside(*rule.format(target.port(port)).split())


def filled(target: Target) -> None:
    """The disk of the run folder, to its last byte."""
    with suppress(OSError), (target.folder / "filler").open("wb", 0) as file:
        for _ in range(1000):  # the disk has as many blocks
            file.write(bytes(4096))


def crowded(target: Target) -> None:
    """The disk of the run folder, to its last file."""
    with suppress(OSError):
        for number in range(1000):
            (target.folder / f"filler{number}").touch()


def asked(method: str, path: str, body: object = ...) -> Act:
    """Somebody else uses the proxy's control port."""
    return lambda target: target.proxy(method, path, body)


def foreign_faults(target: Target) -> None:
    """Somebody else uses the service's control port."""
    scenario = read_scenario(CROWD.replace("blackout", "elsewhere"))
    control = ServiceControl(str(target.addresses()["service_control"]))
    control.set_faults(
        "main", [each for each in Timeline(scenario).at(50.0).faults if each.span.fault.layer == "service"]
    )


def foreign_clock(target: Target) -> None:
    """A second run begins on the same service."""
    ServiceControl(str(target.addresses()["service_control"])).start_clock(Clock.start(10.0))


def changed(damage: Damage) -> Act:
    """The same, while the run goes on."""
    return lambda target: damage(target.folder, target.random)


def cut(name: str) -> Damage:
    """To a random part of its length, at a random byte."""

    def damage(folder: Path, random: Random) -> None:
        size = (folder / name).stat().st_size
        with (folder / name).open("r+b") as file:
            file.truncate(random.randrange(size // 4, size * 9 // 10))

    return damage


def removed(name: str) -> Damage:
    """Gone."""
    return lambda folder, _: (folder / name).unlink()


def edited(name: str, edit: Callable[[list[str], Random], list[str]]) -> Damage:
    """Other lines."""

    def damage(folder: Path, random: Random) -> None:
        lines = (folder / name).read_text("utf-8").splitlines(keepends=True)
        (folder / name).write_text("".join(edit(lines, random)), "utf-8")

    return damage


def appended(name: str, edit: Callable[[list[str], Random], list[str]]) -> Damage:
    """More lines, while others write."""

    def damage(folder: Path, random: Random) -> None:
        lines = (folder / name).read_text("utf-8").splitlines(keepends=True)
        with (folder / name).open("a", encoding="utf-8") as file:
            file.write("".join(edit(lines[:-1], random)))

    return damage


def one_line(edit: Callable[[str], str]) -> Callable[[list[str], Random], list[str]]:
    """A random line of the middle half is another one."""

    def lines_of(lines: list[str], random: Random) -> list[str]:
        index = random.randrange(len(lines) // 4, len(lines) * 3 // 4)
        return [*lines[:index], edit(lines[index]), *lines[index + 1 :]]

    return lines_of


def nan(line: str) -> str:
    """A record with a number that is none."""
    return json.dumps({**json.loads(line), "end": float("nan")}) + "\n"


def backwards(line: str) -> str:
    """A record that ends before it starts."""
    record = json.loads(line)
    return json.dumps({**record, "end": record["start"] - 5.0}) + "\n"


def of_another(folder: Path, _: Random) -> None:
    """run.json of another scenario."""
    info = json.loads((folder / "run.json").read_text("utf-8"))
    (folder / "run.json").write_text(json.dumps({**info, "scenario": "another"}), "utf-8")


def scenario_of_another(folder: Path, _: Random) -> None:
    """scenario.json of another run."""
    (folder / "scenario.json").write_text(
        read_scenario(CROWD.replace("name: campaign", "name: another")).model_dump_json(), "utf-8"
    )


def everything(folder: Path, _: Random) -> None:
    """The whole folder."""
    shutil.rmtree(folder)


def interface_down(target: Target) -> None:
    """Nothing of the run reaches anything any more."""
    target.inside("ip", "link", "set", "lo", "down")


def clock_set(offset: str) -> Act:
    """The wall clock of all of the run's processes; wall_clock.c reads the offset in a file."""

    def act(target: Target) -> None:
        (target.base / "clock").write_text(offset, "utf-8")

    return act


def twice(lines: list[str], _: Random) -> list[str]:
    """All of them again."""
    return [*lines, *lines]


def without_worker(lines: list[str], random: Random) -> list[str]:
    """The records of one of two workers are not there: its number is in the names of its users."""
    lost = f"-{random.randrange(2)}."
    return [line for line in lines if lost not in line]


def wiped(lines: list[str], random: Random) -> list[str]:
    """A block of zeros in place of some lines, as a power cut leaves."""
    index = random.randrange(len(lines) // 4, len(lines) * 3 // 4)
    return [*lines[:index], "\0" * sum(map(len, lines[index : index + 4])), *lines[index + 4 :]]
