"""Write a first scenario: a cause, a length and a crowd in, the commented text of a file out. Pure.

The sizes follow from three wishes, so that what comes out passes `check`, is well before the outage, and can be played
on a laptop: an answer takes a tenth of a second of wall time or more; at most REQUESTS a second of wall time are asked
while all is well; and a provider can serve 1.6 times the usual crowd, which is less than one three times as large.
"""

import math
from dataclasses import dataclass
from pathlib import PurePath
from typing import Literal, assert_never, get_args

from mockbot.units.quantities import duration_text, rate_text

Cause = Literal["surge", "maintenance", "failure"]
CAUSES: tuple[Cause, ...] = get_args(Cause)
SHORTEST, LONGEST = 300.0, 36000.0  # seconds of disturbance
FEWEST, MOST = 30, 300  # users of a live run; `simulate --users` has more
REQUESTS = 40.0
THINK = 8  # answers long; who asks is busy for a ninth of the time
PLAYED_IN = 80.0  # wall seconds, when no speed is given
TOKENS = 25.2  # mean of a log-normal with median 24 and 95 % below 40


@dataclass(frozen=True, slots=True)
class Brief:
    """What is wanted. `length`: seconds that the disturbance lasts; `speed` None: so that a run takes PLAYED_IN."""

    name: str
    cause: Cause
    length: float
    users: int
    speed: float | None = None


@dataclass(frozen=True, slots=True)
class _Sizes:
    """Seconds, and what follows from them."""

    calm: float
    after: float
    speed: float
    answer: float
    think: float
    slots: int


def name_from(file: PurePath) -> str:
    """A name that the language accepts, from that of a file."""
    kept = "".join(sign if sign.isascii() and sign.isalnum() else "-" for sign in file.stem.lower())
    return kept.strip("-")[:60] or "my-outage"


def scaffold(brief: Brief) -> str:
    """The file."""
    sizes = _sizes(brief)
    parts = (
        _head(brief, sizes),
        _provider(brief, sizes),
        _crowd(sizes),
        _phases(brief, sizes),
        _status(brief),
        _expect(brief),
    )
    return "\n".join(parts)


def _sizes(brief: Brief) -> _Sizes:
    calm, after = max(120.0, round(brief.length / 4)), max(180.0, round(brief.length / 2))
    total = calm + brief.length + after
    speed = brief.speed or max(1.0, math.ceil(total / PLAYED_IN))
    answer = max(4, math.ceil(speed * max(0.15, brief.users / REQUESTS / (THINK + 1))))
    think = THINK * answer
    slots = math.ceil(1.6 * brief.users * answer / (think + answer)) + 1
    return _Sizes(calm, after, speed, answer, think, slots)


def _head(brief: Brief, sizes: _Sizes) -> str:
    title = {
        "surge": f"A crowd three times as large for {duration_text(brief.length)}",
        "maintenance": f"A planned maintenance of {duration_text(brief.length)}",
        "failure": f"Everything is down for {duration_text(brief.length)}",
    }[brief.cause]
    cause = {"surge": "traffic surge", "maintenance": "maintenance", "failure": "unexpected failure"}[brief.cause]
    return f"""\
# Try it:  mockbot check FILE   mockbot show FILE   mockbot simulate FILE   mockbot run FILE
# The language, key by key, is in scenarios/README.md; `mockbot schema` is for editors.
name: {brief.name}
title: {title}
# retells: {{incident: ..., source: https://..., assumed: [...]}}   when it retells a real outage
cause: {cause}
seed: 1                # all chance comes from it: the same seed, the same crowd
speed: {sizes.speed:<15g} # scenario seconds per second of a live run; the file itself speaks of real minutes
slo: {duration_text(max(60, 10 * sizes.answer)):<17} # an answer within this time of the question is a good one
"""


