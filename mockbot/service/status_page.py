"""The status page on a port that an outage does not touch: Statuspage v2 JSON under /api/v2, and a page for people at
/.

Shapes: confluence.status.atlassian.com/api and captures (incidents_and_clients.md §4.5). Ids are made from the
scenario's seed.
"""

import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, Template

from mockbot.service.answer_text import fingerprint
from mockbot.service.status_board import Incident, PublishedUpdate, StatusBoard
from mockbot.version import __version__

Json = dict[str, object]
_BARS = 60


class StatusJson:
    """A board as Statuspage writes it."""

    def __init__(self, board: StatusBoard, name: str, seed: int, url: Callable[[], str]) -> None:
        self._board, self._name, self._seed, self._url = board, name, seed, url

    def _id(self, *parts: object) -> str:
        return f"{fingerprint(self._seed, repr(parts).encode()):012x}"[:12]

    def page(self) -> Json:
        """The page itself."""
        published = [said.at for incident in self._board.incidents for said in incident.updates]
        return {
            "id": self._id("page"),
            "name": self._name,
            "url": self._url(),
            "time_zone": "Etc/UTC",
            "updated_at": iso(max(published, default=self._board.began)),
        }

    def status(self) -> Json:
        """Indicator and description."""
        return {"indicator": self._board.indicator, "description": self._board.description}

    def components(self) -> list[Json]:
        """One per provider."""
        return [self._component(index, name) for index, name in enumerate(self._board.providers)]

    def _component(self, index: int, name: str) -> Json:
        return {
            "id": self._id("component", name),
            "name": name,
            "status": self._board.component(name),
            "created_at": iso(self._board.began),
            "updated_at": self.page()["updated_at"],
            "position": index + 1,
            "description": None,
            "showcase": True,
            "start_date": None,
            "group_id": None,
            "page_id": self._id("page"),
            "group": False,
            "only_show_if_degraded": False,
        }

    def incidents(self, which: Callable[[Incident], bool]) -> list[Json]:
        """Those that are asked for, newest first."""
        return [self._incident(incident) for incident in reversed(self._board.incidents) if which(incident)]

    def _incident(self, incident: Incident) -> Json:
        said, number = incident.updates, incident.number
        monitoring = next((each.at for each in said if each.update.state == "monitoring"), None)
        described: Json = {
            "id": self._id("incident", number),
            "name": incident.name,
            "status": incident.state,
            "impact": incident.impact,
            "created_at": iso(said[0].at),
            "updated_at": iso(said[-1].at),
            "started_at": iso(said[0].at),
            "monitoring_at": None if monitoring is None else iso(monitoring),
            "resolved_at": iso(said[-1].at) if incident.over else None,
            "shortlink": f"{self._url()}/#incident-{number}",
            "page_id": self._id("page"),
            "incident_updates": [self._update(incident, n, each) for n, each in reversed(list(enumerate(said)))],
            "components": [
                component for component in self.components() if incident.provider in (None, component["name"])
            ],
            "reminder_intervals": None,
        }
        if incident.planned:
            began = next((each.at for each in said if each.update.state == "in_progress"), said[0].at)
            back = next((each.back for each in reversed(said) if each.back is not None), began)
            until = said[-1].at if incident.over else back
            described |= {"scheduled_for": iso(began), "scheduled_until": iso(until)}
        return described

    def _update(self, incident: Incident, n: int, said: PublishedUpdate) -> Json:
        return {
            "id": self._id("update", incident.number, n),
            "status": said.update.state,
            "body": said.words,
            "incident_id": self._id("incident", incident.number),
            "created_at": iso(said.at),
            "updated_at": iso(said.at),
            "display_at": iso(said.at),
            "affected_components": None,
            "deliver_notifications": True,
        }


def status_app(board: StatusBoard, name: str, seed: int, url: Callable[[], str]) -> FastAPI:
    """The public application. `name`: whose page it is; `url`: where it is, once that is known."""
    app = FastAPI(title=f"{name}: status page", version=__version__, docs_url=None, redoc_url=None)
    written = StatusJson(board, name, seed, url)
    lists: dict[str, tuple[str, Callable[[Incident], bool]]] = {
        "incidents": ("incidents", lambda each: not each.planned),
        "incidents/unresolved": ("incidents", lambda each: not each.planned and not each.over),
        "scheduled-maintenances": ("scheduled_maintenances", lambda each: each.planned),
        "scheduled-maintenances/upcoming": ("scheduled_maintenances", lambda each: each.state == "scheduled"),
        "scheduled-maintenances/active": ("scheduled_maintenances", lambda each: each.state == "in_progress"),
    }

    @app.get("/api/v2/status.json")
    async def status() -> Json:
        return {"page": written.page(), "status": written.status()}

    @app.get("/api/v2/components.json")
    async def components() -> Json:
        return {"page": written.page(), "components": written.components()}

    @app.get("/api/v2/summary.json")
    async def summary() -> Json:
        return {
            "page": written.page(),
            "components": written.components(),
            "incidents": written.incidents(lists["incidents/unresolved"][1]),
            "scheduled_maintenances": written.incidents(lambda each: each.planned and not each.over),
            "status": written.status(),
        }

    def listing(path: str, key: str, which: Callable[[Incident], bool]) -> None:
        @app.get(f"/api/v2/{path}.json", name=path)
        async def listed() -> Json:
            return {"page": written.page(), key: written.incidents(which)}

    for path, (key, which) in lists.items():
        listing(path, key, which)

    @app.get("/", response_class=HTMLResponse)
    async def page() -> str:
        """The page for people."""
        return _template().render(
            board=board, name=name, bars=bars, clock=clock, incidents=list(reversed(board.incidents))
        )

    def bars(provider: str) -> Iterable[str]:
        now = time.time()
        step = max(now - board.began, 1.0) / _BARS
        return [board.component(provider, board.began + step * (n + 1)) for n in range(_BARS)]

    return app


@cache
def _template() -> Template:
    loader = FileSystemLoader(Path(__file__).parent)
    return Environment(loader=loader, autoescape=True).get_template("status_page.html")


def iso(at: float) -> str:
    """2024-11-08T16:06:00.000Z."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def clock(at: float) -> str:
    """8 Nov, 16:06:12 UTC."""
    return f"{datetime.fromtimestamp(at, UTC):%-d %b, %H:%M:%S} UTC"
