"""A service or a proxy that runs out of file descriptors drops connections, and says so afterwards."""

import json
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from urllib.parse import urlsplit

import pytest

from mockbot.errors import TestbedError
from mockbot.proxy.toxiproxy_client import ToxicControl
from mockbot.service.control_client import ServiceControl
from tests.proxy.wire import eventually
from tests.testbed.test_start import scenario_with

pytestmark = pytest.mark.live
FEW = 40  # descriptors, the hard limit
PROXY = ["mockbot.proxy", "--host", "127.0.0.1", "--port", "0", "--lease-stdin"]
SERVICE = ["mockbot.service", "-", "--lease-stdin"]


@contextmanager
def limited(arguments: list[str], told: str = "") -> Iterator[dict[str, object]]:
    """The process under its limit; its first line."""
    under_limit = ["sh", "-c", f'ulimit -n {FEW}; exec "$@"', "sh"]
    command = [*under_limit, sys.executable, "-m", *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None and process.stdout is not None  # noqa: PT018
        print(told, file=process.stdin, flush=True)
        yield dict(json.loads(process.stdout.readline()))
        process.communicate(timeout=20)


def says_so_after(address: str, troubles: Callable[[], list[str]]) -> bool:
    """Whether it tells of it once too many clients have come to this address and gone."""
    where = urlsplit(f"//{address}")
    with ExitStack() as clients:
        for _ in range(2 * FEW):
            clients.enter_context(socket.create_connection((where.hostname or "", where.port or 0), 5))

        def exhausted() -> bool:
            clients.pop_all().close()  # it needs a descriptor to answer
            with suppress(TestbedError):
                return any("ulimit -n" in each for each in troubles())
            return False

        assert not eventually(lambda: False, 0.5), "it had time to notice"
        return eventually(exhausted, 10)


def test_a_proxy_says_that_it_ran_out() -> None:
    """At the accept or the dial that failed."""
    with socket.create_server(("127.0.0.1", 0), backlog=100) as upstream, limited(PROXY) as ready:
        control = ToxicControl(str(ready["control"]))
        address = control.create("a", f"127.0.0.1:{upstream.getsockname()[1]}")

        assert says_so_after(address, control.troubles)


@pytest.mark.second
def test_a_service_says_that_it_ran_out() -> None:
    """Its event loop accepts and drops what is too much without a word; it looks for itself."""
    with limited(SERVICE, scenario_with().model_dump_json()) as ready:
        control, providers = ServiceControl(str(ready["control"])), ready["providers"]
        assert isinstance(providers, dict)

        assert says_so_after(urlsplit(providers["main"]).netloc, control.troubles)
