"""The web UI's own routes and its additions to Locust's: `outage/` beside Locust's page, a banner and a tab inside it.

Every address is relative, so that --web-base-path works, and every route asks for Locust's login when there is one.
Locust's React bundle has no extension points for this (2.47), so a script added to its page does the rest.
"""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, jsonify, request, send_from_directory
from locust.web import WebUI

from mockbot.load.locust_private import (
    BUSY,
    EXTENDED_STATS,
    EXTENDED_TABLES,
    EXTENDED_TABS,
    INDEX,
    REQUEST_STATS,
    START_PATH,
)
from mockbot.load.web_ui.dashboard_state import DashboardState, Json
from mockbot.units.formatting import format_number, format_seconds, format_share

STATIC = Path(__file__).parent / "static"
FRESH = 0.9  # wall seconds for which a snapshot serves all browsers, which poll once per second
SCRIPT = '<link rel="stylesheet" href="./outage/banner.css"><script src="./outage/banner.js" defer></script></body>'
COLUMNS = {
    "phase": "Phase",
    "wrong": "What is wrong",
    "users": "Users",
    "prompts": "Prompts",
    "good": "Good",
    "latency_p50": "Answer p50",
    "latency_p95": "Answer p95",
    "first_p50": "First token p50",
    "per_prompt": "Attempts per prompt",
    "failures": "Failures",
}
FORMATS: dict[str, Callable[[float], str]] = {
    "good": format_share,
    "latency_p50": partial(format_seconds, decimals=2),
    "latency_p95": partial(format_seconds, decimals=2),
    "first_p50": partial(format_seconds, decimals=2),
    "per_prompt": format_number,
}


class Pages:
    """`state` is that of the current run, or of the last one.

    `choose` gets the scenario that a start form asks for; None when the form has no such field: the choice stays.
    """

    def __init__(self, web_ui: WebUI, now: Callable[[], float], choose: Callable[[str | None], None]) -> None:
        self.state: DashboardState | None = None
        self.opening = False  # a run is being prepared, of which Locust knows nothing yet
        self._runner = web_ui.environment.runner
        self._now, self._choose = now, choose
        self._snapshot: tuple[float, Json] = (0.0, {})
        web_ui.template_args[EXTENDED_TABS] = [{"title": "Outage", "key": "outage"}]
        web_ui.template_args[EXTENDED_TABLES] = [
            {"key": "outage", "structure": [{"key": key, "title": title} for key, title in COLUMNS.items()]}
        ]
        app = web_ui.app
        if app is None:
            raise RuntimeError("Locust's web UI has no Flask app")
        prefix = getattr(web_ui.environment.parsed_options, "web_base_path", "") or ""
        pages = Blueprint("mockbot", __name__, url_prefix=f"{prefix}/outage")
        guarded: Callable[..., Any] = web_ui.auth_required_if_enabled
        pages.add_url_rule("/", "page", guarded(lambda: send_from_directory(STATIC, "dashboard.html")))
        pages.add_url_rule("/data", "data", guarded(self._data))
        pages.add_url_rule("/head", "head", guarded(self._head))
        pages.add_url_rule("/<path:name>", "static", guarded(lambda name: send_from_directory(STATIC, name)))
        app.before_request(self._on_start)
        app.after_request(self._add)
        app.register_blueprint(pages)

    def _data(self) -> Response:
        if self.state is None:
            return jsonify({})
        if time.monotonic() - self._snapshot[0] > FRESH:
            self._snapshot = (time.monotonic(), self.state.snapshot(self._now()))
        return jsonify(self._snapshot[1])

    def _head(self) -> Response:
        return jsonify(self.state.head(self._now()) if self.state else {})

    def _on_start(self) -> None:
        busy = self.opening or (self._runner is not None and self._runner.state in BUSY)
        if request.method == "POST" and request.path.endswith(START_PATH) and not busy:
            self._choose(request.form.get("scenario"))

    def _add(self, response: Response) -> Response:
        """Add the banner to Locust's page, and the tab's rows to the statistics which that page polls."""
        if response.mimetype == "text/html" and request.endpoint == INDEX:
            response.set_data(response.get_data(as_text=True).replace("</body>", SCRIPT, 1))
        if request.endpoint == REQUEST_STATS:
            added: Json = {}
            if self._runner is not None:
                # Locust caches these statistics for two seconds, and its page goes back to the start form for good when
                # it reads "ready" once. So the state is the current one, and "spawning" while the testbed starts.
                added["state"] = "spawning" if self.opening else self._runner.state
            if self.state is not None:
                rows = [_cells(row) for row in self.state.phase_rows()]
                added[EXTENDED_STATS] = [{"key": "outage", "data": rows}]
            response.set_data(jsonify({**response.get_json(), **added}).data)
        return response


def _cells(row: Json) -> Json:
    """A row as Locust's table shows it: text, blank where a figure is unknown."""
    failures = sorted(((count, name) for name, count in row["outcomes"].items() if name != "ok"), key=lambda x: -x[0])
    return {
        **{key: row[key] for key in ("phase", "wrong", "users", "prompts")},
        **{key: "" if row[key] is None else form(row[key]) for key, form in FORMATS.items()},
        "failures": ", ".join(f"{count} {name}" for count, name in failures),
    }
