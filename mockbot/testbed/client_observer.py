"""Observe a client that keeps no journal: its requests and cut connections in, a journal of them out."""

from mockbot.evidence.attempt_inference import Wire, journal_of
from mockbot.evidence.records import Attempt, Prompt, Request
from mockbot.faults import FAULTS
from mockbot.faults.base import ToxicFault
from mockbot.interception.interceptor_control import InterceptorControl
from mockbot.proxy.toxiproxy_client import ToxicControl
from mockbot.scenario.transforms import EXTERNAL_GROUP
from mockbot.service.control_client import ServiceControl
from mockbot.testbed.start import Addresses

_OUTCOMES = {
    fault.kind: fault.client_sees for fault in FAULTS if issubclass(fault, ToxicFault) and fault.client_sees is not None
}


class ClientObserver:
    """Collects from its creation on. Raises TestbedError when service or proxy cannot be reached."""

    def __init__(self, addresses: Addresses) -> None:
        self._addresses = addresses
        self._service = ServiceControl(addresses.service_control)
        self._proxy = ToxicControl(addresses.proxy_control)
        self._service.record_requests()
        self._requests: list[Request] = []
        self._unfinished: tuple[Request, ...] = ()
        self._wires: set[Wire] = set()
        self._before = 0  # the number of the next request
        self._interceptor = InterceptorControl(addresses.interceptor) if addresses.interceptor else None
        self._ports: dict[str, list[tuple[int, int]]] = {provider: [] for provider in addresses.proxies}
        self._ended = dict.fromkeys(addresses.proxies, 0)  # connections that are known to be over

    def look(self) -> None:
        """Collect what is new. Call it regularly: a proxy keeps only its last 100,000 ended connections."""
        # The connections first, so that every request on one of them has a number below `before`.
        every = {
            provider: self._proxy.ended(name, self._ended[provider])
            for provider, name in self._addresses.proxies.items()
        }
        finished, self._unfinished = self._service.requests(len(self._requests))
        self._requests += finished
        self._before = max([self._before, *(1 + each.number for each in (*finished, *self._unfinished))])
        for provider, new in every.items():
            self._ended[provider] += len(new)
            at_service = self._ports_at_service(provider) if new else {}
            for ended in new:
                # A toxic's name is the id of its fault, which ends with the fault's kind.
                kinds = [name.rpartition(".")[2] for name in ended.toxics]
                outcomes = [_OUTCOMES[kind] for kind in kinds if kind in _OUTCOMES]
                if outcomes or ended.closed_by_disable:
                    port = ended.port if self._interceptor is None else at_service.get(ended.port, 0)
                    self._wires.add(Wire(provider, port, outcomes[0] if outcomes else "reset", self._before))

    def _ports_at_service(self, provider: str) -> dict[int, int]:
        """By the port of the proxy's side of a connection, where TLS ends in between; the newest one of each."""
        if self._interceptor is not None:
            known = self._ports[provider]
            known += self._interceptor.ports(provider, len(known))
        return dict(self._ports[provider])

    @property
    def requests(self) -> tuple[Request, ...]:
        """Every request that had ended at the last look, in the order in which they ended."""
        return tuple(self._requests)

    @property
    def every(self) -> tuple[Request, ...]:
        """Those, and the ones that had not ended."""
        return (*self._requests, *self._unfinished)

    @property
    def wires(self) -> frozenset[Wire]:
        """The connections that the proxy had cut off at the last look."""
        return frozenset(self._wires)

    def journal(self) -> list[Attempt | Prompt]:
        """Everything up to the last look."""
        return journal_of(self.every, self._wires, EXTERNAL_GROUP, self._addresses.speed)
