"""Bodies that arrive at once are bounded together; what is refused for it is the testbed's failure, and says so."""

import asyncio
import socket
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from mockbot.dialects.dialect import ProviderError
from mockbot.service.request_body import RequestBodies
from tests.service.conftest import Serve

CHAT = "/v1/chat/completions"
MIB = b" " * 2**20


class Arriving:
    """A body whose parts come when the test gives them."""

    def __init__(self) -> None:
        self.parts = asyncio.Queue[dict[str, Any]]()

    def give(self, body: bytes, more: bool = True) -> None:
        self.parts.put_nowait({"type": "http.request", "body": body, "more_body": more})

    async def receive(self) -> dict[str, Any]:
        return await self.parts.get()


async def test_all_bodies_together_have_a_bound() -> None:
    """Two of 60 bytes are more than 100; the second is refused, and is read once the first is through."""
    told: list[str] = []
    bodies = RequestBodies(told.append, most=100)
    first, second = Arriving(), Arriving()
    first.give(b"a" * 60)
    reading = asyncio.create_task(bodies.read(first.receive, 1000))
    await asyncio.sleep(0)
    second.give(b"b" * 60)
    with pytest.raises(ProviderError) as refused:
        await bodies.read(second.receive, 1000)

    assert refused.value.status == 503
    assert "mockbot held" in str(refused.value.message)
    assert len(told) == 1
    first.give(b"", more=False)
    assert await reading == b"a" * 60
    second.give(b"b" * 60)
    second.give(b"", more=False)
    assert await bodies.read(second.receive, 1000) == b"b" * 60


async def test_a_body_that_is_not_taken_is_given_back() -> None:
    """Too large, or left by its client: what it held is free for the next one."""
    bodies = RequestBodies(lambda _: None, most=100)
    for _ in range(3):
        large, left = Arriving(), Arriving()
        large.give(b"a" * 90)
        left.give(b"a" * 90)
        left.parts.put_nowait({"type": "http.disconnect"})
        for body, largest, status in ((large, 50, 413), (left, 1000, 408)):
            with pytest.raises(ProviderError) as refused:
                await bodies.read(body.receive, largest)
            assert refused.value.status == status


@pytest.mark.live
@pytest.mark.second
def test_twelve_bodies_of_48_megabytes_at_once_are_too_many_for_the_service(serve: Serve) -> None:
    """On real sockets: one gets a 503 that names the testbed, which is on record; a usual request is answered still."""
    served = serve()
    address = urlsplit(served.main)
    head = f"POST {CHAT} HTTP/1.1\r\nhost: {address.netloc}\r\ncontent-length: {50 * 2**20}\r\n\r\n".encode()
    with ExitStack() as stack:
        clients = [
            stack.enter_context(socket.create_connection((address.hostname, address.port or 0))) for _ in range(12)
        ]
        for client in clients:
            client.settimeout(30)
            client.sendall(head)
            for _ in range(48):
                try:
                    client.sendall(MIB)
                except ConnectionError:  # it was refused, and the service reads no more of it
                    break
        clients[-1].settimeout(30)
        refusal = clients[-1].recv(4096).decode()
        usual = httpx.post(served.main + CHAT, json={"model": "m", "messages": [{"role": "user", "content": "hi"}]})

    assert refusal.startswith("HTTP/1.1 503 ")
    assert "mockbot held 512 MiB of request bodies at once" in refusal
    assert usual.status_code == 200
    assert any("512 MiB of request bodies" in trouble for trouble in served.control.troubles())
