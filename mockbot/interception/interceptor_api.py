"""The interceptor's control API, for the process that has started it: forward proxy and TLS servers in, an app out.

PUT /addresses          {PROVIDER: "HOST:PORT"}: where the provider's fault-injecting proxy listens
GET /seen               {"connects": {HOST: n}, "passed": {HOST: n}, "distrusted": n}
GET /ports/PROVIDER/N   [[port of the proxy, port at the service], ...] without the first N
PUT /faults/PROVIDER    a list of HandshakeFault: exactly these hold from now on
GET /faults             {PROVIDER: {"faults": [id], "felt": {id: handshakes}}}
GET /health             {"troubles": [...]}: what the process has noticed about itself
"""

from collections.abc import Awaitable, Callable, Mapping

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from mockbot.http_server.browser_guard import refused
from mockbot.interception.forward_proxy import ForwardProxy
from mockbot.interception.handshake_faults import FAULTS
from mockbot.interception.terminator import Terminator
from mockbot.process.self_watch import SelfWatch


def place(text: str) -> tuple[str, int]:
    """Host and port of "HOST:PORT"."""
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


def interceptor_api(proxy: ForwardProxy, terminators: Mapping[str, Terminator], watch: SelfWatch) -> Starlette:
    """The application; browsers are refused."""

    async def addresses(request: Request) -> Response:
        proxy.addresses = {provider: place(text) for provider, text in (await request.json()).items()}
        return Response(status_code=204)

    async def seen(_: Request) -> Response:
        distrusted = sum(each.distrusted for each in terminators.values())
        return JSONResponse({"connects": proxy.connects, "passed": proxy.passed, "distrusted": distrusted})

    async def ports(request: Request) -> Response:
        where = request.path_params
        return JSONResponse(terminators[where["provider"]].ports[where["known"] :])

    async def change(request: Request) -> Response:
        terminators[request.path_params["provider"]].handshakes.faults = FAULTS.validate_json(await request.body())
        return Response(status_code=204)

    async def faults(_: Request) -> Response:
        return JSONResponse({name: each.handshakes.state() for name, each in terminators.items()})

    async def health(_: Request) -> Response:
        return JSONResponse({"troubles": watch.troubles})

    async def guard(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        return refused(request, None) or await call_next(request)

    return Starlette(
        routes=[
            Route("/addresses", addresses, methods=["PUT"]),
            Route("/seen", seen),
            Route("/ports/{provider}/{known:int}", ports),
            Route("/faults/{provider}", change, methods=["PUT"]),
            Route("/faults", faults),
            Route("/health", health),
        ],
        middleware=[Middleware(BaseHTTPMiddleware, dispatch=guard)],
    )
