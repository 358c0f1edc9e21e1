"""The table of the ways to break a run: what is done to which shape of run, and what the run must say of it."""

import resource
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from tests.e2e import mutations as m
from tests.e2e.campaign import IN_BLACKOUT, Way

INCONCLUSIVE = frozenset({3})
ANY = frozenset({1, 3})  # the user's own program was broken: its failure, or a run that says nothing
KILLED = frozenset({-signal.SIGKILL})
INTERRUPTED = frozenset({130})
UNWRITABLE = frozenset({3, 4})  # 4: not even run.json could be written
BLACKOUT: dict[str, Any] = {"since": ("actions.jsonl", '"begin"'), "during": IN_BLACKOUT}

SERVICE, PROXY, WATCHDOG = (f"the {part} failed at" for part in ("service", "proxy", "cleanup watchdog"))
HUNG_PROXY = f"{PROXY}|did not answer"
NO_END = "did not complete"
LOST, WAY = "never reached main", "the way to main failed at"
COUNT, UNREADABLE = "on record", "cannot be read"
SPACE, WRITE = "No space left", "cannot be written"

# A network, and mounts, that only this run has; root without the right to write everywhere.
OWN_NETWORK = ("unshare", "-r", "-n", "-m", "sh", "-c", 'ip link set lo up && exec "$@"', "sh")
_MOUNT = 'mkdir -p {base}/out && mount -t tmpfs -o SIZE none {base}/out && exec "$@"'
FULL_DISK, FULL_OF_FILES = (
    ("unshare", "-r", "-m", "sh", "-c", _MOUNT.replace("SIZE", size), "sh")
    for size in ("size=4m", "size=8m,nr_inodes=40")
)
POWERLESS = ("setpriv", "--bounding-set=-all")
_COMPILE = f"cc -shared -fPIC -o {{base}}/clock.so {Path(__file__).with_name('wall_clock.c')}"
_PRELOAD = "export LD_PRELOAD={base}/clock.so WALL_CLOCK_OFFSET={base}/clock"
OWN_CLOCK = ("sh", "-c", f'{_COMPILE} && {_PRELOAD} && exec "$@"', "sh")

SIGNALS: Mapping[str, Callable[..., m.Act]] = {
    "killed": partial(m.sent, signal.SIGKILL),
    "terminated": partial(m.sent, signal.SIGTERM),
    "stopped for a while": m.stopped,
    "stopped for good": partial(m.sent, signal.SIGSTOP),
}
ALL = tuple(SIGNALS)


def signalled(
    shape: str, role: str, hows: Sequence[str], says: str, codes: frozenset[int] = INCONCLUSIVE
) -> Iterator[Way]:
    """One way for each signal."""
    return (Way(f"{role} {how}", shape, SIGNALS[how](role), says=says, codes=codes) for how in hows)


def over(shape: str, name: str, damage: m.Damage, says: str, code: int = 3) -> Way:
    """A folder that is changed when its run is over, and judged again."""
    return Way(name, shape, damage=damage, says=says, codes=frozenset({code}))


def network(name: str, port: str, says: str, how: str = "DROP", shape: str = "crowd") -> Way:
    """Packets that do not arrive."""
    return Way(name, shape, m.dropped(port, how), says=says, before=OWN_NETWORK, needs="iptables")


def full_disk(shape: str, act: m.Act = m.filled, before: tuple[str, ...] = FULL_DISK, name: str = "disk full") -> Way:
    """A disk that takes nothing more."""
    return Way(name, shape, act, says=SPACE, codes=UNWRITABLE, before=before, needs="unshare")


def during(name: str, act: m.Damage, says: str, shape: str = "crowd", **how: Any) -> Way:
    """A folder that is changed while the run goes on."""
    return Way(f"{name} during the run", shape, m.changed(act), says=says, **how)


