"""The status page as users see it: read over HTTP when one of them looks, a StatusState out.

    GET {url}/api/v2/summary.json    Statuspage v2: what is open now, newest update first

What the page shows, and when, is the page's business: a page that is late, wrong or down is so for its readers. Only
what the words mean ("back at four") is taken from the scenario that put them there, because people read words and we
cannot. A page that does not answer tells nothing.
"""

from collections.abc import Sequence
from datetime import datetime

from geventhttpclient import HTTPClient
from geventhttpclient.response import HTTPParseError
from geventhttpclient.url import URL
from pydantic import BaseModel, ValidationError

from mockbot.clock import Clock
from mockbot.scenario.schema import StatusUpdate
from mockbot.scenario.timeline import StatusState

WITHIN = 3.0  # wall seconds that a reader waits for the page


class _Update(BaseModel):
    status: str
    body: str
    created_at: datetime


class _Incident(BaseModel):
    incident_updates: tuple[_Update, ...]  # newest first


class _Summary(BaseModel):
    incidents: tuple[_Incident, ...]
    scheduled_maintenances: tuple[_Incident, ...]

    def newest(self) -> _Update | None:
        """The last thing said about what is still open."""
        updates = (each.incident_updates[0] for each in (*self.incidents, *self.scheduled_maintenances))
        return max(updates, key=lambda update: update.created_at, default=None)


class StatusPageClient:
    """One node's view of the page at `url`. `said`: the scenario's updates, by which words are understood."""

    def __init__(self, url: str, clock: Clock, said: Sequence[StatusUpdate]) -> None:
        self._clock, self._said = clock, tuple(said)
        parsed = URL(f"{url}/")
        self._uri = f"{parsed.path.rstrip('/')}/api/v2/summary.json"
        self._connection = HTTPClient.from_url(parsed, connection_timeout=WITHIN, network_timeout=WITHIN)

    def read(self) -> StatusState | None:
        """What it shows now; None: nothing is open, or it could not be read."""
        try:
            response = self._connection.get(self._uri)
            summary = _Summary.model_validate_json(response.read())
        except (OSError, HTTPParseError, ValidationError):
            return None
        newest = summary.newest()
        return None if newest is None else self._understood(newest)

    def _understood(self, update: _Update) -> StatusState:
        since = (update.created_at.timestamp() - self._clock.t0) * self._clock.speed
        return StatusState(since, self._meaning(update))

    def _meaning(self, update: _Update) -> StatusUpdate:
        for said in self._said:
            if said.state == update.status and said.says in {"", update.body}:
                return said
        return StatusUpdate.model_validate({"at": "0s", "state": update.status, "says": update.body})
