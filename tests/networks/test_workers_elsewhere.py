"""Four workers, each on a machine of its own (a network namespace), 5 ms from each other, make the load of one run.

One of them has another monotonic clock (a time namespace), 1,000 s ahead. Others try to join and are refused.
"""

import json
import signal
import sys
import textwrap
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest

from mockbot.evidence.verdict import judge
from tests.compose.scenario import BUSY
from tests.load.compared import outage
from tests.load.runs import Ran
from tests.networks.machines import Machine, machines, needs_machines
from tests.networks.runs import TOKEN, Elsewhere, waiting_run

pytestmark = [needs_machines, pytest.mark.second, pytest.mark.timeout(240)]
AHEAD = 1000  # seconds of a clock
WORKERS = 4
TEXT = outage(3)
LISTENS = "0A"  # of a socket's state in /proc/net/tcp


@pytest.fixture(scope="module")
def net() -> Iterator[list[Machine]]:
    with machines(1 + WORKERS) as made:
        yield made


def patched(folder: Path, code: str) -> dict[str, str]:
    """The environment of a Python that runs this before its program."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(textwrap.dedent(code), "utf-8")
    return {"PYTHONPATH": str(folder)}


@dataclass(frozen=True)
class Whole:
    """A run with all its workers; `listens`: the ports at the master's address during it."""

    ran: Ran
    elsewhere: Elsewhere
    codes: list[int]
    listens: set[int]


