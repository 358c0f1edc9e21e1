"""Everything a node's users do, on record: prompts and attempts register when they begin, and none is ever lost.

A prompt is in `pending` from the moment it starts, and so is the attempt that runs for it. Whatever never comes to an
end (a hang, a killed user, the end of the run) is written as `unfinished` by `abandon`; a generator that counts only
what returns reports a total outage as "0 requests, 0 failures". Times are scenario seconds, and records are bucketed
by nobody: they carry their own start.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from mockbot.clock import Clock
from mockbot.evidence.records import Attempt, Outcome, Prompt, Settled

Sink = Callable[[Attempt | Prompt], None]


@dataclass(frozen=True, slots=True)
class AttemptObservation:
    """What was seen of one attempt. Scenario seconds; `first_token` and `worst_gap` are durations."""

    outcome: Outcome
    start: float
    end: float
    status: int | None = None
    first_token: float | None = None
    worst_gap: float | None = None
    tokens: int = 0
    retry_after: float | None = None
    should_retry: bool | None = None
    length: int = 0  # bytes of the body


@dataclass(frozen=True, slots=True)
class UserIdentity:
    """A user as the wire and the journal know it."""

    user: str
    group: str
    tier: str

    @property
    def key(self) -> str:
        """The API key; the service reads the tier from it."""
        return f"sk-{self.tier}-{self.user}"


@dataclass(slots=True, eq=False)
class Pending:
    """A prompt that is not settled yet, and its attempts that still run: n -> (provider, start)."""

    id: str
    who: UserIdentity
    intended: float
    start: float
    attempts: int = 0
    running: dict[int, tuple[str, float]] = field(default_factory=dict)
    answered_by: str | None = None
    first_token: float | None = None


def _short(seconds: float | None) -> float | None:
    """To 0.1 ms of scenario time: what a socket can tell, and short lines."""
    return None if seconds is None else round(seconds, 4)


class Collector:
    """One a node. `sink` gets each record once, when it is complete."""

    def __init__(self, clock: Clock, sink: Sink) -> None:
        self.clock = clock
        self.pending: dict[str, Pending] = {}
        self.started = 0
        self._sink = sink
        self._lags: list[float] = []
        self._asked: dict[str, int] = {}

    def begin(self, who: UserIdentity, intended: float) -> Pending:
        """A prompt starts now that should have started at `intended`."""
        now = self.clock.now()
        number = self._asked[who.user] = self._asked.get(who.user, 0) + 1
        prompt = Pending(f"{who.user}.{number}", who, intended, now)
        self.pending[prompt.id] = prompt
        self.started += 1
        self._lags.append(self.clock.wall(now - intended))
        return prompt

    def send(self, prompt: Pending, provider: str) -> int:
        """An attempt starts now; returns its number."""
        n = prompt.attempts
        prompt.attempts += 1
        prompt.running[n] = (provider, self.clock.now())
        return n

    def seen(self, prompt: Pending, n: int, sight: AttemptObservation) -> None:
        """An attempt ended."""
        if n not in prompt.running:  # the run was closed over it
            return
        provider, _ = prompt.running.pop(n)
        if sight.outcome == "ok":
            prompt.answered_by = provider
            prompt.first_token = (
                None if sight.first_token is None else sight.start + sight.first_token - prompt.intended
            )
        self._write_attempt(prompt, n, provider, sight)

    def settle(self, prompt: Pending, settled: Settled) -> None:
        """A prompt is over; attempts of it that still run are unfinished. Nothing, the second time."""
        if self.pending.pop(prompt.id, None) is None:
            return
        now = self.clock.now()
        for n, (provider, start) in prompt.running.items():
            self._write_attempt(prompt, n, provider, AttemptObservation("unfinished", start, now))
        self._sink(
            Prompt(
                id=prompt.id,
                user=prompt.who.user,
                group=prompt.who.group,
                tier=prompt.who.tier,
                intended=round(prompt.intended, 4),
                start=round(prompt.start, 4),
                end=round(now, 4),
                settled=settled,
                attempts=prompt.attempts,
                provider=prompt.answered_by,
                first_token=_short(prompt.first_token),
            )
        )

    def abandon(self) -> None:
        """The run is over: what is still pending is written as unfinished."""
        for prompt in list(self.pending.values()):
            self.settle(prompt, "unfinished")

    def lags(self) -> list[float]:
        """How late prompts were sent since the last call, wall seconds."""
        lags, self._lags = self._lags, []
        return lags

    def _write_attempt(self, prompt: Pending, n: int, provider: str, sight: AttemptObservation) -> None:
        self._sink(
            Attempt(
                prompt=prompt.id,
                n=n,
                group=prompt.who.group,
                provider=provider,
                start=round(sight.start, 4),
                end=round(sight.end, 4),
                outcome=sight.outcome,
                status=sight.status,
                first_token=_short(sight.first_token),
                worst_gap=_short(sight.worst_gap),
                tokens=sight.tokens,
                retry_after=_short(sight.retry_after),
            )
        )
