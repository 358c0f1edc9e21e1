"""The length of an answer: (seed, fingerprint of a request) in, a number of words out. Pure, deterministic.

Rules
- The same seed and the same request give the same length, in any process; the words are dialects/identified_text's.
- Lengths follow `scenario.answer_law`, cut at the client's own maximum.
"""

from functools import lru_cache
from hashlib import blake2b
from statistics import NormalDist

from mockbot.scenario.answer_law import sigma, tokens_at
from mockbot.scenario.schema import Answer

_NORMAL = NormalDist()


def fingerprint(seed: int, *parts: bytes) -> int:
    """64 bits that stand for a request: the same parts always give the same number."""
    hashed = _keyed(seed).copy()
    for part in parts:  # each with its length, so that (b"ab", b"") and (b"a", b"b") differ
        hashed.update(b"%d:%b" % (len(part), part))
    return int.from_bytes(hashed.digest(), "little")


@lru_cache(maxsize=100)
def _keyed(seed: int) -> blake2b:
    return blake2b(digest_size=8, key=b"%d" % seed)


def length(answer: Answer, mark: int) -> int:
    """How many tokens the answer to this request has."""
    tokens = answer.tokens
    if tokens.p95 <= tokens.median:
        return tokens.median
    uniform = ((mark >> 11) + 0.5) / (1 << 53)
    return tokens_at(tokens.median, sigma(tokens), _NORMAL.inv_cdf(uniform))
