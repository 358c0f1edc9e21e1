"""The proxy as a program: flags in, a control port out, everything closed at the end.

    python -m mockbot.proxy --host 127.0.0.1 --port 0 --seed 7     prints {"control": "http://127.0.0.1:PORT"} when ready

Flags are Toxiproxy's (2.12.0, cmd/server/server.go), with one dash or two, so that it can stand in for the binary.
With `--lease-stdin` it ends when its stdin does, which is how it dies with a parent that was killed.
"""

import argparse
import asyncio
import contextlib
import ipaddress
import json
import logging
import os
import secrets
import signal
import socket
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from mockbot.errors import ExitCode, TestbedError
from mockbot.proxy import address
from mockbot.proxy.api import ControlApi
from mockbot.proxy.catalogue import ApiError, Catalogue
from mockbot.proxy.metrics import Metrics

VERSION = "2.12.0"
READ_LIMIT = 15.0  # for one whole request; Toxiproxy's ReadTimeout
IDLE_LIMIT = 60
LOG = logging.getLogger("mockbot.proxy")


@dataclass(frozen=True, slots=True)
class Options:
    """The command line."""

    host: str = "localhost"
    port: int = 8474
    config: str = ""
    seed: int | None = None
    proxy_metrics: bool = False
    runtime_metrics: bool = False
    version_text: str = VERSION
    token: str | None = None
    open: bool = False
    lease_stdin: bool = False
    read_limit: float = READ_LIMIT


