"""The Mind of one user: a Reaction, kept within the user's patience, at the provider that the prompt goes to. Pure.

It alone turns waits into moments, so that no policy can send after the patience is over.
"""

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from mockbot.clients.policy import GiveUp, Move, Seen, Send
from mockbot.clients.reactions import Reaction
from mockbot.scenario.timeline import StatusState


class Client:
    """The mind of one user. `providers`: home, and where it falls over to; each retry goes to the next one."""

    def __init__(
        self, reaction: Reaction, providers: Sequence[str], patience: float, *, streams: bool, rng: Random
    ) -> None:
        self._reaction = reaction
        self._providers = tuple(providers)
        self._patience = patience
        self._streams = streams
        self._rng = rng
        self._deadline = 0.0
        self._attempts = 0

    def begin(self, now: float, status: StatusState | None = None) -> Move:  # noqa: ARG002 - for those who read it
        """The first attempt, at once."""
        self._deadline = now + self._patience
        self._attempts = 0
        self._reaction.begin()
        return self._send(now)

    def due(self, now: float, send: Send, status: StatusState | None = None) -> Move:  # noqa: ARG002 - as begin
        """The same attempt; its time is cut when it comes late."""
        now = max(now, send.at)
        if now >= self._deadline:
            return GiveUp(now, "patience")
        return replace(send, at=now, timeout=min(send.timeout, self._deadline - now))

    def after(self, now: float, seen: Seen, status: StatusState | None = None) -> Move:  # noqa: ARG002 - as begin
        """As the reaction says."""
        self._attempts += 1
        if now >= self._deadline:
            return GiveUp(now, "patience")
        wait = self._reaction.wait(now, self._heard(seen), self._rng)
        if wait is None:
            return GiveUp(now, f"{self._attempts} attempt{'s' if self._attempts != 1 else ''}")
        return self._send(now + wait)

    def succeeded(self, now: float, seen: Seen) -> None:
        """Nothing to learn."""

    def hedge(self, now: float, send: Send) -> Send | None:  # noqa: ARG002 - does not hedge
        """Never."""
        return None

    def beside(self, now: float, seen: Seen) -> None:
        """Nothing to learn."""

    def _send(self, at: float) -> Move:
        if at >= self._deadline:
            return GiveUp(self._deadline, "patience")
        provider = self._providers[self._attempts % len(self._providers)]
        return Send(at, provider, min(self._reaction.timeout(self._rng), self._deadline - at))

    def _heard(self, seen: Seen) -> Seen:
        """A plain answer that breaks off is no answer at all to its reader, whatever its status line said."""
        return seen if self._streams else replace(seen, streamed=False, status=_refusal(seen.status))


def _refusal(status: int | None) -> int | None:
    return status if status is not None and status >= 400 else None
