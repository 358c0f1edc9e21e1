"""A provider of several replicas: a process each, behind one address. This process accepts and controls; they answer.

Each new connection goes to the replicas in turn (`turns.py`), past those that have crashed; every request on it reaches
that replica. So slots, queue, limits per key, prompt cache and stored responses are a replica's own. Clock, faults and
recording reach all of them, and what they have counted is summed: they are one provider to whoever asks.
"""

import asyncio
import json
import socket
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, replace
from typing import TypeVar

from mockbot.clock import Clock
from mockbot.errors import TestbedError
from mockbot.evidence.records import ServiceSecond
from mockbot.faults.effects import Crashed
from mockbot.http_server.balancer import Balancer
from mockbot.process.managed_process import ManagedProcess
from mockbot.process.self_watch import SelfWatch
from mockbot.scenario.schema import Scenario
from mockbot.scenario.timeline import ActiveFault
from mockbot.service.control_client import ServiceControl
from mockbot.service.merged_metrics import merged_metrics
from mockbot.service.merged_requests import Found
from mockbot.service.merged_seconds import merged
from mockbot.service.replica_place import ReplicaPlace
from mockbot.service.turns import Turns

T = TypeVar("T")


class Fleet:
    """The replicas of the provider `name`. Methods raise TestbedError when one of them does not answer."""

    def __init__(self, name: str, scenario: Scenario, host: str, port: int, watch: SelfWatch) -> None:
        self._name, self._scenario, self._watch = name, scenario, watch
        self.count = scenario.providers[name].replicas
        self._turns = Turns(self.count)
        self.balancer = Balancer(host, port, self._turns.next, watch.failed)
        self._children: list[ManagedProcess] = []
        self._controls: list[ServiceControl] = []
        self._told = [0] * self.count  # how many of the troubles of each are known
        self._dead: set[int] = set()

    async def open(self, stack: AsyncExitStack, place: ReplicaPlace) -> None:
        """Start them, and listen once all are ready. `place`: what they have in common. Raises TestbedError."""
        stack.callback(self.balancer.close)
        pairs = [socket.socketpair() for _ in range(self.count)]
        for ours, _ in pairs:
            ours.setblocking(False)
            stack.callback(ours.close)
        place = replace(place, provider=self._name)
        starts = [
            self._start(stack, replace(place, number=number, channel=theirs.fileno()))
            for number, (_, theirs) in enumerate(pairs, 1)
        ]
        started = await asyncio.gather(*starts, return_exceptions=True)  # all of them, before anything is closed
        for _, theirs in pairs:
            theirs.close()
        if failures := [each for each in started if isinstance(each, BaseException)]:
            raise failures[0]
        self._children = [each for each in started if isinstance(each, ManagedProcess)]
        self._controls = [ServiceControl(child.url) for child in self._children]
        self.balancer.channels = [ours for ours, _ in pairs]
        stack.callback(self.balancer.down)  # before the replicas end, which it would hand connections to
        self.balancer.up()

    async def _start(self, stack: AsyncExitStack, place: ReplicaPlace) -> ManagedProcess:
        told = f"{self._scenario.model_dump_json()}\n{json.dumps(asdict(place))}"
        child = await asyncio.to_thread(ManagedProcess, ["mockbot.service.replica"], told=told, handed=[place.channel])
        stack.push_async_callback(asyncio.to_thread, child.close)
        return child

    @property
    def processes(self) -> dict[str, int]:
        """The id of each, by what comes after "the" in reports."""
        return {f"process of {self._called(index)}": child.pid for index, child in enumerate(self._children)}

    def _called(self, index: int) -> str:
        return f"replica {index + 1} of {self._name}"

    async def _each(self, ask: Callable[[ServiceControl, int], T]) -> list[T]:
        """The answers of all of them."""
        calls = [asyncio.to_thread(self._asked, index, ask) for index in range(self.count)]
        return list(await asyncio.gather(*calls))

    def _asked(self, index: int, ask: Callable[[ServiceControl, int], T]) -> T:
        if not self._children[index].alive:
            raise TestbedError(f"{self._called(index)} has ended; run again")
        try:
            return ask(self._controls[index], index)
        except TestbedError as error:
            raise TestbedError(f"{self._called(index)}: {error}") from None

    async def start_clock(self, clock: Clock) -> None:
        """A new run begins, with all of them up and nothing wrong."""
        await self._each(lambda control, _: control.start_clock(clock))
        for index in range(self.count):
            self._turns.set_up(index, up=True)
        self.balancer.up()

    async def set_faults(self, faults: Sequence[ActiveFault]) -> None:
        """Exactly these hold from now on, each at its replica or at all; a crash of the last one closes the port."""
        own = [[each for each in faults if each.span.fault.hits_replica(n + 1)] for n in range(self.count)]
        up = [not any(isinstance(each.span.fault.effect(), Crashed) for each in mine) for mine in own]
        for index in (index for index in range(self.count) if not up[index]):
            self._turns.set_up(index, up=False)
        if not self._turns.any_up:
            self.balancer.down()
        await self._each(lambda control, index: control.set_faults(self._name, own[index]))
        for index in (index for index in range(self.count) if up[index]):
            self._turns.set_up(index, up=True)
        if self._turns.any_up:
            self.balancer.up()

    async def seconds(self, since: int) -> list[ServiceSecond]:
        """The seconds from `since` on that are complete at all of them."""
        return list(merged(await self._each(lambda control, _: control.seconds(since))))

    async def felt(self) -> Counter[str]:
        """How many requests each fault has hit in this run so far, the running second included."""
        return await self._totals("felt")

    async def unserved(self) -> Counter[str]:
        """What requests of this run so far asked for that is not served."""
        return await self._totals("unserved")

    async def _totals(self, what: str) -> Counter[str]:
        totals = await self._each(lambda control, _: control.totals())
        return sum((Counter(each[what]) for each in totals), Counter[str]())

    async def metrics(self) -> bytes:
        """In Prometheus' text format."""
        return merged_metrics(await self._each(lambda control, _: control.metrics(self._name)))

    async def record_requests(self) -> None:
        """From now on every request is recorded."""
        await self._each(lambda control, _: control.record_requests())

    async def requests(self, had: Sequence[int]) -> list[Found]:
        """Of each replica: its finished requests except the first `had`, and the unfinished ones."""
        return list(await self._each(lambda control, index: control.requests(had[index])))

    async def note_troubles(self) -> None:
        """Tell this process's watch what they have noticed about themselves since the last call."""
        ended = {index for index, child in enumerate(self._children) if not child.alive} - self._dead
        self._dead |= ended
        for index in sorted(ended):
            self._turns.set_up(index, up=False)
            self._watch.note(f"has started {self._called(index)}, which has ended by itself")
        for index, troubles in enumerate(await self._each(lambda control, _: control.troubles())):
            for trouble in troubles[self._told[index] :]:
                self._watch.note(f"has started {self._called(index)}, which {trouble}")
            self._told[index] = len(troubles)
