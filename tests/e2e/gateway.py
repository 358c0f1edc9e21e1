"""A gateway in front of two providers, careful or with one planted fault: `HABIT=never_fails_back uvicorn ...`.

Careful: it asks main, and after a failure other; leaves a provider alone for COOLDOWN after its failure; waits
PATIENCE for the next byte; ends a stream that broke off with an error; answers 502 when nobody answers. Each habit
breaks one rule and is named after the finding that it must lead to.
"""

import asyncio
import itertools
import json
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

HABIT = os.environ.get("HABIT", "careful")
PROVIDERS = {name: os.environ[f"{name.upper()}_URL"] for name in ("main", "other")}
COOLDOWN = 3.0
PATIENCE = 60.0 if HABIT == "hangs_past_client_timeout" else 4.0 if HABIT == "no_concurrency_left" else 2.0
TRIES = {"retry_multiplication": 9, "ignores_retry_after": 2, "hammers_dead_provider": 2}.get(HABIT, 1)
ROOM = 4 if HABIT == "no_concurrency_left" else 1000  # requests at the same time

room = asyncio.Semaphore(ROOM)
dead_until = dict.fromkeys(PROVIDERS, 0.0)
asked = itertools.count(1)
last_answer: list[bytes] = []


@asynccontextmanager
async def client_for_ever(app: FastAPI) -> AsyncIterator[None]:
    """One client for all requests."""
    async with httpx.AsyncClient(
        timeout=PATIENCE, trust_env=False, limits=httpx.Limits(max_connections=None)
    ) as client:
        app.state.client = client
        yield


app = FastAPI(lifespan=client_for_ever)


class ProviderFailed(Exception):  # noqa: N818 - what happened to a provider
    """No answer from it; `retry_after` as it says."""


@app.get("/health")
async def health() -> dict[str, str]:
    """Ready."""
    return {"habit": HABIT}


@app.post("/v1/chat/completions")
async def chat(request: Request) -> Response:
    """As a provider answers."""
    body = await request.body()
    if HABIT == "crosses_answers" and next(asked) % 5 == 0 and last_answer:
        return StreamingResponse(_again(list(last_answer)), media_type="text/event-stream")
    async with room:
        lines = await _first_answer(request.app.state.client, body)
        if lines is None:
            if HABIT == "launders_errors":
                return StreamingResponse(_again(_said("Something went wrong.")), media_type="text/event-stream")
            return JSONResponse({"error": {"message": "no provider answers", "type": "server_error"}}, 502)
        if not json.loads(body).get("stream"):
            return Response(b"".join([line async for line in lines]), media_type="application/json")
        return StreamingResponse(_to_its_end(request.app.state.client, body, lines), media_type="text/event-stream")


async def _first_answer(client: httpx.AsyncClient, body: bytes) -> AsyncIterator[bytes] | None:
    """The lines of the first answer that begins."""
    for name in PROVIDERS:
        for _ in range(TRIES):
            if time.monotonic() < dead_until[name]:
                break
            try:
                return await _begun(client, name, body)
            except (ProviderFailed, httpx.HTTPError):
                _failed(name)
                await asyncio.sleep(0.05 if TRIES > 1 else 0.0)
    return None


async def _begun(client: httpx.AsyncClient, name: str, body: bytes) -> AsyncIterator[bytes]:
    """The lines of one provider's answer, when its first one has come."""
    headers = {"content-type": "application/json", "authorization": "Bearer sk-free-gateway"}
    request = client.build_request("POST", f"{PROVIDERS[name]}/v1/chat/completions", content=body, headers=headers)
    response = await client.send(request, stream=True)
    try:
        if response.status_code != 200:
            raise ProviderFailed
        lines = response.aiter_lines()
        first = await anext(lines, None)
        if first is None:
            raise ProviderFailed
    except BaseException:
        await response.aclose()
        raise

    async def all_of_them() -> AsyncIterator[bytes]:
        try:
            yield f"{first}\n".encode()
            async for line in lines:
                yield f"{line}\n".encode()
        finally:
            await response.aclose()

    return all_of_them()


def _failed(name: str) -> None:
    if HABIT == "single_point_of_failure":
        os._exit(1)
    if HABIT in {"hammers_dead_provider", "retry_multiplication", "ignores_retry_after"}:
        return
    dead_until[name] = time.monotonic() + (1e9 if HABIT == "never_fails_back" and name == "main" else COOLDOWN)


async def _to_its_end(client: httpx.AsyncClient, body: bytes, lines: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """A stream as it came; where it broke off, what the habit makes of that."""
    answer, whole = [], False
    try:
        async for line in lines:
            whole |= line.startswith(b"data: [DONE]")
            answer.append(line)
            yield line
    except httpx.HTTPError:
        whole = False
    if whole:
        last_answer[:] = answer
        return
    _failed("main")
    if HABIT == "launders_truncation":
        yield _event({"delta": {}, "finish_reason": "stop", "index": 0}) + b"data: [DONE]\n\n"
    elif HABIT == "splices_answers":
        async for line in await _begun(client, "other", body):
            yield line
    else:
        yield b'data: {"error": {"message": "the provider broke off", "type": "server_error"}}\n\n'


def _event(choice: dict[str, object]) -> bytes:
    return f"data: {json.dumps({'id': 'x', 'object': 'chat.completion.chunk', 'choices': [choice]})}\n\n".encode()


def _said(text: str) -> list[bytes]:
    delta = {"index": 0, "delta": {"role": "assistant", "content": text}, "finish_reason": None}
    return [_event(delta), _event({"index": 0, "delta": {}, "finish_reason": "stop"}), b"data: [DONE]\n\n"]


async def _again(lines: list[bytes]) -> AsyncIterator[bytes]:
    for line in lines:
        yield line
