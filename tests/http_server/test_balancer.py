"""A connection between the address that accepts it and the process that is to answer it: none is lost in silence."""

import asyncio
import errno
import socket
from contextlib import suppress

import pytest
from starlette.types import Receive, Scope, Send

from mockbot.http_server.balancer import Balancer
from mockbot.http_server.listener import HandedConnections

pytestmark = pytest.mark.live
WITHIN = 5.0  # wall seconds


async def nothing(_: Scope, __: Receive, ___: Send) -> None:
    """An application that is never asked."""


async def until_empty(client: socket.socket) -> bytes:
    """What the client reads next, b"" at the end of the connection."""
    client.setblocking(False)
    return await asyncio.wait_for(asyncio.get_running_loop().sock_recv(client, 1), WITHIN)


def test_a_connection_that_no_process_has_taken_yet_ends_when_the_address_goes_down() -> None:
    """A process is busy and its channel full: who waits there for an answer gets none once the provider has crashed."""

    async def run() -> bytes:
        ours, theirs = socket.socketpair()
        balancer = Balancer("127.0.0.1", 0, lambda: 0, lambda _: None)
        with ours, theirs:
            ours.setblocking(False)
            with suppress(BlockingIOError):  # once it is full
                while True:
                    ours.send(b"." * 4096)
            balancer.channels = [ours]
            balancer.up()
            with socket.create_connection(("127.0.0.1", balancer.port), WITHIN) as client:
                while balancer._held is None:
                    await asyncio.sleep(0.001)
                balancer.down()
                try:
                    return await until_empty(client)
                finally:
                    balancer.close()

    assert asyncio.run(run()) == b""


def test_a_connection_for_which_a_process_has_no_descriptor_left_is_told() -> None:
    """The kernel hands over the message without it; the client sees an end that nobody else would have on record."""
    lost = list[OSError]()

    async def run() -> None:
        ours, theirs = socket.socketpair()
        with ours:
            handed = HandedConnections(nothing, theirs, lost.append)
            await handed.up()
            ours.send(b".")
            while not lost:
                await asyncio.sleep(0.001)
            await handed.close()

    asyncio.run(asyncio.wait_for(run(), WITHIN))

    assert [error.errno for error in lost] == [errno.EMFILE]
