"""The service: every provider on a port of its own, one port for control, one for the status page. One process and one
loop, and further processes for the replicas of a provider that has some (`fleet.py`).
"""

import asyncio
import ipaddress
import secrets
from collections import Counter
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

from starlette.types import Scope

from mockbot.clock import Clock
from mockbot.evidence.records import Request, ServiceSecond
from mockbot.http_server.balancer import Balancer
from mockbot.http_server.listener import Listener
from mockbot.process.self_watch import SelfWatch
from mockbot.scenario.schema import Scenario
from mockbot.scenario.timeline import ActiveFault, StatusState
from mockbot.service.control_api import control_app
from mockbot.service.control_messages import ServicePorts
from mockbot.service.fleet import Fleet
from mockbot.service.local_provider import LocalProvider
from mockbot.service.merged_requests import Found, MergedRequests
from mockbot.service.provider_app import provider_app
from mockbot.service.provider_runtime import ProviderRuntime
from mockbot.service.replica_place import ReplicaPlace
from mockbot.service.request_body import RequestBodies
from mockbot.service.request_recorder import RequestRecorder
from mockbot.service.status_history import StatusHistory
from mockbot.service.status_page import status_app
from mockbot.upstream.settings import NO_UPSTREAMS, UpstreamSettings
from mockbot.upstream.sources import sources_of


@dataclass(frozen=True, slots=True)
class ServiceAddresses:
    """Base URLs of everything that listens; `token`: control's, when the service has made it up. `replicas`: name and
    process id of each.
    """

    control: str
    status: str
    providers: dict[str, str]
    token: str | None = None
    replicas: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BindOptions:
    """The addresses to bind: control at port `ports`, then the status page and every provider; 0: any free ports.

    `token` is control's; without one, an address that other machines can reach gets a random one.
    """

    host: str = "127.0.0.1"
    ports: int = 0
    token: str | None = None

    def port(self, index: int) -> int:
        """The port of the listener with this index."""
        return self.ports + index if self.ports else 0


