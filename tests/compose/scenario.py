"""A short scenario for the composed stage: latency, resets and refusal on the wire."""

SHORT = """
name: composed
title: A short outage of the wire, for composed parts
speed: 10
seed: 7
providers:
  main: {slots: 40, answer: {first_token: 300ms, tokens: {median: 20, p95: 40}}}
  other: {slots: 40, answer: {first_token: 300ms, tokens: {median: 20, p95: 40}}}
crowd:
  patient: {users: 100%, policy: backoff, think: 5s, patience: 60s}
phases:
  - {name: steady, lasts: 40s, users: 40}
  - {name: slow, lasts: 20s, faults: [{latency: 500ms}]}
  - {name: torn, lasts: 20s, faults: [{reset_peer: 0s, share: 50%}, {http_error: 503, share: 20%}]}
  - {name: gone, lasts: 15s, faults: [{down: true}]}
  - {name: after, lasts: 40s}
expect:
  - {phase: steady, availability: ">= 99%"}
  - {phase: after, availability: ">= 80%"}
"""
BUSY = {"generator lag", "machine"}  # guards that a machine with other things to do may break
