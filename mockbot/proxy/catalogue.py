"""All proxies by name, and what a control request may do to them. Parsed requests in, proxies or an `ApiError` out.

This is the control API without HTTP; `api` puts it on a socket. Checks come in Toxiproxy's order (2.12.0, api.go,
proxy_collection.go, toxic_collection.go), since clients see which one fails first. Deliberately better: what would
crash the original is a 400, a failed update changes nothing, and a reset goes on past a proxy that cannot start.
"""

from dataclasses import dataclass, fields, replace

from mockbot.proxy import gojson
from mockbot.proxy.address import AddressError
from mockbot.proxy.gojson import BodyError, Fields
from mockbot.proxy.proxies import Proxy, Settings, TrafficTable
from mockbot.proxy.toxic import Direction, Toxic
from mockbot.proxy.toxics import effect_type
from mockbot.proxy.toxics.base import Effect


class ApiError(Exception):
    """A refusal with its HTTP status; the text is the `error` of the answer."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.message, self.status = message, status


class PopulateError(ApiError):
    """A populate that stopped; the proxies done so far stay."""

    def __init__(self, cause: ApiError, done: list[Proxy]) -> None:
        super().__init__(cause.message, cause.status)
        self.done = done


@dataclass(frozen=True, slots=True)
class Entry:
    """What a create or populate asks for."""

    name: str
    settings: Settings


def unusable(error: Exception) -> ApiError:
    """The ApiError of an error below: Go answers 500 with the text of what is no API error of its own."""
    if isinstance(error, BodyError):
        return ApiError(f"bad request body: {error}", 400)
    return ApiError(str(error), 500)


class Catalogue:
    """The proxies of one engine."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.proxies: dict[str, Proxy] = {}
        self.traffic = TrafficTable()

    def get(self, name: str) -> Proxy:
        try:
            return self.proxies[name]
        except KeyError:
            raise ApiError("proxy not found", 404) from None

    def listing(self) -> list[Proxy]:
        return [self.proxies[name] for name in sorted(self.proxies)]

    async def create(self, body: bytes) -> Proxy:
        entry = self._entry(read_fields(body, "toxiproxy.Proxy"))
        require(entry, "")
        if entry.name in self.proxies:
            raise ApiError("proxy already exists", 409)
        proxy = self._new(entry)
        if entry.settings.enabled:
            await start(proxy)
        self.proxies[entry.name] = proxy
        return proxy

    async def update(self, name: str, body: bytes) -> Proxy:
        proxy = self.get(name)
        wanted = read_settings(
            read_fields(body, "toxiproxy.Proxy"), Settings(proxy.listen, proxy.upstream, proxy.enabled)
        )
        try:
            await proxy.update(wanted)
        except AddressError as error:
            raise unusable(error) from None
        return proxy

    def delete(self, name: str) -> None:
        self.get(name).stop()
        del self.proxies[name]

    async def populate(self, body: bytes) -> list[Proxy]:
        entries = self._entries(body)
        done: list[Proxy] = []
        for entry in entries:
            try:
                done.append(await self._add_or_replace(entry))
            except AddressError as error:
                raise PopulateError(unusable(error), done) from None
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
            raise unusable(failure)

    def close(self) -> None:
        for proxy in self.proxies.values():
            proxy.stop()

    # -- toxics

    def add_toxic(self, proxy_name: str, body: bytes) -> Toxic:
        proxy = self.get(proxy_name)
        toxic = read_toxic(read_fields(body, "toxics.ToxicWrapper"), proxy)
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
        given = read_fields(body, "struct")
        try:
            effect = read_effect(given, toxic.effect)
            toxicity = given.get("toxicity", "", gojson.as_float32, toxic.toxicity)
        except BodyError as error:
            raise unusable(error) from None
        toxic.effect, toxic.toxicity = effect, toxicity
        proxy.changed_toxic(toxic)
        return toxic

    def remove_toxic(self, proxy_name: str, name: str) -> None:
        proxy, toxic = self.toxic(proxy_name, name)
        proxy.remove_toxic(toxic)

    # -- inside

    def _new(self, entry: Entry) -> Proxy:
        settings = entry.settings
        return Proxy(entry.name, settings.listen, settings.upstream, seed=self.seed, table=self.traffic)

    async def _add_or_replace(self, entry: Entry) -> Proxy:
        """Kept as it is when it does not differ, toxics and enabled flag included; else stopped and made anew."""
        existing = self.proxies.get(entry.name)
        if existing is not None:
            if not await existing.differs(entry.settings.listen, entry.settings.upstream):
                return existing
            existing.stop()
        proxy = self._new(entry)
        if entry.settings.enabled:
            await proxy.start()
        self.proxies[entry.name] = proxy
        return proxy

    def _entry(self, given: Fields) -> Entry:
        try:
            name = given.get("name", "Proxy", gojson.as_text, "")
        except BodyError as error:
            raise unusable(error) from None
        return Entry(name, read_settings(given, Settings("", "", enabled=True)))

    def _entries(self, body: bytes) -> list[Entry]:
        try:
            entries = [
                self._entry(given) for given in gojson.read_objects(gojson.read_value(body), "[]toxiproxy.Proxy")
            ]
            for index, entry in enumerate(entries, 1):
                require(entry, f" at proxy {index}")
        except BodyError as error:
            raise PopulateError(unusable(error), []) from None
        except ApiError as error:
            raise PopulateError(error, []) from None
        return entries


