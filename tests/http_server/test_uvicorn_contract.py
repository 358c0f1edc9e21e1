"""The contract with the installed uvicorn, whose private names mockbot uses: no sockets, a transport that only listens.

Each test names what a release moved and where we use it.
"""

import ast
import asyncio
import inspect
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http import h11_impl, httptools_impl
from uvicorn.protocols.utils import get_remote_addr
from uvicorn.server import ServerState

import mockbot
from mockbot.http_server.no_upgrade import NoUpgradeProtocol
from mockbot.http_server.response_writer import ResponseWriter

ROOT = Path(mockbot.__file__).parent
WRITER = "mockbot/http_server/response_writer.py"
LISTENER = "mockbot/http_server/listener.py"
NO_UPGRADE = "mockbot/http_server/no_upgrade.py"
DEADLINE = "mockbot/http_server/deadline_server.py"
POST = b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\n"


def moved(what: str, where: str) -> str:
    """The sentence that a failure says."""
    return f"uvicorn {version('uvicorn')} has moved {what}, which {where} uses"


class Transport(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__({"peername": ("192.0.2.1", 4321), "sockname": ("192.0.2.2", 80)})
        self.written = b""
        self.closing = False

    def write(self, data: Any) -> None:
        self.written += bytes(data)

    def is_closing(self) -> bool:
        return self.closing

    def close(self) -> None:
        self.closing = True

    abort = close

    def pause_reading(self) -> None:
        """Nothing reads here."""

    resume_reading = pause_reading


class Connection:
    """One connection of a stock server to an application that keeps what it is called with."""

    def __init__(self, http: Any, respond: bool = False) -> None:
        self.sends: list[Any] = []
        self.bodies: list[bytes] = []
        self.respond = respond
        config = uvicorn.Config(
            self.app,
            interface="asgi3",
            http=http,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
        )
        config.load()
        self.state, self.transport = ServerState(), Transport()
        self.state.default_headers = [(b"date", b"today")]  # as a running server sets it every second
        self.protocol: Any = config.http_protocol_class(  # type: ignore[call-arg]
            config=config, server_state=self.state, app_state={}
        )
        self.protocol.connection_made(self.transport)

    async def app(self, _scope: Scope, receive: Receive, send: Send) -> None:
        self.sends.append(send)
        self.bodies.append(b"")
        while (message := await receive()).get("more_body"):
            self.bodies[-1] += message["body"]
        self.bodies[-1] += message.get("body", b"")
        if self.respond:
            await ResponseWriter(asyncio.get_running_loop()).respond(send, 503, [(b"x-a", b"1")], b"no")
        else:
            await receive()  # nothing more comes than the end of the connection

    async def receive(self, *pieces: bytes) -> Any:
        """What a client sends; the cycle of the request."""
        for piece in pieces:
            self.protocol.data_received(piece)
            await asyncio.sleep(0)
        await asyncio.sleep(0.01)
        return self.protocol.cycle

    def end(self) -> None:
        self.protocol.connection_lost(None)


@pytest.fixture(params=["httptools", "h11"])
async def connection(request: pytest.FixtureRequest) -> Any:
    """For each of uvicorn's two protocols."""
    made = Connection(request.param)
    yield made
    made.end()
    await asyncio.sleep(0.01)


async def test_send_is_the_cycles_own_method() -> None:
    """The response writer finds uvicorn's cycle behind `send`."""
    connection = Connection("httptools")
    cycle = await connection.receive(POST, b"hi")

    assert type(connection.sends[0].__self__) is httptools_impl.RequestResponseCycle, moved(
        "the cycle's `send`", WRITER
    )
    assert connection.sends[0].__self__ is cycle, moved("HttpToolsProtocol.cycle", WRITER)
    connection.end()


@pytest.mark.parametrize(
    "name",
    [
        "default_headers", "response_started", "response_complete", "waiting_for_100_continue", "transport",
        "message_event", "on_response", "disconnected", "flow", "keep_alive",
    ],
)  # fmt: skip
async def test_a_cycle_has_what_the_response_writer_sets_and_reads(name: str) -> None:
    """Whoever writes past `send` has to leave the cycle as `send` would."""
    connection = Connection("httptools")
    cycle = await connection.receive(POST, b"hi")

    assert hasattr(cycle, name), moved(f"RequestResponseCycle.{name}", WRITER)
    assert isinstance(cycle.flow.write_paused, bool), moved("FlowControl.write_paused", WRITER)
    assert f"self.{name}" in inspect.getsource(httptools_impl.RequestResponseCycle), moved(f"its {name}", WRITER)
    connection.end()


async def test_what_the_writer_writes_is_a_response_and_ends_the_cycle() -> None:
    """Status line, uvicorn's headers and ours, the body; then the connection waits for the next request."""
    connection = Connection("httptools", respond=True)
    cycle = await connection.receive(POST, b"hi")

    head, _, body = connection.transport.written.partition(b"\r\n\r\n")
    assert head.startswith(httptools_impl.STATUS_LINE[503] + b"date: today\r\n"), moved(
        "STATUS_LINE or default_headers", WRITER
    )
    assert head.endswith(b"\r\nx-a: 1\r\ncontent-length: 2")
    assert body == b"no"
    assert cycle.response_complete
    assert connection.protocol.timeout_keep_alive_task is not None, moved("RequestResponseCycle.on_response", WRITER)
    connection.end()


async def test_the_listener_sees_how_far_a_request_has_come(connection: Connection) -> None:
    """No cycle before the headers are there; then a body that grows, until it is complete."""
    assert await connection.receive(POST[:10]) is None, moved("`cycle` of a connection", LISTENER)

    cycle = await connection.receive(POST[10:], b"h")
    assert (bytes(cycle.body), cycle.more_body) in ((b"h", True), (b"", True)), moved("`body` of a cycle", LISTENER)

    await connection.receive(b"i")
    assert (cycle.more_body, cycle.response_complete) == (False, False), moved("`more_body` of a cycle", LISTENER)
    assert hasattr(connection.protocol, "timeout_keep_alive_task"), moved("`timeout_keep_alive_task`", LISTENER)


async def test_the_listener_finds_connections_and_their_clients(connection: Connection) -> None:
    """In the server's state, by the address that the scope has."""
    assert connection.state.connections == {connection.protocol}, moved("ServerState.connections", LISTENER)
    assert connection.protocol.transport is connection.transport, moved("`transport` of a connection", LISTENER)
    assert get_remote_addr(connection.transport) == ("192.0.2.1", 4321), moved("get_remote_addr", LISTENER)


async def test_a_server_can_be_started_part_by_part() -> None:
    """The listener calls startup and main_loop itself, to go down and up again in between."""
    config = uvicorn.Config(lambda: None, lifespan="off", log_config=None)
    config.load()
    server = uvicorn.Server(config)

    assert callable(config.lifespan_class), moved("Config.lifespan_class", LISTENER)
    assert inspect.iscoroutinefunction(server.main_loop), moved("Server.main_loop", LISTENER)
    assert list(inspect.signature(server.startup).parameters) == ["sockets"], moved("Server.startup", LISTENER)
    assert isinstance(server.server_state, ServerState), moved("Server.server_state", LISTENER)
    source = inspect.getsource(uvicorn.Server)
    assert "self.lifespan" in source, moved("Server.lifespan", LISTENER)
    assert "self.servers" in source, moved("Server.servers", LISTENER)


@pytest.mark.parametrize(
    "method",
    ["connection_made", "data_received", "on_response_complete", "connection_lost", "_unset_keepalive_if_required"],
)
def test_the_deadline_protocol_overrides_what_is_there(method: str) -> None:
    """Its deadline hangs on these methods of uvicorn's h11 protocol."""
    assert callable(getattr(h11_impl.H11Protocol, method, None)), moved(f"H11Protocol.{method}", DEADLINE)
    assert "self.conn = h11.Connection(" in inspect.getsource(h11_impl.H11Protocol), moved("H11Protocol.conn", DEADLINE)


UPGRADE = (
    b"POST /a HTTP/1.1\r\nhost: a\r\nconnection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AA\r\n"
)


@pytest.mark.parametrize("size", [1000, 7, 1])
async def test_a_request_to_upgrade_is_answered_as_any_other(size: int) -> None:
    """Two on one connection, however the bytes arrive: each with its body, and the connection stays open."""
    connection = Connection(NoUpgradeProtocol, respond=True)
    for body in (b"hi", b"ho"):
        data = UPGRADE + b"content-length: 2\r\n\r\n" + body
        cycle = await connection.receive(*(data[at : at + size] for at in range(0, len(data), size)))
        assert (cycle.scope["path"], connection.bodies[-1], cycle.keep_alive) == ("/a", body, True)

    assert connection.transport.written.count(b"HTTP/1.1 503 ") == 2, moved("the parser's callbacks", NO_UPGRADE)
    assert not connection.transport.closing
    connection.end()


async def test_chunked_bodies_and_requests_without_one_may_ask_for_an_upgrade_too() -> None:
    """A chunked body, then a GET."""
    connection = Connection(NoUpgradeProtocol, respond=True)
    await connection.receive(UPGRADE + b"transfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n")
    cycle = await connection.receive(UPGRADE.replace(b"POST", b"GET") + b"\r\n")

    assert (connection.bodies, cycle.scope["method"]) == ([b"hi", b""], "GET")
    assert connection.transport.written.count(b"HTTP/1.1 503 ") == 2
    connection.end()


@pytest.mark.parametrize("request_", [b"CONNECT a:80 HTTP/1.1\r\nhost: a\r\n\r\n", b"nonsense\r\n\r\n"])
async def test_what_is_no_request_is_refused(request_: bytes) -> None:
    """A tunnel is none of an API's business."""
    connection = Connection(NoUpgradeProtocol, respond=True)
    await connection.receive(request_)

    assert connection.transport.written.startswith(b"HTTP/1.1 400 "), moved("send_400_response", NO_UPGRADE)
    assert connection.sends == []
    connection.end()


def _imports_uvicorn() -> Iterator[str]:
    for path in sorted(ROOT.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
            if any(name.split(".")[0] == "uvicorn" for name in names):
                yield path.relative_to(ROOT).as_posix()


def test_uvicorn_is_imported_in_one_package() -> None:
    """Service, proxy and commands use the servers of this package."""
    assert {name.split("/")[0] for name in _imports_uvicorn()} == {"http_server"}


async def test_a_protocol_is_made_as_the_server_makes_it() -> None:
    """Connections that another process has accepted get theirs from us."""
    config = uvicorn.Config(lambda *_: None, loop="none", http=NoUpgradeProtocol, lifespan="off")
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)

    protocol = NoUpgradeProtocol(config, server.server_state, server.lifespan.state)
    protocol.connection_made(Transport())

    assert protocol in server.server_state.connections, moved("how a protocol is made", LISTENER)
