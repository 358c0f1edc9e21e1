"""Client of the interceptor's control port: typed values in, HTTP requests out. Blocking; works under gevent."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from mockbot.errors import REPORT_IT, TestbedError
from mockbot.evidence.records import Interception
from mockbot.faults.effects import Handshake
from mockbot.interception.handshake_faults import HandshakeFault
from mockbot.interception.plan import Plan
from mockbot.process.control_port import ControlAnswer, ask
from mockbot.scenario.timeline import ActiveFault


class InterceptorControl:
    """One interceptor. Every method raises TestbedError when it does not answer."""

    def __init__(self, url: str) -> None:
        self._url = url

    def set_addresses(self, addresses: Mapping[str, str]) -> None:
        """Where the providers' fault-injecting proxies listen: HOST:PORT by provider."""
        self._send("PUT", "/addresses", dict(addresses))

    def follow(self, plan: Plan) -> dict[str, str]:
        """Lead to these services, and from these hosts, from now on; where each provider's TLS server listens.

        The hosts have to be those that it was started with: the certificate authority knows no others.
        """
        return dict(self._send("PUT", "/plan", asdict(plan)).json())

    def seen(self) -> Interception:
        """The counts since its start."""
        return Interception(**self._send("GET", "/seen").json())

    def ports(self, provider: str, known: int) -> list[tuple[int, int]]:
        """Of each connection but the first `known` the port of the proxy's side, and the one that the service sees."""
        return [(near, far) for near, far in self._send("GET", f"/ports/{provider}/{known}").json()]

    def set_faults(self, provider: str, faults: Sequence[ActiveFault], speed: float) -> None:
        """Exactly these faults of its handshakes hold from now on; their delays are divided by `speed`."""
        effects = [(active, active.span.fault.effect()) for active in faults]
        wanted = [
            HandshakeFault(active.span.id, effect.how, effect.delay / speed, active.share)
            for active, effect in effects
            if isinstance(effect, Handshake)
        ]
        self._send("PUT", f"/faults/{provider}", [asdict(fault) for fault in wanted])

    def faults(self) -> dict[str, list[str]]:
        """The ids of the faults of handshakes that hold, by provider."""
        return {provider: state["faults"] for provider, state in self._send("GET", "/faults").json().items()}

    def felt(self) -> dict[str, dict[str, int]]:
        """How many handshakes each fault has hit so far, by provider."""
        return {provider: state["felt"] for provider, state in self._send("GET", "/faults").json().items()}

    def troubles(self) -> list[str]:
        """What it has noticed about itself since it started."""
        return list(self._send("GET", "/health").json()["troubles"])

    def _send(self, method: str, path: str, body: object = ...) -> ControlAnswer:
        try:
            answer = ask(self._url, method, path, body)
        except (ConnectionError, TimeoutError) as error:
            raise TestbedError(f"the interceptor's control port does not answer {method} {path}: {error}") from error
        if not 200 <= answer.status < 300:
            refused = f"the interceptor refused {method} {path}: {answer.status} {answer.text[:500]}"
            raise TestbedError(f"{refused}; {REPORT_IT}")
        return answer
