"""Start a testbed: the chatbot service and a proxy in front of each provider. A Scenario in, Addresses out.

The testbed lasts as long as the context. However the context ends, no process and no proxy of it is left.
"""

import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Literal, cast
from urllib.parse import urlsplit

from mockbot.errors import TestbedError, UsageError
from mockbot.faults.base import SYSTEM, ToxicFault
from mockbot.interception.environment import CERTIFICATE
from mockbot.interception.interceptor_control import InterceptorControl
from mockbot.interception.interceptor_process import running_interceptor
from mockbot.interception.plan import Plan
from mockbot.process.managed_process import ManagedProcess
from mockbot.proxy.toxiproxy_client import ToxicControl
from mockbot.proxy.toxiproxy_server import Lease, require_toxiproxy, start_embedded, start_toxiproxy
from mockbot.scenario.schema import Scenario
from mockbot.service.control_client import ServiceControl
from mockbot.upstream.settings import NO_UPSTREAMS, UpstreamSettings
from mockbot.upstream.sources import check_upstreams

Engine = Literal["embedded", "toxiproxy"]
Proxies = dict[str, tuple[str, str]]  # provider -> name of its proxy, where that listens


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where everything listens: `providers` are base URLs through the proxy (without /v1), `direct` those past it."""

    service_control: str
    proxy_control: str
    providers: Mapping[str, str]
    direct: Mapping[str, str]
    proxies: Mapping[str, str]  # provider, or SYSTEM -> name of its proxy
    speed: float
    engine: Engine = "embedded"
    status_page: str = ""  # Statuspage's JSON under /api/v2
    token: str | None = None  # that the service's control API requires
    processes: Mapping[str, int] = field(default_factory=dict)  # name -> id of each that must not end before the run
    system_control: str = ""  # of a system under test that can be restarted
    interceptor: str = ""  # its control API; "": there is none, and `providers` are http
    forward_proxy: str = ""  # the value of HTTPS_PROXY for a client that is intercepted
    certificates: str = ""  # the folder of the CA's public certificate (mockbot.interception.trust_folder)

    def to_json(self) -> str:
        """One line, for a child process."""
        return json.dumps(asdict(self))

    @property
    def authority(self) -> str:
        """PEM of the certificate authority of this run; "": the providers' URLs are http."""
        return (Path(self.certificates) / CERTIFICATE).read_text("ascii") if self.certificates else ""

    @classmethod
    def from_json(cls, text: str) -> "Addresses":
        """The inverse of `to_json`."""
        return cls(**json.loads(text))


@dataclass(frozen=True, slots=True)
class ProxyChoice:
    """The fault proxy; `url`: of a Toxiproxy that runs already, else one is started."""

    engine: Engine = "embedded"
    url: str | None = None


EMBEDDED = ProxyChoice()
STATUS_PAGE = "the status page"  # its proxy's name, which no provider can have
WATCHDOG = "cleanup watchdog"  # without it the proxies would stay after a kill -9


@dataclass(frozen=True, slots=True)
class RunningParts:
    """A service and a Toxiproxy that run already, at addresses that the clients can reach too.

    `ports`: the port of the first provider's proxy, the others use the next ones; 0: any free ones.
    """

    service: str
    toxiproxy: str
    token: str | None = None
    ports: int = 0


