"""Record everything that the users of one process do. Prompts and attempts register when they begin, so none is lost.

A prompt is in `pending` from its start to its settlement, with the attempts that run for it. What never ends (a hang,
a killed user, the end of the run) is written as `unfinished` by `abandon`. A generator that counts only requests that
return reports a total outage as "0 requests, 0 failures". Times are scenario seconds.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from mockbot.clock import Clock
from mockbot.dialects.client_identity import api_key
from mockbot.evidence.records import Attempt, Outcome, Prompt, Settled
from mockbot.evidence.system_records import SystemAnswer

Sink = Callable[[Attempt | Prompt], None]
DIGITS = 4  # of scenario seconds in the journal: 0.1 ms, which is what a socket can resolve, and short lines


@dataclass(frozen=True, slots=True)
class AttemptObservation:
    """What the client observed of one attempt. Scenario seconds; `first_token` and `worst_gap` are durations."""

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
    text: str = ""
    claims: bool = False  # the answer says of itself that it is whole
    unreadable: str = ""  # why the answer of an application could not be read, and its beginning


@dataclass(frozen=True, slots=True)
class UserIdentity:
    """A user as the wire and the journal know it."""

    user: str
    group: str
    tier: str

    @property
    def key(self) -> str:
        """The API key; the service reads the tier from it."""
        return api_key(self.tier, self.user)


@dataclass(slots=True, eq=False)
class Pending:
    """A prompt that is not settled yet, and its attempts that still run: n -> (provider, start)."""

    id: str
    identity: UserIdentity
    intended: float
    start: float
    attempts: int = 0
    running: dict[int, tuple[str, float]] = field(default_factory=dict)
    answered_by: str | None = None
    first_token: float | None = None


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, DIGITS)


class Collector:
    """One per process. `sink` gets each record once, when it is complete; an attempt comes before its prompt."""

    def __init__(self, clock: Clock, sink: Sink, answers: Callable[[SystemAnswer], None] = lambda _: None) -> None:
        """`answers` takes what the answers of a system under test say."""
        self.clock = clock
        self.pending: dict[str, Pending] = {}
        self.started = 0
        self._sink = sink
        self.record_answer = answers
        self._lags: list[float] = []
        self._prompts_of: dict[str, int] = {}

    def begin_prompt(self, identity: UserIdentity, intended: float) -> Pending:
        """Register a prompt that starts now and should have started at `intended`."""
        now = self.clock.now()
        number = self._prompts_of[identity.user] = self._prompts_of.get(identity.user, 0) + 1
        prompt = Pending(f"{identity.user}.{number}", identity, intended, now)
        self.pending[prompt.id] = prompt
        self.started += 1
        self._lags.append(self.clock.wall(now - intended))
        return prompt

    def begin_attempt(self, prompt: Pending, provider: str) -> int:
        """Register an attempt that starts now. Returns its number."""
        n = prompt.attempts
        prompt.attempts += 1
        prompt.running[n] = (provider, self.clock.now())
        return n

    def end_attempt(self, prompt: Pending, n: int, observed: AttemptObservation) -> None:
        """Record an attempt; nothing when its prompt was settled before it ended."""
        if n not in prompt.running:
            return
        provider, _ = prompt.running.pop(n)
        if observed.outcome == "ok":
            prompt.answered_by = provider
            if observed.first_token is not None:
                prompt.first_token = observed.start + observed.first_token - prompt.intended
        self._write_attempt(prompt, n, provider, observed)

    def settle(self, prompt: Pending, settled: Settled) -> None:
        """Record a prompt, and attempts of it that still run as unfinished. Only the first call counts."""
        if self.pending.pop(prompt.id, None) is None:
            return
        now = self.clock.now()
        for n, (provider, start) in prompt.running.items():
            self._write_attempt(prompt, n, provider, AttemptObservation("unfinished", start, now))
        self._sink(
            Prompt(
                id=prompt.id,
                user=prompt.identity.user,
                group=prompt.identity.group,
                tier=prompt.identity.tier,
                intended=round(prompt.intended, DIGITS),
                start=round(prompt.start, DIGITS),
                end=round(now, DIGITS),
                settled=settled,
                attempts=prompt.attempts,
                provider=prompt.answered_by,
                first_token=_rounded(prompt.first_token),
            )
        )

    def overdue(self, slo: float) -> Counter[int]:
        """The whole seconds in which prompts were intended that should have been answered by now and are not."""
        late = self.clock.now() - slo
        return Counter(int(prompt.intended) for prompt in self.pending.values() if prompt.intended < late)

    def abandon(self) -> None:
        """The run is over: record what is still pending as unfinished."""
        for prompt in list(self.pending.values()):
            self.settle(prompt, "unfinished")

    def take_lags(self) -> list[float]:
        """By how many wall seconds each prompt since the last call started late."""
        lags, self._lags = self._lags, []
        return lags

    def _write_attempt(self, prompt: Pending, n: int, provider: str, observed: AttemptObservation) -> None:
        self._sink(
            Attempt(
                prompt=prompt.id,
                n=n,
                group=prompt.identity.group,
                provider=provider,
                start=round(observed.start, DIGITS),
                end=round(observed.end, DIGITS),
                outcome=observed.outcome,
                status=observed.status,
                first_token=_rounded(observed.first_token),
                worst_gap=_rounded(observed.worst_gap),
                tokens=observed.tokens,
                retry_after=_rounded(observed.retry_after),
            )
        )
