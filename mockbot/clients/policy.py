"""The interface of a client policy, without a clock or a socket: asked before each attempt and after each failed one.

    policy = PolicyFactory(group, first).new_client(rng)   one per user; the factory holds what users share
    move = policy.begin(now, status(now))                  a new prompt
    while isinstance(move, Send):
        if move.at > now:                                not yet: wait, then ask again: much may have changed
            now = wait_until(move.at)                    >= move.at
            move = policy.due(now, move, status(now))
            continue
        result = attempt(move)                             sends, abandons it `move.timeout` after move.at
        if result.outcome == "ok":
            return policy.succeeded(now, result)
        move = policy.after(now, result, status(now))
    give_up(move)

A caller that can hedge waits `hedge_after` for the first token, then asks `policy.hedge(now, move)`; a second Send runs
beside the first. The first answer wins (`succeeded`). An attempt that fails or is abandoned while its twin runs is only
reported (`beside`; outcome `unfinished` when abandoned), and `after` is asked when the last one has failed. A caller
that does not hedge ignores all of this.

All times are scenario seconds; the caller does every wait. Patience is part of the policy: no Send ever starts after it
is over, and no timeout reaches past it.
"""

from typing import NamedTuple, Protocol

from mockbot.evidence.records import Outcome
from mockbot.scenario.timeline import StatusState

KEEP_ALIVE = 5.0  # seconds that an idle TLS connection is kept: `keepalive_expiry` of httpx, so of the official SDKs


class Send(NamedTuple):
    """Send an attempt to `provider` at time `at` (>= now) and abandon it `timeout` seconds after that."""

    at: float
    provider: str
    timeout: float
    hedge_after: float | None = None  # without a token this long after `at`, ask ClientPolicy.hedge


class GiveUp(NamedTuple):
    """The prompt is over; `at` (>= now) is when the user sees it. `why` is for display: "3 attempts", "patience"."""

    at: float
    why: str
    away: float | None = None  # the user leaves for this long, instead of thinking as usual


Decision = Send | GiveUp


class AttemptResult(NamedTuple):
    """The result of one attempt for the client. `retry_after`: scenario seconds, as the server sent it."""

    outcome: Outcome
    provider: str
    started: float
    status: int | None = None
    retry_after: float | None = None
    should_retry: bool | None = None  # x-should-retry
    streamed: bool = False  # True once a token had arrived


class ClientPolicy(Protocol):
    """One user's decisions for one prompt after the other. `status`: what the status page shows now; None: nothing."""

    def begin(self, now: float, status: StatusState | None = None) -> Decision:
        """A new prompt, issued now."""

    def due(self, now: float, send: Send, status: StatusState | None = None) -> Decision:
        """The wait for `send` is over (now >= send.at): the move to make, usually that very attempt."""

    def after(self, now: float, result: AttemptResult, status: StatusState | None = None) -> Decision:
        """An attempt failed."""

    def succeeded(self, now: float, result: AttemptResult) -> None:
        """An attempt was ok; the prompt is answered."""

    def hedge(self, now: float, send: Send) -> Send | None:
        """`send` shows no token yet: another attempt to run beside it, or None."""

    def beside(self, now: float, result: AttemptResult) -> None:
        """An attempt failed, or was abandoned for its twin, while its twin still runs or has won."""