@contextmanager
def open_testbed(
    scenario: Scenario, speed: float, logs: Path | None, wire: ProxyChoice = EMBEDDED,
    hosts: Mapping[str, str] | None = None, *, tls: bool = False, upstreams: UpstreamSettings = NO_UPSTREAMS,
    bind: str = "127.0.0.1",
) -> Iterator[Addresses]:  # fmt: skip
    """Start service and proxy on free loopback ports. `logs`: an existing folder. Raises UsageError or TestbedError.

    `bind`: the IPv4 address at which the proxy listens instead for what clients ask: providers and status page.

    `hosts`: those to intercept (mockbot.interception.plan). The providers' URLs are https then, as with `tls` and where
    a fault of the handshake needs it.
    """
    check_upstreams(scenario, upstreams, speed)
    if wire.engine == "toxiproxy":
        _refuse_unknown_toxics(scenario)
    arguments = ["mockbot.service", "-", "--speed", f"{speed:.10g}", "--upstreams-stdin", "--lease-stdin"]
    told = f"{scenario.model_dump_json()}\n{upstreams.model_dump_json()}"
    parts = ("service", "proxy", "interceptor")
    service_log, proxy_log, own_log = (None if logs is None else logs / f"{part}.log" for part in parts)
    with ManagedProcess(arguments, service_log, told) as child, ExitStack() as stack:
        service = child.ready
        direct = cast("dict[str, str]", service["providers"])
        behind, own, replicas = direct, None, cast("dict[str, int]", service["replicas"])
        if hosts or tls or scenario.over_tls:
            plan = Plan({name: urlsplit(to).netloc for name, to in direct.items()}, hosts or {}, scenario.seed)
            own = stack.enter_context(running_interceptor(plan, own_log))
            listening = cast("dict[str, str]", own.ready["providers"])
            behind = {name: f"https://{at}" for name, at in listening.items()}
        if wire.url is None:
            if wire.engine == "toxiproxy":
                proxy = start_toxiproxy(require_toxiproxy(), proxy_log)
            else:
                proxy = start_embedded(scenario.seed, proxy_log)
            url, guard = stack.enter_context(proxy).url, proxy.pid
            control = ToxicControl(url)
            proxies = {
                name: (name, control.create(name, urlsplit(to).netloc, f"{bind}:0")) for name, to in behind.items()
            }
        else:
            url, run = wire.url, secrets.token_hex(4)
            wanted = {provider: (f"mockbot-{run}-{provider}", f"{bind}:0") for provider in direct}
            control = ToxicControl(url)
            proxies, guard = stack.enter_context(_leased(control, url, behind, wanted))
        page = str(service["status"])
        if bind != "127.0.0.1":  # through a proxy without faults: the control port, beside it, stays at the loopback
            made = ToxicControl(url).create(STATUS_PAGE, urlsplit(page).netloc, f"{bind}:0")
            page = f"http://{made}{urlsplit(page).path}"
        addresses = Addresses(
            service_control=str(service["control"]),
            proxy_control=url,
            providers={provider: f"http://{listen}" for provider, (_, listen) in proxies.items()},
            direct=direct,
            proxies={provider: name for provider, (name, _) in proxies.items()},
            speed=speed,
            engine=wire.engine,
            status_page=page,
            processes={"service": child.pid, **replicas, "proxy" if wire == EMBEDDED else WATCHDOG: guard},
        )
        yield addresses if own is None else behind_interceptor(addresses, own, intercepts=bool(hosts))


def behind_interceptor(addresses: Addresses, interceptor: ManagedProcess, *, intercepts: bool) -> Addresses:
    """The addresses as clients that speak TLS use them."""
    ready = interceptor.ready
    addresses = replace(
        addresses,
        providers={name: url.replace("http:", "https:") for name, url in addresses.providers.items()},
        processes={**addresses.processes, "interceptor": interceptor.pid},
        interceptor=interceptor.url,
        forward_proxy=str(ready["forward_proxy"]) if intercepts else "",
        certificates=str(ready["certificates"]),
    )
    tell_interceptor(addresses)
    return addresses


def tell_interceptor(addresses: Addresses) -> None:
    """Where the providers' proxies listen."""
    where = {name: urlsplit(url).netloc for name, url in addresses.providers.items()}
    InterceptorControl(addresses.interceptor).set_addresses(where)


def on_ports(addresses: Addresses, port: int) -> Addresses:
    """Move the providers' proxies to consecutive ports from `port` on."""
    providers = {}
    control = ToxicControl(addresses.proxy_control)
    for offset, (provider, proxy) in enumerate(addresses.proxies.items()):
        url = urlsplit(addresses.providers[provider])
        listen = control.update_proxy(proxy, listen=f"{url.hostname}:{port + offset}").listen
        providers[provider] = f"{url.scheme}://{listen}"
    addresses = replace(addresses, providers=providers)
    if addresses.interceptor:
        tell_interceptor(addresses)
    return addresses


