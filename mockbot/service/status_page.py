"""The status page, on a port that an outage does not affect: Statuspage v2 JSON under /api/v2, and an HTML page at /.

Shapes: confluence.status.atlassian.com/api and captures (incidents_and_clients.md §4.5). Ids derive from the scenario's
seed.
"""

import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader
from starlette.middleware.base import RequestResponseEndpoint

from mockbot.service.answer_text import fingerprint
from mockbot.service.status_history import Incident, PublishedUpdate, StatusHistory
from mockbot.version import __version__

Json = dict[str, object]
MOVED = "/moved"
_BARS = 60  # of a component's history since the run began


class StatusJson:
    """The status page's state as Statuspage writes it."""

    def __init__(self, history: StatusHistory, name: str, seed: int, url: Callable[[], str]) -> None:
        self._history, self._name, self._seed, self._url = history, name, seed, url

    def _id(self, *parts: object) -> str:
        return f"{fingerprint(self._seed, repr(parts).encode()):012x}"[:12]

    def page(self) -> Json:
        """The page itself."""
        published = [update.at for incident in self._history.incidents for update in incident.updates]
        return {
            "id": self._id("page"),
            "name": self._name,
            "url": self._url(),
            "time_zone": "Etc/UTC",
            "updated_at": iso(max(published, default=self._history.began)),
        }

    def status(self) -> Json:
        """Indicator and description."""
        return {"indicator": self._history.indicator, "description": self._history.description}

    def components(self) -> list[Json]:
        """One per provider."""
        began, page = iso(self._history.began), self.page()
        return [
            {
                "id": self._id("component", name), "name": name, "status": self._history.component(name),
                "created_at": began, "updated_at": page["updated_at"], "position": position, "description": None,
                "showcase": True, "start_date": None, "group_id": None, "page_id": page["id"], "group": False,
                "only_show_if_degraded": False,
            }
            for position, name in enumerate(self._history.providers, 1)
        ]  # fmt: skip

    def incidents(self, which: Callable[[Incident], bool]) -> list[Json]:
        """The incidents that the filter passes, newest first."""
        return [self._incident(incident) for incident in reversed(self._history.shown) if which(incident)]

    def _incident(self, incident: Incident) -> Json:
        updates, number = incident.updates, incident.number
        first, last = updates[0].at, updates[-1].at
        monitoring = next((each.at for each in updates if each.update.state == "monitoring"), None)
        described: Json = {
            "id": self._id("incident", number),
            "name": incident.name,
            "status": incident.state,
            "impact": incident.impact,
            "created_at": iso(first),
            "updated_at": iso(last),
            "started_at": iso(first),
            "monitoring_at": None if monitoring is None else iso(monitoring),
            "resolved_at": iso(last) if incident.over else None,
            "shortlink": f"{self._url()}/#incident-{number}",
            "page_id": self._id("page"),
            "incident_updates": [self._update(incident, n, each) for n, each in reversed(list(enumerate(updates)))],
            "components": [each for each in self.components() if incident.provider in (None, each["name"])],
            "reminder_intervals": None,
        }
        if incident.planned:
            began = next((each.at for each in updates if each.update.state == "in_progress"), first)
            back = next((each.back for each in reversed(updates) if each.back is not None), began)
            until = last if incident.over else back
            described |= {"scheduled_for": iso(began), "scheduled_until": iso(until)}
        return described

    def _update(self, incident: Incident, n: int, published: PublishedUpdate) -> Json:
        at, typed = iso(published.at), iso(published.at + published.typed)
        return {
            "id": self._id("update", incident.number, n),
            "status": published.update.state,
            "body": published.text,
            "incident_id": self._id("incident", incident.number),
            "created_at": typed,
            "updated_at": typed,
            "display_at": at,
            "affected_components": self._affected(incident, n),
            "deliver_notifications": True,
        }

    def _affected(self, incident: Incident, n: int) -> list[Json]:
        """What the n-th update changes: the state of each component that the incident concerns."""
        before, after = incident.updates[n - 1] if n else None, incident.updates[n]
        old = "operational" if before is None else before.component_state
        return [
            {"code": each["id"], "name": each["name"], "old_status": old, "new_status": after.component_state}
            for each in self.components()
            if incident.provider in (None, each["name"])
        ]


def status_app(history: StatusHistory, name: str, seed: int, url: Callable[[], str]) -> FastAPI:
    """The public application. `name`: the page's title; `url`: its base URL, known once it listens."""
    app = FastAPI(title=f"{name}: status page", version=__version__, docs_url=None, redoc_url=None)
    _add_misleading(app, history)
    written = StatusJson(history, name, seed, url)
    loader = FileSystemLoader(Path(__file__).parent)
    template = Environment(loader=loader, autoescape=True).get_template("status_page.html")
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
        """The HTML page."""
        incidents = list(reversed(history.shown))
        return template.render(history=history, name=name, bars=bars, clock=clock, incidents=incidents)

    def bars(provider: str) -> Iterable[str]:
        now = time.time()
        step = max(now - history.began, 1.0) / _BARS
        return [history.component(provider, history.began + step * (n + 1)) for n in range(_BARS)]

    return app


def _add_misleading(app: FastAPI, history: StatusHistory) -> None:
    """An empty page, or one that has moved: every address leads to a page of HTML that answers 200."""

    @app.middleware("http")
    async def misleads(request: Request, call_next: RequestResponseEndpoint) -> Response:
        if history.misleads == "empty":
            return Response()
        if history.misleads == "moved" and request.url.path != MOVED:
            return RedirectResponse(MOVED)
        return await call_next(request)

    @app.get(MOVED, response_class=HTMLResponse)
    async def moved() -> str:
        """What a moved page leads to."""
        return "<!doctype html><title>We have moved</title><p>Our status page has a new home."


def iso(at: float) -> str:
    """2024-11-08T16:06:00.000Z."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def clock(at: float) -> str:
    """8 Nov, 16:06:12 UTC."""
    return f"{datetime.fromtimestamp(at, UTC):%-d %b, %H:%M:%S} UTC"
