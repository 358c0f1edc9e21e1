"""What the testbed adds to latencies is measured before a run, and the run's records do not know of it."""

from pathlib import Path

import pytest

from mockbot.evidence.records import ServiceSecond
from mockbot.evidence.verdict import judge
from tests.load.runs import rehearse

DOWN = """
name: down
title: Nothing listens from the first second on
speed: 10
providers: {main: {slots: 50, limits: {free: 2/m}}}
crowd: {users: {users: 100%, policy: once, think: 2s, patience: 20s}}
phases: [{name: down, lasts: 20s, users: 10, faults: [{down: true}]}]
expect: [{availability: "<= 0%"}]
"""


@pytest.mark.live
@pytest.mark.second
def test_it_is_measured_before_the_first_fault_and_counts_nowhere(tmp_path: Path) -> None:
    """A provider that no user ever reaches has answered the testbed before, more often than a key's limit allows."""
    ran = rehearse(tmp_path, DOWN)

    assert ran.info.added_latency is not None, ran.output
    assert ran.info.added_latency > 0
    assert not any(second.offered for second in ran.evidence.seconds() if isinstance(second, ServiceSecond))
    assert {prompt.group for prompt in ran.prompts} == {"users"}
    assert judge(ran.evidence).testbed.startswith("added by the testbed: ")
