"""Which workers a master takes that waits for some from other machines, and how such a worker asks to be taken.

    worker ── INTRODUCTION ──► master: version, sources, locustfile and token agree, and the run has not begun?
           ◄── REFUSED why ──          no: nothing else of it is heard, so that Locust never knows it
           ── Locust's own "client_ready" ──►   yes: Locust takes it
           ── HERE, its clock measured ──►      it counts

What Locust and the gate say is neither encrypted nor signed: the token keeps out who joins by mistake, not who listens.
"""

import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict

import gevent
from locust.rpc import Message
from locust.runners import CONNECT_TIMEOUT, MasterRunner, WorkerRunner
from pydantic import TypeAdapter, ValidationError

from mockbot.errors import ExitCode, TestbedError
from mockbot.evidence.records import ClockReading
from mockbot.load.introduction import Introduction, WorkerEvent
from mockbot.load.locust_private import filter_messages, present_workers
from mockbot.units.formatting import format_wall, spell_duration

INTRODUCTION, REFUSED, HERE = "mockbot.introduction", "mockbot.refused", "mockbot.here"
POLL_EVERY = 0.05  # wall seconds between two looks whether all have come
TIRED, GIVE_UP = 3, 60  # attempts to reach the master, of CONNECT_TIMEOUT each: the user is told, the worker leaves
JOINS_WITHIN = 10.0  # wall seconds from a worker's introduction until it counts, for which a place is kept for it
MOST_REFUSED = 1000  # strangers that are remembered, so that each is told of once

_INTRODUCTION, _READING = TypeAdapter(Introduction), TypeAdapter(ClockReading)


class WorkerGate:
    """A master's side; `expected` workers have to come, and no more may."""

    def __init__(
        self, runner: MasterRunner, own: Introduction, expected: int, tell: Callable[[WorkerEvent], None]
    ) -> None:
        self.open = True
        self._runner, self._own, self._expected, self._tell = runner, own, expected, tell
        self._hosts: dict[str, str] = {}  # client id of each that was taken -> the name of its machine
        self._taken: dict[str, float] = {}  # and when, by time.monotonic
        self._here: dict[str, str] = {}  # of those, who has measured its clock -> its name
        self._refused: set[str] = set()
        filter_messages(runner, self._passes)
        runner.register_message(HERE, self._count)

    def wait(self, within: float) -> None:
        """Until all are here, at most so many wall seconds; then no other one may come. Raises TestbedError."""
        until = time.monotonic() + within
        while len(self._present()) < self._expected:
            if time.monotonic() > until:
                names = ", ".join(f"{name} on {self._hosts[id_]}" for id_, name in self._present().items())
                came = f"{len(self._present())} of {self._expected} workers came within {format_wall(within)}"
                remedy = "start the others, give --wait more time, or ask for fewer --workers"
                raise TestbedError(f"{came}{f' ({names})' if names else ''}; {remedy}")
            gevent.sleep(POLL_EVERY)
        self.open = False

    def _present(self) -> dict[str, str]:
        """Those that have not left again."""
        here = present_workers(self._runner)
        return {id_: name for id_, name in self._here.items() if id_ in here}

    def _places_taken(self) -> int:
        """By those that are here, and by those on their way, since several may come at once."""
        here, now = present_workers(self._runner), time.monotonic()
        return sum(
            id_ in here or (id_ not in self._here and now - since < JOINS_WITHIN) for id_, since in self._taken.items()
        )

    def _passes(self, id_: str, msg: Message) -> bool:
        """Whether Locust may hear it."""
        if msg.type != INTRODUCTION:
            if id_ in self._hosts:
                return True
            if msg.type == "client_ready" and id_ not in self._refused:
                self._refuse(id_, "a worker", "it did not say who it is; start it with `mockbot worker`")
            return False
        if id_ in self._hosts:  # it repeats itself until Locust has answered
            return False
        try:
            worker = _INTRODUCTION.validate_python(msg.data)
        except ValidationError:
            self._refuse(id_, "a worker", "it is of another version of mockbot; install the same on both machines")
            return False
        why = self._own.why_not(worker)
        if not why and not self.open:
            why = "the run has begun without it: it came too late"
        if not why and self._places_taken() >= self._expected:
            why = f"{self._expected} workers have come already; ask for more with --workers"
        if why:
            self._refuse(id_, f"the worker on {worker.host}", why)
        else:
            self._hosts[id_], self._taken[id_] = worker.host, time.monotonic()
        return False

    def _refuse(self, id_: str, who: str, why: str) -> None:
        says = f"{who} is refused: {why}"
        self._runner.send_message(REFUSED, {"says": says}, client_id=id_)
        if id_ not in self._refused and len(self._refused) < MOST_REFUSED:
            self._refused.add(id_)
            self._tell(WorkerEvent("refused", says))

    def _count(self, msg: Message, **_: object) -> None:
        clock, name = _READING.validate_json(msg.data["clock"]), str(msg.data["name"])
        self._here[msg.node_id] = name
        number = f"{len(self._present())} of {self._expected}"
        known = f"its clock is known to {format_wall(clock.within)}"
        self._tell(WorkerEvent("came", f"{name} on {self._hosts[msg.node_id]} has come, {number}; {known}"))


def introduce(runner: WorkerRunner, own: Introduction) -> None:
    """A worker's side, before each of its attempts to reach the master. A refusal ends the process with a sentence."""
    master = f"{runner.master_host}:{runner.master_port}"

    def refused(msg: Message, **_: object) -> None:
        sys.stderr.write(f"mockbot: {master}: {msg.data['says']}\n")
        sys.stderr.flush()
        os._exit(ExitCode.USAGE)  # Locust is still in its constructor, and would try again for minutes

    if runner.retry == 0:
        runner.register_message(REFUSED, refused)
    silent = f"mockbot: {master} does not answer; is `mockbot run --workers --bind` running there?"
    patience = spell_duration(GIVE_UP * CONNECT_TIMEOUT)
    if runner.retry == TIRED:
        sys.stderr.write(f"{silent} It is tried for {patience}\n")
    if runner.retry >= GIVE_UP:
        sys.stderr.write(f"{silent} It was tried for {patience}\n")
        sys.exit(ExitCode.TESTBED)
    runner.send_message(INTRODUCTION, asdict(own))


def report_here(runner: WorkerRunner, clock: ClockReading) -> None:
    """A worker has measured its clock, and can make load."""
    name = f"worker-{runner.worker_index}"
    sys.stderr.write(f"mockbot: joined as {name}; waiting for the run\n")
    runner.send_message(HERE, {"name": name, "clock": _READING.dump_json(clock)})
