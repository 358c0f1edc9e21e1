"""`mockbot show`: the timeline of a scenario, drawn in a terminal of any width and as one page."""

import re
from io import StringIO
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from mockbot.cli import cli
from mockbot.report.timeline_drawing import show, show_page
from mockbot.report.timeline_rows import phases, rows, status_updates
from mockbot.scenario.library import find, names
from mockbot.scenario.load import load_scenario, read_scenario
from mockbot.scenario.timeline import Timeline
from tests.scenario.build import FILE

SMALL = read_scenario(FILE)


def drawn(name: str, width: int = 80) -> list[str]:
    """The lines of a bundled scenario."""
    text = StringIO()
    show(load_scenario(find(name)), Console(file=text, width=width))
    return text.getvalue().splitlines()


@pytest.mark.parametrize(
    ("name", "width"), [*((name, 80) for name in names()), ("chatgpt-2024-12-11", 30), ("cloudflare-2025-11-18", 200)]
)
def test_a_drawing_fits_its_terminal(name: str, width: int) -> None:
    """No line is broken, and nothing is coloured where nobody can see it."""
    lines = drawn(name, width)

    assert max(map(len, lines)) <= width
    assert not any("\x1b" in line for line in lines)
    assert len([line for line in lines if line.startswith("phases ")]) == 1


def test_the_rows_show_what_holds_when() -> None:
    """Nothing before the fault, all of it while it lasts, nothing after; as many users as there are."""
    drawing = rows(Timeline(SMALL), 6)

    assert len(drawing) == 2
    fault, users = drawing
    assert (fault.kind, fault.label) == ("fault", "http_error 503 on main")
    assert list(fault.levels) == [0.0, 0.0, 1.0, 1.0, 0.0, 0.0]
    assert (users.label, set(users.levels)) == ("users, at most 10", {1.0})


def test_a_ramp_and_what_flaps_are_drawn_by_their_share() -> None:
    """A fault that is on half of the time is half as dark."""
    ramp = read_scenario(FILE.replace("http_error: 503", "http_error: 503, share: 0% -> 100%"))
    flap = read_scenario(FILE.replace("http_error: 503", "http_error: 503, flap: {period: 1s, duty: 50%}"))

    rising = rows(Timeline(ramp), 30)[0].levels[10:20]
    flapping = sum(rows(Timeline(flap), 30)[0].levels[10:20]) / 10

    assert list(rising) == sorted(rising)
    assert rising[0] < 0.1
    assert rising[-1] > 0.9
    assert 0.3 < flapping < 0.7


def test_phases_and_words_are_told_with_their_times() -> None:
    """Each with its sign, in order."""
    line = Timeline(SMALL)

    assert [(phase.sign, phase.name, phase.start, phase.crowd) for phase in phases(line)] == [
        ("a", "before", 0, "10 users"), ("b", "during", 60, "10 users"), ("c", "after", 120, "10 users"),
    ]  # fmt: skip
    assert [(word.sign, word.t, word.state) for word in status_updates(line)] == [("A", 72, "investigating")]


def test_a_drawing_tells_the_story() -> None:
    """Which outage, how long, each phase, and what the status page says and when."""
    text = "\n".join(drawn("unexpected-failure"))

    assert "OpenAI, 8 November 2024; unexpected failure; 50m, played in 60 s" in text
    assert re.search(r"b +5:00 +blackout, 26m, 80 users", text)
    assert re.search(r"A +17:00 +investigating: We are investigating an issue", text)
    assert "a second provider can" in text


@pytest.mark.parametrize("name", ["chatgpt-2024-12-11", "openai-2023-10-19"])
def test_a_page_holds_all_of_it_and_loads_nothing(name: str) -> None:
    """One file, no script, no address that a browser would fetch."""
    made = load_scenario(find(name))

    page = show_page(made)

    assert all(phase.name in page for phase in made.phases)
    assert page.count("<svg") == len(Timeline(made).faults) + 1
    assert not re.search(r"<script|<link|src=|href=|url\(|@import", page)
    assert "default-src 'none'" in page


def test_a_page_escapes_what_a_file_says() -> None:
    """A title is text."""
    page = show_page(SMALL.model_copy(update={"title": "<b>5 & 6</b>"}))

    assert "<b>5" not in page
    assert "&lt;b&gt;5 &amp; 6" in page


def test_the_command_draws_or_writes_a_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--html` alone takes the scenario's name; a wrong name is told."""
    monkeypatch.chdir(tmp_path)
    runner = CliRunner()

    terminal = runner.invoke(cli, ["show", "traffic-surge"])
    page = runner.invoke(cli, ["show", "traffic-surge", "--html"])
    named = runner.invoke(cli, ["show", "traffic-surge", "--html", "my.html"])

    assert (terminal.exit_code, page.exit_code, named.exit_code) == (0, 0, 0)
    assert "users, at most 300" in terminal.output
    assert "traffic-surge.html" in page.output
    assert (tmp_path / "traffic-surge.html").read_text("utf-8") == (tmp_path / "my.html").read_text("utf-8")
