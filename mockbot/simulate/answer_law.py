"""How long answers take, by their provider's numbers: an Answer in, sigma and mean seconds out. Pure.

Tokens are log-normal: ln(tokens) is normal with mean ln(median) and deviation sigma, so the mean is median
e^(sigma^2/2), and p95 = median e^(1.645 sigma).
"""

import math

from mockbot.scenario.schema import Answer

_P95 = 1.6448536269514722  # the normal distribution's 95th percentile


def sigma(answer: Answer) -> float:
    """The deviation of ln(tokens)."""
    return math.log(answer.tokens.p95 / answer.tokens.median) / _P95


def mean_seconds(answer: Answer, slots: int) -> float:
    """Mean seconds of an answer when all `slots` are taken."""
    tokens = answer.tokens.median * math.exp(sigma(answer) ** 2 / 2)
    slower = max(1.0, slots / answer.slowdown_from) if answer.slowdown_from else 1.0
    return answer.first_token + (tokens - 1) / answer.pace * slower
