"""The number of users that each recorded one stands for in, out the words that say how far chance takes figures. Pure.

A share p of n users who were drawn at random is off by 1.96 sqrt(p (1 - p) / n) in one of twenty samples; the most is
told, that of p = 50 %. A user's prompts resemble each other, so users are counted and not prompts.
"""

import math

from mockbot.scenario.timeline import Timeline


def sampled_text(weight: int, timeline: Timeline) -> str:
    """Empty when every user is recorded."""
    if weight <= 1:
        return ""
    users = sum(timeline.max_users().values())
    if not users:
        return f"figures of one arrival in {weight:,}, sampled"
    sampled = max(1, users // weight)
    error = 100 * 1.96 * math.sqrt(0.25 / sampled)
    return f"figures of {sampled:,} sampled users of {users:,}, sampling error of a share up to ± {error:.1f} points"
