"""The interceptor's control API, for the process that has started it: forward proxy and TLS servers in, an app out.

PUT /plan               Plan: from now on; the answer: {PROVIDER: "HOST:PORT"}, its TLS servers
PUT /addresses          {PROVIDER: "HOST:PORT"}: where the provider's fault-injecting proxy listens
GET /seen               {"connects": {HOST: n}, "passed": {HOST: n}, "distrusted": n, "strangers": n}
GET /ports/PROVIDER/N   [[port of the proxy, port at the service], ...] without the first N
PUT /faults/PROVIDER    a list of HandshakeFault: exactly these hold from now on
GET /faults             {PROVIDER: {"faults": [id], "felt": {id: handshakes}}}
GET /health             {"troubles": [...]}: what the process has noticed about itself
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from mockbot.http_server.browser_guard import refused
from mockbot.interception.certificate_authority import CertificateAuthority
from mockbot.interception.forward_proxy import ForwardProxy
from mockbot.interception.handshake_faults import FAULTS
from mockbot.interception.plan import Plan
from mockbot.interception.terminator import Terminator
from mockbot.process.self_watch import SelfWatch


class Terminators:
    """The TLS servers of a plan's providers, by provider."""

    def __init__(self, authority: CertificateAuthority) -> None:
        self.of: dict[str, Terminator] = {}
        self.tasks: list[asyncio.Task[None]] = []
        self._authority = authority

    def follow(self, plan: Plan) -> Mapping[str, str]:
        """Serve its providers, on the same ports as before; where each listens."""
        for name, text in plan.providers.items():
            if name in self.of:
                self.of[name].lead_to(place(text))
            else:
                self.of[name] = Terminator(self._authority, place(text), f"{plan.seed}/{name}")
                self.tasks.append(asyncio.get_running_loop().create_task(self.of[name].serve()))
        return {name: f"127.0.0.1:{each.port}" for name, each in self.of.items()}


def place(text: str) -> tuple[str, int]:
    """Host and port of "HOST:PORT"."""
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


def interceptor_api(proxy: ForwardProxy, terminators: Terminators, watch: SelfWatch) -> Starlette:
    """The application; browsers are refused."""

    async def plan(request: Request) -> Response:
        wanted = Plan(**await request.json())
        proxy.hosts = wanted.hosts
        return JSONResponse(terminators.follow(wanted))

    async def addresses(request: Request) -> Response:
        proxy.addresses = {provider: place(text) for provider, text in (await request.json()).items()}
        return Response(status_code=204)

    async def seen(_: Request) -> Response:
        distrusted = sum(each.distrusted for each in terminators.of.values())
        tunnels = {"connects": proxy.connects, "passed": proxy.passed, "strangers": proxy.strangers}
        return JSONResponse({**tunnels, "distrusted": distrusted})

    async def ports(request: Request) -> Response:
        where = request.path_params
        return JSONResponse(terminators.of[where["provider"]].ports[where["known"] :])

    async def change(request: Request) -> Response:
        terminators.of[request.path_params["provider"]].handshakes.faults = FAULTS.validate_json(await request.body())
        return Response(status_code=204)

    async def faults(_: Request) -> Response:
        return JSONResponse({name: each.handshakes.state() for name, each in terminators.of.items()})

    async def health(_: Request) -> Response:
        return JSONResponse({"troubles": watch.troubles})

    async def guard(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        return refused(request, None) or await call_next(request)

    return Starlette(
        routes=[
            Route("/plan", plan, methods=["PUT"]),
            Route("/addresses", addresses, methods=["PUT"]),
            Route("/seen", seen),
            Route("/ports/{provider}/{known:int}", ports),
            Route("/faults/{provider}", change, methods=["PUT"]),
            Route("/faults", faults),
            Route("/health", health),
        ],
        middleware=[Middleware(BaseHTTPMiddleware, dispatch=guard)],
    )
