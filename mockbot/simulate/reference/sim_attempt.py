"""A prompt and its attempts, as their client sees them: what was sent, and what has come back so far. Scenario seconds.

Without a faulty wire the attempt itself receives the answer; with one, its connection does, with the same methods
(`Receiver`), and passes on what has come through.
"""

from typing import Protocol

from mockbot.clients.policy import AttemptResult, Send
from mockbot.dialects.retry_after import whole_seconds
from mockbot.evidence.records import Attempt, Outcome, Prompt, Settled
from mockbot.faults.effects import EdgeAnswer
from mockbot.service.chatbot import Answer
from mockbot.simulate.reference.event_queue import EventQueue
from mockbot.simulate.reference.sim_delivery import Receiver, SimDelivery
from mockbot.simulate.reference.sim_user import User


class Server(Protocol):
    """The provider at the other end, as an attempt and its connection need it."""

    events: EventQueue

    def open(self, attempt: "SimAttempt") -> None:
        """A client sends an attempt."""

    def is_sure(self, attempt: "SimAttempt", by: float) -> bool:
        """Only a crash, or a fault of the wire, can keep this attempt from being answered by then."""

    def catch_up(self, attempt: "SimAttempt") -> None:
        """Report to the client what has come by now; that may settle the attempt."""

    def hang_up(self, attempt: "SimAttempt") -> None:
        """Its client has closed the connection."""

    def serve(self, attempt: "SimAttempt") -> None:
        """The whole request has reached the server."""

    def abandon(self, attempt: "SimAttempt") -> None:
        """The server has noticed that its client is gone."""

    def report(self, attempt: "SimAttempt", outcome: Outcome) -> None:
        """The client learns the outcome of its attempt."""

    def felt(self, fault: str) -> None:
        """A fault has really hit a request."""


class Connection(Receiver, Protocol):
    """What leads to the client of an attempt while something is wrong with the wire."""

    def close_client(self) -> None:
        """The client closes its socket."""

    def close_server(self, *, reset: bool = False) -> None:
        """The server closes its socket."""


class SimPrompt:
    """A prompt that is not settled yet."""

    __slots__ = ("attempts", "id", "mark", "running", "start", "user")

    def __init__(self, user: User, now: float) -> None:
        user.asked += 1
        self.user = user
        self.id = f"{user.name}.{user.asked}"
        self.start = now
        self.mark = user.group.mark_rng.getrandbits(64)
        self.attempts = 0
        self.running: list[SimAttempt] = []

    def record(self, settled: Settled, winner: "SimAttempt | None", now: float) -> Prompt:
        """For the journal; to 0.1 ms, as live."""
        group, start = self.user.group, round(self.start, 4)
        first = None if winner is None or winner.first is None else round(winner.first - self.start, 4)
        provider = None if winner is None else winner.send.provider
        return Prompt(
            self.id, self.user.name, group.name, group.spec.tier, start, start, round(now, 4), settled, self.attempts,
            provider, first,
        )  # fmt: skip


class SimAttempt:
    """`over`: the client has the answer, or has given this attempt up."""

    one_by_one = False
    __slots__ = (
        "answer",
        "connection",
        "delivery",
        "first",
        "last",
        "n",
        "over",
        "prompt",
        "retry_after",
        "send",
        "server",
        "start",
        "status",
        "tokens",
        "told",
        "worst_gap",
    )  # fmt: skip

    def __init__(self, prompt: SimPrompt, n: int, send: Send, now: float, server: Server) -> None:
        self.prompt, self.n, self.send, self.server, self.start = prompt, n, send, server, now
        self.answer: Answer | None = None
        self.delivery: SimDelivery | None = None
        self.connection: Connection | None = None
        self.over = False
        self.status: int | None = None
        self.retry_after: float | None = None
        self.told: EdgeAnswer | None = None  # by the fault that answers it
        self.first: float | None = None
        self.last = 0.0
        self.worst_gap: float | None = None
        self.tokens = 0

    # -- a `Receiver` ----------------------------------------------------------------------------------------------

    def opened(self) -> None:
        self.status = 200

    def hear(self, count: int, first: float, last: float, gap: float) -> None:
        self.status = 200
        if self.first is None:
            self.first = first
        else:
            self.worst_gap = max(self.worst_gap or 0.0, first - self.last)
        if count > 1:
            self.worst_gap = max(self.worst_gap or 0.0, gap)
        self.last = last
        self.tokens += count

    def ended(self, outcome: Outcome, status: int = 200, retry_after: float | None = None) -> None:
        if outcome not in {"reset", "closed"}:
            self.status = status
            is_exact = retry_after is None or (self.told is not None and self.told.wait_form == "ms")
            self.retry_after = retry_after if is_exact else float(whole_seconds(retry_after or 0.0))
        self.server.report(self, outcome)

    # -- what is told of it ------------------------------------------------------------------------------------------

    def result(self, outcome: Outcome) -> AttemptResult:
        """For the client's policy."""
        began = self.tokens > 0
        should_retry = None if self.told is None else self.told.should_retry
        return AttemptResult(
            outcome, self.send.provider, self.start, self.status, self.retry_after, should_retry, streamed=began
        )

    def record(self, outcome: Outcome, end: float) -> Attempt:
        """For the journal; to 0.1 ms, as live."""
        first, gap = self.first, self.worst_gap
        return Attempt(
            self.prompt.id, self.n, self.prompt.user.group.name, self.send.provider, round(self.start, 4),
            round(end, 4), outcome, self.status, None if first is None else round(first - self.start, 4),
            None if gap is None else round(gap, 4), self.tokens, self.retry_after,
        )  # fmt: skip