def _provider(brief: Brief, sizes: _Sizes) -> str:
    first = duration_text(sizes.answer / 4)
    pace = rate_text(round(TOKENS / (0.75 * sizes.answer), 2))
    return f"""\
providers:
  main:
    slots: {sizes.slots}           # answers written at the same time
    queue: {{limit: {brief.users}}}  # who finds it full is refused
    abandoned_work: leaves_queue   # try `continues`: answers are then written for people who have gone
    answer: {{first_token: {first}, tokens: {{median: 24, p95: 40}}, pace: {pace}}}   # about {sizes.answer} s
    retry_after: 30s   # what a refusal tells the client to wait
"""


def _crowd(sizes: _Sizes) -> str:
    timeout, think = duration_text(8 * sizes.answer), duration_text(sizes.think)
    patience = duration_text(max(120, 16 * sizes.answer))
    every = duration_text(4 * sizes.answer)
    return f"""\
crowd:                 # three kinds of clients in the same outage; the shares sum to 100%
  refreshers:          # naive: people at the reload button
    users: 30%
    policy: {{name: refresh, every: {every}, timeout: {timeout}}}
    think: {think}         # from an answer to the next question
    patience: {patience}
  sdk:                 # what an SDK does when nobody sets anything: three tries within two seconds
    users: 30%
    policy: {{name: sdk, timeout: {timeout}}}
    think: {think}
    patience: {patience}
  careful:             # backs off, with jitter, and heeds Retry-After
    users: 40%
    policy: {{name: backoff, attempts: 8, base: 2s, cap: 30s, timeout: {timeout}}}
    think: {think}
    patience: {patience}
"""


def _phases(brief: Brief, sizes: _Sizes) -> str:
    calm, length, after = map(duration_text, (sizes.calm, brief.length, sizes.after))
    return f"""\
phases:                # one after the other
  - {{name: before, lasts: {calm}, users: {brief.users}}}
{_disturbance(brief, length)}
  - {{name: after, lasts: {after}{f", users: {brief.users}" if brief.cause == "surge" else ""}}}
"""


def _disturbance(brief: Brief, length: str) -> str:
    match brief.cause:
        case "surge":
            return (
                f"  - {{name: outage, lasts: {length}, users: {3 * brief.users}}}   # nothing fails but for the crowd"
            )
        case "maintenance":
            return f"""\
  - name: outage
    lasts: {length}
    faults:
      - maintenance: true   # 503 with a Retry-After that ends with it"""
        case "failure":
            tail = duration_text(round(brief.length / 5))
            return f"""\
  - name: outage
    lasts: {length}
    faults:
      - http_error: 503
      # - {{reset_peer: 0s, share: 50%, lasts: 1m}}   on the wire, too: half of the connections are reset at first
  - name: return
    lasts: {tail}
    faults:
      - {{http_error: 503, share: 20% -> 0%}}"""
        case _:
            assert_never(brief.cause)


def _status(brief: Brief) -> str:
    late = duration_text(round(brief.length / 4))
    planned = (
        "  - {at: 0s, state: scheduled, impact: maintenance, says: We will be down for maintenance.}\n"
        "  - {at: outage, state: in_progress, impact: maintenance, says: Maintenance is in progress.}\n"
        "  - {at: after, state: completed, impact: none, says: Maintenance is complete.}\n"
    )
    late_words = (
        f"  - {{at: outage+{late}, state: investigating, impact: major, says: We are investigating.}}\n"
        "  - {at: after, state: resolved, impact: none, says: All is well again.}\n"
    )
    return "status_page:           # what users are told, and when\n" + (
        planned if brief.cause == "maintenance" else late_words
    )


def _expect(brief: Brief) -> str:
    naive = "" if brief.cause == "surge" else '  - {phase: outage, group: sdk, availability: "<= 50%"}\n'
    return f"""\
expect:                # what the run is judged by; make it yours
  - {{phase: before, availability: ">= 90%"}}
{naive}  - {{phase: after, group: careful, availability: ">= 80%"}}
"""
