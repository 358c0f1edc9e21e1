"""Put the scene up: the chatbot service, a proxy in front of each of its providers, and the addresses of everything.

In goes a Scenario, out come Addresses for as long as the context lasts; at its end, however it comes, nothing of it is
left.
"""

import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, cast
from urllib.parse import urlsplit

from mockbot.errors import UsageError
from mockbot.process.managed_process import ManagedProcess
from mockbot.proxy.toxiproxy_client import ToxicControl
from mockbot.proxy.toxiproxy_server import Lease, require_toxiproxy, start_embedded, start_toxiproxy
from mockbot.scenario.schema import Scenario
from mockbot.service.control_client import ServiceControl

Engine = Literal["embedded", "toxiproxy"]
LOOPBACK = "127.0.0.1:0"


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where everything listens: `providers` are base URLs through the proxy (without /v1), `direct` those past it."""

    service_control: str
    proxy_control: str
    providers: Mapping[str, str]
    direct: Mapping[str, str]
    proxies: Mapping[str, str]  # provider -> name of its proxy
    speed: float
    engine: Engine = "embedded"
    status_page: str = ""  # Statuspage's JSON under /api/v2
    token: str | None = None  # what the service's control asks for

    def to_json(self) -> str:
        """One line, for a child process."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Addresses":
        """The inverse of `to_json`."""
        return cls(**json.loads(text))


@dataclass(frozen=True, slots=True)
class ProxyChoice:
    """Which proxy stands in front of the providers; `url`: a Toxiproxy that runs already, else one is started."""

    engine: Engine = "embedded"
    url: str | None = None


EMBEDDED = ProxyChoice()


@dataclass(frozen=True, slots=True)
class RunningParts:
    """The parts of a testbed that run already, on machines whose names the clients' machines know too.

    `ports`: where the first provider's proxy is to listen, the others follow; 0: any free ones.
    """

    service: str
    toxiproxy: str
    token: str | None = None
    ports: int = 0


@contextmanager
def open_testbed(scenario: Scenario, speed: float, logs: Path, wire: ProxyChoice = EMBEDDED) -> Iterator[Addresses]:
    """Start service and proxy on free loopback ports. `logs`: an existing folder. Raises TestbedError."""
    resolved = logs / "service-scenario.json"
    resolved.write_text(scenario.model_dump_json(), "utf-8")
    service_arguments = ["mockbot.service", str(resolved), "--speed", f"{speed:.10g}", "--lease-stdin"]
    with ManagedProcess(service_arguments, logs / "service.log") as child, ExitStack() as stack:
        service = child.ready
        direct = cast("dict[str, str]", service["providers"])
        control, proxies = stack.enter_context(_proxies(wire, direct, scenario.seed, logs))
        yield Addresses(
            service_control=str(service["control"]),
            proxy_control=control,
            providers={provider: f"http://{listen}" for provider, (_, listen) in proxies.items()},
            direct=direct,
            proxies={provider: name for provider, (name, _) in proxies.items()},
            speed=speed,
            engine=wire.engine,
            status_page=str(service["status"]),
        )


@contextmanager
def attach_testbed(scenario: Scenario, speed: float, parts: RunningParts) -> Iterator[Addresses]:
    """A testbed whose parts run elsewhere; only the proxies are ours. Raises UsageError or TestbedError.

    They are named `mockbot-<provider>` and replace what an earlier run left that could not clean up, because their
    ports are fixed: one run at a time.
    """
    with closing(ServiceControl(parts.service, parts.token)) as service:
        ports = service.ports()
    if (ports.scenario, [*ports.providers]) != (scenario.name, [*scenario.providers]):
        raise UsageError(f"the service at {parts.service} plays {ports.scenario}; start it with {scenario.name}")
    direct = {name: _at(parts.service, port) for name, port in ports.providers.items()}
    wanted = {
        name: (f"mockbot-{name}", f"[::]:{parts.ports + index if parts.ports else 0}")
        for index, name in enumerate(direct)
    }
    with closing(ToxicControl(parts.toxiproxy)) as control, _leased(control, parts.toxiproxy, direct, wanted) as made:
        yield Addresses(
            service_control=parts.service,
            proxy_control=parts.toxiproxy,
            providers={name: _at(parts.toxiproxy, _port(listen)) for name, (_, listen) in made.items()},
            direct=direct,
            proxies={name: proxy for name, (proxy, _) in made.items()},
            speed=speed,
            engine="embedded" if control.embedded else "toxiproxy",
            status_page=_at(parts.service, ports.status),
            token=parts.token,
        )


def _at(url: str, port: int) -> str:
    """Another port of the same machine."""
    host = urlsplit(url).hostname or ""
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def _port(listen: str) -> int:
    return int(listen.rpartition(":")[2])


Proxies = Mapping[str, tuple[str, str]]  # provider -> name of its proxy, where that listens


@contextmanager
def _proxies(wire: ProxyChoice, upstreams: Mapping[str, str], seed: int, logs: Path) -> Iterator[tuple[str, Proxies]]:
    with ExitStack() as stack:
        if wire.url is not None:
            run = secrets.token_hex(4)
            wanted = {provider: (f"mockbot-{run}-{provider}", LOOPBACK) for provider in upstreams}
            control = stack.enter_context(closing(ToxicControl(wire.url)))
            yield wire.url, stack.enter_context(_leased(control, wire.url, upstreams, wanted))
            return
        if wire.engine == "toxiproxy":
            url = stack.enter_context(start_toxiproxy(require_toxiproxy(), logs / "proxy.log")).url
        else:
            url = stack.enter_context(start_embedded(seed, logs / "proxy.log")).url
        with closing(ToxicControl(url)) as control:
            created = {name: (name, control.create(name, urlsplit(to).netloc)) for name, to in upstreams.items()}
        yield url, created


@contextmanager
def _leased(control: ToxicControl, url: str, upstreams: Mapping[str, str], wanted: Proxies) -> Iterator[Proxies]:
    """Proxies of our own on a Toxiproxy that others use too; deleted at the end, by the lease when we are killed."""
    with Lease(url) as lease:
        for name, _ in wanted.values():
            lease.hold(name)
            control.delete(name)
        yield {
            provider: (name, control.create(name, urlsplit(upstreams[provider]).netloc, listen))
            for provider, (name, listen) in wanted.items()
        }