class ControlProtocol(H11Protocol):
    """uvicorn's HTTP with the deadline it lacks: a request must be there whole within `read_limit` seconds."""

    read_limit = READ_LIMIT
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._deadline = self.loop.call_later(self.read_limit, transport.abort)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        unfinished = self.cycle is None or self.cycle.response_complete or self.cycle.more_body
        if not unfinished:
            self._disarm()
        elif self._deadline is None and not self.transport.is_closing():
            self._deadline = self.loop.call_later(self.read_limit, self.transport.abort)

    def on_response_complete(self) -> None:
        self._disarm()
        super().on_response_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._disarm()
        super().connection_lost(exc)
        self._unset_keepalive_if_required()

    def _disarm(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


class Engine:
    """A running control port and its proxies, inside the current event loop."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.seed = secrets.randbits(63) if options.seed is None else options.seed
        self.catalogue = Catalogue(self.seed)
        self.control = ""
        self._server: asyncio.Server | None = None
        self._state = ServerState()

    async def start(self) -> None:
        """Listen; TestbedError when the control port cannot be had."""
        options = self.options
        try:
            where = await address.resolve(address.join(options.host, options.port))
            sock = address.listen(where)
        except address.AddressError as error:
            raise TestbedError(f"the control port cannot be opened: {error}") from None
        self.control = f"http://{address.bound(sock)}"
        if options.config:
            await self._populate(Path(options.config))
        self._server = await asyncio.get_running_loop().create_server(self._protocol(), sock=sock)

    def _protocol(self) -> Callable[[], asyncio.Protocol]:
        options = self.options
        metrics = None
        if options.proxy_metrics or options.runtime_metrics:
            metrics = Metrics(self.catalogue.traffic, proxy=options.proxy_metrics, runtime=options.runtime_metrics)
        app = ControlApi(self.catalogue, options.version_text, metrics, options.token)
        config = uvicorn.Config(
            app,  # type: ignore[arg-type]  # plain ASGI
            lifespan="off",
            ws="none",
            access_log=False,
            log_config=None,
            timeout_keep_alive=IDLE_LIMIT,
        )
        config.load()
        protocol = type("Limited", (ControlProtocol,), {"read_limit": options.read_limit})
        return lambda: protocol(config=config, server_state=self._state, app_state={})  # type: ignore[no-any-return]

    async def _populate(self, config: Path) -> None:
        """A file that cannot be used is only logged, as in Toxiproxy 2.12.0 (api.go, PopulateConfig)."""
        try:
            done = await self.catalogue.populate(config.read_bytes())
        except (OSError, ApiError) as error:
            LOG.error("config %s: %s", config, error)
        else:
            LOG.info("populated %d proxies from %s", len(done), config)

    async def close(self) -> None:
        """Close every listener and connection."""
        self.catalogue.close()
        if self._server is not None:
            self._server.close()
        for protocol in list(self._state.connections):
            protocol.transport.abort()  # type: ignore[union-attr]
        for task in list(self._state.tasks):
            task.cancel()
        await asyncio.sleep(0.01)  # sockets are closed in the loop's next rounds


async def serve(options: Options, ready: Callable[[str], None]) -> None:
    """Run until SIGINT or SIGTERM, or the end of stdin when leased."""
    loop = asyncio.get_running_loop()
    done = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, done.set)
    engine = Engine(options)
    try:
        await engine.start()
        if options.lease_stdin:
            watch_stdin(lambda: loop.call_soon_threadsafe(done.set))
        LOG.info("control port %s, seed %d", engine.control, engine.seed)
        ready(engine.control)
        await done.wait()
    finally:
        await engine.close()


def watch_stdin(ended: Callable[[], object]) -> None:
    """Call `ended` from a thread when stdin reaches its end."""

    def wait() -> None:
        with contextlib.suppress(OSError):
            while os.read(0, 4096):
                pass
        with contextlib.suppress(RuntimeError):  # the loop has ended for another reason
            ended()

    threading.Thread(target=wait, name="lease", daemon=True).start()


def new_loop() -> asyncio.AbstractEventLoop:
    """uvloop where there is one: its timers keep the tail of the latency toxic shorter."""
    try:
        import uvloop  # noqa: PLC0415  not on every platform
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


def main(argv: Sequence[str]) -> int:
    """The program; returns its exit code."""
    options = parse(argv)
    if isinstance(options, int):
        return options
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    try:
        with asyncio.Runner(loop_factory=new_loop) as runner:
            runner.run(serve(options, announce))
    except TestbedError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        return error.exit_code
    return ExitCode.PASS


def announce(control: str) -> None:
    print(json.dumps({"control": control}), flush=True)  # noqa: T201


def parse(argv: Sequence[str]) -> Options | int:
    """Options, or the exit code of a command line that needs no server."""
    parser = argparse.ArgumentParser(prog="mockbot proxy", description=__doc__.splitlines()[0], allow_abbrev=False)
    add = parser.add_argument
    add("-host", "--host", default="localhost", help="where the control API listens (localhost)")
    add("-port", "--port", type=int, default=8474, help="its port; 0 for any free one (8474)")
    add("-config", "--config", default="", metavar="FILE", help="JSON file with an array of proxies to create")
    add("-seed", "--seed", type=int, help="for everything random; printed when not given")
    add("-proxy-metrics", "--proxy-metrics", **FLAG, help="serve /metrics with the bytes of each proxy")
    add("-runtime-metrics", "--runtime-metrics", **FLAG, help="serve /metrics with figures of the process")
    add("-version", "--version", **FLAG, help="print the version and exit")
    add("-answer-version", "--answer-version", default=VERSION, help=f"what GET /version answers ({VERSION})")
    add("-token", "--token", help="control requests need `Authorization: Bearer TOKEN`")
    add("-open", "--open", **FLAG, help="allow a control port that is not loopback to do without a token")
    add("-lease-stdin", "--lease-stdin", **FLAG, help="exit when stdin ends")
    given = parser.parse_args(list(argv))
    if given.version:
        print(f"toxiproxy-server version {given.answer_version}")  # noqa: T201
        return ExitCode.PASS
    if not (is_loopback(given.host) or given.token or given.open):
        parser.error(f"{given.host} is not loopback: add -token TOKEN, or -open to let everyone who reaches it in")
    return Options(
        host=given.host,
        port=given.port,
        config=given.config,
        seed=given.seed,
        proxy_metrics=given.proxy_metrics,
        runtime_metrics=given.runtime_metrics,
        version_text=given.answer_version,
        token=given.token,
        open=given.open,
        lease_stdin=given.lease_stdin,
    )


def go_bool(text: str) -> bool:
    """Go's flag package: `-flag` and `-flag=true` are the same."""
    if text in ("1", "t", "T", "true", "TRUE", "True"):
        return True
    if text in ("0", "f", "F", "false", "FALSE", "False"):
        return False
    raise argparse.ArgumentTypeError(f"invalid boolean value {text!r}")


FLAG = {"nargs": "?", "const": True, "default": False, "type": go_bool}


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def free_port() -> int:
    """A port that was free a moment ago, for a program that must be told one."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return int(sock.getsockname()[1])
