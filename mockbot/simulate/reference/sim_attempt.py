"""One attempt under way, as its client sees it: what was sent, and what has come back so far. Scenario seconds.

Without a faulty wire the attempt itself receives the answer; with one, its `SimConnection` does, with the same methods
(`Receiver`), and passes on what has come through.
"""

from typing import TYPE_CHECKING, Union

from mockbot.clients.policy import AttemptResult, Send
from mockbot.evidence.records import Attempt, Outcome

if TYPE_CHECKING:
    from mockbot.service.chatbot import Answer
    from mockbot.simulate.reference.sim_connection import SimConnection
    from mockbot.simulate.reference.sim_crowd import SimPrompt
    from mockbot.simulate.reference.sim_delivery import SimDelivery
    from mockbot.simulate.reference.sim_provider import SimProvider

Receiver = Union["SimAttempt", "SimConnection"]


class SimAttempt:
    """`over`: the client has the answer, or has given this attempt up."""

    one_by_one = False  # several tokens may be reported at once, with their times
    __slots__ = (
        "answer", "connection", "delivery", "first", "last", "n", "over", "prompt", "provider", "retry_after", "send",
        "start", "status", "tokens", "worst_gap",
    )  # fmt: skip

    def __init__(self, prompt: "SimPrompt", n: int, send: Send, now: float, provider: "SimProvider") -> None:
        self.prompt, self.n, self.send, self.provider, self.start = prompt, n, send, provider, now
        self.answer: Answer | None = None
        self.delivery: SimDelivery | None = None
        self.connection: SimConnection | None = None
        self.over = False
        self.status: int | None = None
        self.retry_after: float | None = None
        self.first: float | None = None
        self.last = 0.0
        self.worst_gap: float | None = None
        self.tokens = 0

    def opened(self) -> None:
        """The response has begun."""
        self.status = 200

    def hear(self, count: int, first: float, last: float, gap: float) -> None:
        """`count` more tokens, the first and last of them at these moments, at most `gap` apart."""
        if count <= 0:
            return
        self.status = 200
        if self.first is None:
            self.first = first
        else:
            self.worst_gap = max(self.worst_gap or 0.0, first - self.last)
        if count > 1:
            self.worst_gap = max(self.worst_gap or 0.0, gap)
        self.last = last
        self.tokens += count

    def ended(self, outcome: Outcome) -> None:
        """Nothing more comes, and this is the outcome."""
        self.status = 200
        self.provider.report(self, outcome)

    def failed(self, status: int, retry_after: float | None) -> None:
        """The response is an error."""
        self.provider.report_failure(self, status, retry_after)

    def reset(self) -> None:
        """The connection is torn down."""
        self.provider.report(self, "reset")

    def result(self, outcome: Outcome) -> AttemptResult:
        """For the client's policy."""
        began = self.tokens > 0
        return AttemptResult(outcome, self.send.provider, self.start, self.status, self.retry_after, streamed=began)

    def record(self, outcome: Outcome, end: float) -> Attempt:
        """For the journal; to 0.1 ms, as live."""
        first, gap = self.first, self.worst_gap
        return Attempt(
            self.prompt.id,
            self.n,
            self.prompt.user.group.name,
            self.send.provider,
            round(self.start, 4),
            round(end, 4),
            outcome,
            self.status,
            None if first is None else round(first - self.start, 4),
            None if gap is None else round(gap, 4),
            self.tokens,
            self.retry_after,
        )
