"""A small valid scenario, as values and as a file, for tests that change one thing in it."""

from mockbot.scenario.schema import Scenario

CROWD: dict[str, object] = {
    "patient": {"users": 0.6, "policy": "backoff"},
    "hasty": {"users": 0.4, "policy": {"name": "refresh", "every": 5.0}},
}
VALUES: dict[str, object] = {
    "name": "small",
    "title": "A small outage",
    "providers": {"main": {"slots": 4}, "other": {}},
    "crowd": CROWD,
    "phases": [
        {"name": "before", "lasts": 60.0, "users": 10},
        {"name": "during", "lasts": 60.0, "faults": [{"http_error": 503}]},
        {"name": "after", "lasts": 60.0},
    ],
}

FILE = """\
name: small
title: A small outage
providers:
  main:
    slots: 4
  other: {}
crowd:
  patient: {users: 60%, policy: backoff}
  hasty:
    users: 40%
    policy: {name: refresh, every: 5s}
phases:
  - {name: before, lasts: 1m, users: 10}
  - name: during
    lasts: 1m
    faults:
      - {on: main, http_error: 503}
  - {name: after, lasts: 1m}
status_page:
  - {at: during+12s, state: investigating}
expect:
  - {phase: before, availability: ">= 99%"}
"""


def scenario(**changes: object) -> Scenario:
    """The small scenario with some of its values replaced."""
    return Scenario.model_validate({**VALUES, **changes})
