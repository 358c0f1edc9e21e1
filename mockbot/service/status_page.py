"""The status page: what the scenario says it says, as Statuspage v2 JSON, on a port that an outage does not touch."""

from fastapi import FastAPI

from mockbot import __version__
from mockbot.scenario.timeline import StatusState


class StatusBoard:
    """What the page says now."""

    def __init__(self) -> None:
        self.state: StatusState | None = None


def status_app(board: StatusBoard) -> FastAPI:
    """The public application."""
    app = FastAPI(title="mockbot: status page", version=__version__, docs_url=None, redoc_url=None)

    @app.get("/api/v2/status.json")
    async def status() -> dict[str, object]:
        state = board.state
        over = state is None or state.update.state in ("resolved", "completed")
        indicator = "none" if over or state is None else state.update.impact or "minor"
        says = "All Systems Operational" if over or state is None else state.update.says
        return {"page": {"id": "mockbot", "name": "mockbot"}, "status": {"indicator": indicator, "description": says}}

    return app
