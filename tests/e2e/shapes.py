"""The runs that the campaign breaks: what is played to whom, and which processes take part."""

import sys
from collections.abc import Mapping
from pathlib import Path

HERE = Path(__file__).parent

CROWD = """
name: campaign
title: A short outage
speed: 10
seed: 7
providers:
  main: {slots: 40, answer: {first_token: 300ms, tokens: {median: 20, p95: 40}}}
crowd:
  patient: {users: 100%, policy: backoff, think: 5s, patience: 60s}
phases:
  - {name: steady, lasts: 40s, users: 24}
  - {name: blackout, lasts: 30s, faults: [{http_error: 503}, {latency: 300ms}]}
  - {name: after, lasts: 50s}
expect:
  - {phase: steady, availability: ">= 99%"}
  - {phase: after, availability: ">= 90%"}
"""
REAL_TIME = """
name: campaign
title: A short outage in real time
providers:
  main: &quick {slots: 50, answer: {first_token: 50ms, tokens: {median: 10, p95: 10}, pace: 200/s}}
  other: *quick
crowd:
  people: {users: 100%, policy: {name: once, timeout: 6s}, think: 500ms, patience: 8s}
phases:
  - {name: steady, lasts: 4s, users: 8}
  - {name: blackout, lasts: 3s, faults: [{http_error: {status: 503, retry_after: 1s}}]}
  - {name: after, lasts: 5s}
expect:
  - {phase: steady, availability: ">= 99%"}
"""
SYSTEM = f"""
name: careful
start: "{sys.executable} -P -m uvicorn --app-dir {HERE} gateway:app --port {{port}} --log-level warning"
env: {{MAIN_URL: "{{main.url}}", OTHER_URL: "{{other.url}}", HABIT: careful}}
ready: {{path: /health, within: 60s}}
speaks: openai
model: gpt-4o
"""
CLIENT = ("sh", str(HERE.parent / "commands" / "clients" / "ask.sh"), "11")
SHAPES: Mapping[str, tuple[str, tuple[str, ...]]] = {  # scenario and arguments of `mockbot run`
    "crowd": (CROWD, ()),
    "two workers": (CROWD, ("--processes", "2")),
    "toxiproxy": (CROWD, ("--proxy", "toxiproxy")),
    "shared toxiproxy": (CROWD, ("--toxiproxy-url", "URL")),
    "command": (REAL_TIME, ("--", *CLIENT)),
    "system": (REAL_TIME, ("--system", "SYSTEM")),
}
ROLES: Mapping[str, str] = {  # role -> a word of its command line; a guard's has the words of what it guards, too
    "service": "mockbot.service",
    "proxy": "mockbot.proxy",
    "watchdog": "mockbot.proxy.cleanup_watchdog",
    "load": "locust",  # "worker" where its parent is one, too
    "command guard": "mockbot.process.process_group_guard",
    "system guard": "mockbot.testbed.system.system_guard",
    "toxiproxy": "-host",
    "command": CLIENT[1],
    "system": "uvicorn",
}
