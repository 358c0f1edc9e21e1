"""Client of a service's control port: typed values in, HTTP requests out. Blocking; works under gevent."""

from collections.abc import Sequence

from mockbot.clock import Clock
from mockbot.errors import REPORT_IT, TestbedError
from mockbot.evidence.records import Request, ServiceSecond
from mockbot.process.control_port import ControlAnswer, ask
from mockbot.scenario.timeline import ActiveFault, StatusState
from mockbot.service.control_messages import CLOCK, FAULTS, PREFIX, STATUS, ServicePorts, SharedClock


class ServiceControl:
    """One service process. Every method raises TestbedError when the service refuses or does not answer."""

    def __init__(self, url: str, token: str | None = None) -> None:
        self._url, self._token = url, token

    def ports(self) -> ServicePorts:
        """The scenario that it serves, and its ports."""
        health = self._send("GET", "/health").json()
        return ServicePorts(health["scenario"], health["status"], health["providers"])

    def troubles(self) -> list[str]:
        """What the service has noticed about itself since it started: it stood still, or lacked descriptors."""
        return list(self._send("GET", "/health").json()["troubles"])

    def faults(self) -> dict[str, list[str]]:
        """The ids of the service faults that hold, by provider."""
        return dict(self._send("GET", "/health").json()["faults"])

    def start_clock(self, clock: Clock) -> None:
        """Begin a run on this clock; earlier records are dropped."""
        self._send("PUT", "/clock", CLOCK.dump_python(SharedClock.of(clock), mode="json"))

    def set_faults(self, provider: str, faults: Sequence[ActiveFault]) -> None:
        """Exactly these service faults hold from now on."""
        self._send("PUT", f"/faults/{provider}", FAULTS.dump_python(tuple(faults), mode="json"))

    def set_status(self, state: StatusState | None) -> None:
        """Publish an update on the status page; None: nothing to publish."""
        self._send("PUT", "/status", STATUS.dump_python(state, mode="json"))

    def seconds(self, since: int) -> tuple[ServiceSecond, ...]:
        """The complete seconds from `since` on, of every provider."""
        return tuple(ServiceSecond(**each) for each in self._send("GET", f"/seconds?since={since}").json())

    def metrics(self, provider: str) -> str:
        """A provider's figures for Prometheus, of all its replicas."""
        return self._send("GET", f"/metrics/{provider}").text

    def totals(self) -> dict[str, dict[str, int]]:
        """How many requests of this run each fault has hit ("felt"), and asked for what is not served ("unserved")."""
        return dict(self._send("GET", "/totals").json())

    def record_requests(self) -> None:
        """From now on every request is recorded, for `requests`."""
        self._send("PUT", "/recording")

    def requests(self, since: int = 0) -> tuple[tuple[Request, ...], tuple[Request, ...]]:
        """The current run's requests: the finished ones except the first `since`, and the unfinished ones."""
        found = self._send("GET", f"/requests?since={since}").json()
        finished, unfinished = (tuple(Request(**each) for each in found[kind]) for kind in ("finished", "unfinished"))
        return finished, unfinished

    def _send(self, method: str, path: str, body: object = ...) -> ControlAnswer:
        try:
            answer = ask(self._url, method, PREFIX + path, body, token=self._token)
        except (ConnectionError, TimeoutError) as error:
            raise TestbedError(f"the service's control port does not answer {method} {path}: {error}") from error
        if not 200 <= answer.status < 300:
            raise TestbedError(f"the service refused {method} {path}: {answer.status} {answer.text[:500]}; {REPORT_IT}")
        return answer
