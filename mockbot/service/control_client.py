"""Client of a service's control port: typed values in, HTTP requests out. Blocking; works under gevent."""

import json
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from requests import RequestException, Response, Session

from mockbot.clock import Clock
from mockbot.errors import TestbedError
from mockbot.evidence.records import Request, ServiceSecond
from mockbot.scenario.timeline import ActiveFault, StatusState

_TIMEOUT = 5.0  # wall seconds to connect, and between two bytes of the answer


@dataclass(frozen=True, slots=True)
class Where:
    """What a service plays, and at which ports: the status page's, and each provider's."""

    scenario: str
    status: int
    providers: dict[str, int]


class ServiceControl:
    """One service process. Every method raises TestbedError when the service refuses or does not answer."""

    def __init__(self, url: str, token: str | None = None) -> None:
        headers = {} if token is None else {"authorization": f"Bearer {token}"}
        self._url = f"{url}/_mockbot"
        self._lock = threading.Lock()  # a requests session is not made for several threads at once
        self._http = Session()
        self._http.trust_env = False
        self._http.headers.update(headers)

    def where(self) -> Where:
        """What it plays, and at which ports."""
        told = self._send("GET", "/health").json()
        return Where(told["scenario"], told["status"], told["providers"])

    def start_clock(self, clock: Clock) -> None:
        """Begin a run: scenario second 0 is clock.t0, and what was seen before is forgotten."""
        self._put("/clock", asdict(clock))

    def set_faults(self, provider: str, faults: Sequence[ActiveFault]) -> None:
        """Exactly these service faults hold from now on."""
        self._put(f"/faults/{provider}", [_dump(active) for active in faults])

    def set_status(self, state: StatusState | None) -> None:
        """What the status page says from now on."""
        self._put(
            "/status", None if state is None else {"since": state.since, "update": state.update.model_dump(mode="json")}
        )

    def seconds(self, since: int) -> tuple[ServiceSecond, ...]:
        """The complete seconds from `since` on, of every provider."""
        return tuple(ServiceSecond(**each) for each in self._send("GET", f"/seconds?since={since}").json())

    def record_requests(self) -> None:
        """From now on every request is recorded, for `requests`."""
        self._put("/recording", None)

    def requests(self, since: int = 0) -> tuple[tuple[Request, ...], tuple[Request, ...]]:
        """Of the run that goes on: all but the first `since` finished requests, and those that are still under way."""
        seen = self._send("GET", f"/requests?since={since}").json()
        finished, unfinished = ((Request(**each) for each in seen[kind]) for kind in ("finished", "unfinished"))
        return tuple(finished), tuple(unfinished)

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def _put(self, path: str, body: object) -> None:
        self._send("PUT", path, body)

    def _send(self, method: str, path: str, body: object = ...) -> Response:
        content = None if body is ... else json.dumps(body)
        headers = {} if body is ... else {"content-type": "application/json"}
        try:
            with self._lock:
                response = self._http.request(method, self._url + path, data=content, headers=headers, timeout=_TIMEOUT)
        except RequestException as error:
            raise TestbedError(f"the service's control port does not answer {method} {path}: {error!r}") from error
        if not response.ok:
            raise TestbedError(f"the service refused {method} {path}: {response.status_code} {response.text[:500]}")
        return response


def _dump(active: ActiveFault) -> dict[str, object]:
    span = active.span
    return {
        "id": span.id,
        "share": active.share,
        "start": span.start,
        "end": span.end,
        "phase": span.phase,
        "fault": span.fault.model_dump(mode="json"),
        "times": active.times,
    }
