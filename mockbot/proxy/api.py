"""Toxiproxy's HTTP control API as an ASGI app: the routes, statuses, headers and JSON of Toxiproxy 2.12.0.

On bare ASGI, because frameworks decide differently what clients can see: 405 has an empty body and no Allow, JSON
errors are declared as text/plain, an uncleaned path is a 301, and 404 and 405 come before the browser check. Source:
api.go and gorilla/mux at that version. Routes under `/mockbot/` are not Toxiproxy's:

    GET /mockbot/stats          {"engine", "seed", "tasks", "connections", "troubles"}
    GET /mockbot/proxies/{p}    {"connections", "live", "unreachable", "closed_by_disable",
                                 "felt": {toxic: connections}}
    GET /mockbot/proxies/{p}/ended/{n}    all but the first n connections that are over: {"first": n or more,
                                 "log": [{"number", "opened", "toxics", "closed_by_disable", "port"}]}
"""

import asyncio
import hmac
import json
import posixpath
import re
import secrets
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from itertools import islice
from typing import Any
from urllib.parse import quote, unquote

from mockbot.proxy.address import AddressError
from mockbot.proxy.control_request import ApiError
from mockbot.proxy.proxies import Proxy
from mockbot.proxy.proxy_collection import PopulateError, ProxyCollection
from mockbot.proxy.toxic import Toxic
from mockbot.proxy.traffic_metrics import Metrics

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

ENGINE = "embedded"
HANDLER_LIMIT = 25.0  # seconds, as in Toxiproxy
LARGEST_BODY = 4 * 1024 * 1024
DRAINED_BODY = 64 * 1024 * 1024  # read and dropped, so that the client sees the 413 instead of a reset
BAD_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
TEXT = "text/plain; charset=utf-8"
JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer; `content_type` None sends none."""

    status: int
    body: bytes = b""
    content_type: str | None = None
    headers: tuple[tuple[str, str], ...] = ()


# Path -> its methods; "*" stands for any one name. The order is that of Toxiproxy's own table (api.go).
ROUTES: dict[tuple[str, ...], str] = {
    ("reset",): "POST",
    ("proxies",): "GET POST",
    ("populate",): "POST",
    ("proxies", "*"): "GET POST PATCH DELETE",
    ("proxies", "*", "toxics"): "GET POST",
    ("proxies", "*", "toxics", "*"): "GET POST PATCH DELETE",
    ("version",): "GET",
    ("mockbot", "stats"): "GET",
    ("mockbot", "proxies", "*"): "GET",
    ("mockbot", "proxies", "*", "ended", "*"): "GET",
}
NO_CONTENT = Answer(204)


def text(status: int, line: str) -> Answer:
    return Answer(status, f"{line}\n".encode(), TEXT, (("X-Content-Type-Options", "nosniff"),))


def error(message: str, status: int) -> Answer:
    """JSON, but declared as text, as in the original."""
    return text(status, compact({"error": message, "status": status}))


def json_answer(value: object, status: int = 200) -> Answer:
    return Answer(status, compact(value).encode(), JSON)


def compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def proxy_json(proxy: Proxy) -> dict[str, object]:
    """`Logger` is a stray field of every answer since 2.5 that typed clients have come to model."""
    return {
        "name": proxy.name,
        "listen": proxy.listen,
        "upstream": proxy.upstream,
        "enabled": proxy.enabled,
        "Logger": {},
        "toxics": [toxic_json(toxic) for toxic in proxy.all_toxics()],
    }


def toxic_json(toxic: Toxic) -> dict[str, object]:
    return {
        "attributes": {field.name: getattr(toxic.effect, field.name) for field in fields(toxic.effect)},
        "name": toxic.name,
        "type": toxic.effect.type,
        "stream": toxic.stream,
        "toxicity": toxic.toxicity,
    }


def connections_json(proxy: Proxy) -> dict[str, object]:
    """What became of a proxy's connections."""
    return {
        "connections": proxy.accepted,
        "live": len(proxy.connections),
        "unreachable": proxy.unreachable,
        "closed_by_disable": proxy.closed_by_disable,
        "felt": proxy.touched,
    }


