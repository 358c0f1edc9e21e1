"""`mockbot month`: the calendar in the terminal, on its page, and what clients would have lost."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mockbot.cli import cli
from mockbot.incidents.typical_month import DAY, PostedIncident
from mockbot.simulate.lived_month import Outage, live, outages, weighted_downtime
from mockbot.simulate.month_page import calendar

BEGIN = datetime(2026, 3, 1, tzinfo=UTC).timestamp()
HOUR = 3600.0


def month(*options: str) -> Result:
    """What the command says."""
    return CliRunner().invoke(cli, ["month", "--month", "2026-03", *options])


def posted(at: float, minutes: float, *products: str) -> PostedIncident:
    """An incident so many seconds after the month begins."""
    return PostedIncident(BEGIN + at, minutes, "major", products or ("api",))


def test_a_seed_is_a_month_and_every_day_of_it_stands_in_the_calendar() -> None:
    """The same one each time; another seed is another one."""
    first, again, other = month("--seed", "5"), month("--seed", "5"), month("--seed", "6")

    assert first.output == again.output != other.output
    assert [f"{day:>2}" in first.output for day in range(1, 32)] == [True] * 31
    assert "availability" in first.output
    assert "of 300 such months" in first.output


def test_a_higher_rate_is_more_incidents() -> None:
    """Ten times the fitted number, over a month."""
    counts = [
        int(month("--rate", rate).output.partition(" incidents on its status page")[0].split()[-1])
        for rate in ["1", "10"]
    ]

    assert counts[1] > 4 * counts[0]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--month", "2026-13"], "--month 2026-13; write a month like 2026-03"),
        (["--month", "9999-12"], "--month 9999-12; write a month like 2026-03"),
        (["--rate", "nan"], "nan is not a number"),
        (["--objective", "200%"], "--objective 200%: '200%' is more than 100%"),
        (["--second", "openai"], "--second openai: is the provider itself"),
        (["--users", "7"], "not in the range"),
    ],
)
def test_a_wrong_option_is_told_with_its_remedy(options: list[str], says: str) -> None:
    """And nothing is drawn."""
    result = month(*options)

    assert says in result.output + str(result.exception)
    assert result.exit_code != 0


def test_a_minute_of_two_incidents_counts_once_in_the_calendar_and_one_beyond_midnight_on_both_days() -> None:
    """No day has more than 24 hours."""
    found = [posted(20 * HOUR, 480), posted(21 * HOUR, 60), posted(2 * DAY, 1e5)]

    days = calendar(found, BEGIN, 4)

    assert [round(day.minutes) for day in days] == [240, 240, 1440, 1440]


def test_of_overlapping_outages_the_worst_counts() -> None:
    """One hour at a half and, within it, half an hour at 90 %."""
    found = [Outage(0, HOUR, 0.5), Outage(0, HOUR / 2, 0.9)]

    assert weighted_downtime(found, 10 * HOUR) == pytest.approx((0.5 * 0.9 + 0.5 * 0.5) / 10)


def test_only_the_products_own_incidents_are_its_outages_and_they_are_cut_at_the_months_ends() -> None:
    """The fault begins before the first post."""
    found = outages([posted(60, 60), posted(DAY, 60, "chat")], "api", BEGIN, BEGIN + 30 * DAY)

    assert len(found) == 1
    assert found[0].start == 0


@pytest.mark.second
def test_what_clients_lose_is_what_the_outage_took() -> None:
    """A dead provider for two hours of a day: who gives up loses those; who goes elsewhere hardly anything."""
    lived = live([Outage(6 * HOUR, 8 * HOUR, 1.0)], [], DAY, 60, 1, lambda _now, _end: None)

    once, elsewhere = lived.groups["gives-up"], lived.groups["sdk-and-goes-elsewhere"]
    assert once.down == pytest.approx(2 * HOUR, rel=0.05)
    assert once.answered / once.prompts < elsewhere.answered / elsewhere.prompts
    assert elsewhere.down < 600
    assert (once.felt, elsewhere.felt, lived.stretches) == (1, 0, 1)
    assert lived.simulated == pytest.approx(2 * HOUR + 600 + 1800 + 3600)


@pytest.mark.second
def test_a_month_without_an_outage_is_the_quiet_hour() -> None:
    """Nobody loses anything."""
    lived = live([], [], 30 * DAY, 30, 1, lambda _now, _end: None)

    assert lived.stretches == 0
    assert sum(group.lost for group in lived.groups.values()) == 0
    assert all(group.prompts > 0 for group in lived.groups.values())


@pytest.mark.second
def test_the_page_has_the_calendar_and_what_was_lost(tmp_path: Path) -> None:
    """As the terminal has it; without a second provider it says that nothing fails there."""
    page = tmp_path / "month.html"

    said = month("--seed", "3", "--play", "--users", "14", "--page", str(page)).output

    html = page.read_text("utf-8")
    assert "elsewhere nothing fails; --second names a real one" in " ".join(said.split())
    assert "What clients lost" in html
    assert "backs off and goes elsewhere" in html
    assert "http://" not in html.replace("http://www.w3.org", "")
    assert "<script src" not in html
