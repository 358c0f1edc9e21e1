"""What a policy decides, without a clock or a socket: asked before each attempt and after each failed one.

    policy = client_policy(group, home, rng)               one per user; a `PolicyFactory` lets users share state
    move = policy.begin(now, status(now))                  a new prompt
    while isinstance(move, Send):
        if move.at > now:                                not yet: wait, then ask again, for much may have changed
            now = wait_until(move.at)                    >= move.at
            move = policy.due(now, move, status(now))
            continue
        seen = attempt(move)                             sends, abandons it `move.timeout` after move.at
        if seen.outcome == "ok":
            return policy.succeeded(now, seen)
        move = policy.after(now, seen, status(now))
    give_up(move)

A caller that knows how to hedge waits `hedge_after` for the first token, then asks `policy.hedge(now, move)`; a second
Send runs beside the first. The first answer wins (`succeeded`); an attempt that fails or is abandoned while its twin
runs is only told (`beside`; outcome `unfinished` when abandoned), and `after` is asked when the last has failed. A
caller that does not hedge ignores it all.

All times are scenario seconds; the caller does every wait. Patience is part of the policy: no Send ever starts after it
is over, and no timeout reaches past it.
"""

from typing import NamedTuple, Protocol

from mockbot.evidence.records import Outcome
from mockbot.scenario.timeline import StatusState


class Send(NamedTuple):
    """Send an attempt to `provider` at time `at` (>= now) and abandon it `timeout` seconds after that."""

    at: float
    provider: str
    timeout: float
    hedge_after: float | None = None  # without a token this long after `at`, ask ClientPolicy.hedge


class GiveUp(NamedTuple):
    """The prompt is over; `at` (>= now) is when the user sees it. `why` is for people: "3 attempts", "patience"."""

    at: float
    why: str
    away: float | None = None  # the user leaves for this long, instead of thinking as usual


Decision = Send | GiveUp


class AttemptResult(NamedTuple):
    """What the client saw of one attempt. `retry_after` in scenario seconds, as the server told it."""

    outcome: Outcome
    provider: str
    started: float
    status: int | None = None
    retry_after: float | None = None
    should_retry: bool | None = None  # x-should-retry
    streamed: bool = False  # True once a token had arrived


class ClientPolicy(Protocol):
    """One user's decisions for one prompt after the other. `status` is what the status page says now; None: nothing."""

    def begin(self, now: float, status: StatusState | None = None) -> Decision:
        """A new prompt, issued now."""
        ...

    def due(self, now: float, send: Send, status: StatusState | None = None) -> Decision:
        """The wait for `send` is over (now >= send.at): the move to make, usually that very attempt."""
        ...

    def after(self, now: float, seen: AttemptResult, status: StatusState | None = None) -> Decision:
        """An attempt failed."""
        ...

    def succeeded(self, now: float, seen: AttemptResult) -> None:
        """An attempt was ok; the prompt is answered."""
        ...

    def hedge(self, now: float, send: Send) -> Send | None:
        """`send` shows no token yet: another attempt to run beside it, or None."""
        ...

    def beside(self, now: float, seen: AttemptResult) -> None:
        """An attempt failed, or was abandoned for its twin, while its twin still runs or has won."""
        ...
