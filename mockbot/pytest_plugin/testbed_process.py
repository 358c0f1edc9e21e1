"""`python -m mockbot.pytest_plugin.testbed_process`: services and proxies for the tests of one session, on demand.

A process of its own, because a test may stop the clock, replace what HTTP goes through, and hold its interpreter for
seconds. It prints {"control": URL} and ends when its stdin does. Every service and proxy has a number:

    POST   /proxies {"seed"}               -> {"id", "control"}
    POST   /services {"scenario", "clock"} -> {"id", "control", "status", "providers"}
    GET    /services/{id}/felt             -> {fault: requests that it has hit, the running second included}
    GET    /services/{id}/unserved         -> {what is not served: requests that asked for it, the same}
    DELETE /proxies/{id}, /services/{id}
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from itertools import count
from typing import Any

from fastapi import FastAPI, Request, Response
from pydantic import BaseModel

from mockbot.http_server.browser_guard import refused
from mockbot.http_server.deadline_server import DeadlineServer
from mockbot.process.event_loop import new_event_loop, stop_event
from mockbot.process.lifeline import report_ready
from mockbot.process.self_watch import raise_descriptor_limit
from mockbot.proxy import address
from mockbot.proxy.proxy_server import Engine, Options
from mockbot.scenario.schema import Scenario
from mockbot.service.control_messages import SharedClock
from mockbot.service.provider_server import BindOptions, Service

LIMIT, IDLE = 20.0, 5  # wall seconds for one request, and for an idle connection


class ServiceBody(BaseModel):
    """A service to start."""

    scenario: Scenario
    clock: SharedClock


def control_app() -> FastAPI:
    """The control port's application, and everything that it has started."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    numbers, services, stacks = count(1), dict[int, Service](), dict[int, AsyncExitStack]()

    @app.middleware("http")
    async def guard(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        return refused(request, None) or await call_next(request)

    @app.post("/proxies")
    async def start_proxy(body: dict[str, int]) -> dict[str, Any]:
        engine, number = Engine(Options(host="127.0.0.1", port=0, seed=body["seed"])), next(numbers)
        stacks[number] = stack = AsyncExitStack()
        stack.push_async_callback(engine.close)
        await engine.start()
        return {"id": number, "control": engine.control}

    @app.post("/services")
    async def start_service(body: ServiceBody) -> dict[str, Any]:
        service, number = Service(body.scenario, body.clock.here(), BindOptions()), next(numbers)
        services[number], stacks[number] = service, AsyncExitStack()
        ready = await service.open(stacks[number])
        return {"id": number, "control": ready.control, "status": ready.status, "providers": ready.providers}

    @app.get("/services/{number}/felt")
    async def felt(number: int) -> Counter[str]:
        return await services[number].felt()

    @app.get("/services/{number}/unserved")
    async def unserved(number: int) -> Counter[str]:
        return await services[number].unserved()

    @app.delete("/services/{number}", status_code=204)
    @app.delete("/proxies/{number}", status_code=204)
    async def stop(number: int) -> None:
        services.pop(number, None)
        await stacks.pop(number).aclose()

    return app


async def serve() -> None:
    """Listen until stdin ends."""
    stop = stop_event(leased=True)
    sock = address.listen(address.Address("127.0.0.1", 0))
    server = DeadlineServer(control_app(), LIMIT, IDLE)
    await server.listen(sock)
    report_ready({"control": f"http://{address.bound(sock)}"})
    await stop.wait()


def main() -> None:
    """The child process."""
    raise_descriptor_limit()
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(serve())


if __name__ == "__main__":
    main()
