"""The web UI's own routes and its additions to Locust's: `outage/` beside Locust's page, a banner and a tab inside it.

Every address is relative, so that --web-base-path works, and every route asks for Locust's login when there is one.
Locust's React bundle has no extension points for this (2.47), so a script added to its page does the rest.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, jsonify, request, send_file, send_from_directory
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
from mockbot.load.web_ui.dashboard_state import COLUMNS, SYSTEM_COLUMNS, Json, View
from mockbot.load.web_ui.request_origin import is_foreign

STATIC = Path(__file__).parent / "static"
FRESH = 0.9  # wall seconds for which a snapshot serves all browsers, which poll once per second
SCRIPT = '<link rel="stylesheet" href="./outage/banner.css"><script src="./outage/banner.js" defer></script></body>'


class Pages:
    """`now` is the run's scenario second.

    `choose` gets the scenario that a start form asks for; None when the form has no such field: the choice stays.
    """

    def __init__(
        self, web_ui: WebUI, view: View, now: Callable[[], float], choose: Callable[[str | None], None], *, system: bool
    ) -> None:
        """`system`: the runs are through a system under test."""
        self._view, self._now, self._choose = view, now, choose
        self._runner = web_ui.environment.runner
        self._web_host = getattr(web_ui.environment.parsed_options, "web_host", None) or ""
        self._snapshot: tuple[float, Json] = (0.0, {})
        web_ui.template_args[EXTENDED_TABS] = [{"title": "Outage", "key": "outage"}]
        columns = COLUMNS | SYSTEM_COLUMNS if system else COLUMNS
        web_ui.template_args[EXTENDED_TABLES] = [
            {"key": "outage", "structure": [{"key": key, "title": title} for key, title in columns.items()]}
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
        pages.add_url_rule("/report", "report", guarded(self._report))
        pages.add_url_rule("/<path:name>", "static", guarded(lambda name: send_from_directory(STATIC, name)))
        app.before_request(self._refuse_foreign)
        app.before_request(self._on_start)
        app.after_request(self._add)
        app.register_blueprint(pages)

    def _refuse_foreign(self) -> Response | None:
        page = request.method == "GET" and request.endpoint in {INDEX, "mockbot.page", "mockbot.report"}
        if is_foreign(dict(request.headers), self._web_host, page=page):
            return Response("not for pages of other sites, nor under another host name\n", 403)
        return None

    def _data(self) -> Response:
        if self._view.state is None:
            return jsonify({})
        if time.monotonic() - self._snapshot[0] > FRESH:
            self._snapshot = (time.monotonic(), self._view.state.snapshot(self._now()))
        return jsonify(self._snapshot[1])

    def _head(self) -> Response:
        return jsonify(self._view.state.head(self._now()) if self._view.state else {})

    def _report(self) -> Response:
        """The last run's report; `mockbot run` writes that of the first run a little after the verdict is known."""
        if self._view.report is None or not self._view.report.is_file():
            return Response("The report is not written yet: reload in some seconds.\n", 404, mimetype="text/plain")
        return send_file(self._view.report.resolve())

    def _on_start(self) -> None:
        # Posted during a run, Locust's form changes only the number of users; the chosen scenario stays.
        busy = self._view.opening or (self._runner is not None and self._runner.state in BUSY)
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
                added["state"] = "spawning" if self._view.opening else self._runner.state
            if self._view.state is not None:
                added[EXTENDED_STATS] = [{"key": "outage", "data": self._view.state.phase_texts()}]
            response.set_data(jsonify({**response.get_json(), **added}).data)
        return response