async def start(proxy: Proxy) -> None:
    try:
        await proxy.start()
    except AddressError as error:
        raise unusable(error) from None


def require(entry: Entry, where: str) -> None:
    if not entry.name:
        raise ApiError(f"missing required field: name{where}", 400)
    if not entry.settings.upstream:
        raise ApiError(f"missing required field: upstream{where}", 400)


def read_fields(body: bytes, go_type: str) -> Fields:
    try:
        return gojson.read_fields(gojson.read_value(body), go_type)
    except BodyError as error:
        raise unusable(error) from None


def read_settings(given: Fields, current: Settings) -> Settings:
    try:
        given.get("logger", "Proxy", gojson.as_fields, Fields([]))
        return Settings(
            listen=given.get("listen", "Proxy", gojson.as_text, current.listen),
            upstream=given.get("upstream", "Proxy", gojson.as_text, current.upstream),
            enabled=given.get("enabled", "Proxy", gojson.as_bool, current.enabled),
        )
    except BodyError as error:
        raise unusable(error) from None


def read_toxic(given: Fields, proxy: Proxy) -> Toxic:
    """Checks in Toxiproxy's order: JSON, stream, type, duplicate name, attributes."""
    wrapper = "ToxicWrapper"
    try:
        given.get("attributes", wrapper, gojson.as_fields, Fields([]))
        stream = given.get("stream", wrapper, gojson.as_text, "downstream")
        type_name = given.get("type", wrapper, gojson.as_text, "")
        name = given.get("name", wrapper, gojson.as_text, "") or f"{type_name}_{stream}"
        toxicity = given.get("toxicity", wrapper, gojson.as_float32, 1.0)
        if stream.lower() not in list(Direction):
            raise ApiError("stream was invalid, can be either upstream or downstream", 400)
        effect = effect_type(type_name)
        if effect is None:
            raise ApiError("invalid toxic type", 400)
        if proxy.find(name) is not None:
            raise ApiError("toxic already exists", 409)
        return Toxic(name, stream, Direction(stream.lower()), toxicity, read_effect(given, effect()))
    except BodyError as error:
        raise unusable(error) from None


def read_effect(given: Fields, current: Effect) -> Effect:
    """The effect with the attributes that were given; unknown ones are ignored, absent ones keep their value."""
    attributes = given.get("attributes", "", gojson.as_fields, Fields([]))
    values = {
        field.name: attributes.get(field.name, ".attributes", gojson.as_int64, getattr(current, field.name))
        for field in fields(current)
    }
    effect = replace(current, **values)
    refusal = effect.refusal()
    if refusal is not None:
        raise BodyError(refusal)
    return effect
