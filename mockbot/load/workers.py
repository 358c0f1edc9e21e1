"""The processes that make the load of a run, for the process that starts it: itself, or the workers of a master.

    start()      ── Setup, shipped in Locust's custom options ──►  worker: its LoadGenerator starts on the same clock
    receive()    ◄─ "mockbot.batch" twice a second: records, health, how many prompts are pending ──  worker
    close(t)     ── "mockbot.finish" ──►  worker refuses prompts, waits t, records the rest ── last batch, `final` ──►

Batches of a worker arrive in order (ZeroMQ). A worker is lost when its last batch does not come or comes before
`close`: the users that it had are missing for a while, or their last records are.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Annotated

import gevent
from locust.runners import MasterRunner, WorkerRunner
from pydantic import Discriminator, TypeAdapter

from mockbot.clock import Clock
from mockbot.dialects.prompt_identity import run_of
from mockbot.evidence.records import Attempt, Health, Prompt, WorkerClock
from mockbot.evidence.system_records import SystemAnswer
from mockbot.load.clock_offset import ClockOffset
from mockbot.load.collector import Collector
from mockbot.load.generator_health import watch
from mockbot.load.load_generator import Endpoint, LoadGenerator, LoadPlan, no_status_page
from mockbot.load.locust_private import known_workers, missing_workers, present_workers
from mockbot.load.status_page_client import StatusPageClient
from mockbot.scenario.schema import Scenario
from mockbot.scenario.timeline import StatusState, Timeline
from mockbot.testbed.system.system_file import System
from mockbot.units.formatting import format_clock

BATCH, FINISH = "mockbot.batch", "mockbot.finish"
BATCH_EVERY = 0.5  # wall seconds; the live view cannot be fresher than this
LAST_BATCH_WITHIN = 5.0  # wall seconds for a worker's last batch, on top of the wait that `close` allows
POLL_EVERY = 0.02  # wall seconds between two checks for the last batches

log = logging.getLogger("mockbot")
Take = Callable[[Attempt | Prompt | SystemAnswer | Health], None]


@dataclass(frozen=True, slots=True)
class Setup:
    """What every load generator of a run needs. `providers`: base URLs through the proxy."""

    scenario: Scenario
    providers: dict[str, str]
    started: Clock  # by the process that starts the run, on the machine that `machine` names
    machine: str
    status_page: str = ""
    system: System | None = None
    authority: str = ""  # PEM, of https providers
    traced: bool = False  # requests to providers carry a traceparent
    workers: tuple[str, ...] = ()  # client ids that take turns at the arrivals; a worker that joins later takes none

    def plan(self, clock: Clock) -> LoadPlan:
        """The scenario's groups and the providers' endpoints. `clock`: `started`, as it reads in this process."""
        providers = self.scenario.providers
        status: Callable[[], StatusState | None] = no_status_page
        if self.status_page:
            status = StatusPageClient(self.status_page, clock, self.scenario.status_page).read
        return LoadPlan(
            groups=self.scenario.crowd,
            endpoints={name: self._endpoint(url, providers[name].dialect) for name, url in self.providers.items()},
            seed=self.scenario.seed,
            end=Timeline(self.scenario).end,
            slo=self.scenario.slo,
            status=status,
            system=self.system,
            run=run_of(self.started.t0),
            authority=self.authority if self.system is None else "",
            traced=self.traced,
        )

    def _endpoint(self, url: str, dialect: str) -> Endpoint:
        return Endpoint(url, dialect) if self.system is None else Endpoint(str(self.system.url))


@dataclass(frozen=True, slots=True)
class Batch:
    """What a worker reports since its last one. `started`: prompts of the whole run; `pending`, `overdue`: of now."""

    node: str
    pending: int
    started: int
    requests: tuple[Annotated[Attempt | Prompt | SystemAnswer, Discriminator("kind")], ...] = ()
    health: tuple[Health, ...] = ()
    final: bool = False
    broken: str = ""
    overdue: dict[int, int] = field(default_factory=dict)  # as Collector.overdue
    t: float = 0.0  # scenario second at which it was sent
    clock: WorkerClock | None = None  # of a worker on another machine


SETUP, _BATCH = TypeAdapter(Setup), TypeAdapter(Batch)


class LocalWorkers:
    """This process alone makes the load. `nodes`: processes that did; `lost`: those whose last records are missing."""

    nodes = 1
    lost = 0
    lost_in_words = ""
    clocks: tuple[WorkerClock, ...] = ()

    def __init__(self, generator: LoadGenerator, users: Callable[[], int], take: Take) -> None:
        self.generator = generator
        self._watch = gevent.spawn(watch, generator, "local", users, take)

    @property
    def pending(self) -> int:
        """Prompts under way."""
        return len(self.generator.collector.pending)

    @property
    def overdue(self) -> Counter[int]:
        """As Collector.overdue."""
        return self.generator.collector.overdue(self.generator.plan.slo)

    @property
    def started(self) -> int:
        """Prompts since the run began."""
        return self.generator.collector.started

    @property
    def broken(self) -> str:
        """Why this machine could not make the load; empty when it could."""
        return self.generator.broken

    def present(self) -> frozenset[str]:
        """No worker but this process."""
        return frozenset()

    def close(self, within: float) -> None:
        """Refuse new prompts, wait `within` wall seconds for those under way, and record every prompt."""
        self._watch.kill()
        self.generator.close(within)


class RemoteWorkers:
    """The workers of a master, which makes no load itself."""

    def __init__(self, runner: MasterRunner, take: Take) -> None:
        self._runner = runner
        self._take = take
        self._latest: dict[str, Batch] = {}
        self._bytes = 0  # of all batches
        self._expected = known_workers(runner)
        self._left = set[str]()  # not there all the time, or left before `close`
        self._closing = False

    @property
    def pending(self) -> int:
        """Prompts under way on the workers that still answer."""
        missing = missing_workers(self._runner)
        return sum(batch.pending for id_, batch in self._latest.items() if id_ not in missing)

    @property
    def overdue(self) -> Counter[int]:
        """As Collector.overdue, of the workers that still answer."""
        missing, total = missing_workers(self._runner), Counter[int]()
        for id_, batch in self._latest.items():
            total.update({} if id_ in missing else batch.overdue)
        return total

    @property
    def started(self) -> int:
        """Prompts since the run began."""
        return sum(batch.started for batch in self._latest.values())

    @property
    def broken(self) -> str:
        """Why a worker could not make the load; empty when all could."""
        return next((batch.broken for batch in self._latest.values() if batch.broken), "")

    @property
    def nodes(self) -> int:
        """Workers that were connected at any time of the run."""
        return len(self._expected | self._latest.keys())

    @property
    def lost(self) -> int:
        """Workers that left for any reason, or whose last batch never came; known after `close`."""
        return len(self._lost())

    @property
    def lost_in_words(self) -> str:
        """Their names, and until when their records are kept."""
        known = [self._latest[id_] for id_ in self._lost() if id_ in self._latest]
        silent = self.lost - len(known)
        words = [f"{batch.node}, whose records end at {format_clock(batch.t)}" for batch in known]
        return "; ".join([*words, *([f"{silent} of which nothing was heard"] if silent else [])])

    @property
    def clocks(self) -> tuple[WorkerClock, ...]:
        """Of the workers on other machines; `last` of one that is lost is None."""
        latest = sorted(self._latest.items(), key=lambda each: each[1].node)
        clocks = [(batch.clock, self._is_final(id_)) for id_, batch in latest if batch.clock is not None]
        return tuple(clock if final else replace(clock, last=None) for clock, final in clocks)

    def _lost(self) -> list[str]:
        return [id_ for id_ in self._expected | self._latest.keys() if id_ in self._left or not self._is_final(id_)]

    def present(self) -> frozenset[str]:
        """The ids of those that answer; call it regularly, so that none is missing for a while without notice."""
        here = present_workers(self._runner)
        self._left |= self._expected - here
        return here

    def receive(self, id_: str, data: bytes) -> None:
        """Take the records of a batch that the worker with client id `id_` has sent."""
        batch = _BATCH.validate_json(data)
        self._bytes += len(data)
        self._latest[id_] = batch
        if batch.final and not self._closing:  # a signal to the worker, which ends it in good order
            self._left.add(id_)
        for record in (*batch.requests, *batch.health):
            self._take(record)

    def close(self, within: float) -> None:
        """As `LocalWorkers.close`; a worker whose last batch does not come in time is lost."""
        self._closing = True
        self._runner.send_message(FINISH, {"within": within})
        until = time.monotonic() + within + LAST_BATCH_WITHIN
        # Only workers that answer are waited for: one that died would cost the whole time.
        while time.monotonic() < until and any(not self._is_final(id_) for id_ in present_workers(self._runner)):
            gevent.sleep(POLL_EVERY)
        log.info("%d workers sent %d bytes of records about %d prompts", self.nodes, self._bytes, self.started)

    def _is_final(self, id_: str) -> bool:
        return id_ in self._latest and self._latest[id_].final


Workers = LocalWorkers | RemoteWorkers  # the processes that make the load of one run


def report_broken(runner: WorkerRunner, name: str, why: str) -> None:
    """A worker's side, when it cannot make the load at all."""
    runner.send_message(BATCH, {"batch": _BATCH.dump_json(Batch(name, 0, 0, broken=why))})


