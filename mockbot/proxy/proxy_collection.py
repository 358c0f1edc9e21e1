"""All proxies by name, and the changes that a control request can make to them. Bodies in, proxies out.

This is the control API without HTTP, which `api` adds. Raises ApiError, and AddressError for an address that cannot be
used. The order of checks is Toxiproxy's (2.12.0, api.go, proxy_collection.go), with two differences on purpose: a
failed update changes nothing, and a reset continues after a proxy that cannot start.
"""

import asyncio

from mockbot.process.self_watch import SelfWatch
from mockbot.proxy.address import AddressError
from mockbot.proxy.control_request import (
    ApiError,
    Entry,
    read_change,
    read_entries,
    read_entry,
    read_settings,
    read_toxic,
)
from mockbot.proxy.proxies import Proxy, Settings, TrafficTable
from mockbot.proxy.timers import LoopTimers
from mockbot.proxy.toxic import Toxic


class PopulateError(ApiError):
    """A populate that stopped; the proxies done so far stay."""

    def __init__(self, cause: ApiError | AddressError, done: list[Proxy]) -> None:
        super().__init__(str(cause), cause.status if isinstance(cause, ApiError) else 500)
        self.done = done


class ProxyCollection:
    """The proxies of one engine."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.proxies: dict[str, Proxy] = {}
        self.traffic = TrafficTable()
        self.watch = SelfWatch()
        self._timers = LoopTimers(asyncio.get_running_loop())

    def get(self, name: str) -> Proxy:
        try:
            return self.proxies[name]
        except KeyError:
            raise ApiError("proxy not found", 404) from None

    def listing(self) -> list[Proxy]:
        return [self.proxies[name] for name in sorted(self.proxies)]

    async def create(self, body: bytes) -> Proxy:
        entry = read_entry(body)
        if entry.name in self.proxies:
            raise ApiError("proxy already exists", 409)
        return await self._make(entry)

    async def update(self, name: str, body: bytes) -> Proxy:
        proxy = self.get(name)
        await proxy.update(read_settings(body, Settings(proxy.listen, proxy.upstream, proxy.enabled)))
        return proxy

    def delete(self, name: str) -> None:
        self.get(name).stop()
        del self.proxies[name]

    async def populate(self, body: bytes) -> list[Proxy]:
        """A proxy that does not differ is kept with its toxics and enabled flag; any other is stopped and made anew."""
        done: list[Proxy] = []
        try:
            for entry in read_entries(body):
                proxy = self.proxies.get(entry.name)
                if proxy is None or await proxy.differs(entry.settings.listen, entry.settings.upstream):
                    if proxy is not None:
                        proxy.stop()
                    proxy = await self._make(entry)
                done.append(proxy)
        except (ApiError, AddressError) as error:
            raise PopulateError(error, done) from None
        return done

    async def reset(self) -> None:
        """Start every proxy and remove every toxic; the first proxy that cannot start is reported at the end."""
        failure: AddressError | None = None
        for proxy in self.listing():
            try:
                await proxy.start()
            except AddressError as error:
                failure = failure or error
            proxy.remove_toxics()
        if failure is not None:
            raise failure

    def close(self) -> None:
        for proxy in self.proxies.values():
            proxy.stop()

    def add_toxic(self, proxy_name: str, body: bytes) -> Toxic:
        proxy = self.get(proxy_name)
        toxic = read_toxic(body, proxy)
        proxy.add_toxic(toxic)
        return toxic

    def toxic(self, proxy_name: str, name: str) -> tuple[Proxy, Toxic]:
        proxy = self.get(proxy_name)
        toxic = proxy.find(name)
        if toxic is None:
            raise ApiError("toxic not found", 404)
        return proxy, toxic

    def update_toxic(self, proxy_name: str, name: str, body: bytes) -> Toxic:
        """Absent fields keep their value; a refused request changes nothing (the original applies its valid part)."""
        proxy, toxic = self.toxic(proxy_name, name)
        toxic.effect, toxic.toxicity = read_change(body, toxic)
        proxy.changed_toxic(toxic)
        return toxic

    def remove_toxic(self, proxy_name: str, name: str) -> None:
        proxy, toxic = self.toxic(proxy_name, name)
        proxy.remove_toxic(toxic)

    async def _make(self, entry: Entry) -> Proxy:
        settings = entry.settings
        where = settings.listen, settings.upstream
        proxy = Proxy(entry.name, *where, self._timers, seed=self.seed, table=self.traffic, watch=self.watch)
        if settings.enabled:
            await proxy.start()
        self.proxies[entry.name] = proxy
        return proxy
