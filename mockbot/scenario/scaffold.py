"""Write a first scenario: a cause, what broke, a length and a number of users in, a commented file's text out. Pure.

The sizes follow from three requirements: the file passes `check`, all is well before the outage, and a laptop can run
it. An answer takes a tenth of a second of wall time or more; at most REQUESTS a second of wall time are sent while all
is well; and a provider can serve 1.6 times the usual load, which is less than a surge to three times the users.
"""

import math
from dataclasses import dataclass
from pathlib import PurePath
from string import Template

from mockbot.scenario.answer_law import mean_tokens
from mockbot.scenario.scaffold_choices import FAILURES, NAIVE, Broke, Cause
from mockbot.scenario.schema import Tokens
from mockbot.units.quantities import duration_text

SHORTEST, LONGEST = 300.0, 36000.0  # seconds of disturbance
SCHEMA_FILE = "scenario.schema.json"
REQUESTS = 40.0  # prompts per second of wall time, so that a laptop can run the service and the clients
THINK = 8  # answers long; a user waits for an answer a ninth of the time
PLAYED_IN = 80.0  # wall seconds, when no speed is given
TOKENS = Tokens(median=24, p95=40)


@dataclass(frozen=True, slots=True)
class Brief:
    """What is wanted. `length`: seconds that the disturbance lasts; `speed` None: so that a run takes PLAYED_IN.

    `broke`: how a failure shows; other causes have it in themselves.
    """

    name: str
    cause: Cause
    length: float
    users: int
    speed: float | None = None
    broke: Broke = "everything"


_SERVED = Template("""\
providers:
  main:
    slots: $slots           # answers generated at the same time
    queue: {limit: $users}  # a request that finds it full is refused
    abandoned_work: leaves_queue   # try `continues`: answers are then generated for clients that have disconnected
    answer: {first_token: $first_token, tokens: {median: $median, p95: $p95}, pace: $pace}   # about $answer s
    retry_after: 30s   # Retry-After of a refusal
$second
crowd:                 # three kinds of clients in the same outage; the shares sum to 100%
  refreshers:          # naive: people who reload
    users: 30%
    policy: {name: refresh, every: $every, timeout: $timeout}
    think: $think         # from an answer to the next question
    patience: $patience
  sdk:                 # an SDK with its defaults: three attempts within two seconds
    users: 30%
    policy: {name: sdk, timeout: $timeout}
    think: $think
    patience: $patience$elsewhere
  careful:             # backs off, with jitter, and honours Retry-After
    users: 40%
    policy: {name: backoff, attempts: 8, base: 2s, cap: 30s, timeout: $timeout}
    think: $think
    patience: $patience$fails_over
""")
_SECOND = Template("""\
  $name:
    slots: $slots
    queue: {limit: $users}
    answer: {first_token: $first_token, tokens: {median: $median, p95: $p95}, pace: $pace}
    retry_after: 30s
""")
_FILE = Template("""\
# yaml-language-server: $$schema=scenario.schema.json
# Try it:  mockbot check FILE   mockbot show FILE   mockbot simulate FILE   mockbot run FILE
# The language, key by key, is in scenarios/README.md; the line above is for editors.
name: $name
title: $title
# retells: {incident: ..., source: https://..., assumed: [...]}   when it retells a real outage
cause: $cause
seed: 1                # of all randomness: the same seed, the same run
speed: $speed # scenario seconds per second of a live run; the file itself is in real minutes
slo: $slo # an answer within this time of the question is a good one

$served
phases:                # one after the other
  - {name: before, lasts: $before, users: $users}
$outage

status_page:           # what it shows, and when
$updates

expect:                # what the run is judged by; change it to what you need
  - {phase: before, availability: ">= 90%"}
$naive  - {phase: after, group: careful, availability: ">= 80%"}
""")

_CHILD = Template("""\
# yaml-language-server: $$schema=scenario.schema.json
# Everything that is not written here is as in $parent: `mockbot show $parent` draws it, and scenarios/README.md
# has the rule ("Compose your own: `extends`"): mappings merge by key, phases by name, null removes, the rest replaces.
extends: $parent
name: $name
# speed: 25
# providers:
#   main: {slots: 4}
# phases:
#   blackout: {lasts: 10m}
# expect:
#   - {availability: ">= 90%"}
""")
_UPDATES = """\
  - {at: outage+$late, state: investigating, impact: major, says: We are investigating.}
  - {at: after, state: resolved, impact: none, says: All is well again.}"""
