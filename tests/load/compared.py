"""One scenario and what is measured of it, to compare runs whose load is made in different ways."""

from collections.abc import Callable
from statistics import fmean

from tests.load.runs import Ran

_OUTAGE = """
name: outage
title: Half of the requests fail for a while
seed: SEED
speed: 8
providers: {main: {slots: 50, answer: {first_token: 1s, tokens: {median: 20, p95: 40}, pace: 40/s}}}
crowd:
  users: {users: 100%, policy: {name: fixed, attempts: 3, wait: 1s}, think: 3s, patience: 30s}
  visitors: {arrivals: 100%, policy: once, patience: 30s}
phases:
  - {name: steady, lasts: 40s, users: 30, arrivals: 3/s}
  - {name: failing, lasts: 40s, faults: [{http_error: 503, share: 50%}]}
expect:
  - {phase: steady, group: users, availability: ">= 95%"}
  - {phase: failing, group: visitors, availability: ">= 90%"}
"""
MEASURES: dict[str, Callable[[Ran], float]] = {
    "prompts": lambda ran: float(len(ran.prompts)),
    "answered": lambda ran: fmean(prompt.settled == "answered" for prompt in ran.prompts),
    "attempts per prompt": lambda ran: fmean(prompt.attempts for prompt in ran.prompts),
    "latency": lambda ran: fmean(p.end - p.intended for p in ran.prompts if p.settled == "answered"),
    "first token": lambda ran: fmean(p.first_token for p in ran.prompts if p.first_token is not None),
}


def outage(seed: int) -> str:
    """Ten seconds: users who retry and visitors who do not, half of whose requests fail in the second half."""
    return _OUTAGE.replace("SEED", str(seed))
