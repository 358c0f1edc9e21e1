"""How long answers are and how long they take, by their provider's numbers: an Answer in, tokens and seconds out. Pure.

- The number of tokens is log-normal: its logarithm is normal with mean ln(median) and deviation sigma, so that the
  mean is median e^(sigma^2/2) and p95 = median e^(1.645 sigma).
- Token k (1, 2, ...) is due `first_token + (k - 1) / pace` after the answer begins; its slot is held until the last.
- Of more running answers than `slowdown_from`, each progresses slower in proportion, the first token included.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

from mockbot.scenario.schema import Answer, Provider, Tokens

P95 = 1.6448536269514722  # the standard normal distribution's 95th percentile, inv_cdf(0.95)


def sigma(tokens: Tokens) -> float:
    """The deviation of ln(tokens)."""
    return math.log(tokens.p95 / tokens.median) / P95


def tokens_at(median: float, sigma: float, z: float) -> int:
    """The number of tokens, z deviations from its median; the fast engine compiles this function too."""
    return max(1, round(median * math.exp(sigma * z)))


def mean_tokens(tokens: Tokens) -> float:
    """The mean number of tokens."""
    return tokens.median * math.exp(sigma(tokens) ** 2 / 2)


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds to the first token and seconds per token, at full speed."""

    first: float
    per_token: float

    def work(self, tokens: float) -> float:
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


def pace_of(answer: Answer) -> Pace:
    """As the scenario has it."""
    return Pace(answer.first_token, 1.0 / answer.pace)


def mean_seconds(answer: Answer, running: int = 1) -> float:
    """Mean seconds that an answer holds its slot while so many are running."""
    slower = max(1.0, running / answer.slowdown_from) if answer.slowdown_from else 1.0
    return pace_of(answer).work(mean_tokens(answer.tokens)) * slower


def answers_per_second(provider: Provider) -> float:
    """What it can answer at most."""
    return provider.all_slots / mean_seconds(provider.answer, provider.slots)


def share_above(answer: Answer, seconds: float) -> float:
    """P(S > x): the share of answers that hold their slot for longer than so many seconds at full speed."""
    tokens, deviation = (seconds - answer.first_token) * answer.pace + 1, sigma(answer.tokens)
    if tokens <= 0:
        return 1.0
    if not deviation:
        return float(tokens < answer.tokens.median)
    return 1 - NormalDist(math.log(answer.tokens.median), deviation).cdf(math.log(tokens))
