"""The control API, `/_mockbot/...` on a port of its own: clock, faults, status page and records. For programs only.

It refuses browsers, and on an address that other machines reach every request without the token.
"""

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Annotated, Protocol

from fastapi import FastAPI, Query, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST

from mockbot.clock import Clock
from mockbot.errors import TestbedError
from mockbot.evidence.records import Request as RecordedRequest
from mockbot.evidence.records import ServiceSecond
from mockbot.http_server.browser_guard import refused
from mockbot.scenario.timeline import ActiveFault, StatusState
from mockbot.service.control_messages import PREFIX, ServicePorts, SharedClock
from mockbot.version import __version__


class Controlled(Protocol):
    """The service as the control API uses it."""

    def ports(self) -> ServicePorts: ...

    async def troubles(self) -> list[str]: ...

    async def metrics(self, provider: str) -> bytes: ...

    async def felt(self) -> Counter[str]: ...

    async def unserved(self) -> Counter[str]: ...

    def faults(self) -> dict[str, list[str]]: ...

    def providers(self) -> tuple[str, ...]: ...

    async def start_clock(self, clock: Clock) -> None: ...

    async def set_faults(self, provider: str, faults: tuple[ActiveFault, ...]) -> None: ...

    def set_status(self, state: StatusState | None) -> None: ...

    async def seconds(self, since: int) -> list[ServiceSecond]: ...

    async def record_requests(self) -> None: ...

    async def requests(self, since: int) -> tuple[list[RecordedRequest], list[RecordedRequest]]: ...


def control_app(service: Controlled, token: str | None) -> FastAPI:
    """The control application. `token`: every request's Bearer token, None on loopback."""
    app = FastAPI(title="mockbot: control", version=__version__, docs_url=None, redoc_url=None)

    @app.middleware("http")
    async def guard(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        refusal = refused(request, token)
        return await call_next(request) if refusal is None else refusal

    @app.exception_handler(TestbedError)
    async def failed(_: Request, error: TestbedError) -> JSONResponse:
        return JSONResponse({"error": str(error)}, 503)

    @app.get(f"{PREFIX}/health")
    async def health() -> dict[str, object]:
        noticed = {"troubles": await service.troubles(), "faults": service.faults()}
        return {"version": __version__, **asdict(service.ports()), **noticed}

    @app.put(f"{PREFIX}/clock", status_code=204)
    async def clock(body: SharedClock) -> None:
        await service.start_clock(body.here())

    @app.put(f"{PREFIX}/faults/{{provider}}", status_code=204, responses={404: {}})
    async def faults(provider: str, body: tuple[ActiveFault, ...]) -> Response:
        if provider not in service.providers():
            return _unknown(provider, service)
        await service.set_faults(provider, body)
        return Response(status_code=204)

    @app.put(f"{PREFIX}/status", status_code=204)
    async def status(body: StatusState | None) -> None:
        service.set_status(body)

    @app.put(f"{PREFIX}/recording", status_code=204)
    async def recording() -> None:
        await service.record_requests()

    _add_records(app, service)
    return app


def _unknown(provider: str, service: Controlled) -> Response:
    return JSONResponse({"error": f"no provider {provider!r}; there are {', '.join(service.providers())}"}, 404)


def _add_records(app: FastAPI, service: Controlled) -> None:
    @app.get(f"{PREFIX}/requests")
    async def requests(since: Annotated[int, Query(ge=0)] = 0) -> JSONResponse:
        finished, unfinished = ([asdict(each) for each in requests] for requests in await service.requests(since))
        return JSONResponse({"finished": finished, "unfinished": unfinished})

    @app.get(f"{PREFIX}/seconds")
    async def seconds(since: Annotated[int, Query(ge=0)] = 0) -> JSONResponse:
        return JSONResponse([asdict(second) for second in await service.seconds(since)])

    @app.get(f"{PREFIX}/totals")
    async def totals() -> dict[str, Counter[str]]:
        return {"felt": await service.felt(), "unserved": await service.unserved()}

    @app.get(f"{PREFIX}/metrics/{{provider}}", response_class=Response)
    async def metrics(provider: str) -> Response:
        if provider not in service.providers():
            return _unknown(provider, service)
        return Response(await service.metrics(provider), media_type=CONTENT_TYPE_LATEST)
