"""A series of errors becomes phases that reproduce it; what the file does not say is asked for."""

import itertools
import json
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from mockbot.errors import UsageError
from mockbot.evidence.records import Attempt
from mockbot.incidents.change_fit import stretches
from mockbot.incidents.draft import draft_text
from mockbot.incidents.foreign_document import read_document
from mockbot.incidents.series_draft import SeriesOptions, series_draft
from mockbot.incidents.series_file import Series, read_series, reads_series
from mockbot.scenario.load import read_scenario
from mockbot.scenario.schema import Scenario
from mockbot.simulate.simulation import Memory, simulate

START = datetime(2026, 1, 5, 10, tzinfo=UTC)
STEPS = [0.01] * 30 + [0.75] * 20 + [0.4] * 25 + [0.12] * 15 + [0.01] * 30  # a minute each


def table(shares: list[float], requests: int = 800, seed: int = 1) -> str:
    """A CSV: the errors of so many requests a minute at these shares."""
    rng, lines = Random(seed), ["time,error_share,requests"]
    for minute, share in enumerate(shares):
        failed = sum(rng.random() < share for _ in range(requests))
        lines.append(f"{(START + timedelta(minutes=minute)).isoformat()},{failed / requests:.5f},{requests}")
    return "\n".join(lines) + "\n"


def series(text: str, zone: str | None = None, unit: str | None = None) -> Series:
    document = read_document(text.encode())
    assert reads_series(document)
    return read_series(document, zone, unit)


def staged(text: str, phases: int = 12, length: float | None = None) -> Scenario:
    return read_scenario(draft_text(series_draft(series(text), "series", SeriesOptions(phases, length))))


def test_stretches_are_found_where_the_series_changes() -> None:
    """Five shares, four changes, found to the minute."""
    assert [round(phase.lasts / 60) for phase in staged(table(STEPS)).phases] == [30, 20, 25, 15, 30]


def test_the_partition_is_the_best_one() -> None:
    """Against all partitions of a short series into at most three parts."""
    rng = Random(4)
    values = [rng.gauss(mean, 0.1) for mean in [0] * 5 + [1] * 4 + [0.4] * 6]

    def error(bounds: list[int]) -> float:
        parts = [values[a:b] for a, b in itertools.pairwise(bounds)]
        return sum(sum((x - sum(part) / len(part)) ** 2 for x in part) for part in parts)

    every = ([0, a, b, 15] for a in range(1, 14) for b in range(a + 1, 15))

    assert stretches(values, [1.0] * 15, 3) == [(0, 5), (5, 9), (9, 15)]
    assert min(every, key=error) == [0, 5, 9, 15]


def test_there_are_no_more_phases_than_asked_for() -> None:
    """The smallest change is given up first."""
    assert len(staged(table(STEPS), phases=4).phases) <= 4