_PROCESSES = (
    *signalled("crowd", "service", ALL, SERVICE),
    *signalled("crowd", "proxy", ALL, PROXY),
    *signalled("crowd", "load", ALL, f"{NO_END}|stood still"),
    *signalled("crowd", "runner", ALL[:1], "", KILLED),
    *signalled("crowd", "runner", ALL[1:2], "interrupted", INTERRUPTED),
    Way("Ctrl-C", act=m.sent(signal.SIGINT, "runner"), says="interrupted", codes=INTERRUPTED),
    Way("service and proxy killed", act=m.sent(signal.SIGKILL, "service", "proxy"), says=SERVICE),
    *signalled("two workers", "worker", ALL, "lost a worker|stood still"),
    *signalled("two workers", "runner", ALL[:1], "", KILLED),
    *signalled("toxiproxy", "toxiproxy", (ALL[0], ALL[3]), HUNG_PROXY),
    *signalled("toxiproxy", "watchdog", ALL[:1], WATCHDOG),
    *signalled("toxiproxy", "runner", ALL[:1], "", KILLED),
    *signalled("shared toxiproxy", "watchdog", ALL[:1], WATCHDOG),
    *signalled("shared toxiproxy", "runner", ALL[:1], "", KILLED),
    *signalled("command", "service", ALL[:1], f"{SERVICE}|service's control port"),
    *signalled("command", "proxy", ALL[:1], f"{HUNG_PROXY}|cannot be reached"),
    *signalled("command", "runner", ALL[:1], "", KILLED),
    *signalled("command", "runner", ALL[1:2], "interrupted", INTERRUPTED),
    *signalled("command", "runner", ALL[2:3], "the driver failed at"),
    *signalled("command", "command guard", ALL[:1], "guard"),
    *signalled("command", "command", ALL[:1], "exit_code", ANY),
    *signalled("system", "proxy", ALL[:1], PROXY),
    *signalled("system", "system", ALL[:1], "", ANY),
    *signalled("system", "system guard", ALL[:1], "", ANY),
    *signalled("system", "runner", ALL[:1], "", KILLED),
    *(
        Way("all stopped for a while", shape, m.all_stopped, says="stood still|failed at")
        for shape in ("crowd", "system")
    ),
)

_LIMITS = (
    Way("service without descriptors", act=m.limited("service", resource.RLIMIT_NOFILE, 8), says=SERVICE),
    Way("proxy without descriptors", act=m.limited("proxy", resource.RLIMIT_NOFILE, 8), says=HUNG_PROXY),
    Way("load without descriptors", act=m.limited("load", resource.RLIMIT_NOFILE, 8), says=NO_END),
    Way("service without CPU time", act=m.limited("service", resource.RLIMIT_CPU, 1), says=SERVICE),
    Way("load without file size", act=m.limited("load", resource.RLIMIT_FSIZE, 4096), says=WRITE, codes=UNWRITABLE),
    Way(
        "server without descriptors", "toxiproxy", m.limited("toxiproxy", resource.RLIMIT_NOFILE, 8), says=HUNG_PROXY
    ),
    Way(
        "runner without descriptors", "command", m.limited("runner", resource.RLIMIT_NOFILE, 8), says="open files",
        codes=UNWRITABLE,
    ),
    full_disk("crowd"),
    full_disk("system"),
    full_disk("crowd", m.crowded, FULL_OF_FILES, "disk without inodes"),
    Way(
        "folder not writable", act=lambda target: target.folder.chmod(0o500), says=WRITE, codes=UNWRITABLE,
        before=POWERLESS, needs="setpriv",
    ),
)  # fmt: skip

_DELETED, _DISABLED = m.asked("DELETE", "/proxies/{main}"), m.asked("POST", "/proxies/{main}", {"enabled": False})
_ADDED = m.asked("POST", "/proxies/{main}/toxics", {"type": "timeout", "attributes": {"timeout": 0}})
_CONTROLS = (
    Way("its proxy deleted", act=_DELETED, says="was deleted"),
    Way("its proxy deleted", "shared toxiproxy", _DELETED, says="was deleted"),
    Way("its proxy disabled", act=_DISABLED, says="was disabled"),
    Way("its proxy moved", act=m.asked("POST", "/proxies/{main}", {"listen": "127.0.0.1:0"}), says="was moved"),
    Way("a toxic added", act=_ADDED, says="has the toxics"),
    Way("a toxic added", "system", _ADDED, says="has the toxics"),
    Way(
        "its toxic removed", act=m.asked("DELETE", "/proxies/{main}/toxics/blackout.1.latency"), says="has the toxics",
        **BLACKOUT,
    ),
    Way("the proxy reset", act=m.asked("POST", "/reset"), says="has the toxics", **BLACKOUT),
    Way("faults of somebody else", act=m.foreign_faults, says="has the faults"),
    Way("a second run on its service", act=m.foreign_clock, says=SERVICE),
)  # fmt: skip

