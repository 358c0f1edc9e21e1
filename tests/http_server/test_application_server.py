"""An application of the user's own, served in this process: it lives as under uvicorn, and one that cannot is named."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from fastapi import FastAPI

from mockbot.errors import TestbedError, UsageError
from mockbot.http_server.background_server import application_server

lived: list[str] = []


@asynccontextmanager
async def _life(_: FastAPI) -> AsyncIterator[None]:
    lived.append("begun")
    yield
    lived.append("ended")


def _made() -> FastAPI:
    return FastAPI(lifespan=_life)


@pytest.mark.parametrize("app", [_made(), _made], ids=["application", "factory"])
async def test_it_answers_on_a_real_port_and_ends_in_order(app: object) -> None:
    """Also while the event loop of the test is held up, since it has one of its own."""
    lived.clear()
    with application_server(app) as url:
        assert httpx.get(f"{url}/openapi.json", trust_env=False).status_code == 200

    assert lived == ["begun", "ended"]
    with pytest.raises(httpx.ConnectError):
        httpx.get(url, trust_env=False)


def test_what_is_no_asgi_application_is_refused() -> None:
    """A WSGI application, for instance."""

    def wsgi(environ: dict[str, str], start_response: object) -> list[bytes]:
        raise AssertionError((environ, start_response))

    with pytest.raises(UsageError, match="is not an ASGI application"), application_server(wsgi):
        pass


def test_one_that_does_not_start_is_an_error_and_not_a_hang() -> None:
    """As when its database is not there."""

    @asynccontextmanager
    async def fails(app: FastAPI) -> AsyncIterator[None]:
        if app.title:
            raise OSError("no database")
        yield

    with pytest.raises(TestbedError, match="does not start"), application_server(FastAPI(lifespan=fails)):
        pass
