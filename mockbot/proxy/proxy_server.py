"""The proxy as a program: flags in, a control port out, everything closed at the end.

    python -m mockbot.proxy --host 127.0.0.1 --port 0 --seed 7    prints {"control": "http://127.0.0.1:PORT"}

Flags are Toxiproxy's (2.12.0, cmd/server/server.go), with one dash or two, so that it can stand in for the binary.
With `--lease-stdin` it exits when its stdin ends, so also when its parent was killed.
"""

import argparse
import asyncio
import ipaddress
import logging
import re
import secrets
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mockbot.errors import ExitCode, TestbedError
from mockbot.http_server.deadline_server import DeadlineServer
from mockbot.process.event_loop import new_event_loop, stop_event
from mockbot.process.lifeline import report_ready
from mockbot.process.self_watch import raise_descriptor_limit
from mockbot.proxy import address
from mockbot.proxy.api import ControlApi
from mockbot.proxy.control_request import ApiError
from mockbot.proxy.proxy_collection import ProxyCollection
from mockbot.proxy.traffic_metrics import Metrics

VERSION = "2.12.0"
READ_LIMIT = 15.0  # for one whole request; Toxiproxy's ReadTimeout
IDLE_LIMIT = 60
LOG = logging.getLogger("mockbot.proxy")


@dataclass(frozen=True)
class Options:
    """The command line; `read_limit` in seconds has no flag."""

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


def parse(argv: Sequence[str]) -> Options:
    """The options of a command line. SystemExit for `-version`, `-help` and unknown options."""
    parser = argparse.ArgumentParser(
        prog="mockbot proxy",
        description="A TCP proxy with Toxiproxy's control API and toxics.",
        allow_abbrev=False,
        argument_default=argparse.SUPPRESS,  # the defaults are those of Options
    )

    def add(name: str, meaning: str, **how: Any) -> None:
        parser.add_argument(f"-{name}", f"--{name}", help=meaning, **how)

    add("host", f"where the control API listens ({Options.host})")
    add("port", f"its port; 0 for any free one ({Options.port})", type=int)
    add("config", "JSON file with an array of proxies to create", metavar="FILE")
    add("seed", "for everything random; printed when not given", type=int)
    add("proxy-metrics", "serve /metrics with the bytes of each proxy", action="store_true")
    add("runtime-metrics", "serve /metrics with figures of the process", action="store_true")
    add("version", "print the version and exit", action="version", version=f"toxiproxy-server version {VERSION}")
    add("answer-version", f"what GET /version answers ({VERSION})", dest="version_text", metavar="V")
    add("token", "control requests need `Authorization: Bearer TOKEN`")
    add("open", "allow a control port without a token that is not loopback", action="store_true")
    add("lease-stdin", "exit when stdin ends", action="store_true")
    options = Options(**vars(parser.parse_args(list(argv))))
    options = replace(options, host=re.sub(r"^\[(.*)\]$", r"\1", options.host))
    try:
        loopback = options.host == "localhost" or ipaddress.ip_address(options.host).is_loopback
    except ValueError:  # a name
        loopback = False
    if not (loopback or options.token or options.open):
        parser.error(f"{options.host} is not loopback: add -token TOKEN, or -open to admit everyone who reaches it")
    return options


class Engine:
    """A running control port and its proxies, inside the current event loop."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.seed = secrets.randbits(63) if options.seed is None else options.seed
        self.collection = ProxyCollection(self.seed)
        self.control = ""
        self._server: DeadlineServer | None = None
        self._watching: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen; TestbedError when the control port cannot be opened."""
        options = self.options
        try:
            where = await address.resolve(address.join(options.host, options.port))
            sock = address.listen(where)
        except address.AddressError as error:
            raise TestbedError(f"the control port cannot be opened: {error}") from None
        self.control = f"http://{address.bound(sock)}"
        if options.config:  # a file that cannot be used is only logged, as in Toxiproxy 2.12.0 (api.go, PopulateConfig)
            try:
                proxies = await self.collection.populate(Path(options.config).read_bytes())
                LOG.info("populated %d proxies from %s", len(proxies), options.config)
            except (OSError, ApiError) as error:
                LOG.error("config %s: %s", options.config, error)
        metrics = None
        if options.proxy_metrics or options.runtime_metrics:
            metrics = Metrics(self.collection.traffic, proxy=options.proxy_metrics, runtime=options.runtime_metrics)
        app = ControlApi(self.collection, options.version_text, metrics, options.token)
        self._server = DeadlineServer(app, options.read_limit, IDLE_LIMIT)
        await self._server.listen(sock)
        self._watching = asyncio.create_task(self.collection.watch.run())

    async def close(self) -> None:
        """Close every listener and connection."""
        self.collection.close()
        if self._watching is not None:
            self._watching.cancel()
        if self._server is not None:
            await self._server.close()


async def serve(options: Options, ready: Callable[[str], None]) -> None:
    """Run until SIGINT or SIGTERM, or the end of stdin when leased."""
    done = stop_event(leased=options.lease_stdin)
    engine = Engine(options)
    try:
        await engine.start()
        LOG.info("control port %s, seed %d", engine.control, engine.seed)
        ready(engine.control)
        await done.wait()
    finally:
        await engine.close()


def main(argv: Sequence[str]) -> int:
    """The program; returns its exit code."""
    options = parse(argv)
    raise_descriptor_limit()
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    try:
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            runner.run(serve(options, lambda control: report_ready({"control": control})))
    except TestbedError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        return error.exit_code
    return ExitCode.PASS
