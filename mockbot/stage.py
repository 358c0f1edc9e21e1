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

from mockbot.child import Child
from mockbot.proxy.control import ToxicControl
from mockbot.proxy.real import Lease, require_toxiproxy, start_embedded, start_toxiproxy
from mockbot.scenario.schema import Scenario

Engine = Literal["embedded", "toxiproxy"]


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

    def to_json(self) -> str:
        """One line, for a child process."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Addresses":
        """The inverse of `to_json`."""
        return cls(**json.loads(text))


@dataclass(frozen=True, slots=True)
class Wire:
    """Which proxy stands in front of the providers; `url`: a Toxiproxy that runs already, else one is started."""

    engine: Engine = "embedded"
    url: str | None = None


EMBEDDED = Wire()


@contextmanager
def open_stage(scenario: Scenario, speed: float, logs: Path, wire: Wire = EMBEDDED) -> Iterator[Addresses]:
    """Start service and proxy on free loopback ports. `logs`: an existing folder. Raises TestbedError."""
    resolved = logs / "service-scenario.json"
    resolved.write_text(scenario.model_dump_json(), "utf-8")
    service_arguments = ["mockbot.service", str(resolved), "--speed", f"{speed:.10g}", "--lease-stdin"]
    with Child(service_arguments, logs / "service.log") as child, ExitStack() as stack:
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


Proxies = Mapping[str, tuple[str, str]]  # provider -> name of its proxy, where that listens


@contextmanager
def _proxies(wire: Wire, upstreams: Mapping[str, str], seed: int, logs: Path) -> Iterator[tuple[str, Proxies]]:
    with ExitStack() as stack:
        if wire.url is not None:
            yield wire.url, stack.enter_context(_leased(wire.url, upstreams))
            return
        if wire.engine == "toxiproxy":
            url = stack.enter_context(start_toxiproxy(require_toxiproxy(), logs / "proxy.log")).url
        else:
            url = stack.enter_context(start_embedded(seed, logs / "proxy.log")).url
        with closing(ToxicControl(url)) as control:
            created = {name: (name, control.create(name, urlsplit(to).netloc)) for name, to in upstreams.items()}
        yield url, created


@contextmanager
def _leased(url: str, upstreams: Mapping[str, str]) -> Iterator[Proxies]:
    """Proxies of our own on a Toxiproxy that others use too; deleted at the end, by the lease when we are killed."""
    run = secrets.token_hex(4)
    with closing(ToxicControl(url)) as control, Lease(url) as lease:
        names = {provider: f"mockbot-{run}-{provider}" for provider in upstreams}
        for name in names.values():
            lease.hold(name)
        yield {
            provider: (names[provider], control.create(names[provider], urlsplit(to).netloc))
            for provider, to in upstreams.items()
        }
