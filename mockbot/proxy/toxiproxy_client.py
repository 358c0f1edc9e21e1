"""ToxicControl: a control port, embedded or Toxiproxy's own, driven through toxiproxy-python with blocking calls.

The only importer of toxiproxy-python 0.1.1. `control_session.over` gives its classes a session of their own, with time
limits and typed errors, and this module quotes names for URLs and adds the calls that the library lacks. The library's
own modules stay as they are.

No call waits without a limit. After enabling or disabling, the server is asked whether it did so. On Toxiproxy itself,
a toxic is removed or updated at a proxy that is created again for it; otherwise its control API can deadlock.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast
from urllib.parse import quote

from toxiproxy import proxy as library_proxy
from toxiproxy import server as library_server

from mockbot.errors import TestbedError
from mockbot.proxy.control_session import LIMITS, ControlError, Session, over
from mockbot.proxy.toxics import effect_type

CLOSED_BY_DISABLE: Final = "(proxy disabled)"


@dataclass(frozen=True, slots=True)
class ToxicSpec:
    """A toxic to place; attributes in Toxiproxy's units (milliseconds, KB/s, bytes)."""

    name: str
    type: str
    stream: str = "downstream"
    toxicity: float = 1.0
    attributes: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ProxyState:
    """A proxy as the server describes it."""

    name: str
    listen: str
    upstream: str
    enabled: bool
    toxics: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EndedConnection:
    """A connection that is over: its port on the server's side, the toxics that touched it, and whether a disable
    closed it.
    """

    port: int
    toxics: tuple[str, ...]
    closed_by_disable: bool


