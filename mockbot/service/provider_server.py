"""The whole service in one process and one loop: every provider on a port of its own, one port for control, one
for the status page.
"""

import asyncio
import ipaddress
import secrets
from collections import Counter
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial

from starlette.types import Scope

from mockbot.clock import Clock
from mockbot.evidence.records import Request, ServiceSecond
from mockbot.scenario.schema import Scenario
from mockbot.scenario.timeline import ActiveFault, StatusState
from mockbot.service.control_api import control_app
from mockbot.service.control_client import Where
from mockbot.service.http.listener import Listener
from mockbot.service.provider_app import provider_app
from mockbot.service.provider_runtime import ProviderRuntime
from mockbot.service.request_recorder import RequestRecorder
from mockbot.service.status_board import StatusBoard
from mockbot.service.status_page import status_app


@dataclass(frozen=True, slots=True)
class Ready:
    """Where everything listens; `token` is what control asks for when others can reach it."""

    control: str
    status: str
    providers: dict[str, str]
    token: str | None = None


@dataclass(frozen=True, slots=True)
class At:
    """Where to listen: `ports` is that of control, then come the status page and every provider; 0: any free ones.

    `token` is for control; without one, an address that others can reach gets a random one.
    """

    host: str = "127.0.0.1"
    ports: int = 0
    token: str | None = None

    def port(self, index: int) -> int:
        """The port of the listener with this index."""
        return self.ports + index if self.ports else 0


class Service:
    """Every provider at work, and what control may do to them."""

    def __init__(self, scenario: Scenario, clock: Clock, at: At) -> None:
        self._board = StatusBoard(tuple(scenario.providers), clock.speed)
        self._clock = clock
        self._board.forget(clock.t0)
        self._recorder = RequestRecorder()
        self._name = scenario.name
        self._runtimes: dict[str, ProviderRuntime] = {}
        self._listeners: dict[str, Listener] = {}
        for index, (name, provider) in enumerate(scenario.providers.items()):
            runtime = self._runtimes[name] = ProviderRuntime(name, provider, scenario.seed, clock)
            app = provider_app(runtime, provider.dialect, scenario.seed, partial(self._reset, name), self._recorder)
            self._listeners[name] = Listener(app, at.host, at.port(2 + index))
        self._token = at.token or (None if ipaddress.ip_address(at.host).is_loopback else secrets.token_urlsafe(24))
        self._told = None if at.token else self._token  # who gave it knows it, and what is printed may go into a log
        self._control = Listener(control_app(self, self._token), at.host, at.port(0))
        self._status = Listener(
            status_app(self._board, scenario.title, scenario.seed, lambda: self._status.url), at.host, at.port(1)
        )

    async def open(self, stack: AsyncExitStack) -> Ready:
        """Listen everywhere until the stack closes."""
        for listener in (*self._listeners.values(), self._status, self._control):
            stack.push_async_callback(listener.close)
            await listener.up()
        providers = {name: listener.url for name, listener in self._listeners.items()}
        return Ready(self._control.url, self._status.url, providers, self._told)

    def _reset(self, provider: str, scope: Scope) -> None:
        self._listeners[provider].reset(scope)

    def where(self) -> Where:
        """What is played, and at which ports."""
        ports = {name: listener.port for name, listener in self._listeners.items()}
        return Where(self._name, self._status.port, ports)

    def providers(self) -> tuple[str, ...]:
        """Their names, in the scenario's order."""
        return tuple(self._runtimes)

    async def start_clock(self, clock: Clock) -> None:
        """A new run begins, with every provider up and nothing wrong."""
        self._recorder.forget()
        for name, runtime in self._runtimes.items():
            runtime.restart(clock)
            await self._listeners[name].up()
        self._clock = clock
        self._board.forget(clock.t0)

    async def set_faults(self, provider: str, faults: tuple[ActiveFault, ...]) -> None:
        """Exactly these hold at this provider from now on; a crash takes its port down, its end brings it back."""
        runtime, listener = self._runtimes[provider], self._listeners[provider]
        was_down = runtime.chatbot.down
        runtime.set_faults(faults)
        if runtime.chatbot.down and not was_down:
            runtime.connections_reset(listener.down())
        elif not runtime.chatbot.down:
            await listener.up()

    def set_status(self, state: StatusState | None) -> None:
        """What the status page says from now on."""
        if state is not None:
            self._board.say(state.update, self._clock.at(state.since))

    def felt(self) -> Counter[str]:
        """How many requests each fault has hit in this run so far, the running second included."""
        total: Counter[str] = Counter()
        for runtime in self._runtimes.values():
            for second in runtime.seconds(0):
                total.update(second.felt)
            total.update(runtime.chatbot.stats.felt)
        return total

    def record_requests(self) -> None:
        """From now on every request is recorded."""
        self._recorder.on = True

    def requests(self, since: int) -> tuple[list[Request], list[Request]]:
        """Of the run that goes on: all but the first `since` finished requests, and those that are still under way."""
        return self._recorder.since(since), self._recorder.unfinished()

    def seconds(self, since: int) -> list[ServiceSecond]:
        """The complete seconds from `since` on, provider by provider."""
        return [second for runtime in self._runtimes.values() for second in runtime.seconds(since)]


async def serve(
    scenario: Scenario, clock: Clock, at: At, announce: Callable[[Ready], None], ends: asyncio.Event
) -> None:
    """Run until `ends`; `announce` is told once everything listens."""
    async with AsyncExitStack() as stack:
        announce(await Service(scenario, clock, at).open(stack))
        await ends.wait()
