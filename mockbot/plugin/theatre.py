"""Service and proxy in this process, on an event loop in a thread of its own: up within milliseconds, gone with us.

    client ──► door (a port of the proxy, stays) ──► service (changes with every outage)

The rule: a door's address holds for a whole test. A client that was made before an outage is in it all the same.
"""

import asyncio
import threading
from collections import Counter
from collections.abc import Coroutine
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

from mockbot.clock import Clock
from mockbot.process.event_loop import new_event_loop
from mockbot.proxy.proxy_server import Engine, Options
from mockbot.proxy.toxiproxy_client import ToxicControl
from mockbot.scenario.schema import Scenario
from mockbot.service.provider_server import At, Ready, Service
from mockbot.testbed.start import Addresses

WITHIN = 20.0  # wall seconds for anything that is asked of the loop

R = TypeVar("R")


class Loop:
    """An event loop in a daemon thread."""

    def __init__(self) -> None:
        self._loop = new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="mockbot", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, R]) -> R:
        """Have it done there, and wait for it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(WITHIN)

    def close(self) -> None:
        """End the thread; whatever still runs there is cancelled."""
        self.run(_cancel_the_rest())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


async def _cancel_the_rest() -> None:
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


@dataclass(frozen=True, slots=True)
class Play:
    """A service that is up, and where."""

    scenario: Scenario
    addresses: Addresses
    service: Service
    stack: AsyncExitStack


class Theatre:
    """One test's proxy, and the services that are played behind it one after the other."""

    def __init__(self, loop: Loop, seed: int) -> None:
        self._loop = loop
        self._engine = Engine(Options(host="127.0.0.1", port=0, seed=seed))
        loop.run(self._engine.start())
        self.control = ToxicControl(self._engine.control)
        self._doors: list[str] = []  # where door n listens

    def open(self, scenario: Scenario, speed: float, clock: Clock) -> Play:
        """Put a service behind the doors, the first provider behind the first door."""
        service, ready, stack = self._loop.run(_opened(scenario, clock))
        addresses = self._addresses(ready, speed)
        return Play(scenario, addresses, service, stack)

    def show(self, play: Play) -> None:
        """Let the doors lead to this play from now on; connections through them are closed."""
        for name, url in play.addresses.direct.items():
            self.control.update_proxy(play.addresses.proxies[name], upstream=urlsplit(url).netloc)

    def end(self, play: Play) -> None:
        """Take its service down."""
        self._loop.run(play.stack.aclose())

    def felt(self, play: Play) -> Counter[str]:
        """How many requests each fault has hit so far: of the service by request, of the wire by connection."""
        total = Counter(self._loop.run(_felt(play.service)))
        for proxy in play.addresses.proxies.values():
            total.update(self.control.felt(proxy) or {})
        return total

    def close(self) -> None:
        """Close every door."""
        self.control.close()
        self._loop.run(self._engine.close())

    def _addresses(self, ready: Ready, speed: float) -> Addresses:
        proxies = {provider: self._door(number, url) for number, (provider, url) in enumerate(ready.providers.items())}
        listens = dict(zip(proxies, self._doors, strict=False))
        return Addresses(
            service_control=ready.control,
            proxy_control=self._engine.control,
            providers={provider: f"http://{listens[provider]}" for provider in proxies},
            direct=ready.providers,
            proxies=proxies,
            speed=speed,
            status_page=ready.status,
        )

    def _door(self, number: int, url: str) -> str:
        name = f"door-{number}"
        if number == len(self._doors):
            with closing(ToxicControl(self._engine.control)) as control:
                self._doors.append(control.create(name, urlsplit(url).netloc))
        return name


async def _opened(scenario: Scenario, clock: Clock) -> tuple[Service, Ready, AsyncExitStack]:
    stack = AsyncExitStack()
    service = Service(scenario, clock, At())
    return service, await service.open(stack), stack


async def _felt(service: Service) -> dict[str, int]:
    return service.felt()
