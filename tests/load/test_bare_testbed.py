"""What the testbed adds to latencies is measured before a run, and the run's records do not know of it."""

from pathlib import Path
from typing import Any

import pytest

from mockbot.evidence.records import ServiceSecond
from mockbot.evidence.verdict import judge
from mockbot.load.bare_testbed import added_latency
from mockbot.scenario.load import read_scenario
from mockbot.testbed.start import Addresses, open_testbed
from tests.load.runs import rehearse
from tests.simulate.build import scenario

DOWN = """
name: down
title: Nothing listens from the first second on
speed: 10
providers: {main: {slots: 50, limits: {free: 2/m}}}
crowd: {users: {users: 100%, policy: once, think: 2s, patience: 20s}}
phases: [{name: down, lasts: 20s, users: 10, faults: [{down: true}]}]
expect: [{availability: "<= 0%"}]
"""


def measured(**words: Any) -> tuple[float | None, float | None]:
    told = scenario(**words)
    with open_testbed(told, 20.0, None) as addresses:
        return added_latency(told, addresses)


@pytest.mark.live
def test_a_stream_has_a_first_token_and_a_plain_answer_none() -> None:
    """Of both the whole answer comes later than its length says."""
    (stream, first), (plain, none) = measured(), measured(group={"stream": False})

    assert None not in {stream, first, plain}
    assert none is None


@pytest.mark.live
def test_what_no_answer_tells_is_not_known(caplog: pytest.LogCaptureFixture) -> None:
    """A text that the scenario prescribes word for word does not name its length."""
    assert measured(provider={"answers": [{"verbatim": "No."}]}) == (None, None)
    assert "no answer of main told its length" in caplog.text


@pytest.mark.live
def test_it_is_measured_over_tls_too() -> None:
    """As the crowd connects, which trusts the run's own authority."""
    told = scenario()
    with open_testbed(told, 20.0, None, tls=True) as addresses:
        assert None not in added_latency(told, addresses)


def test_a_real_provider_and_a_recording_are_not_asked(caplog: pytest.LogCaptureFixture) -> None:
    """Requests there cost money, or are in no recording; nothing listens at the address, and nobody says so."""
    nowhere = Addresses("", "", {"main": "http://127.0.0.1:9"}, {}, {}, 1.0)

    for source in ("upstream: real", "replay: true"):
        given = DOWN.replace("slots: 50, limits: {free: 2/m}", source)
        assert added_latency(read_scenario(given), nowhere) == (None, None)
    assert not caplog.text


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
