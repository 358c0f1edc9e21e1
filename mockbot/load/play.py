"""One run on the process that starts it: begin on one t0, follow the timeline, end whatever comes, write run.json.

Locust appears here only as two callables (set the users, count the users), so that the order of a run can be read in
one place:

    open      stage (or the parent's), run folder, ledger          nothing has happened yet
    begin     t0 is set, and run.json says "failed" until the end says otherwise; the nodes get ready
    curtain   the service knows the clock, faults of second 0 are in place, and then it is t0
    follow    users as the timeline has them, until its end
    drain     no new prompts; those under way get a bounded time
    end       nodes closed, faults removed, journal complete, run.json, stage gone
"""

import logging
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

import gevent
from gevent import Greenlet
from gevent.lock import RLock

from mockbot.clock import Clock
from mockbot.driver import Driver
from mockbot.evidence.journal import write_run_info
from mockbot.evidence.records import Ended, RunInfo
from mockbot.load.crew import Crew, Setup
from mockbot.load.ledger import Ledger
from mockbot.scenario.arrivals import loop_of
from mockbot.scenario.schema import Scenario
from mockbot.scenario.timeline import Timeline
from mockbot.stage import Addresses
from mockbot.version import __version__

LOOK = 0.1  # wall seconds: the most by which a step of a ramp comes late
PROGRESS_EVERY = 0.5  # wall seconds
DRAIN = 120.0  # scenario seconds; the most that prompts under way get after the end
SETTLE = 1.0  # wall seconds on top, for what the clock of the wall delays

LIBRARIES = ("locust", "gevent", "geventhttpclient")

Counts = Mapping[str, int]
log = logging.getLogger("mockbot")


@dataclass(frozen=True, slots=True)
class Part:
    """What a run needs to know before it begins."""

    scenario: Scenario
    speed: float
    folder: Path
    command: str = ""


class Play:
    """Use once: `begin`, then `follow` to the end, and `end` in any case."""

    def __init__(self, part: Part, addresses: Addresses) -> None:
        self.part = part
        self.timeline = Timeline(part.scenario)
        self.addresses = addresses
        self.ledger = Ledger(part.folder, part.speed)
        self.info = RunInfo(
            scenario=part.scenario.name,
            speed=part.speed,
            t0=None,
            ended="failed",
            end=0.0,
            engine=addresses.engine,
            seed=part.scenario.seed,
            why="it did not live to say how it ended",
            versions={"mockbot": __version__}
            | {name: version(name) for name in ("locust", "gevent", "geventhttpclient")},
            loop=loop_of(part.scenario),
            command=part.command,
        )
        self.stage = ExitStack()  # whatever goes with the run
        self._driver = Driver(self.timeline, addresses, self.ledger.take)
        self.over = False
        self.told = False  # its verdict
        self._narrator = Greenlet()
        self._ending = RLock()

    def begin(self, head_start: float) -> Setup:
        """Set the moment t0 for the faults and for the load, `head_start` wall seconds from now."""
        self.clock = Clock(time.time() + head_start, self.part.speed)
        self.info = replace(self.info, t0=self.clock.t0)
        write_run_info(self.part.folder, self.info)
        places, page = dict(self.addresses.providers), self.addresses.status_page
        return Setup(self.part.scenario, places, self.clock.t0, self.part.speed, page)

    def attend(self, crew: Crew, users: Callable[[], int]) -> None:
        """These nodes make the load."""
        self.crew = crew
        self._users = users

    def raise_curtain(self) -> None:
        """Start the faults, so that those of second 0 are in place then; wait for t0. Raises TestbedError."""
        self._driver.start(self.clock)
        gevent.sleep(max(0.0, self.clock.wall(-self.clock.now())))
        self._narrator = gevent.spawn(self._narrate)

    def follow(self, set_users: Callable[[Counts], None], workers: Callable[[], object]) -> None:
        """Keep every group at what the timeline says until its end; place users anew when `workers` changes."""
        changes = [t for t in self.timeline.changes() if t > 0]
        phase, current = "", None
        while (now := self.clock.now()) < self.timeline.end and not self._broken:
            holds = self.timeline.at(now)
            if holds.phase != phase:
                phase = holds.phase
                log.info("phase %s, wrong: %s", phase, ", ".join(fault.span.id for fault in holds.faults) or "nothing")
            if (holds.users, workers()) != current:
                current = (holds.users, workers())
                set_users(holds.users)
            changes = [t for t in changes if t > now]
            until_change = self.clock.wall(changes[0] - self.clock.now()) if changes else LOOK
            gevent.sleep(max(0.001, min(LOOK, until_change)))

    def drain(self) -> None:
        """Nobody starts a prompt any more, and those under way may end in their users' own time, within bounds."""
        patience = max(group.patience for group in self.part.scenario.crowd.values())
        until = self.timeline.end + min(DRAIN, patience) + self.clock.scenario(SETTLE)
        gevent.sleep(PROGRESS_EVERY)  # the last batch of a worker may be this old
        while self.crew.pending and self.clock.now() < until and not self._broken:
            gevent.sleep(LOOK)

    @property
    def _broken(self) -> str:
        """Why this run says nothing any more."""
        return self.crew.broken or self._driver.broken

    def end(self, ended: Ended, why: str = "") -> None:
        """Bring everything home. The first reason stands, and a second caller waits until the first is done."""
        with self._ending:
            if not self.over:
                self.over = True
                self._end(ended, why)

    def _end(self, ended: Ended, why: str) -> None:
        with self.stage:
            try:
                if self.info.t0 is not None:
                    self._come_home(ended, why)
            finally:
                self.ledger.close()

    def _come_home(self, ended: Ended, why: str) -> None:
        stopped = max(0.0, self.clock.now())
        crew = getattr(self, "crew", None)
        if crew is not None:
            crew.close(0.0)
        self._driver.stop()
        self._narrator.kill()
        if ended == "completed" and crew is not None:
            ended, why = _how(crew, self._driver.broken)
        self.info = replace(
            self.info,
            ended=ended,
            why=why,
            end=round(stopped, 3),
            nodes=crew.nodes if crew else 0,
            lost_nodes=crew.lost if crew else 0,
        )
        write_run_info(self.part.folder, self.info)

    def _narrate(self) -> None:
        while True:
            now = self.timeline.at(self.clock.now())
            self.ledger.take(self.ledger.look(now, self._users(), self.crew.pending, self.crew.started))
            gevent.sleep(PROGRESS_EVERY)


def _how(crew: Crew, broken: str) -> tuple[Ended, str]:
    if crew.broken or broken:
        return "failed", crew.broken or broken
    if crew.lost:
        return "lost_worker", f"{crew.lost} of {crew.nodes} workers never sent the last of what they saw"
    return "completed", ""
