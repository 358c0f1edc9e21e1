"""`--length`: a long outage in a short time, with every client's own clock as it is."""

import pytest

from mockbot.errors import UsageError
from mockbot.scenario.library import find, names
from mockbot.scenario.load import load_scenario, read_scenario
from mockbot.scenario.shorten import shortened
from mockbot.scenario.timeline import Timeline

LONG = """
name: long
title: An afternoon
slo: 10s
providers: {main: {slots: 2, retry_after: 30s}}
crowd: {all: {users: 100%, policy: {name: backoff, timeout: 15s}, think: 5s, patience: 60s}}
phases:
  - {name: calm, lasts: 10m, users: 5}
  - name: closed
    lasts: 30m
    faults:
      - {http_error: {status: 503, retry_after: 20s}, at: 5m, lasts: 10m}
      - {crash: {warm_up: 2m}, at: 20m, lasts: 5m}
      - {maintenance: {retry_after: 10m}, at: 26m, lasts: 2m}
      - {stall: {resumes: 20s}, flap: {period: 4m}, at: 15m, lasts: 5m}
  - {name: after, lasts: 10m}
status_page:
  - {at: closed+10m, state: investigating, back_in: 20m}
  - {at: after, state: resolved}
expect:
  - {recovery_time: "<= 3m"}
  - {latency_p95: "<= 9s"}
"""


def test_the_outage_shrinks_and_the_clients_do_not() -> None:
    """50 minutes in 5: a tenth of every time that belongs to the outage."""
    long = read_scenario(LONG)

    short = shortened(long, 300.0).scenario

    assert [phase.lasts for phase in short.phases] == [60.0, 180.0, 60.0]
    error, crash, maintenance, stall = (
        fault.model_dump(mode="json", exclude_none=True) for fault in short.phases[1].faults
    )
    assert (error["at"], error["lasts"], error["http_error"]["retry_after"]) == ("30s", "1m", "20s")
    assert crash["crash"]["warm_up"] == "12s"
    assert maintenance["maintenance"]["retry_after"] == "1m"
    assert (stall["flap"]["period"], stall["stall"]["resumes"]) == ("24s", "20s")
    assert [update.at for update in short.status_page] == ["2m", "4m"]
    assert short.status_page[0].back_in == 120.0
    assert (short.crowd, short.providers, short.slo) == (long.crowd, long.providers, long.slo)


def test_what_becomes_too_short_is_told() -> None:
    """A phase below a timeout, a fault below a think time, an expectation beyond the end."""
    short = shortened(read_scenario(LONG), 60.0)

    assert short.text == "shortened from 50m to 1m"
    assert "'all' waits 15s for one attempt; shorter than that: calm (12s), after (12s)" in short.doubts
    assert "users think for 5s; shorter than that: closed.2.maintenance (2.4s)" in short.doubts
    assert "expectation 'recovery_time <= 3m' is left out: 14.4s is all there is" in short.doubts
    assert [measure.name for each in short.scenario.expect for measure, _, _ in each.thresholds()] == ["latency_p95"]
    assert not [doubt for doubt in short.doubts if "latency_p95" in doubt]


def test_a_phase_with_hardly_enough_prompts_is_told() -> None:
    """80 users who think for a minute: 24 prompts in 18 s, 40 in 30 s."""
    long = load_scenario(find("unexpected-failure"))
    doubt = "phase 'steady' has about 24 prompts of its crowd, maybe less than the 20 it needs"

    assert [doubt in shortened(long, length).doubts for length in (180.0, 300.0)] == [True, False]


def test_an_expectation_of_a_calm_that_its_last_moments_decide_is_left_out() -> None:
    """Of the prompts of 30 s of calm one in nine waits for an answer when the outage begins; nobody is to blame."""
    long = load_scenario(find("unexpected-failure"))
    said = "expectation 'availability >= 98%' of phase 'steady' is left out"

    short, hardly = shortened(long, 300.0), shortened(long, 2900.0)

    assert [doubt for doubt in short.doubts if doubt.startswith(said)]
    gone = [each for each in long.expect if each not in short.scenario.expect]
    assert [each.phase or each.group for each in gone] == ["steady", "patient"]
    assert hardly.scenario.expect == long.expect


def test_nothing_is_said_about_what_is_long_enough() -> None:
    """At its own length nothing changes."""
    long = read_scenario(LONG)

    same = shortened(long, 3000.0)

    assert (same.scenario.phases, same.doubts) == (long.phases, ())


@pytest.mark.parametrize(
    ("length", "says"),
    [(6000.0, "long lasts 50m only"), (2.0, "phase 'calm' would last less than 1s; at least 5s")],
)
def test_a_length_that_cannot_be_is_refused(length: float, says: str) -> None:
    """It shortens; and a phase of less than a second is none."""
    with pytest.raises(UsageError, match=says):
        shortened(read_scenario(LONG), length)


@pytest.mark.parametrize("name", names())
def test_every_bundled_outage_can_be_shortened(name: str) -> None:
    """The result is a valid scenario with the same faults in the same order."""
    long = load_scenario(find(name))

    short = shortened(long, 180.0).scenario

    again = type(short).model_validate_json(short.model_dump_json())
    assert sum(phase.lasts for phase in again.phases) == pytest.approx(180.0, abs=0.1)
    before, after = Timeline(long), Timeline(again)
    assert [span.id for span in after.faults] == [span.id for span in before.faults]


def test_a_length_that_leaves_nothing_to_expect_is_told_before_the_run() -> None:
    """And one that leaves something is not."""
    long = load_scenario(find("unexpected-failure"))
    calm = tuple(each for each in long.expect if each.phase == "steady" and "availability" in each.model_fields_set)
    said = "no expectation is left, so that the verdict will be inconclusive; give --length more time"

    assert shortened(long.model_copy(update={"expect": calm}), 240.0).doubts[-1] == said
    assert said not in shortened(long, 240.0).doubts