class WorkerReporter:
    """A worker's side: its load generator, and the batches it sends."""

    def __init__(self, runner: WorkerRunner, plan: LoadPlan, clock: Clock, offset: ClockOffset | None = None) -> None:
        """`offset`: of the master, when that is on another machine and `clock` was moved by its reading of now."""
        self._runner = runner
        self._clock = clock
        self._offset = offset
        self._used = None if offset is None else offset.reading
        self._requests: list[Attempt | Prompt | SystemAnswer] = []
        self._health: list[Health] = []
        self._name = f"worker-{runner.worker_index}"
        self._final = False
        collector = Collector(clock, self._requests.append, self._requests.append)
        self.generator = LoadGenerator(plan, clock, collector, prefix=f"{runner.worker_index}.")
        self._greenlets = [
            gevent.spawn(watch, self.generator, self._name, lambda: runner.user_count, self._health.append),
            gevent.spawn(self._send_batches),
        ]

    def close(self, within: float) -> None:
        """Close the load generator and send the last batch. Idempotent."""
        if self._final:
            return
        self._final = True  # set first: `generator.close` lets other greenlets run
        self.generator.close(within)
        gevent.killall(self._greenlets)
        self._send()

    def _send_batches(self) -> None:
        while True:
            gevent.sleep(BATCH_EVERY)
            self._send()

    def _send(self) -> None:
        requests, health = tuple(self._requests), tuple(self._health)
        self._requests.clear()
        self._health.clear()
        generator, collector = self.generator, self.generator.collector
        batch = Batch(
            self._name, len(collector.pending), collector.started, requests, health, self._final, generator.broken,
            collector.overdue(generator.plan.slo), round(self._clock.now(), 3),
            None if self._offset is None else WorkerClock(self._name, self._used, self._offset.reading),
        )  # fmt: skip
        self._runner.send_message(BATCH, {"batch": _BATCH.dump_json(batch)})