@pytest.fixture(scope="module")
def whole(net: list[Machine], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    """0 to 3: the workers, 3 with the other clock; 4: another version; 5: another token; 6: a stranger; 7: late."""
    folder = tmp_path_factory.mktemp("elsewhere")
    older = patched(folder / "older", "import mockbot.version as v\nv.__version__ = '0.0.9'")
    with waiting_run(folder, net[0], TEXT, WORKERS, "--wait", "90s") as run:
        for machine in net[1:WORKERS]:
            run.join(machine)
        run.until(lambda: run.said().count("has come") == WORKERS - 1)
        run.join(net[4], "unshare", "--time", f"--monotonic={AHEAD}", "--fork", "--kill-child")
        run.join(net[1], **older)
        run.join(net[1], token="another word")
        locust = [sys.executable, "-m", "locust", "-f", "loadtests/chat.py", "--worker", "--master-host"]
        run.workers.append(run.start(net[2], [*locust, net[0].address], "worker6"))
        run.until(lambda: run.begun)
        run.join(net[1])
        listens = listening(run.run.pid, net[0].address)
        ran = run.ran()
        run.workers.pop(6).kill()
        yield Whole(ran, run, run.codes(), listens)


def listening(pid: int, address: str) -> set[int]:
    """The ports that are listened on at this address, or at all, where the process is."""
    found = set()
    hex_address = "".join(f"{int(part):02X}" for part in reversed(address.split(".")))
    for line in Path(f"/proc/{pid}/net/tcp").read_text("ascii").splitlines()[1:]:
        _, local, _, state, *_ = line.split()
        if state == LISTENS and local.split(":")[0] in {hex_address, "00000000"}:
            found.add(int(local.split(":")[1], 16))
    return found


def test_the_run_ends_with_one_verdict(whole: Whole) -> None:
    """What holds holds, what fails fails; every check of the evidence passes, that of the clocks among them."""
    judged = judge(whole.ran.evidence)

    broken = {each.name: each.says for each in judged.checks if not each.ok}
    assert broken.keys() <= BUSY, broken
    assert whole.ran.code == (3 if broken else 1)
    assert [str(each.result) for each in judged.expectations] == ["pass", "fail"]
    assert (whole.ran.info.nodes, whole.ran.info.lost_nodes) == (WORKERS, 0)
    assert whole.codes[:WORKERS] == [0] * WORKERS


def test_each_worker_makes_its_share(whole: Whole) -> None:
    """Of 30 users 7 or 8 each, and of the arrivals each its turn."""
    users = {
        prompt.user.rpartition("-")[2] for prompt in whole.ran.prompts if prompt.group == "users" and prompt.start < 40
    }
    arrivals = Counter(prompt.user.split("-")[1][0] for prompt in whole.ran.prompts if prompt.group == "visitors")

    assert sorted(Counter(user[0] for user in users).values()) == [7, 7, 8, 8]
    assert sorted(arrivals) == ["0", "1", "2", "3"]
    assert max(arrivals.values()) - min(arrivals.values()) <= 1


def test_another_clock_is_measured_and_corrected(whole: Whole) -> None:
    """Its readings are wrong by no more than they say; its prompts were sent on time by the master's clock."""
    (clock,) = whole.ran.info.clocks
    late = [p.start - p.intended for p in whole.ran.prompts if p.user.split("-")[1][0] == clock.node[-1]]

    assert clock.used is not None
    assert clock.last is not None
    assert abs(clock.used.offset + AHEAD) <= clock.used.within
    assert abs(clock.last.offset + AHEAD) <= clock.last.within
    assert len(late) > 20
    assert "1 clock of workers on other machines: known to" in (whole.ran.folder / "report.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("number", "says"),
    [
        (4, "it runs mockbot 0.0.9 with Locust"),
        (5, "its MOCKBOT_TOKEN is not this run's; copy the line"),
        (6, "it did not say who it is; start it with `mockbot worker`"),
        (7, "the run has begun without it: it came too late"),
    ],
)
def test_who_is_not_of_this_run_is_refused_on_both_sides(whole: Whole, number: int, says: str) -> None:
    """With the reason, and what to do; a worker of ours exits with 2. A plain Locust worker knows no such message."""
    assert whole.ran.output.count(says) == 1
    if number != 6:
        assert says in whole.elsewhere.said(number)
        assert whole.codes[number - (number > 6)] == 2


def test_only_what_the_workers_need_is_open(whole: Whole) -> None:
    """Providers, status page, Locust's master; no control port. The terminal says so."""
    addresses = json.loads((whole.ran.folder / "logs/testbed.json").read_text("utf-8"))
    needed = {urlsplit(url).port for url in (*addresses["providers"].values(), addresses["status_page"])}

    assert whole.listens == {5557, *needed}
    assert "providers, status page and Locust's master are open to the network of" in whole.ran.output


def test_the_token_is_in_no_file_and_no_command_line(whole: Whole) -> None:
    """Nor in the output, since it was given: run folder and log may be passed on."""
    texts = [path.read_bytes() for path in whole.ran.folder.rglob("*") if path.is_file()]

    assert TOKEN not in whole.ran.output
    assert not any(TOKEN.encode() in text for text in texts)


def test_a_killed_worker_makes_the_run_inconclusive_and_its_records_stay(net: list[Machine], tmp_path: Path) -> None:
    """kill -9 amid the run: it is named, with the moment until which it was heard."""
    with waiting_run(tmp_path, net[0], TEXT, 2, "--wait", "90s") as run:
        for machine in net[1:3]:
            run.join(machine)
        run.until(lambda: run.begun and b"-1." in (run.folder / "journal.jsonl").read_bytes())
        run.workers[1].send_signal(signal.SIGKILL)
        ran = run.ran()
        codes = run.codes()

    killed = next(name for name in ("0", "1") if f"worker-{name}, whose records end at 0:" in ran.output)
    assert ran.code == 3
    assert "1 of 2 workers left before the end" in ran.output
    assert [prompt for prompt in ran.prompts if prompt.user.split("-")[1][0] == killed]
    assert codes == [0, -signal.SIGKILL]


def test_a_clock_that_drifts_makes_the_run_inconclusive(net: list[Machine], tmp_path: Path) -> None:
    """By 2 % it is 0.2 s away after the ten seconds of the run. (The worker is up before the run, and asks again.)"""
    drifting = patched(
        tmp_path / "drifting",
        """
        import mockbot.clock as clock
        true, begin = clock.monotonic, clock.monotonic()
        clock.monotonic = lambda: true() + 0.02 * (true() - begin)
        clock.machine = lambda: "another one"
        """,
    )
    with waiting_run(tmp_path, net[0], TEXT, 1, "--wait", "90s") as run:
        run.join(net[1], **drifting)
        ran = run.ran()

    assert ran.code == 3
    assert {each.name for each in judge(ran.evidence).checks if not each.ok} - BUSY == {"clocks"}
    assert "the clock of worker-0 drifted" in ran.output


def test_workers_that_do_not_come_are_counted(net: list[Machine], tmp_path: Path) -> None:
    """Nothing is played; the one that came is named and leaves."""
    with waiting_run(tmp_path, net[0], TEXT, 2, "--wait", "20s") as run:
        run.join(net[1])
        ran = run.ran()
        codes = run.codes()

    assert (ran.code, codes, ran.prompts) == (3, [3], [])
    assert "1 of 2 workers came within 20 s (worker-0 on" in " ".join(ran.output.split())


def test_a_worker_that_lacks_what_the_scenario_needs_is_said(net: list[Machine], tmp_path: Path) -> None:
    """A policy of one's own, whose module only the machine of the run has."""
    own = tmp_path / "own" / "bots-1.dist-info"
    own.mkdir(parents=True)
    (own / "METADATA").write_text("Metadata-Version: 2.1\nName: bots\nVersion: 1\n", "utf-8")
    (own / "entry_points.txt").write_text("[mockbot.policies]\nstubborn = bots:Stubborn\n", "utf-8")
    (own.parent / "bots.py").write_text("def Stubborn():\n    return lambda n, result, rng: 1.0\n", "utf-8")
    text = TEXT.replace("{name: fixed, attempts: 3, wait: 1s}", "stubborn")
    with waiting_run(tmp_path, net[0], text, 1, "--wait", "90s", PYTHONPATH=str(own.parent)) as run:
        run.join(net[1])
        ran = run.ran()

    assert ran.code == 3
    assert "cannot make these users" in " ".join(ran.output.split())


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_workers_leave_with_their_run(net: list[Machine], tmp_path: Path, how: signal.Signals) -> None:
    """Interrupted, or killed: none goes on asking, and all that it saw has been sent."""
    with waiting_run(tmp_path, net[0], TEXT, 1, "--wait", "90s") as run:
        run.join(net[1])
        run.until(lambda: run.begun)
        run.run.send_signal(how)
        code, codes = run.run.wait(60), run.codes()

    assert code == (130 if how == signal.SIGINT else -how)
    assert codes == [0]


def test_a_worker_whose_master_is_gone_leaves_and_says_so(net: list[Machine], tmp_path: Path) -> None:
    """kill -9 of Locust's master, which can tell nobody: the run is inconclusive, and so is the worker's part."""
    with waiting_run(tmp_path, net[0], TEXT, 1, "--wait", "90s") as run:
        run.join(net[1])
        run.until(lambda: run.begun)
        next(child for child in psutil.Process(run.run.pid).children() if "locust" in child.cmdline()).kill()
        code, codes = run.run.wait(60), run.codes()

    assert (code, codes) == (3, [3])
