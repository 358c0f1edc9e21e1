"""Service and proxy in this process, on an event loop in a thread of its own: up within milliseconds, gone with it.

    client ──► listener (a port of the proxy, stays) ──► service (another one for every outage)

The rule: a listener's address stays the same for a whole test, so a client made before an outage takes part in it.
"""

import asyncio
import threading
from collections import Counter
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

from mockbot.clock import Clock
from mockbot.process.event_loop import new_event_loop
from mockbot.proxy.proxy_server import Engine, Options
from mockbot.proxy.toxiproxy_client import ToxicControl
from mockbot.scenario.schema import Scenario
from mockbot.service.provider_server import BindOptions, Service, ServiceAddresses
from mockbot.testbed.start import Addresses

WITHIN = 20.0  # wall seconds; a loop that takes longer hangs, and a hanging test is worse than a failing one

R = TypeVar("R")


class LoopThread:
    """An event loop in a daemon thread."""

    def __init__(self) -> None:
        self._loop = new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="mockbot", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, R]) -> R:
        """Run a coroutine there and wait for its result. Raises TimeoutError after `WITHIN`."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(WITHIN)

    def close(self) -> None:
        """Cancel what still runs there and end the thread."""

        async def cancel_all() -> None:
            others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)

        self.run(cancel_all())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@dataclass(frozen=True, slots=True)
class RunningService:
    """A service that is up, and its addresses through the proxy."""

    scenario: Scenario
    addresses: Addresses
    service: Service
    stack: AsyncExitStack


class InProcessTestbed:
    """One test's proxy, and the services that run behind it one after the other."""

    def __init__(self, loop: LoopThread, seed: int) -> None:
        self._loop = loop
        self._engine = Engine(Options(host="127.0.0.1", port=0, seed=seed))
        loop.run(self._engine.start())
        self.control = ToxicControl(self._engine.control)
        self._listeners: list[str] = []  # address of the proxy "listener-<index>"

    def open(self, scenario: Scenario, speed: float, clock: Clock) -> RunningService:
        """Start a service. Its first provider gets the first listener, and so on; missing listeners are made."""

        async def start() -> tuple[Service, ServiceAddresses, AsyncExitStack]:
            stack = AsyncExitStack()
            service = Service(scenario, clock, BindOptions())
            return service, await service.open(stack), stack

        service, ready, stack = self._loop.run(start())
        proxies: dict[str, str] = {}
        for number, (provider, url) in enumerate(ready.providers.items()):
            proxies[provider] = f"listener-{number}"
            if number == len(self._listeners):
                self._listeners.append(self.control.create(proxies[provider], urlsplit(url).netloc))
        addresses = Addresses(
            service_control=ready.control,
            proxy_control=self._engine.control,
            providers={name: f"http://{listener}" for name, listener in zip(proxies, self._listeners, strict=False)},
            direct=ready.providers,
            proxies=proxies,
            speed=speed,
            status_page=ready.status,
        )
        return RunningService(scenario, addresses, service, stack)

    def route_to(self, running: RunningService) -> None:
        """Forward the listeners to this service from now on; connections through them are closed."""
        for name, url in running.addresses.direct.items():
            self.control.update_proxy(running.addresses.proxies[name], upstream=urlsplit(url).netloc)

    def end(self, running: RunningService) -> None:
        """Stop a service."""
        self._loop.run(running.stack.aclose())

    def felt(self, running: RunningService) -> Counter[str]:
        """Fault id -> hits so far: requests for a fault of the service, connections for a fault of the wire."""

        async def of_service() -> dict[str, int]:  # counted on the loop's thread, so read there
            return running.service.felt()

        total = Counter(self._loop.run(of_service()))
        for proxy in running.addresses.proxies.values():
            total.update(self.control.felt(proxy) or {})
        return total

    def close(self) -> None:
        """Close every listener."""
        self._loop.run(self._engine.close())
