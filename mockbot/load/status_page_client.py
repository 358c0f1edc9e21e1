"""The status page as users see it: fetched over HTTP when a user looks, a StatusState out.

    GET {url}/api/v2/summary.json    Statuspage v2: what is open now, newest update first

The page decides what it shows and when, so a page that is late, wrong or down misleads its readers as it would in
production. A page that does not answer, is empty or has moved reports nothing: neither an outage nor its end. The
meaning of a text ("back at four") is taken from the scenario's update with the same text, because a program cannot read
prose.
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


UNREADABLE = StatusState(0.0, StatusUpdate(at="0s", state="investigating", page="empty"))


class _Update(BaseModel):
    status: str
    body: str
    created_at: datetime


class _Incident(BaseModel):
    incident_updates: tuple[_Update, ...]  # newest first


class _Summary(BaseModel):
    incidents: tuple[_Incident, ...]
    scheduled_maintenances: tuple[_Incident, ...]


class StatusPageClient:
    """Reads the page at `url`. `updates`: the scenario's, by which texts are understood."""

    def __init__(self, url: str, clock: Clock, updates: Sequence[StatusUpdate]) -> None:
        self._clock, self._updates = clock, tuple(updates)
        parsed = URL(f"{url}/")
        self._uri = f"{parsed.path.rstrip('/')}/api/v2/summary.json"
        self._connection = HTTPClient.from_url(parsed, connection_timeout=WITHIN, network_timeout=WITHIN)

    def read(self) -> StatusState | None:
        """The newest update of what is open; None when nothing is open, UNREADABLE when the page says nothing."""
        try:
            summary = _Summary.model_validate_json(self._connection.get(self._uri).read())
        except (OSError, HTTPParseError, ValidationError):
            return UNREADABLE
        updates = (each.incident_updates[0] for each in (*summary.incidents, *summary.scheduled_maintenances))
        newest = max(updates, key=lambda update: update.created_at, default=None)
        if newest is None:
            return None
        since = (newest.created_at.timestamp() - self._clock.t0) * self._clock.speed
        for update in self._updates:
            if update.state == newest.status and update.says in {"", newest.body}:
                return StatusState(since, update)
        unknown = {"at": "0s", "state": newest.status, "says": newest.body}
        return StatusState(since, StatusUpdate.model_validate(unknown))
