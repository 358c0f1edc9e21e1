"""The routes of stored responses: asked for again, deleted, cancelled, their input. A StoringDialect in, routes out.

GET, DELETE /v1/responses/ID     POST /v1/responses/ID/cancel     GET /v1/responses/ID/input_items
"""

import json
from collections.abc import Callable

from fastapi import FastAPI, Request, Response

from mockbot.dialects.dialect import StoringDialect
from mockbot.service.provider_runtime import ProviderRuntime

LookUp = Callable[[Request, Callable[[], bytes]], Response]  # the answer, unless a fault at the edge has another one


def add_response_routes(app: FastAPI, runtime: ProviderRuntime, dialect: StoringDialect, look_up: LookUp) -> None:
    """Below the dialect's own path."""
    one = f"{dialect.path}/{{response}}"

    def deleted(response: str) -> bytes:
        runtime.stored.delete(response)
        return json.dumps({"id": response, "object": "response", "deleted": True}).encode()

    def cancelled(response: str) -> bytes:
        found = runtime.stored.of(response)
        found.cancel()
        return found.body()

    @app.get(one, response_class=Response, responses={404: {}})
    async def retrieve(response: str, request: Request) -> Response:
        """A stored response."""
        if request.query_params.get("stream") == "true":
            runtime.asked_for("parameter", f"stream of GET {dialect.path}/ID")
        return look_up(request, lambda: runtime.stored.of(response).body())

    @app.delete(one, response_class=Response, responses={404: {}})
    async def delete(response: str, request: Request) -> Response:
        """Forget a response."""
        return look_up(request, lambda: deleted(response))

    @app.post(f"{one}/cancel", response_class=Response, responses={400: {}, 404: {}})
    async def cancel(response: str, request: Request) -> Response:
        """Stop a response that is made in the background."""
        return look_up(request, lambda: cancelled(response))

    @app.get(f"{one}/input_items", response_class=Response, responses={404: {}})
    async def items(response: str, request: Request) -> Response:
        """What a response was asked with, newest first unless `order=asc`."""
        ascending = request.query_params.get("order") == "asc"
        return look_up(request, lambda: _listed(dialect.items(runtime.stored.of(response).meta), ascending))


def _listed(items: list[dict[str, object]], ascending: bool) -> bytes:
    data = items if ascending else items[::-1]
    first, last = (data[0]["id"], data[-1]["id"]) if data else (None, None)
    return json.dumps({"object": "list", "data": data, "first_id": first, "last_id": last, "has_more": False}).encode()