class ToxicControl:
    """The control port at `url`, for instance `http://127.0.0.1:8474`."""

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        limits: tuple[float, float] = LIMITS,
    ) -> None:
        self._session = Session(url, token, limits)
        self._toxiproxy = over(library_server.Toxiproxy, self._session)()
        self._proxy_class = over(library_proxy.Proxy, self._session)
        self._embedded: bool | None = None

    # -- the server

    def version(self) -> str:
        """The server's version; `git` for a Toxiproxy that was built from its module."""
        answer = self._session.get("/version")
        self._embedded = answer.headers.get("x-mockbot-engine") == "embedded"
        return str(answer.json()["version"])

    @property
    def embedded(self) -> bool:
        """Whether it is mockbot's own engine."""
        if self._embedded is None:
            self.version()
        return bool(self._embedded)

    def troubles(self) -> list[str]:
        """What the embedded proxy has noticed about itself since it started (SelfWatch); Toxiproxy only answers."""
        if self.embedded:
            return list(self._session.get("/mockbot/stats").json()["troubles"])
        self.version()
        return []

    def proxies(self) -> tuple[str, ...]:
        return tuple(self._toxiproxy.proxies())

    def states(self) -> dict[str, ProxyState]:
        """Every proxy of the server, by name; in one request."""
        return {name: state_of(each) for name, each in self._session.get("/proxies").json().items()}

    # -- proxies

    def create(self, name: str, upstream: str, listen: str = "127.0.0.1:0") -> str:
        """Create a proxy; the address that it really listens on. ControlError 409 when the name is taken."""
        if name in self.proxies():  # the library's own error has no status
            raise ControlError(f"create the proxy {name}", 409, "proxy already exists")
        return str(self._toxiproxy.create(upstream=upstream, name=name, listen=listen).listen)

    def get_proxy(self, name: str) -> ProxyState:
        return state_of(self._session.get(f"/proxies/{quoted(name)}").json())

    def update_proxy(self, name: str, *, listen: str | None = None, upstream: str | None = None) -> ProxyState:
        """Move a proxy; its connections are closed, its toxics stay."""
        change = {"listen": listen, "upstream": upstream}
        return state_of(self._patch(f"/proxies/{quoted(name)}", {k: v for k, v in change.items() if v is not None}))

    def delete(self, name: str) -> None:
        """Delete a proxy; already gone is fine."""
        self._gone_is_fine(self._proxy(name).destroy)

    def enable(self, name: str) -> None:
        self._proxy(name).enable()
        self._expect(name, enabled=True)

    def disable(self, name: str) -> None:
        self._proxy(name).disable()
        self._expect(name, enabled=False)

    # -- toxics

    def add_toxic(self, proxy: str, toxic: ToxicSpec) -> None:
        refuse_what_crashes(toxic.type, toxic.attributes)
        self._proxy(proxy).add_toxic(
            type=toxic.type,
            stream=toxic.stream,
            name=toxic.name,
            toxicity=toxic.toxicity,
            attributes=dict(toxic.attributes),
        )

    def update_toxic(self, proxy: str, toxic: ToxicSpec) -> None:
        """New attributes and toxicity for the toxic of that name; live connections follow at once."""
        refuse_what_crashes(toxic.type, toxic.attributes)
        body = {"toxicity": toxic.toxicity, "attributes": dict(toxic.attributes)}
        self._without_connections(
            proxy, lambda: self._patch(f"/proxies/{quoted(proxy)}/toxics/{quoted(toxic.name)}", body)
        )

    def remove_toxic(self, proxy: str, name: str) -> None:
        """Remove a toxic; already gone is fine."""
        remove = self._proxy(proxy).destroy_toxic
        self._gone_is_fine(lambda: self._without_connections(proxy, lambda: remove(quoted(name))))

    def felt(self, proxy: str) -> dict[str, int] | None:
        """How many connections each toxic touched so far, removed toxics included; None where nothing counts them.

        `CLOSED_BY_DISABLE` counts the connections that a disable closed, not those refused while the proxy is down.
        """
        answer = self._connections(proxy)
        return None if answer is None else {**answer["felt"], CLOSED_BY_DISABLE: answer["closed_by_disable"]}

    def ended(self, proxy: str, known: int = 0) -> tuple[EndedConnection, ...]:
        """The connections that are over, but for the first `known`; none where the server keeps no log.

        Raises TestbedError when the server has dropped some of them already.
        """
        if not self.embedded:
            return ()
        answer = self._session.get(f"/mockbot/proxies/{quoted(proxy)}/ended/{known}").json()
        if answer["first"] > known:
            lost = answer["first"] - known
            raise TestbedError(f"{lost} connections of {proxy} ended unseen between two looks; run with less load")
        log = answer["log"]
        return tuple(EndedConnection(each["port"], tuple(each["toxics"]), each["closed_by_disable"]) for each in log)

    # -- inside

    def _connections(self, proxy: str) -> Any:
        """What only the embedded proxy has (api.connections_json); None from Toxiproxy."""
        return self._session.get(f"/mockbot/proxies/{quoted(proxy)}").json() if self.embedded else None

    def _proxy(self, name: str) -> Any:
        """The library's object for a proxy of that name, without a request."""
        return self._proxy_class(name=quoted(name), upstream="", listen="", enabled=True)

    def _patch(self, path: str, body: object) -> dict[str, Any]:
        """PATCH, or POST for servers before 2.6."""
        try:
            answer = self._session.call("PATCH", path, body)
        except ControlError as error:
            if error.status != 405:
                raise
            answer = self._session.call("POST", path, body)
        return cast(dict[str, Any], answer.json())

    def _expect(self, name: str, *, enabled: bool) -> None:
        if self.get_proxy(name).enabled != enabled:
            verb = "enable" if enabled else "disable"
            raise ControlError(f"{verb} the proxy {name}", 200, "it confirmed the change and did not make it")

    def _without_connections(self, proxy: str, change: Callable[[], object]) -> None:
        """Make a change of a toxic; on Toxiproxy at a proxy that was just created again, with the same toxics.

        There, a change that meets a connection which is about to end can hang the server (issue #558), and a disabled
        proxy's connections may still be about to.
        """
        if self.embedded:
            change()
            return
        was = self._session.get(f"/proxies/{quoted(proxy)}").json()
        self.delete(proxy)
        self._session.call("POST", "/proxies", {**was, "enabled": False})
        for toxic in was["toxics"]:
            self._session.call("POST", f"/proxies/{quoted(proxy)}/toxics", toxic)
        try:
            change()
        except ControlError:
            if was["enabled"]:
                self.enable(proxy)
            raise
        if was["enabled"]:
            self.enable(proxy)

    @staticmethod
    def _gone_is_fine(remove: Callable[[], object]) -> None:
        try:
            remove()
        except ControlError as error:
            if error.status != 404:
                raise


def quoted(name: str) -> str:
    return quote(name, safe="")


def state_of(answer: Mapping[str, Any]) -> ProxyState:
    return ProxyState(
        name=answer["name"],
        listen=answer["listen"],
        upstream=answer["upstream"],
        enabled=answer["enabled"],
        toxics=tuple(toxic["name"] for toxic in answer["toxics"]),
    )


def refuse_what_crashes(type_name: str, attributes: Mapping[str, int]) -> None:
    """ControlError 400 for attributes that end the original's process (Toxiproxy 2.12.0, issue #541), on any engine."""
    effect = effect_type(type_name)
    if effect is None:
        return
    known = {name: value for name, value in attributes.items() if name in effect.__dataclass_fields__}
    refusal = effect(**known).refusal()
    if refusal is not None:
        raise ControlError(f"add the toxic {type_name}", 400, refusal)
