"""The HTTP API of one provider: a FastAPI application whose answers are written by plain ASGI endpoints.

FastAPI has the routes, the OpenAPI schema and all rare requests. An answer's route hands over to its Endpoint. The
application takes the same Endpoint at once when a request's method and path name it, because FastAPI's own routing
costs as much as the answer.
"""

import re
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from functools import partial
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import HTTPException
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from mockbot.dialects.dialect import Dialect, ModelInPath, ProviderError, StoringDialect
from mockbot.dialects.families import FAMILIES
from mockbot.dialects.family import Family, ModelList
from mockbot.errors import TestbedError
from mockbot.scenario.model_names import listed
from mockbot.service.answer_endpoint import Endpoint, HangUp, caller_of, error_parts, failure_of
from mockbot.service.answer_text import fingerprint
from mockbot.service.control_messages import REACH
from mockbot.service.cross_origin import EXPOSED
from mockbot.service.provider_runtime import ProviderRuntime
from mockbot.service.request_recorder import Answering, RecordedEndpoint, RequestRecorder
from mockbot.service.response_routes import LookUp, add_response_routes
from mockbot.service.upstream_endpoint import UpstreamEndpoint
from mockbot.upstream.exchange import Source
from mockbot.version import __version__


class _Handover(Response):
    """A response that another ASGI application writes."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__()
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)


class ProviderApp(FastAPI):
    """FastAPI, with a shortcut to the endpoints that answer questions."""

    hot: dict[tuple[str, str], Answering]
    with_model: list[tuple[re.Pattern[str], Answering]]  # paths of POST that name a model

    def __init__(self, runtime: ProviderRuntime, docs: str | None = "/docs") -> None:
        title = f"mockbot: {runtime.name}"
        super().__init__(
            title=title, version=__version__, docs_url=docs, redoc_url=None, openapi_url=docs and "/openapi.json"
        )
        self.hot, self.with_model = {}, []
        methods = ["GET", "OPTIONS", "POST", "DELETE"]
        self.add_middleware(
            CORSMiddleware, allow_origins=["*"], allow_methods=methods, allow_headers=["*"], expose_headers=EXPOSED
        )

    def answering(self, family: Family) -> Iterable[Dialect]:
        """The dialects that are served. Other families' too, so that a program meets the same faults with any SDK; a
        path that several have is this family's own.
        """
        served: dict[str, Dialect] = {}
        for each in (dialect for one in (family, *FAMILIES.values()) for dialect in one.dialects):
            served.setdefault(each.path, each)
        return served.values()

    def answer(self, dialect: Dialect, endpoint: Answering) -> None:
        """From now on this endpoint answers the questions to this dialect."""
        if isinstance(dialect, ModelInPath):
            self.with_model += [(_pattern(path), endpoint) for path in (dialect.path, *dialect.also)]
        else:
            self.hot["POST", dialect.path] = endpoint

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Coroutine[Any, Any, None]:
        """ASGI; returns the endpoint's coroutine instead of awaiting it, which saves a step on every request."""
        endpoint = self.hot.get((scope["method"], scope["path"])) if scope["type"] == "http" else None
        if endpoint is None and scope["type"] == "http" and scope["method"] == "POST":
            for pattern, answering in self.with_model:
                if match := pattern.fullmatch(scope["path"]):
                    scope["path_params"], endpoint = match.groupdict(), answering
                    break
        return super().__call__(scope, receive, send) if endpoint is None else endpoint(scope, receive, send)


def provider_app(
    runtime: ProviderRuntime, dialect: str, seed: int, hang_up: HangUp, recorder: RequestRecorder,
    metrics: Callable[[], Awaitable[bytes]],
) -> ProviderApp:  # fmt: skip
    """The application of one provider; `metrics`: in Prometheus' text format, of all its replicas."""
    family = FAMILIES[dialect]
    if runtime.source is not None:
        return _upstream_app(runtime, family, seed, hang_up, recorder, runtime.source)
    app = ProviderApp(runtime)
    look_up = partial(_looked_up, runtime, family, seed)
    for each in app.answering(family):
        endpoint = RecordedEndpoint(Endpoint(runtime, each, seed, hang_up), recorder, runtime, each)
        app.answer(each, endpoint)
        if each in family.dialects:
            _document(app, each, endpoint)
        if isinstance(each, StoringDialect):
            add_response_routes(app, runtime, each, look_up)
    for models in (ModelList(family.models_path, family.model_list, family.model), *family.further_lists):
        _list(app, runtime, family, models, look_up)

    @app.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
    async def scraped() -> Response:
        """What Prometheus reads; of replicas of which one does not answer, nothing: a sum without it would be wrong."""
        try:
            return Response(await metrics(), media_type=CONTENT_TYPE_LATEST)
        except TestbedError as error:
            return Response(f"mockbot: {error}\n", 503, media_type="text/plain")

    _errors(app, runtime, family.dialects, seed)
    return app