def ended_json(proxy: Proxy, known: str) -> dict[str, object]:
    """The connections that are over, but for the first `known`; `first` is greater where the log has dropped some."""
    if not (known.isascii() and known.isdigit()):
        raise ApiError("bad request: a number of connections is missing", 400)
    first = max(int(known), proxy.over - len(proxy.finished))
    rest = islice(proxy.finished, first - (proxy.over - len(proxy.finished)), None)
    return {"first": first, "log": [asdict(each) for each in rest]}


def matches(pattern: Sequence[str], parts: Sequence[str]) -> bool:
    """Whether a path belongs to a route; a name is not empty."""
    return len(pattern) == len(parts) and all(
        wanted == part or (wanted == "*" and part) for wanted, part in zip(pattern, parts, strict=True)
    )


class ControlApi:
    """The ASGI app over one collection; `/metrics` is there when `metrics` is given."""

    def __init__(
        self, collection: ProxyCollection, version: str, metrics: Metrics | None = None, token: str | None = None
    ):
        self._collection, self._version, self._metrics, self._token = collection, version, metrics, token
        self._lock = asyncio.Lock()  # changes of proxies one after another; a name may have to be resolved meanwhile

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = await self._answer(scope, receive)
        headers = [("X-Mockbot-Engine", ENGINE), *answer.headers]
        if answer.content_type is not None:
            headers.append(("Content-Type", answer.content_type))
        if answer.status != 204:
            headers.append(("Content-Length", str(len(answer.body))))
        raw = [(name.lower().encode(), value.encode()) for name, value in headers]
        await send({"type": "http.response.start", "status": answer.status, "headers": raw})
        await send({"type": "http.response.body", "body": answer.body})

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        if not scope["raw_path"].startswith(b"/") or BAD_ESCAPE.search(scope["raw_path"]):
            return Answer(400, b"400 Bad Request", TEXT, (("Connection", "close"),))
        path, method = unquote(scope["raw_path"].decode("ascii"), errors="surrogateescape"), scope["method"]
        clean = posixpath.normpath("/" + path.lstrip("/")) + ("/" if path.endswith("/") and path.strip("/") else "")
        if clean != path:
            query = scope["query_string"].decode("ascii", "replace")
            location = quote(clean, errors="surrogateescape", safe="/:@&=+$,;~") + (f"?{query}" if query else "")
            return Answer(301, headers=(("Location", location),))
        parts = tuple(path.split("/")[1:])
        if self._metrics is not None and parts == ("metrics",):  # whatever the method
            methods = [method]
        else:
            pattern = next((each for each in ROUTES if matches(each, parts)), None)
            if pattern is None:
                return text(404, "404 page not found")
            methods = ROUTES[pattern].split()
        if method not in methods:
            return Answer(405)
        answer = self._refusal(dict(scope["headers"])) or await self._handle(method, parts, receive)
        return replace(answer, headers=(*answer.headers, ("X-Toxiproxy-Request-Id", secrets.token_hex(10))))

    def _refusal(self, headers: Mapping[bytes, bytes]) -> Answer | None:
        # Toxiproxy looks at the user agent only, which a page may set. These two come with whatever a script sends.
        foreign = b"origin" in headers or headers.get(b"sec-fetch-site", b"none") != b"none"
        if foreign or headers.get(b"user-agent", b"").startswith(b"Mozilla/"):
            return text(403, "User agent not allowed")
        if self._token is not None:
            wanted = f"Bearer {self._token}".encode()
            if not hmac.compare_digest(headers.get(b"authorization", b""), wanted):
                return error("this control port needs its token: Authorization: Bearer TOKEN", 401)
        return None

    async def _handle(self, method: str, parts: tuple[str, ...], receive: Receive) -> Answer:
        try:
            async with asyncio.timeout(HANDLER_LIMIT):
                return await self._respond(method, parts, await read_body(receive))
        except PopulateError as refusal:
            done = [proxy_json(proxy) for proxy in refusal.done]
            value = {"error": refusal.message, "status": refusal.status, "proxies": done or None}
            return json_answer(value, refusal.status)
        except ApiError as refusal:
            return error(refusal.message, refusal.status)
        except AddressError as refusal:
            return error(str(refusal), 500)
        except TimeoutError:
            return text(503, "Timeout")

    async def _respond(self, method: str, parts: tuple[str, ...], body: bytes) -> Answer:  # noqa: C901, PLR0912 - a case a route
        collection = self._collection
        match method, *parts:
            case "POST", "reset":
                async with self._lock:
                    await collection.reset()
                return NO_CONTENT
            case "GET", "proxies":
                return json_answer({proxy.name: proxy_json(proxy) for proxy in collection.listing()})
            case "POST", "proxies":
                async with self._lock:
                    return json_answer(proxy_json(await collection.create(body)), 201)
            case "POST", "populate":
                async with self._lock:
                    proxies = await collection.populate(body)
                return json_answer({"proxies": [proxy_json(proxy) for proxy in proxies] or None}, 201)
            case "GET", "proxies", name:
                return json_answer(proxy_json(collection.get(name)))
            case "POST" | "PATCH", "proxies", name:
                async with self._lock:
                    return json_answer(proxy_json(await collection.update(name, body)))
            case "DELETE", "proxies", name:
                async with self._lock:
                    collection.delete(name)
                return NO_CONTENT
            case "GET", "proxies", name, "toxics":
                return json_answer([toxic_json(toxic) for toxic in collection.get(name).all_toxics()])
            case "POST", "proxies", name, "toxics":
                return json_answer(toxic_json(collection.add_toxic(name, body)))
            case "GET", "proxies", name, "toxics", toxic:
                return json_answer(toxic_json(collection.toxic(name, toxic)[1]))
            case "POST" | "PATCH", "proxies", name, "toxics", toxic:
                return json_answer(toxic_json(collection.update_toxic(name, toxic, body)))
            case "DELETE", "proxies", name, "toxics", toxic:
                collection.remove_toxic(name, toxic)
                return NO_CONTENT
            case "GET", "version":
                return Answer(200, f'{{"version": "{self._version}"}}\n'.encode(), "application/json;charset=utf-8")
            case _, "metrics" if self._metrics is not None:
                return Answer(200, self._metrics.page(), self._metrics.content_type)
            case "GET", "mockbot", "stats":
                connections = sum(len(proxy.connections) for proxy in collection.proxies.values())
                stats = {"engine": ENGINE, "seed": collection.seed, "tasks": len(asyncio.all_tasks())}
                return json_answer({**stats, "connections": connections, "troubles": collection.watch.troubles})
            case "GET", "mockbot", "proxies", name:
                return json_answer(connections_json(collection.get(name)))
            case "GET", "mockbot", "proxies", name, "ended", known:
                return json_answer(ended_json(collection.get(name), known))
            case _:
                raise AssertionError(f"{method} {parts} is in ROUTES and has no case here")


async def read_body(receive: Receive) -> bytes:
    """The whole body; 413 when it is too large to be read without holding up the traffic, after draining it."""
    body, size, more = bytearray(), 0, True
    while more and size < DRAINED_BODY:
        message = await receive()
        if message["type"] == "http.disconnect":
            break
        part, more = message.get("body", b""), message.get("more_body", False)
        size += len(part)
        if size <= LARGEST_BODY:
            body += part
    if size > LARGEST_BODY:
        raise ApiError(f"request body too large: more than {LARGEST_BODY} bytes", 413)
    return bytes(body)
