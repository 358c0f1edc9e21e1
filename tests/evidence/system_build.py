"""Hand-written journals of both sides of a system: prompts with their answers, and the requests made for them."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from mockbot.dialects.identified_text import Piece
from mockbot.evidence.records import Attempt, Outcome, Prompt, Request, Settled
from mockbot.evidence.system_join import WAYS, Joined, Way, join
from mockbot.evidence.system_records import End, SystemAnswer

CHAT = "/v1/chat/completions"
WORDS = 20


def ask(
    provider: str = "main",
    outcome: Outcome = "ok",
    after: float = 0.0,
    took: float = 0.5,
    status: int | None = None,
    retry_after: float | None = None,
) -> Request:
    """A request that starts `after` the one before it has ended (the first: after its prompt began)."""
    said = status if status is not None else 200 if outcome in {"ok", "truncated", "slow"} else None
    heard = 0.1 if outcome in {"ok", "truncated", "slow"} else None
    return Request(0, provider, CHAT, "sk", "b", after, took, outcome, said, heard, retry_after, streamed=True)


@dataclass
class Journal:
    """Both sides of one run."""

    prompts: list[Prompt] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)
    answers: list[SystemAnswer] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)

    def asked(
        self,
        at: float,
        *upstream: Request,
        end: End = "claimed",
        pieces: Sequence[Piece] | None = None,
        outcome: Outcome = "ok",
        status: int | None = 200,
        user: str = "",
        gives_up_after: float | None = None,
        text: str = "",
        degraded: bool = False,
    ) -> str:
        """One prompt of one attempt, answered when its last request has ended, as that one was."""
        name = f"p{len(self.prompts)}"
        now, made = at, []
        for each in upstream:
            start = now + each.start
            now = start + each.end
            wrote = f"{name}{each.provider}" if each.first_token is not None else None
            made.append(
                replace(each, start=start, end=now, prompt=name, trace=f"t{name}", mark=f"m{name}", wrote=wrote)
            )
        if pieces is None:
            pieces = [piece(name, it.provider) for it in made if it.outcome == "ok"][-1:] if outcome == "ok" else []
        over = now if gives_up_after is None else at + gives_up_after
        words = sum(it.words for it in pieces) or len(text.split())
        ended = end if outcome in {"ok", "truncated", "blank"} else "broken"
        settled: Settled = "answered" if outcome == "ok" else "gave_up"
        self.prompts.append(Prompt(name, user or name, "people", "free", at, at, over, settled, 1))
        self.attempts.append(Attempt(name, 0, "people", "system", at, over, outcome, status))
        self.answers.append(SystemAnswer(name, 0, f"t{name}", f"m{name}", ended, tuple(pieces), words, text, degraded))
        self.requests += made
        return name

    def joined(self, ways: Sequence[Way] = WAYS) -> Joined:
        """The join of everything."""
        return join(self.prompts, self.attempts, self.answers, self.requests, ways)


def piece(prompt: str, provider: str = "main", words: int = WORDS) -> Piece:
    """A part of what `provider` wrote for this prompt."""
    return Piece(provider, f"{prompt}{provider}", words, WORDS)