def _upstream_app(
    runtime: ProviderRuntime, family: Family, seed: int, hang_up: HangUp, recorder: RequestRecorder, source: Source
) -> ProviderApp:
    """Whatever is asked is asked of the source; only the questions that a dialect reads are recorded."""
    app = ProviderApp(runtime, docs=None)
    for each in app.answering(family):
        endpoint = UpstreamEndpoint(runtime, each, seed, hang_up, source, known=True)
        app.answer(each, RecordedEndpoint(endpoint, recorder, runtime, each))
    app.add_route(REACH, lambda _: Response(status_code=404))
    app.mount("", UpstreamEndpoint(runtime, family.chat, seed, hang_up, source, known=False))
    return app


def _pattern(path: str) -> re.Pattern[str]:
    escaped = re.escape(path).replace(r"\{model\}", "(?P<model>.+)")
    return re.compile(re.sub(r"\\{\w+\\}", "[^/]+", escaped))


def _document(app: FastAPI, dialect: Dialect, endpoint: ASGIApp) -> None:
    async def handle(_: Request) -> Response:
        return _Handover(endpoint)

    content = {"application/json": {"schema": dialect.schema}}
    more: dict[str, Any] = {"requestBody": {"required": True, "content": content}}
    if named := re.findall(r"\{(\w+)\}", dialect.path):
        segment = {"in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        more["parameters"] = [{"name": name, **segment} for name in named]
    app.add_api_route(
        dialect.path.replace("{model}", "{model:path}"),
        handle,
        methods=["POST"],
        name=dialect.path,
        summary=type(dialect).__doc__,
        response_class=Response,
        responses=dict(dialect.responses),
        openapi_extra=more,
    )


def _looked_up(
    runtime: ProviderRuntime, family: Family, seed: int, request: Request, body: Callable[[], bytes]
) -> Response:
    """An answer that needs no slot, or ProviderError for a fault at the edge."""
    caller = caller_of(dict(request.scope["headers"]), request.scope)
    failed = runtime.edge(caller, request.url.path, counts=False)
    if failed is not None:
        raise failure_of(failed)
    response = Response(body(), media_type="application/json")
    mark = fingerprint(seed, request.url.path.encode())
    response.raw_headers += family.chat.headers(mark, 0, (), runtime.clock.speed)
    return response


def _list(app: FastAPI, runtime: ProviderRuntime, family: Family, models: ModelList, look_up: LookUp) -> None:
    def described(model: str) -> bytes:
        if runtime.serves is not None and not runtime.serves(model):
            raise family.chat.unknown_model(model)
        return models.one(model)

    json: dict[str, Any] = {"content": {"application/json": {}}}

    @app.get(models.path, response_class=Response, responses={200: json})
    async def every(request: Request) -> Response:
        """Every model there is."""
        return look_up(request, partial(models.listed, listed(runtime.provider.models, family.models)))

    unknown = family.chat.unknown_model("").status

    @app.get(f"{models.path}/{{model:path}}", response_class=Response, responses={200: json, unknown: {}})
    async def model(model: str, request: Request) -> Response:
        """One model."""
        return look_up(request, partial(described, model))


def _errors(app: FastAPI, runtime: ProviderRuntime, dialects: Sequence[Dialect], seed: int) -> None:
    def answered(request: Request, error: ProviderError) -> Response:
        if error.unknown_model is not None:
            runtime.asked_for("model", error.unknown_model)
        mark = fingerprint(seed, request.url.path.encode())
        host = request.headers.get("host", "api")
        dialect = next((each for each in dialects if each.path == request.url.path), dialects[0])
        headers, body = error_parts(dialect, error, mark, runtime.clock.speed, host)
        response = Response(body, error.status)
        response.raw_headers += headers
        return response

    @app.exception_handler(ProviderError)
    async def on_provider_error(request: Request, error: ProviderError) -> Response:
        return answered(request, error)

    @app.exception_handler(StarletteHTTPException)
    async def on_http(request: Request, error: HTTPException) -> Response:
        code = {404: "unknown_url", 405: "method_not_supported"}.get(error.status_code)
        method, path = request.method, request.url.path
        if path != REACH:
            runtime.asked_for("url", f"{method} {path}")
        try:
            failed = runtime.edge(caller_of(dict(request.scope["headers"]), request.scope), path, counts=False)
        except ProviderError as wrong_key:
            return answered(request, wrong_key)
        if failed is not None:  # an edge that is down knows no paths
            return answered(request, failure_of(failed))
        message = f"Invalid URL ({method} {path})" if code == "unknown_url" else f"Not allowed to {method} on {path}."
        return answered(request, ProviderError(error.status_code, code, message))
