"""Toxiproxy's HTTP control API as an ASGI app: the routes, statuses, headers and JSON of Toxiproxy 2.12.0.

Written on bare ASGI because clients see what frameworks decide for themselves: 405 with an empty body and no Allow,
JSON errors declared as text/plain, a 301 for an uncleaned path, 404 before the browser check and 405 before it too.
Source: api.go and gorilla/mux at that version. Routes under `/mockbot/` are ours:

    GET /mockbot/stats          {"engine", "seed", "tasks", "connections"}
    GET /mockbot/proxies/{p}    {"connections", "live", "unreachable", "closed_by_disable",
                                 "felt": {toxic: connections},
                                 "log": [{"number", "opened", "toxics", "closed_by_disable", "port"}]}
"""

import asyncio
import json
import posixpath
import secrets
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, fields, replace
from functools import partial
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
HANDLER_LIMIT = 25.0
LARGEST_BODY = 4 * 1024 * 1024
DRAINED_BODY = 64 * 1024 * 1024
TEXT = "text/plain; charset=utf-8"
JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer; `content_type` None sends none."""

    status: int
    body: bytes = b""
    content_type: str | None = None
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Request:
    """A matched request: the names in its path, its body."""

    names: tuple[str, ...]
    body: bytes


Handler = Callable[[Request], Awaitable[Answer]]


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


class ControlApi:
    """The ASGI app over one collection."""

    def __init__(
        self, collection: ProxyCollection, version: str, metrics: Metrics | None = None, token: str | None = None
    ):
        self._collection, self._version, self._token = collection, version, token
        self._lock = asyncio.Lock()  # changes of proxies one after another; a name may have to be resolved meanwhile
        self._routes: list[tuple[str, Mapping[str, Handler]]] = [
            ("/reset", {"POST": self._reset}),
            ("/proxies", {"GET": self._index, "POST": self._create}),
            ("/populate", {"POST": self._populate}),
            ("/proxies/*", {"GET": self._show, "POST": self._update, "PATCH": self._update, "DELETE": self._delete}),
            ("/proxies/*/toxics", {"GET": self._toxics, "POST": self._add_toxic}),
            (
                "/proxies/*/toxics/*",
                {
                    "GET": self._toxic,
                    "POST": self._update_toxic,
                    "PATCH": self._update_toxic,
                    "DELETE": self._remove_toxic,
                },
            ),
            ("/version", {"GET": self._show_version}),
            ("/mockbot/stats", {"GET": self._stats}),
            ("/mockbot/proxies/*", {"GET": self._felt}),
        ]
        if metrics is not None:
            self._routes.append(("/metrics", {"*": partial(self._show_metrics, metrics)}))  # any method

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
        path, method = unquote(scope["raw_path"].decode("ascii"), errors="surrogateescape"), scope["method"]
        clean = posixpath.normpath("/" + path.lstrip("/")) + ("/" if path.endswith("/") and path.strip("/") else "")
        if clean != path:
            query = scope["query_string"].decode("ascii", "replace")
            location = quote(clean, errors="surrogateescape", safe="/:@&=+$,;~") + (f"?{query}" if query else "")
            return Answer(301, headers=(("Location", location),))
        found = self._match(path)
        if found is None:
            return text(404, "404 page not found")
        handlers, names = found
        handler = handlers.get(method, handlers.get("*"))
        if handler is None:
            return Answer(405)
        answer = self._refused(scope) or await self._handled(handler, names, receive)
        return replace(answer, headers=(*answer.headers, ("X-Toxiproxy-Request-Id", secrets.token_hex(10))))

    def _match(self, path: str) -> tuple[Mapping[str, Handler], tuple[str, ...]] | None:
        parts = path.split("/")
        for pattern, handlers in self._routes:
            wanted = pattern.split("/")
            if len(wanted) == len(parts) and all(
                w == p or (w == "*" and p) for w, p in zip(wanted, parts, strict=True)
            ):
                return handlers, tuple(p for w, p in zip(wanted, parts, strict=True) if w == "*")
        return None

    def _refused(self, scope: Scope) -> Answer | None:
        headers = dict(scope["headers"])
        if headers.get(b"user-agent", b"").startswith(b"Mozilla/"):
            return text(403, "User agent not allowed")
        if self._token is not None and headers.get(b"authorization") != f"Bearer {self._token}".encode():
            return error("this control port needs its token: Authorization: Bearer TOKEN", 401)
        return None

    async def _handled(self, handler: Handler, names: tuple[str, ...], receive: Receive) -> Answer:
        try:
            async with asyncio.timeout(HANDLER_LIMIT):
                return await handler(Request(names, await read_body(receive)))
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

    # -- handlers, in the order of Toxiproxy's table of routes

    async def _reset(self, _: Request) -> Answer:
        async with self._lock:
            await self._collection.reset()
        return Answer(204)

    async def _index(self, _: Request) -> Answer:
        return json_answer({proxy.name: proxy_json(proxy) for proxy in self._collection.listing()})

    async def _create(self, request: Request) -> Answer:
        async with self._lock:
            return json_answer(proxy_json(await self._collection.create(request.body)), 201)

    async def _populate(self, request: Request) -> Answer:
        async with self._lock:
            done = await self._collection.populate(request.body)
        return json_answer({"proxies": [proxy_json(proxy) for proxy in done] or None}, 201)

    async def _show(self, request: Request) -> Answer:
        return json_answer(proxy_json(self._collection.get(request.names[0])))

    async def _update(self, request: Request) -> Answer:
        async with self._lock:
            return json_answer(proxy_json(await self._collection.update(request.names[0], request.body)))

    async def _delete(self, request: Request) -> Answer:
        async with self._lock:
            self._collection.delete(request.names[0])
        return Answer(204)

    async def _toxics(self, request: Request) -> Answer:
        return json_answer([toxic_json(toxic) for toxic in self._collection.get(request.names[0]).all_toxics()])

    async def _add_toxic(self, request: Request) -> Answer:
        return json_answer(toxic_json(self._collection.add_toxic(request.names[0], request.body)))

    async def _toxic(self, request: Request) -> Answer:
        _, toxic = self._collection.toxic(request.names[0], request.names[1])
        return json_answer(toxic_json(toxic))

    async def _update_toxic(self, request: Request) -> Answer:
        return json_answer(toxic_json(self._collection.update_toxic(request.names[0], request.names[1], request.body)))

    async def _remove_toxic(self, request: Request) -> Answer:
        self._collection.remove_toxic(request.names[0], request.names[1])
        return Answer(204)

    async def _show_version(self, _: Request) -> Answer:
        return Answer(200, f'{{"version": "{self._version}"}}\n'.encode(), "application/json;charset=utf-8")

    async def _show_metrics(self, metrics: Metrics, _: Request) -> Answer:
        return Answer(200, metrics.page(), metrics.content_type)

    # -- ours

    async def _stats(self, _: Request) -> Answer:
        live = sum(len(proxy.connections) for proxy in self._collection.proxies.values())
        tasks = len(asyncio.all_tasks())
        return json_answer({"engine": ENGINE, "seed": self._collection.seed, "tasks": tasks, "connections": live})

    async def _felt(self, request: Request) -> Answer:
        proxy = self._collection.get(request.names[0])
        keys = ("number", "opened", "toxics", "port")
        log = [{key: getattr(c, key) for key in keys} | {"closed_by_disable": c.cut_by_disable} for c in proxy.finished]
        return json_answer(
            {
                "connections": proxy.accepted,
                "live": len(proxy.connections),
                "unreachable": proxy.unreachable,
                "closed_by_disable": proxy.cut_by_disable,
                "felt": proxy.touched,
                "log": log,
            }
        )


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
