"""One live run in the process that starts it: set t0, follow the timeline, end in any case, write run.json.

Locust appears here only as two callables (set the users, count the users), so that the order of a run can be read in
one place:

    open          testbed (or the parent's), run folder, recorder      nothing has happened yet
    begin         the bare testbed is measured, then t0 is set, run.json says "failed" until `end` replaces it, the
                  workers get ready
    start_faults  the service knows the clock, faults of second 0 are in place; returns at t0
    follow        users as the timeline has them, until its end
    drain         no new prompts; those under way get a bounded time
    end           workers closed, faults removed, journals complete, run.json written, testbed closed
"""

import logging
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from importlib.metadata import version

import gevent
from gevent import Greenlet
from gevent.lock import RLock
from pydantic import TypeAdapter

from mockbot.clock import Clock, machine
from mockbot.evidence.records import Ended, RunInfo
from mockbot.load.bare_testbed import added_latency
from mockbot.load.dispatch import Counts
from mockbot.load.run_recorder import RunRecorder
from mockbot.load.workers import Setup, Workers
from mockbot.runs.folder import RunFile, RunFolder
from mockbot.runs.journal_files import write_run_info
from mockbot.scenario.arrivals import loop_of
from mockbot.scenario.schema import Scenario
from mockbot.scenario.timeline import Timeline
from mockbot.testbed.driver import Driver
from mockbot.testbed.start import Addresses
from mockbot.testbed.system.system_file import System
from mockbot.version import __version__

LOOK = 0.1  # wall seconds: the most by which a step of a ramp comes late
PROGRESS_EVERY = 0.5  # wall seconds
STOPPED = "stopped before its end"  # `why` of a run that was stopped without a word: in the web UI, or by Locust
SETTLE = 1.0  # wall seconds on top: delays of this machine do not shrink with the speed

_BOTH_SIDES = TypeAdapter(dict[str, tuple[str, str]])
log = logging.getLogger("mockbot")


