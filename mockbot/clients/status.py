"""Reading the status page: while an incident is open, an informed user sends nothing. Pure.

knows nothing ──a failure, and the page shows an incident──► holds ──it is over──► U(0, return_within) ──► sends
                                                            │  ▲
                                 `back_in` announced: until then + U(0, return_within), else U(0.5, 1.5) x look
"""

from random import Random

from mockbot.scenario.timeline import StatusState

_OPEN = frozenset({"investigating", "identified", "in_progress"})  # `monitoring`: a fix is out, and may be tried


class StatusReader:
    """One user. `look`: seconds between two looks at the page; `return_within`: jitter after the end."""

    def __init__(self, look: float, return_within: float) -> None:
        self._look, self._return_within = look, return_within
        self._knows = False
        self._trusted: float | None = None  # the time of return that the page announced

    def failed(self, provider: str, status: StatusState | None) -> None:
        """An attempt failed, so the user reads the page."""
        self._knows = self._knows or _shows_incident(provider, status)

    def hold(self, now: float, provider: str, status: StatusState | None, rng: Random) -> float:
        """Seconds to wait before looking again; 0: no incident is known, send."""
        if not self._knows:
            return 0.0
        if status is not None and status.unknown:  # as for who has no page: neither an outage nor its end
            self._knows = False
            return 0.0
        if status is None or not _shows_incident(provider, status):
            self._knows = False
            return rng.uniform(0, self._return_within)
        back_in = status.update.back_in
        announced = None if back_in is None else status.since + back_in
        if announced is not None and announced > now:
            self._trusted = announced
            return announced - now + rng.uniform(0, self._return_within)
        if announced is not None and announced == self._trusted:  # that time has come: try, whatever the page shows
            self._knows, self._trusted = False, None
            return 0.0
        return self._look * rng.uniform(0.5, 1.5)


def _shows_incident(provider: str, status: StatusState | None) -> bool:
    if status is None or status.update.hidden or status.update.state not in _OPEN:
        return False
    return status.update.page == "linked" or status.update.provider in {None, provider}
