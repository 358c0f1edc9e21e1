"""One test's proxy and the services behind it, in a child process that serves a whole session (`testbed_process`).

    client ──► listener (a port of the proxy, stays) ──► service (another one for every outage)

The rule: a listener's address stays the same for a whole test, so a client made before an outage takes part in it. The
first provider of whatever is played has the first listener, every other one the listener of its name.
"""

from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from mockbot.clock import Clock
from mockbot.errors import REPORT_IT, TestbedError, UsageError
from mockbot.interception.interceptor_control import InterceptorControl
from mockbot.interception.interceptor_process import running_interceptor
from mockbot.interception.plan import Plan, intercepted_hosts
from mockbot.process.control_port import ask
from mockbot.process.managed_process import ManagedProcess
from mockbot.proxy.toxiproxy_client import ToxicControl
from mockbot.scenario.schema import Scenario
from mockbot.service.control_messages import CLOCK, SharedClock
from mockbot.testbed.start import Addresses, behind_interceptor, tell_interceptor

LIMITS = (5.0, 20.0)  # wall seconds to connect and to answer; a hanging test is worse than a failing one


@dataclass(frozen=True, slots=True)
class RunningService:
    """A service that is up, its number in the child process, and its addresses through the proxy."""

    scenario: Scenario
    addresses: Addresses
    number: int


class SessionTestbed:
    """One test's proxy, and the services that run behind it one after the other. `url`: the child's control port.

    `intercept`: hosts to intercept beside the public ones, for the first provider; None: clients are led by base URLs.
    Those are https with `tls`.
    """

    def __init__(self, url: str, seed: int, intercept: Sequence[str] | None = None, *, tls: bool = False) -> None:
        self._url, self._hosts, self._closing = url, intercept, ExitStack()
        self._tls = tls or intercept is not None
        self._interceptor: ManagedProcess | None = None
        proxy = self._ask("POST", "/proxies", {"seed": seed})
        self._number, self._proxy_control = proxy["id"], str(proxy["control"])
        self.control = ToxicControl(self._proxy_control)
        self._listeners: dict[str, str] = {}  # name of its proxy -> its address
        self._named: list[str] = []  # providers whose address the test has asked for
        self._first = ""  # the first provider past its listener

    def open(self, scenario: Scenario, speed: float, clock: Clock) -> RunningService:
        """Start a service; missing listeners are made. UsageError when it lacks a provider that the test has named."""
        if missing := [name for name in self._named if name not in scenario.providers]:
            there = ", ".join(scenario.providers)
            raise UsageError(f"the test asks for provider {missing[0]!r}, and {scenario.name} has {there}")
        if scenario.over_tls and not self._tls:
            raise UsageError(f"{scenario.name} has faults of the TLS handshake; mark the test with @pytest.mark.tls")
        clock_body = CLOCK.dump_python(SharedClock.of(clock), mode="json")
        ready = self._ask("POST", "/services", {"scenario": scenario.model_dump(mode="json"), "clock": clock_body})
        proxies: dict[str, str] = {}
        for provider, url in ready["providers"].items():
            proxies[provider] = f"listener-{provider}" if proxies else "listener"  # of the first one
            self._listen(proxies[provider], url)
        addresses = Addresses(
            service_control=ready["control"],
            proxy_control=self._proxy_control,
            providers={name: f"http://{self._listeners[proxy]}" for name, proxy in proxies.items()},
            direct=ready["providers"],
            proxies=proxies,
            speed=speed,
            status_page=ready["status"],
        )
        if self._tls:
            if self._interceptor is None:
                plan = Plan({}, self._intercepted(scenario))
                self._interceptor = self._closing.enter_context(running_interceptor(plan))
            addresses = behind_interceptor(addresses, self._interceptor, intercepts=self._hosts is not None)
        return RunningService(scenario, addresses, ready["id"])

    def _intercepted(self, scenario: Scenario) -> dict[str, str]:
        if self._hosts is None:
            return {}
        return intercepted_hosts(scenario, [f"{host}={scenario.first_provider}" for host in self._hosts])

    def url_of(self, provider: str) -> str:
        """Where this provider will be, which is not the first one. Until it is there, the first one answers."""
        self._named.append(provider)
        scheme = "https" if self._tls else "http"
        return f"{scheme}://{self._listen(f'listener-{provider}', self._first)}"

    def _listen(self, proxy: str, url: str) -> str:
        if proxy not in self._listeners:
            self._listeners[proxy] = self.control.create(proxy, urlsplit(url).netloc)
        return self._listeners[proxy]

    def route_to(self, running: RunningService) -> None:
        """Forward the listeners to this service from now on; connections through them are closed."""
        addresses, upstreams = running.addresses, running.addresses.direct
        if addresses.interceptor:
            plan = Plan(
                {name: urlsplit(url).netloc for name, url in upstreams.items()}, self._intercepted(running.scenario)
            )
            listening = InterceptorControl(addresses.interceptor).follow(plan)
            upstreams = {name: f"https://{listening[name]}" for name in upstreams}
            tell_interceptor(addresses)
        urls = {addresses.proxies[name]: url for name, url in upstreams.items()}
        self._first = urls["listener"]
        for proxy in self._listeners:
            self.control.update_proxy(proxy, upstream=urlsplit(urls.get(proxy, self._first)).netloc)

    def end(self, running: RunningService) -> None:
        """Stop a service."""
        self._ask("DELETE", f"/services/{running.number}")

    def felt(self, running: RunningService) -> Counter[str]:
        """Fault id -> hits so far: of a fault of the service requests, of the wire connections, of TLS handshakes."""
        total = Counter[str](self._ask("GET", f"/services/{running.number}/felt"))
        for proxy in running.addresses.proxies.values():
            total.update(self.control.felt(proxy) or {})
        if running.addresses.interceptor:
            handshakes = InterceptorControl(running.addresses.interceptor).felt()
            for provider in running.addresses.providers:
                total.update(handshakes[provider])
        return total

    def unserved(self, running: RunningService) -> Counter[str]:
        """What requests so far asked for that is not served."""
        return Counter[str](self._ask("GET", f"/services/{running.number}/unserved"))

    def close(self) -> None:
        """Close every listener."""
        with self._closing:
            self._ask("DELETE", f"/proxies/{self._number}")

    def _ask(self, method: str, path: str, body: object = ...) -> Any:
        try:
            answer = ask(self._url, method, path, body, limits=LIMITS)
        except (ConnectionError, TimeoutError) as error:
            raise TestbedError(f"the fixture's child process does not answer {method} {path}: {error}") from None
        if answer.status >= 300:
            failed = f"the fixture's child process failed at {method} {path}: {answer.text[:500]}"
            raise TestbedError(f"{failed}; {REPORT_IT}")
        return answer.json() if answer.text else None