@contextmanager
def proxy_before_system(addresses: Addresses, url: str) -> Iterator[tuple[Addresses, str]]:
    """The addresses with the system's own proxy among `proxies`, and the system's URL through it."""
    place, run = urlsplit(url), secrets.token_hex(4)
    wanted: Proxies = {SYSTEM: (f"mockbot-{run}-{SYSTEM}", "127.0.0.1:0")}
    with _leased(ToxicControl(addresses.proxy_control), addresses.proxy_control, {SYSTEM: url}, wanted) as leased:
        (name, listen), guard = leased[0][SYSTEM], leased[1]
        proxies, processes = {**addresses.proxies, SYSTEM: name}, {**addresses.processes, f"{WATCHDOG} {SYSTEM}": guard}
        yield replace(addresses, proxies=proxies, processes=processes), f"http://{listen}{place.path}"


@contextmanager
def attach_testbed(scenario: Scenario, speed: float, parts: RunningParts) -> Iterator[Addresses]:
    """A testbed on a service and a Toxiproxy that run elsewhere. Raises UsageError or TestbedError.

    The run's proxies are named `mockbot-<provider>` and replace those of an earlier run that could not clean up: their
    ports are fixed, so only one run can use them at a time.
    """
    if scenario.over_tls:
        raise UsageError("faults of the TLS handshake need a service that this run starts; leave --service away")
    ports = ServiceControl(parts.service, parts.token).ports()
    if (ports.scenario, [*ports.providers]) != (scenario.name, [*scenario.providers]):
        raise UsageError(f"the service at {parts.service} serves {ports.scenario}; start it with {scenario.name}")
    direct = {name: _at(parts.service, port) for name, port in ports.providers.items()}
    wanted = {
        name: (f"mockbot-{name}", f"[::]:{parts.ports + index if parts.ports else 0}")
        for index, name in enumerate(direct)
    }
    control = ToxicControl(parts.toxiproxy)
    with _leased(control, parts.toxiproxy, direct, wanted) as (made, guard):
        if not control.embedded:
            _refuse_unknown_toxics(scenario)
        yield Addresses(
            service_control=parts.service,
            proxy_control=parts.toxiproxy,
            providers={
                name: _at(parts.toxiproxy, int(listen.rpartition(":")[2])) for name, (_, listen) in made.items()
            },
            direct=direct,
            proxies={name: proxy for name, (proxy, _) in made.items()},
            speed=speed,
            engine="embedded" if control.embedded else "toxiproxy",
            status_page=_at(parts.service, ports.status),
            token=parts.token,
            processes={WATCHDOG: guard},
        )


def _refuse_unknown_toxics(scenario: Scenario) -> None:
    faults = [fault for phase in scenario.phases for fault in phase.faults]
    unknown = {fault.kind for fault in faults if isinstance(fault, ToxicFault) and not fault.in_toxiproxy}
    if unknown:
        raise UsageError(f"the original Toxiproxy does not know {', '.join(sorted(unknown))}; use --proxy embedded")


def _at(url: str, port: int) -> str:
    """Another port of the same machine."""
    host = urlsplit(url).hostname or ""
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


@contextmanager
def _leased(
    control: ToxicControl, url: str, upstreams: Mapping[str, str], wanted: Proxies
) -> Iterator[tuple[Proxies, int]]:
    """Proxies on a Toxiproxy that others use too, and the process id of the lease, which deletes them when this process
    is killed; deleted at the end.
    """
    with Lease(url) as lease:
        for name, _ in wanted.values():
            lease.hold(name)
            control.delete(name)
        try:
            made = {
                provider: (name, control.create(name, urlsplit(upstreams[provider]).netloc, listen))
                for provider, (name, listen) in wanted.items()
            }
            yield made, lease.pid
        finally:
            with suppress(TestbedError):  # it has gone, or hangs: the lease tries again
                for name, _ in wanted.values():
                    control.delete(name)
