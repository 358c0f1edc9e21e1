"""One attempt under way, as its client sees it: what was sent, and what has come back so far. Scenario seconds."""

from typing import TYPE_CHECKING, Protocol

from mockbot.clients.policy import AttemptResult, Send
from mockbot.evidence.records import Attempt, Outcome

if TYPE_CHECKING:
    from mockbot.service.chatbot import Answer
    from mockbot.simulate.reference.sim_connection import SimConnection
    from mockbot.simulate.reference.sim_crowd import SimPrompt
    from mockbot.simulate.reference.sim_delivery import SimDelivery


class Listener(Protocol):
    """Who an answer is spoken to: its client at once, or the wire that leads to it."""

    fine: bool
    """Every token is to be told when it comes, not several with their times."""

    def opened(self) -> None:
        """The response has begun."""
        ...

    def hear(self, count: int, first: float, last: float, gap: float) -> None:
        """So many more tokens, the first and last of them at these moments, at most `gap` apart."""
        ...

    def ended(self, outcome: Outcome) -> None:
        """Nothing more comes, and this is what it amounts to."""
        ...

    def failed(self, status: int, retry_after: float | None) -> None:
        """The response is an error."""
        ...

    def reset(self) -> None:
        """The connection is torn down."""
        ...


class SimAttempt:
    """`over`: the client has the answer, or has given this attempt up."""

    __slots__ = (
        "answer", "asking", "cable", "first", "last", "n", "over", "provider", "retry_after", "send", "should_retry",
        "start", "status", "tokens", "voice", "worst_gap",
    )  # fmt: skip

    def __init__(self, asking: "SimPrompt", n: int, send: Send, now: float) -> None:
        self.asking, self.n, self.send, self.provider, self.start = asking, n, send, send.provider, now
        self.answer: Answer | None = None
        self.voice: SimDelivery | None = None
        self.cable: SimConnection | None = None
        self.over = False
        self.status: int | None = None
        self.retry_after: float | None = None
        self.should_retry: bool | None = None
        self.first: float | None = None
        self.last = 0.0
        self.worst_gap: float | None = None
        self.tokens = 0

    def hear(self, count: int, first: float, last: float, gap: float) -> None:
        """Tokens have arrived."""
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

    def seen(self, outcome: Outcome) -> AttemptResult:
        """For the client's policy."""
        return AttemptResult(
            outcome, self.provider, self.start, self.status, self.retry_after, self.should_retry, self.tokens > 0
        )

    def record(self, outcome: Outcome, end: float) -> Attempt:
        """For the journal; to 0.1 ms, as live."""
        first, gap = self.first, self.worst_gap
        return Attempt(
            self.asking.id,
            self.n,
            self.asking.user.part.name,
            self.provider,
            round(self.start, 4),
            round(end, 4),
            outcome,
            self.status,
            None if first is None else round(first - self.start, 4),
            None if gap is None else round(gap, 4),
            self.tokens,
            self.retry_after,
        )