_NETWORKS = (
    network("packets to the proxy dropped", "providers", LOST),
    network("packets to the proxy dropped", "providers", LOST, shape="two workers"),
    network("packets to the proxy dropped", "providers", LOST, shape="toxiproxy"),
    network("packets to the proxy dropped", "providers", WAY, shape="command"),
    network("packets to the proxy dropped", "providers", WAY, shape="system"),
    network("connections to the proxy reset", "providers", WAY, "REJECT --reject-with tcp-reset", "command"),
    network("packets to the provider dropped", "direct", LOST),
    network("connections to the proxy reset", "providers", LOST, "REJECT --reject-with tcp-reset"),
    network("packets to the service's control port dropped", "service_control", SERVICE),
    network("packets to the proxy's control port dropped", "proxy_control", HUNG_PROXY),
    Way("loopback interface down", act=m.interface_down, says="failed at", before=OWN_NETWORK, needs="unshare"),
)

_FILES = (
    during("journal.jsonl cut", m.cut("journal.jsonl"), f"{COUNT}|{UNREADABLE}"),
    during("journal.jsonl removed", m.removed("journal.jsonl"), f"{COUNT}|no prompt"),
    during("journal.jsonl doubled", m.appended("journal.jsonl", lambda lines, _: lines), COUNT),
    during("journal.jsonl with NaN", m.appended("journal.jsonl", lambda lines, _: [m.nan(lines[0])]), UNREADABLE),
    during("service.jsonl removed", m.removed("service.jsonl"), COUNT),
    during("actions.jsonl removed", m.removed("actions.jsonl"), f"{COUNT}|never confirmed"),
    during("answers.jsonl removed", m.removed("answers.jsonl"), COUNT, "system"),
    during("scenario.json of another", m.scenario_of_another, "scenario.json of another"),
    during("folder removed", m.everything, WRITE, codes=frozenset({4})),
)

_JOURNALS = ("journal", "service", "actions", "health", "progress")
_AFTERWARDS = (
    *(over("crowd", f"{name}.jsonl cut", m.cut(f"{name}.jsonl"), f"{COUNT}|torn") for name in _JOURNALS),
    *(over("crowd", f"no {name}.jsonl", m.removed(f"{name}.jsonl"), f"{COUNT}|no prompt|never") for name in _JOURNALS),
    over("crowd", "journal.jsonl doubled", m.edited("journal.jsonl", m.twice), COUNT),
    over("crowd", "service.jsonl doubled", m.edited("service.jsonl", m.twice), COUNT),
    over("crowd", "last lines lost", m.edited("journal.jsonl", lambda lines, rng: lines[: -rng.randint(1, 9)]), COUNT),
    over("crowd", "a line torn", m.edited("journal.jsonl", m.one_line(lambda line: line[:40] + "\n")), UNREADABLE),
    over("crowd", "a number that is none", m.edited("journal.jsonl", m.one_line(m.nan)), UNREADABLE),
    over("crowd", "an end before its start", m.edited("journal.jsonl", m.one_line(m.backwards)), "before it starts"),
    over("crowd", "an id twice", m.edited("journal.jsonl", lambda lines, _: [lines[0], lines[0], *lines[2:]]), COUNT),
    over("crowd", "zeros in the journal", m.edited("journal.jsonl", m.wiped), UNREADABLE),
    over("crowd", "run.json of another", m.of_another, "run.json is of the scenario another"),
    over("crowd", "scenario.json of another", m.scenario_of_another, "scenario.json of another"),
    over("crowd", "no run.json", m.removed("run.json"), "run.json"),
    over("crowd", "run.json cut", m.cut("run.json"), "run.json"),
    over("crowd", "no scenario.json", m.removed("scenario.json"), "not a run folder", 2),
    over("two workers", "records of a worker lost", m.edited("journal.jsonl", m.without_worker), COUNT),
    over("command", "journal.jsonl cut", m.cut("journal.jsonl"), f"{COUNT}|torn"),
    over("command", "no actions.jsonl", m.removed("actions.jsonl"), f"{COUNT}|never"),
    over("system", "answers.jsonl cut", m.cut("answers.jsonl"), f"{COUNT}|torn"),
    over("system", "requests.jsonl doubled", m.edited("requests.jsonl", m.twice), COUNT),
    over("system", "no requests.jsonl", m.removed("requests.jsonl"), f"{COUNT}|no provider got"),
)

# What must change nothing: every duration comes from the monotonic clock.
HARMLESS = tuple(
    Way(f"wall clock set by {offset} s", act=m.clock_set(offset), before=OWN_CLOCK, needs="cc")
    for offset in ("3600", "-3")
)
WAYS = (*_NETWORKS, *_LIMITS, *_FILES, *_CONTROLS, *_PROCESSES, *_AFTERWARDS)