_BY_CAUSE: dict[Cause, dict[str, str]] = {
    "surge": {
        "title": "A crowd three times as large for $length",
        "cause": "traffic surge",
        "outage": """\
  - {name: outage, lasts: $length, users: $surge}   # no fault: the load alone
  - {name: after, lasts: $after, users: $users}""",
        "updates": _UPDATES,
        "naive": "",
    },
    "maintenance": {
        "title": "A planned maintenance of $length",
        "cause": "maintenance",
        "outage": """\
  - name: outage
    lasts: $length
    faults:
      - maintenance: true   # 503 with a Retry-After that ends with it
  - {name: after, lasts: $after}""",
        "updates": """\
  - {at: 0s, state: scheduled, impact: maintenance, says: We will be down for maintenance.}
  - {at: outage, state: in_progress, impact: maintenance, says: Maintenance is in progress.}
  - {at: after, state: completed, impact: none, says: Maintenance is complete.}""",
        "naive": NAIVE,
    },
    "failure": {
        "cause": "unexpected failure",
        "outage": """\
  - name: outage
    lasts: $length
    faults:
$faults
  - name: return
    lasts: $tail
    faults:
      - {http_error: 503, share: 20% -> 0%}
  - {name: after, lasts: $after}""",
        "updates": _UPDATES,
        "naive": "$naive",
    },
}


def name_from(file: PurePath) -> str:
    """A name that the language accepts, from that of a file."""
    kept = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in file.stem.lower())
    return kept.strip("-")[:60] or "my-outage"


def speed_for(lasts: float) -> float:
    """Scenario seconds per wall second, so that a run of so many scenario seconds takes PLAYED_IN."""
    return max(1.0, math.ceil(lasts / PLAYED_IN))


def providers_and_crowd(users: int, speed: float, broke: Broke = "everything") -> str:
    """The text of both, sized by the three requirements above."""
    sizes, failure = _sizes(users, speed), FAILURES[broke]
    second = _SECOND.substitute(sizes, name=failure.second) if failure.second else ""
    return _SERVED.substitute(sizes, second=second, elsewhere=failure.elsewhere, fails_over=failure.fails_over)


def slo_text(users: int, speed: float) -> str:
    """The time within which an answer is a good one, for these sizes."""
    return duration_text(max(60, 10 * _answer(users, speed)))


def _answer(users: int, speed: float) -> int:
    """Seconds that an answer takes."""
    return max(4, math.ceil(speed * max(0.15, users / REQUESTS / (THINK + 1))))


def _sizes(users: int, speed: float) -> dict[str, str]:
    answer = _answer(users, speed)
    durations = {
        "first_token": answer / 4,
        "every": 4 * answer,
        "think": THINK * answer,
        "timeout": 8 * answer,
        "patience": max(120, 16 * answer),
    }
    return {name: duration_text(seconds) for name, seconds in durations.items()} | {
        "slots": str(math.ceil(1.6 * users / (THINK + 1)) + 1),
        "answer": str(answer),
        "median": str(TOKENS.median),
        "p95": str(TOKENS.p95),
        "pace": f"{(mean_tokens(TOKENS) - 1) / (0.75 * answer):.3g}/s",
        "users": str(users),
    }


def scaffold(brief: Brief) -> str:
    """The text of the file; its first line says where SCHEMA_FILE is, for editors."""
    before, after = max(120.0, round(brief.length / 4)), max(180.0, round(brief.length / 2))
    speed = brief.speed or speed_for(before + brief.length + after)
    durations = {
        "length": brief.length,
        "before": before,
        "after": after,
        "tail": round(brief.length / 5),
        "late": round(brief.length / 4),
    }
    values = {name: duration_text(seconds) for name, seconds in durations.items()} | {
        "name": brief.name,
        "speed": f"{speed:<15g}",
        "slo": f"{slo_text(brief.users, speed):<17}",
        "served": providers_and_crowd(brief.users, speed, brief.broke),
        "users": str(brief.users),
        "surge": str(3 * brief.users),
    }
    failure = FAILURES[brief.broke]
    parts = _BY_CAUSE[brief.cause]
    if brief.cause == "failure":
        parts = parts | {"title": failure.title}
        values |= {"faults": failure.faults, "naive": failure.naive}
    by_cause = {part: Template(text).substitute(values) for part, text in parts.items()}
    return _FILE.substitute(values | by_cause)


def child_of(parent: str, name: str) -> str:
    """The text of a file that extends a bundled scenario."""
    return _CHILD.substitute(parent=parent, name=name)
