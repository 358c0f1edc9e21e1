"""`python -m mockbot.service.replica`: one replica of a provider, started by the service that has its address.

Two lines of stdin say which: the scenario as JSON, and a `ReplicaPlace`. Prints {"control": URL} once it is ready, and
ends with its stdin.
"""

import asyncio
import socket
import sys
from collections import Counter
from contextlib import AsyncExitStack
from functools import partial
from typing import Literal

from pydantic import TypeAdapter
from starlette.types import Scope

from mockbot.clock import Clock
from mockbot.evidence.records import Request, ServiceSecond
from mockbot.http_server.listener import HandedConnections, Listener
from mockbot.process.event_loop import new_event_loop, stop_event
from mockbot.process.lifeline import report_ready
from mockbot.process.self_watch import SelfWatch, raise_descriptor_limit
from mockbot.scenario.schema import Scenario
from mockbot.scenario.timeline import ActiveFault, StatusState
from mockbot.service.control_api import control_app
from mockbot.service.control_client import ServiceControl
from mockbot.service.control_messages import ServicePorts
from mockbot.service.frozen_heap import freeze_heap
from mockbot.service.local_provider import LocalProvider
from mockbot.service.provider_app import provider_app
from mockbot.service.provider_runtime import ProviderRuntime
from mockbot.service.replica_place import ReplicaPlace
from mockbot.service.request_body import RequestBodies
from mockbot.service.request_recorder import RequestRecorder


class Replica:
    """A provider on handed connections; the control API calls its methods (`control_api.Controlled`)."""

    def __init__(self, scenario: Scenario, place: ReplicaPlace) -> None:
        self._scenario, self._place = scenario.name, place
        self.watch = SelfWatch()
        self._recorder = RequestRecorder(bytes.fromhex(place.salt))
        spec, bodies = scenario.providers[place.provider], RequestBodies(self.watch.note)
        runtime = ProviderRuntime(place.provider, spec, scenario.seed, place.clock, bodies, None, replica=place.number)
        self._service = ServiceControl(place.control, place.token)
        app = provider_app(runtime, spec.dialect, scenario.seed, self._hang_up, self._recorder, self._of_all)
        self.connections = HandedConnections(app, socket.socket(fileno=place.channel), self.watch.failed)
        self._provider = LocalProvider(runtime, self.connections)
        self._holding: list[str] = []

    def _hang_up(self, scope: Scope, how: Literal["reset", "closed"]) -> None:
        self.connections.hang_up(scope, how)

    async def _of_all(self) -> bytes:
        """What Prometheus reads at the provider's address is of all replicas, whichever it has reached."""
        return (await asyncio.to_thread(partial(self._service.metrics, self._place.provider))).encode()

    def ports(self) -> ServicePorts:
        """It has none of its own."""
        return ServicePorts(self._scenario, 0, {})

    async def troubles(self) -> list[str]:
        """What this process noticed about itself."""
        return self.watch.troubles

    def faults(self) -> dict[str, list[str]]:
        """The ids of the faults that hold here."""
        return {self._place.provider: self._holding}

    def providers(self) -> tuple[str, ...]:
        """The one whose replica it is."""
        return (self._place.provider,)

    async def start_clock(self, clock: Clock) -> None:
        """A new run begins."""
        self._recorder.forget()
        self._holding = []
        await self._provider.start_clock(clock)

    async def set_faults(self, _: str, faults: tuple[ActiveFault, ...]) -> None:
        """Exactly these hold from now on."""
        await self._provider.set_faults(faults)
        self._holding = [active.span.id for active in faults]

    def set_status(self, _: StatusState | None) -> None:
        """The status page is the service's."""

    async def seconds(self, since: int) -> list[ServiceSecond]:
        """Its own."""
        return await self._provider.seconds(since)

    async def felt(self) -> Counter[str]:
        """Its own."""
        return await self._provider.felt()

    async def unserved(self) -> Counter[str]:
        """Its own."""
        return await self._provider.unserved()

    async def metrics(self, _: str) -> bytes:
        """Its own."""
        return await self._provider.metrics()

    async def record_requests(self) -> None:
        """From now on every request is recorded."""
        self._recorder.on = True

    async def requests(self, since: int) -> tuple[list[Request], list[Request]]:
        """Its own."""
        return self._recorder.since(since), self._recorder.unfinished()


async def serve(scenario: Scenario, place: ReplicaPlace) -> None:
    """Until stdin ends."""
    ends = stop_event(leased=True)
    async with AsyncExitStack() as stack:
        replica = Replica(scenario, place)
        stack.callback(asyncio.create_task(replica.watch.run()).cancel)
        control = Listener(control_app(replica, None), "127.0.0.1")
        for listener in (control, replica.connections):
            stack.push_async_callback(listener.close)
            await listener.up()
        freeze_heap()
        report_ready({"control": control.url})
        await ends.wait()


def main() -> None:
    """The child process."""
    raise_descriptor_limit()
    scenario = Scenario.model_validate_json(sys.stdin.buffer.readline())
    place = TypeAdapter(ReplicaPlace).validate_json(sys.stdin.buffer.readline())
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(serve(scenario, place))


if __name__ == "__main__":
    main()
