"""The nodes of a run as the one that starts it sees them: this very process, or the workers of a Locust master.

    start()      ── Setup, shipped in Locust's custom options ──►  worker: its LoadGenerator begins on the same t0
    take()       ◄─ "mockbot.batch" twice a second: records, health, how many prompts are pending ──  worker
    close(t)     ── "mockbot.finish" ──►  worker shuts its gate, waits t, abandons the rest ── last batch, `final` ──►

Batches of a worker arrive in order (ZeroMQ). A worker that does not send its last one is lost, and says so by that.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Protocol

import gevent
from locust.runners import MasterRunner, WorkerRunner
from pydantic import Discriminator, TypeAdapter

from mockbot.clock import Clock
from mockbot.evidence.records import Attempt, Health, Prompt
from mockbot.load.collector import Collector
from mockbot.load.generator_health import watch
from mockbot.load.load_generator import Endpoint, LoadGenerator, LoadPlan, no_status_page
from mockbot.load.status_page_client import StatusPageClient
from mockbot.scenario.schema import Scenario
from mockbot.scenario.timeline import Timeline

BATCH, FINISH = "mockbot.batch", "mockbot.finish"
EVERY = 0.5  # wall seconds between two batches
FINAL_WITHIN = 5.0  # wall seconds a worker has for its last batch, beyond the wait it was told

Take = Callable[[Attempt | Prompt | Health], None]


@dataclass(frozen=True, slots=True)
class Setup:
    """What every node must know to play its part. `providers`: base URLs through the proxy."""

    scenario: Scenario
    providers: dict[str, str]
    t0: float
    speed: float
    status_page: str = ""
    workers: tuple[str, ...] = ()  # who takes turns at the arrivals; a worker that joins later takes none

    @property
    def clock(self) -> Clock:
        """The clock that all nodes share."""
        return Clock(self.t0, self.speed)

    def cast(self) -> LoadPlan:
        """The groups, and where they find the providers."""
        page = StatusPageClient(self.status_page, self.clock, self.scenario.status_page) if self.status_page else None
        return LoadPlan(
            groups=self.scenario.crowd,
            endpoints={
                name: Endpoint(url, self.scenario.providers[name].dialect) for name, url in self.providers.items()
            },
            seed=self.scenario.seed,
            end=Timeline(self.scenario).end,
            status=no_status_page if page is None else page.read,
        )


@dataclass(frozen=True, slots=True)
class Batch:
    """What a worker has to say since its last one. `pending`, `started`: prompts now, and in the whole run."""

    node: str
    pending: int
    started: int
    requests: tuple[Annotated[Attempt | Prompt, Discriminator("kind")], ...] = ()
    health: tuple[Health, ...] = ()
    final: bool = False
    broken: str = ""


SETUP, _BATCH = TypeAdapter(Setup), TypeAdapter(Batch)


class Workers(Protocol):
    """The nodes of one run."""

    @property
    def pending(self) -> int:
        """Prompts under way."""
        ...

    @property
    def started(self) -> int:
        """Prompts since the run began."""
        ...

    @property
    def broken(self) -> str:
        """Why a machine could not make the load; empty when all could."""
        ...

    @property
    def nodes(self) -> int:
        """Processes that made load."""
        ...

    @property
    def lost(self) -> int:
        """Of these, how many never sent the last of what they saw; known after `close`."""
        ...

    def close(self, within: float) -> None:
        """Shut every gate, wait `within` wall seconds for prompts under way, abandon the rest, get every record."""
        ...


class LocalWorkers:
    """This process alone makes the load."""

    nodes = 1
    lost = 0

    def __init__(self, node: LoadGenerator, users: Callable[[], int], take: Take) -> None:
        self.node = node
        self._watch = gevent.spawn(watch, node, "local", users, take)

    @property
    def pending(self) -> int:
        """Prompts under way."""
        return len(self.node.collector.pending)

    @property
    def started(self) -> int:
        """Prompts since the run began."""
        return self.node.collector.started

    @property
    def broken(self) -> str:
        """Why this machine could not make the load; empty when it could."""
        return self.node.broken

    def close(self, within: float) -> None:
        """As `Workers.close`."""
        self._watch.kill()
        self.node.close(within)


class RemoteWorkers:
    """The workers of a master; the master itself makes no load."""

    def __init__(self, runner: MasterRunner, take: Take) -> None:
        self._runner = runner
        self._take = take
        self._latest: dict[str, Batch] = {}
        self._expected = {client.id for client in runner.clients.all}

    @property
    def pending(self) -> int:
        """Prompts under way on the workers that are still there."""
        missing = {client.id for client in self._runner.clients.missing}
        return sum(batch.pending for id_, batch in self._latest.items() if id_ not in missing)

    @property
    def started(self) -> int:
        """Prompts since the run began."""
        return sum(batch.started for batch in self._latest.values())

    @property
    def broken(self) -> str:
        """Why a worker's machine could not make the load; empty when all could."""
        return next((batch.broken for batch in self._latest.values() if batch.broken), "")

    @property
    def nodes(self) -> int:
        """Workers that were ever there."""
        return len(self._expected | self._latest.keys())

    @property
    def lost(self) -> int:
        """Workers whose last batch never came; known after `close`."""
        return sum(1 for id_ in self._expected | self._latest.keys() if not self._is_final(id_))

    def take(self, id_: str, data: bytes) -> None:
        """A batch arrived."""
        batch = _BATCH.validate_json(data)
        self._latest[id_] = batch
        for record in (*batch.requests, *batch.health):
            self._take(record)

    def close(self, within: float) -> None:
        """As `Workers.close`; a worker that stays silent is lost."""
        self._runner.send_message(FINISH, {"within": within})
        until = time.monotonic() + within + FINAL_WITHIN
        while time.monotonic() < until and any(not self._is_final(id_) for id_ in self._alive()):
            gevent.sleep(0.02)

    def _alive(self) -> set[str]:
        clients = self._runner.clients
        return {client.id for client in (*clients.ready, *clients.spawning, *clients.running)}

    def _is_final(self, id_: str) -> bool:
        return id_ in self._latest and self._latest[id_].final


class WorkerReporter:
    """A worker's side: its node, and the batches it sends."""

    def __init__(self, runner: WorkerRunner, cast: LoadPlan, clock: Clock) -> None:
        self._runner = runner
        self._requests: list[Attempt | Prompt] = []
        self._health: list[Health] = []
        self._name = f"worker-{runner.worker_index}"
        self._final = False
        self.node = LoadGenerator(
            cast, clock, Collector(clock, self._requests.append), prefix=f"{runner.worker_index}."
        )
        self._greenlets = [
            gevent.spawn(watch, self.node, self._name, lambda: runner.user_count, self._health.append),
            gevent.spawn(self._report),
        ]

    def close(self, within: float) -> None:
        """Shut the gate, wait, abandon, send the last batch. Idempotent."""
        if self._final:
            return
        self._final = True
        self.node.close(within)
        gevent.killall(self._greenlets)
        self._send()

    def _report(self) -> None:
        while True:
            gevent.sleep(EVERY)
            self._send()

    def _send(self) -> None:
        requests, health = tuple(self._requests), tuple(self._health)
        self._requests.clear()
        self._health.clear()
        collector = self.node.collector
        batch = Batch(
            self._name, len(collector.pending), collector.started, requests, health, self._final, self.node.broken
        )
        self._runner.send_message(BATCH, {"batch": _BATCH.dump_json(batch)})
