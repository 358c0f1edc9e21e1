"""The command line of the stand-alone proxy: Toxiproxy's flags in, with one dash or two, frozen Options out."""

import argparse
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

from mockbot.errors import ExitCode

VERSION = "2.12.0"
READ_LIMIT = 15.0  # for one whole request; Toxiproxy's ReadTimeout


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


def parse(argv: Sequence[str]) -> Options | int:
    """Options, or the exit code of a command line that needs no server."""
    parser = argparse.ArgumentParser(
        prog="mockbot proxy", description="A TCP proxy with Toxiproxy's control API and toxics.", allow_abbrev=False
    )
    add = parser.add_argument

    def flag(name: str, meaning: str) -> None:
        """Go's booleans: `-flag` and `-flag=true` are the same."""
        add(f"-{name}", f"--{name}", nargs="?", const=True, default=False, type=go_bool, help=meaning)

    add("-host", "--host", default="localhost", help="where the control API listens (localhost)")
    add("-port", "--port", type=int, default=8474, help="its port; 0 for any free one (8474)")
    add("-config", "--config", default="", metavar="FILE", help="JSON file with an array of proxies to create")
    add("-seed", "--seed", type=int, help="for everything random; printed when not given")
    flag("proxy-metrics", "serve /metrics with the bytes of each proxy")
    flag("runtime-metrics", "serve /metrics with figures of the process")
    flag("version", "print the version and exit")
    add("-answer-version", "--answer-version", default=VERSION, help=f"what GET /version answers ({VERSION})")
    add("-token", "--token", help="control requests need `Authorization: Bearer TOKEN`")
    flag("open", "allow a control port that is not loopback to do without a token")
    flag("lease-stdin", "exit when stdin ends")
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
    """What Go's strconv.ParseBool takes."""
    if text in ("1", "t", "T", "true", "TRUE", "True"):
        return True
    if text in ("0", "f", "F", "false", "FALSE", "False"):
        return False
    raise argparse.ArgumentTypeError(f"invalid boolean value {text!r}")


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