@pytest.mark.second
def test_the_simulated_scenario_reproduces_the_series() -> None:
    """Mean absolute error of the minutes at most 2 points, at 500 requests a minute or more."""
    scenario = staged(table(STEPS))
    memory = Memory()
    simulate(scenario, users=6000, sink=memory.take, engine="fast")
    sent, failed = [0] * len(STEPS), [0] * len(STEPS)
    for each in memory.requests:
        if isinstance(each, Attempt) and each.start < 60 * len(STEPS):
            sent[int(each.start // 60)] += 1
            failed[int(each.start // 60)] += each.outcome == "http_error" and each.status == 503
    errors = [abs(f / n - share) for f, n, share in zip(failed, sent, STEPS, strict=True)]

    assert min(sent) >= 500
    assert sum(errors) / len(errors) <= 0.02


def test_a_series_without_an_outage_says_so() -> None:
    """A steady 1 % is nothing to stage."""
    with pytest.raises(UsageError, match="nothing to stage, errors stay between 1"):
        staged(table([0.01] * 60))


def test_a_prometheus_answer_is_read() -> None:
    """`query_range` of one series; NaN is a time without requests."""
    values = [[START.timestamp() + 60 * n, "NaN" if n == 5 else str(share)] for n, share in enumerate(STEPS)]
    answer = {"status": "success", "data": {"resultType": "matrix", "result": [{"metric": {}, "values": values}]}}
    found = series(json.dumps(answer))

    assert len(found.bins) == len(STEPS) - 1
    assert "1 values that are no number" in found.remarks[0]


def test_several_series_are_refused() -> None:
    """With what to do."""
    one = {"metric": {"job": "a"}, "values": [[START.timestamp(), "0.1"]]}
    with pytest.raises(UsageError, match=r"2 series; query one, for instance with sum\(\)"):
        series(json.dumps({"data": {"result": [one, one]}}))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "time,errors\n2026-01-05T10:00:00Z,1\n2026-01-05T10:01:00Z,2\n2026-01-05T10:02:00Z,2\n",
            "needs one of requests",
        ),
        ("time,error_rate\n2026-01-05T10:00:00Z,1\n2026-01-05T10:01:00Z,2\n2026-01-05T10:02:00Z,2\n", "--unit"),
        ("time,error_share\n2026-01-05 10:00:00,0.1\n2026-01-05 10:01:00,0.2\n", "--zone"),
        ("time,error_share\n2026-01-05T10:00:00Z,0.1\n2026-01-05T10:01:00Z,x\n", "line 3: 'x' is not a number"),
        ("time,error_share\n2026-01-05T10:00:00Z,-0.1\n2026-01-05T10:01:00Z,0.1\n", "negative"),
        ("time,error_share\n2026-01-05T10:00:00Z,0.1\n2026-01-05T10:01:00Z,0.1\n", "2 bins"),
    ],
)
def test_what_the_file_does_not_say_is_asked_for(text: str, says: str) -> None:
    """Unit and zone by their options; a wrong number with its line."""
    with pytest.raises(UsageError, match=says):
        series(text)


def test_units_and_zones_can_be_given() -> None:
    """Percent, and times one hour ahead of UTC."""
    text = "time,error_rate\n2026-01-05 11:00:00,1\n2026-01-05 11:01:00,60\n2026-01-05 11:02:00,60\n"
    found = series(text, "+01:00", "percent")

    assert [each.share for each in found.bins] == [0.01, 0.6, 0.6]
    assert found.bins[0].at == START.timestamp()


def test_counters_are_recognised() -> None:
    """Columns that only grow are the totals of a counter: the growth from line to line is taken."""
    lines = ["time,errors,requests"]
    lines += [
        f"{(START + timedelta(minutes=n)).isoformat()},{500 + 10 * n + 300 * max(0, n - 5)},{90_000 + 500 * n}"
        for n in range(10)
    ]
    found = series("\n".join(lines))

    assert [round(each.share, 2) for each in found.bins] == [0.02] * 5 + [0.62] * 4
    assert any("counters" in remark for remark in found.remarks)


def test_repeated_and_irregular_times_are_told() -> None:
    """A time that comes twice counts once; a gap is named with its end."""
    times = [0, 1, 1, 2, 3, 9, 10, 11]
    rows = [f"{(START + timedelta(minutes=n)).isoformat()},{0.5 if n > 5 else 0.01}" for n in times]
    found = series("time,error_share\n" + "\n".join(rows))

    assert any("1 times came twice" in remark for remark in found.remarks)
    assert any("the longest, 6m00s, ends 2026-01-05 10:09:00 UTC" in remark for remark in found.remarks)


def test_latency_and_load_are_staged_too() -> None:
    """Answers three times as slow become `slow: 3`, twice the requests twice the users."""
    lines = ["time,error_share,latency,requests"]
    lines += [
        f"{(START + timedelta(minutes=n)).isoformat()},{0.5 if 5 <= n < 10 else 0},{3 if 5 <= n < 10 else 1},"
        f"{1200 if 5 <= n < 10 else 600}"
        for n in range(15)
    ]
    draft = series_draft(series("\n".join(lines)), "x", SeriesOptions(12))

    assert draft.phases[1].faults == ("http_error: 503, share: 50%", "slow: 3")
    assert [phase.users for phase in draft.phases] == [60, 120, 60]
