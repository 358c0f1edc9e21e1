"""The web UI's own routes and its additions to Locust's: `outage/` beside Locust's page, a banner and a tab inside it.

Everything is relative, so that --web-base-path works, and behind Locust's login when there is one. Locust's React
bundle is left as it is: a script put into its page does the rest (research: locust §2.1).
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, jsonify, request, send_from_directory
from locust.runners import STATE_CLEANUP, STATE_RUNNING, STATE_SPAWNING
from locust.web import WebUI

from mockbot.load.web_ui.dashboard_state import DashboardState, Json

STATIC = Path(__file__).parent / "static"
FRESH = 0.9  # wall seconds for which a snapshot serves everyone who looks
SCRIPT = '<link rel="stylesheet" href="./outage/banner.css"><script src="./outage/banner.js" defer></script></body>'
BUSY = frozenset({STATE_SPAWNING, STATE_RUNNING, STATE_CLEANUP})  # a run is on, and stays what it is
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


class Pages:
    """`board` is that of the run that is on, or of the last one.

    `choose` is told which scenario a form asks for; None: the form says nothing, and what was chosen stays.
    """

    def __init__(self, web_ui: WebUI, now: Callable[[], float], choose: Callable[[str | None], None]) -> None:
        self.board: DashboardState | None = None
        self.opening = False  # a run is being prepared, of which Locust knows nothing yet
        self._runner = web_ui.environment.runner
        self._now, self._choose = now, choose
        self._seen: tuple[float, Json] = (0.0, {})
        web_ui.template_args["extended_tabs"] = [{"title": "Outage", "key": "outage"}]
        web_ui.template_args["extended_tables"] = [
            {"key": "outage", "structure": [{"key": key, "title": title} for key, title in COLUMNS.items()]}
        ]
        app = web_ui.app
        if app is None:
            raise RuntimeError("Locust's web UI has no Flask app")
        app.before_request(self._on_start)
        app.after_request(self._add)
        app.register_blueprint(self._blueprint(web_ui))

    def _blueprint(self, web_ui: WebUI) -> Blueprint:
        prefix = getattr(web_ui.environment.parsed_options, "web_base_path", "") or ""
        pages = Blueprint("mockbot", __name__, url_prefix=f"{prefix}/outage")
        guarded: Callable[..., Any] = web_ui.auth_required_if_enabled
        pages.add_url_rule("/", "page", guarded(lambda: send_from_directory(STATIC, "dashboard.html")))
        pages.add_url_rule("/data", "data", guarded(self._data))
        pages.add_url_rule("/head", "head", guarded(self._head))
        pages.add_url_rule("/<path:name>", "static", guarded(lambda name: send_from_directory(STATIC, name)))
        return pages

    def _data(self) -> Response:
        if self.board is None:
            return jsonify({})
        if time.monotonic() - self._seen[0] > FRESH:
            self._seen = (time.monotonic(), self.board.snapshot(self._now()))
        return jsonify(self._seen[1])

    def _head(self) -> Response:
        return jsonify(self.board.head(self._now()) if self.board else {})

    def _on_start(self) -> None:
        busy = self.opening or (self._runner is not None and self._runner.state in BUSY)
        if request.method == "POST" and request.path.endswith("/swarm") and not busy:
            self._choose(request.form.get("scenario"))

    def _add(self, response: Response) -> Response:
        """The banner into Locust's page, and the tab's rows into what that page asks for every two seconds."""
        if response.mimetype == "text/html" and request.endpoint == "locust.index":
            response.set_data(response.get_data(as_text=True).replace("</body>", SCRIPT, 1))
        if request.endpoint == "locust.request_stats":
            response.set_data(jsonify({**response.get_json(), **self._stats()}).data)
        return response

    def _stats(self) -> Json:
        """What Locust's page is told beside its own. Shown "ready" once, it goes back to the form for good: so the
        state is that of now (Locust keeps its answer for two seconds), and no run is "ready" while its stage is set.
        """
        found: Json = {}
        if self._runner is not None:
            found["state"] = "spawning" if self.opening else self._runner.state
        if self.board is not None:
            found["extended_stats"] = [{"key": "outage", "data": [_cells(row) for row in self.board.rows()]}]
        return found


def _cells(row: Json) -> Json:
    """As Locust's table shows them: text, blank where nothing is known."""
    failures = {name: count for name, count in row["outcomes"].items() if name != "ok"}
    return {
        **{key: row[key] for key in ("phase", "wrong", "users", "prompts")},
        "good": _or_blank(row["good"], lambda share: f"{share:.1%}"),
        **{key: _or_blank(row[key], lambda s: f"{s:.2f} s") for key in ("latency_p50", "latency_p95", "first_p50")},
        "per_prompt": _or_blank(row["per_prompt"], lambda attempts: f"{attempts:.2f}"),
        "failures": ", ".join(f"{count} {name}" for name, count in sorted(failures.items(), key=lambda item: -item[1])),
    }


def _or_blank(value: float | None, words: Callable[[float], str]) -> str:
    return "" if value is None else words(value)
