"""The text of an answer and its pace: (seed, fingerprint of a request) in, words and times out. Pure, deterministic.

Rules
- The same seed and the same request give the same words and the same length, in any process.
- Lengths are log-normal by their median and 95th percentile (z = 1.645), cut at the client's own maximum.
- Token k (1, 2, ...) is due `first_token + (k - 1) / pace` after the answer begins; the slot is held until the last.
"""

import math
from dataclasses import dataclass
from hashlib import blake2b
from statistics import NormalDist

from mockbot.scenario.schema import Answer
from mockbot.service.sentences import SENTENCES

_P95 = 1.6448536269514722  # the standard normal distribution's 95th percentile, inv_cdf(0.95)
_NORMAL = NormalDist()
_MIX = 6364136223846793005  # Knuth's 64-bit LCG multiplier (MMIX)
_MASK = (1 << 64) - 1


def fingerprint(seed: int, *parts: bytes) -> int:
    """64 bits that stand for a request: the same parts always give the same number."""
    # Each part with its length, so that (b"ab", b"") and (b"a", b"b") differ.
    parts_and_lengths = b"".join([b"%d:%b" % (len(part), part) for part in parts])
    return int.from_bytes(blake2b(parts_and_lengths, digest_size=8, key=b"%d" % seed).digest(), "little")


def length(answer: Answer, mark: int) -> int:
    """How many tokens the answer to this request has."""
    median, p95 = answer.tokens.median, answer.tokens.p95
    if p95 <= median:
        return median
    uniform = ((mark >> 11) + 0.5) / (1 << 53)
    return max(1, round(median * math.exp(math.log(p95 / median) / _P95 * _NORMAL.inv_cdf(uniform))))


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds to the first token and seconds per token, at full speed."""

    first: float
    per_token: float

    def work(self, tokens: int) -> float:
        """How long the answer holds its slot."""
        return self.first + max(0, tokens - 1) * self.per_token

    def due(self, progress: float) -> int:
        """How many tokens are out when this many seconds of work are done."""
        if progress < self.first:
            return 0
        return int((progress - self.first) / self.per_token + 1e-9) + 1 if self.per_token > 0 else 1 << 30

    def at(self, token: int) -> float:
        """The work after which token k = 1, 2, ... is out."""
        return self.first + (token - 1) * self.per_token


def words(mark: int, tokens: int) -> tuple[str, ...]:
    """So many tokens of prose, each a word with its leading space; plain ASCII without quotes or backslashes."""
    out: list[str] = []
    state = mark | 1
    while len(out) < tokens:
        state = (state * _MIX + 1442695040888963407) & _MASK
        out += SENTENCES[(state >> 33) % len(SENTENCES)]
    del out[tokens:]
    if out:
        out[0] = out[0].lstrip()
    return tuple(out)