class LiveRun:
    """Use once: `begin`, then `follow` to the end, and `end` in any case."""

    def __init__(
        self, scenario: Scenario, addresses: Addresses, folder: RunFolder, command: str, system: System | None = None,
        *, traced: bool = False,
    ) -> None:  # fmt: skip
        """`command`: the command line, for run.json; `system`: what the crowd asks instead of the providers; `traced`:
        requests to providers carry a traceparent.
        """
        self.scenario = scenario
        self.speed = addresses.speed
        self.folder = folder
        self.timeline = Timeline(scenario)
        self.recorder = RunRecorder(folder, self.speed, scenario.slo)
        self.info = RunInfo(
            scenario=scenario.name,
            speed=self.speed,
            t0=None,
            ended="failed",
            end=0.0,
            engine=addresses.engine,
            seed=scenario.seed,
            why="the run was killed before it could record how it ended",
            versions={"mockbot": __version__}
            | {name: version(name) for name in ("locust", "gevent", "geventhttpclient")},
            loop=loop_of(scenario),
            command=command,
            system="" if system is None else system.name,
        )
        self._system, self._traced = system, traced
        self.workers: Workers | None = None  # set before `start_faults`
        self.over = False
        self.reported = False  # whether its verdict was
        self._addresses = addresses
        self.testbed = ExitStack()  # closed at the end of the run
        self._driver = Driver(self.timeline, addresses, self.recorder.take, (self.folder / RunFile.ABORT).exists)
        self._reporter = Greenlet()
        self._ending = RLock()

    def begin(self, head_start: float) -> Setup:
        """Measure the bare testbed, then set the moment t0 for faults and load, `head_start` wall seconds later."""
        latency, first_token = added_latency(self.scenario, self._addresses)
        self.clock = Clock.start(self.speed, head_start)
        self.info = replace(self.info, t0=self.clock.t0, added_latency=latency, added_first_token=first_token)
        write_run_info(self.folder, self.info)
        providers = dict(self._addresses.providers)
        page = self._addresses.status_page
        authority = self._addresses.authority
        return Setup(self.scenario, providers, self.clock, machine(), page, self._system, authority, self._traced)

    def start_faults(self, users: Callable[[], int]) -> None:
        """Start the faults, those of second 0 in time for t0, and wait for t0. Raises TestbedError.

        `users`: how many run now.
        """
        self._driver.start(self.clock)
        gevent.sleep(max(0.0, self.clock.wall(-self.clock.now())))
        self._reporter = gevent.spawn(self._report_progress, users)

    def follow(self, set_users: Callable[[Counts], None]) -> None:
        """Keep every group at its number until the end of the timeline; set users again when a worker comes or goes."""
        changes = [t for t in self.timeline.changes() if t > 0]
        phase, current = "", None
        while (now := self.clock.now()) < self.timeline.end and not self._broken:
            holds = self.timeline.at(now)
            if holds.phase != phase:
                phase = holds.phase
                log.info("phase %s, wrong: %s", phase, ", ".join(fault.span.id for fault in holds.faults) or "nothing")
            present = self.workers.present() if self.workers else None
            if (holds.users, present) != current:
                current = (holds.users, present)
                set_users(holds.users)
            changes = [t for t in changes if t > now]
            until_change = self.clock.wall(changes[0] - self.clock.now()) if changes else LOOK
            gevent.sleep(max(0.001, min(LOOK, until_change)))

    def drain(self) -> None:
        """Wait until the prompts under way have ended, within bounds; no user starts another one."""
        until = self.timeline.latest + self.clock.scenario(SETTLE)
        gevent.sleep(PROGRESS_EVERY)  # the last batch of a worker may be this old
        while self.workers and self.workers.pending and self.clock.now() < until and not self._broken:
            gevent.sleep(LOOK)

    def both_sides(self) -> Mapping[str, tuple[str, str]]:
        """What users and providers saw so far, by phase in words, as the command that started the system writes it."""
        path = self.folder / RunFile.BOTH_SIDES
        return _BOTH_SIDES.validate_json(path.read_bytes()) if path.exists() else {}

    @property
    def _broken(self) -> str:
        """Why the run cannot be judged any more; empty: it can."""
        return (self.workers.broken if self.workers else "") or self._driver.broken or self.recorder.broken

    def end(self, ended: Ended, why: str = "") -> None:
        """End load, faults and testbed; write run.json. The first reason stands; a second caller waits."""
        with self._ending:
            if self.over:
                return
            self.over = True
            with self.testbed:
                try:
                    if self.info.t0 is not None:
                        self._finish(ended, why)
                    else:
                        write_run_info(self.folder, replace(self.info, ended=ended, why=why))
                finally:
                    self.recorder.close()

    def _finish(self, ended: Ended, why: str) -> None:
        stopped, workers = max(0.0, self.clock.now()), self.workers
        # Workers first: the faults must hold as long as a prompt may still meet them.
        if workers is not None:
            workers.close(0.0)
        self._driver.stop()
        self._reporter.kill()
        self.recorder.close()  # nothing is written any more, so that its counts are final
        if ended == "completed" and self._broken:
            ended, why = "failed", self._broken
        elif why in {"", STOPPED} and workers and workers.lost:  # Locust stops a run that has lost all of them
            left = f"{workers.lost} of {workers.nodes} workers left before the end"
            ended, why = "lost_worker", f"{left} ({workers.lost_in_words}); start it again"
        self.info = replace(
            self.info,
            ended=ended,
            why=why,
            end=round(stopped, 3),
            nodes=workers.nodes if workers else 0,
            lost_nodes=workers.lost if workers else 0,
            clocks=workers.clocks if workers else (),
            records=self.recorder.written,
        )
        write_run_info(self.folder, self.info)

    def _report_progress(self, users: Callable[[], int]) -> None:
        while self.workers:
            now = self.timeline.at(self.clock.now())
            workers = self.workers
            progress = self.recorder.progress(now, users(), workers.pending, workers.started, workers.overdue)
            self.recorder.take(progress)
            gevent.sleep(PROGRESS_EVERY)
