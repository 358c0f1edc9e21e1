"""Log probabilities of tokens, as chat completions and Responses write them. Deterministic for a request and a token.

The chosen token is the most likely one; the alternatives are words of the sentences that answers are made of, each less
likely than the one before.
"""

import json
from random import Random
from typing import TypedDict

from mockbot.dialects.sentences import SENTENCES

_WORDS = tuple(sorted({word for sentence in SENTENCES for word in sentence}))


class Logprob(TypedDict):
    """A token, its natural logarithm of a probability, and its UTF-8."""

    token: str
    logprob: float
    bytes: list[int]


class TokenLogprob(Logprob):
    """A token of an answer, with the most likely ones at its place, itself the first."""

    top_logprobs: list[Logprob]


def logprobs(mark: int, tokens: tuple[str, ...], alternatives: int) -> list[TokenLogprob]:
    """One entry a token, each with so many alternatives, itself included."""
    return [_of(mark, token, alternatives) for token in tokens]


def chat_logprobs(mark: int, tokens: tuple[str, ...], alternatives: int) -> str:
    """The member `logprobs` of a choice, as JSON."""
    return json.dumps({"content": logprobs(mark, tokens, alternatives), "refusal": None}, separators=(",", ":"))


def _of(mark: int, token: str, alternatives: int) -> TokenLogprob:
    rng = Random(f"{mark}/{token}")
    likely = -rng.random() * 0.5
    others = [word for word in rng.sample(_WORDS, alternatives + 1) if word != token][: max(0, alternatives - 1)]
    top = [_entry(word, likely - n - rng.random()) for n, word in enumerate(others, 1)]
    chosen = _entry(token, likely)
    return {**chosen, "top_logprobs": [chosen, *top] if alternatives else []}


def _entry(token: str, logprob: float) -> Logprob:
    return {"token": token, "logprob": round(logprob, 6), "bytes": list(token.encode())}