class Service:
    """Every provider, its listener and the status page; the control API calls its methods."""

    def __init__(
        self, scenario: Scenario, clock: Clock, bind: BindOptions, settings: UpstreamSettings = NO_UPSTREAMS
    ) -> None:
        self._history = StatusHistory(tuple(scenario.providers), clock.speed)
        self._clock = clock
        self._history.forget(clock.t0)
        self._recorder = RequestRecorder()
        self._watch = SelfWatch()
        sources = sources_of(scenario, settings, clock.speed, self._watch.note)
        bodies = RequestBodies(self._watch.note)
        self._name = scenario.name
        self._providers: dict[str, LocalProvider | Fleet] = {}
        self._fleets: list[Fleet] = []
        self._holding: dict[str, list[str]] = {name: [] for name in scenario.providers}
        self._listeners: dict[str, Listener] = {}
        self._addresses: dict[str, Listener | Balancer] = {}
        for index, (name, provider) in enumerate(scenario.providers.items()):
            port = bind.port(2 + index)
            if provider.replicas > 1:
                fleet = self._providers[name] = Fleet(name, scenario, bind.host, port, self._watch)
                self._fleets.append(fleet)
                self._addresses[name] = fleet.balancer
                continue
            runtime = ProviderRuntime(name, provider, scenario.seed, clock, bodies, sources.get(name))
            app = provider_app(
                runtime, provider.dialect, scenario.seed, partial(self._hang_up, name), self._recorder,
                partial(self.metrics, name),
            )  # fmt: skip
            self._addresses[name] = self._listeners[name] = Listener(app, bind.host, port)
            self._providers[name] = LocalProvider(runtime, self._listeners[name])
        self._merged = MergedRequests([None, *(number for each in self._fleets for number in range(1, 1 + each.count))])
        self._merging = asyncio.Lock()
        self._token = bind.token or (None if ipaddress.ip_address(bind.host).is_loopback else secrets.token_urlsafe(24))
        self._new_token = None if bind.token else self._token  # a given token is not printed: output may go into a log
        self._control = Listener(control_app(self, self._token), bind.host, bind.port(0))
        self._status = Listener(
            status_app(self._history, scenario.title, scenario.seed, lambda: self._status.url), bind.host, bind.port(1)
        )

    async def open(self, stack: AsyncExitStack) -> ServiceAddresses:
        """Listen everywhere until the stack closes."""
        stack.callback(asyncio.create_task(self._watch.run()).cancel)
        for listener in (*self._listeners.values(), self._status, self._control):
            stack.push_async_callback(listener.close)
            await listener.up()
        place = ReplicaPlace("", self._clock, self._recorder.salt.hex(), self._control.url, self._token)
        await asyncio.gather(*(fleet.open(stack, place) for fleet in self._fleets))
        providers = {name: each.url for name, each in self._addresses.items()}
        replicas = {name: pid for fleet in self._fleets for name, pid in fleet.processes.items()}
        return ServiceAddresses(self._control.url, self._status.url, providers, self._new_token, replicas)

    def _hang_up(self, provider: str, scope: Scope, how: Literal["reset", "closed"]) -> None:
        self._listeners[provider].hang_up(scope, how)

    def ports(self) -> ServicePorts:
        """The scenario's name, and every port but control's."""
        ports = {name: each.port for name, each in self._addresses.items()}
        return ServicePorts(self._name, self._status.port, ports)

    async def troubles(self) -> list[str]:
        """What this process and its replicas noticed about themselves; see `SelfWatch`."""
        for fleet in self._fleets:
            await fleet.note_troubles()
        return self._watch.troubles

    def faults(self) -> dict[str, list[str]]:
        """The ids of the faults that hold, by provider."""
        return self._holding

    def providers(self) -> tuple[str, ...]:
        """Their names, in the scenario's order."""
        return tuple(self._providers)

    async def start_clock(self, clock: Clock) -> None:
        """A new run begins, with every provider up and nothing wrong."""
        async with self._merging:
            self._recorder.forget()
            self._merged.forget()
            for name, provider in self._providers.items():
                await provider.start_clock(clock)
                self._holding[name] = []
        self._clock = clock
        self._history.forget(clock.t0)

    async def set_faults(self, provider: str, faults: tuple[ActiveFault, ...]) -> None:
        """Exactly these hold at this provider from now on; a crash takes its port down, its end brings it back."""
        await self._providers[provider].set_faults(faults)
        self._holding[provider] = [active.span.id for active in faults]

    def set_status(self, state: StatusState | None) -> None:
        """Publish an update on the status page."""
        if state is not None:
            self._history.publish(state.update, self._clock.at(state.since))

    async def felt(self) -> Counter[str]:
        """How many requests each fault has hit in this run so far, the running second included."""
        return sum([await each.felt() for each in self._providers.values()], Counter[str]())

    async def unserved(self) -> Counter[str]:
        """What requests of this run so far asked for that is not served."""
        return sum([await each.unserved() for each in self._providers.values()], Counter[str]())

    async def metrics(self, provider: str) -> bytes:
        """A provider's figures in Prometheus' text format."""
        return await self._providers[provider].metrics()

    async def record_requests(self) -> None:
        """From now on every request is recorded."""
        self._recorder.on = True
        for fleet in self._fleets:
            await fleet.record_requests()

    async def requests(self, since: int) -> tuple[list[Request], list[Request]]:
        """The current run's requests: the finished ones except the first `since`, and the unfinished ones."""
        if not self._fleets:
            return self._recorder.since(since), self._recorder.unfinished()
        async with self._merging:
            had = self._merged.had
            found: list[Found] = [(self._recorder.since(had[0]), self._recorder.unfinished())]
            for fleet in self._fleets:
                found += await fleet.requests(had[len(found) :])
            self._merged.take(found)
            return self._merged.since(since)

    async def seconds(self, since: int) -> list[ServiceSecond]:
        """The complete seconds from `since` on, provider by provider."""
        return [second for each in self._providers.values() for second in await each.seconds(since)]


async def serve(
    scenario: Scenario,
    clock: Clock,
    bind: BindOptions,
    ready: Callable[[ServiceAddresses], None],
    ends: asyncio.Event,
    settings: UpstreamSettings = NO_UPSTREAMS,
) -> None:
    """Run until `ends`; calls `ready` once everything listens."""
    async with AsyncExitStack() as stack:
        ready(await Service(scenario, clock, bind, settings).open(stack))
        await ends.wait()
