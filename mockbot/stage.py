"""Put the scene up: the chatbot service, a proxy in front of each of its providers, and the addresses of everything.

In goes a Scenario, out come Addresses for as long as the context lasts; at its end, however it comes, nothing of it is
left.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, cast
from urllib.parse import urlsplit

from mockbot.child import server_child
from mockbot.proxy.control import ToxicControl
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


@contextmanager
def open_stage(scenario: Scenario, speed: float, logs: Path) -> Iterator[Addresses]:
    """Start service and proxy on free loopback ports. `logs`: an existing folder. Raises TestbedError."""
    resolved = logs / "service-scenario.json"
    resolved.write_text(scenario.model_dump_json(), "utf-8")
    service_arguments = ["mockbot.service", str(resolved), "--speed", f"{speed:.10g}"]
    proxy_arguments = ["mockbot.proxy", "--host", "127.0.0.1", "--port", "0", "--seed", str(scenario.seed)]
    with (
        server_child("service", service_arguments, logs / "service.log") as service,
        server_child("proxy", proxy_arguments, logs / "proxy.log") as proxy,
    ):
        direct = cast("dict[str, str]", service["providers"])
        proxy_control = str(proxy["control"])
        with closing(ToxicControl(proxy_control)) as control:
            listens = {name: control.create(name, urlsplit(url).netloc) for name, url in direct.items()}
        yield Addresses(
            service_control=str(service["control"]),
            proxy_control=proxy_control,
            providers={name: f"http://{listen}" for name, listen in listens.items()},
            direct=direct,
            proxies={name: name for name in direct},
            speed=speed,
            status_page=str(service["status"]),
        )
