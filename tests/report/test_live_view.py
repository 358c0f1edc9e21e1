"""The view of a run while it is on: one steady picture on a terminal, plain lines elsewhere."""

import io
from collections.abc import Iterator

import pytest
from rich.console import Console

from mockbot.evidence.records import Progress
from mockbot.report.live_view import LiveView
from mockbot.scenario.timeline import Timeline
from tests.evidence.build import FAULT, scenario


def look(t: float, phase: str = "steady", *wrong: str, good: float | None = 1.0) -> Progress:
    return Progress(t, phase, wrong, 50, 7, 2.5, good, 0.312, {"http_error": 4, "reset": 9} if wrong else {})


class Wall:
    """Wall seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def lines(looks: Iterator[Progress], step: float) -> list[str]:
    """What a pipe gets when a look comes every `step` wall seconds."""
    output, wall = io.StringIO(), Wall()
    with LiveView(Console(file=output, width=80), Timeline(scenario()), wall) as view:
        for progress in looks:
            view.update(progress)
            wall.now += step
    return output.getvalue().splitlines()


def test_a_pipe_gets_a_line_at_each_change_and_every_few_seconds() -> None:
    """Twelve looks in 6 s of the calm are told twice; the blackout at once; with the wall time left at this pace."""
    told = lines(iter([*(look(float(t)) for t in range(12)), look(100.0, "blackout", FAULT, good=0.5)]), 0.5)

    assert told == [
        "[   0:00] steady: no fault is scheduled now; 50 users, 2.5 prompts/s, 100% good,",
        "          p50 312ms, 7 waiting",
        "[   0:10] steady: no fault is scheduled now; 50 users, 2.5 prompts/s, 100% good,",
        "          p50 312ms, 7 waiting, 195 s left",
        "[   1:40] blackout: http_error 503 on main; 50 users, 2.5 prompts/s, 50% good,",
        "          p50 312ms, 7 waiting, 18 s left",
    ]


def test_a_fault_that_begins_inside_a_phase_is_told_at_once() -> None:
    """What is wrong changed, though the phase did not."""
    told = lines(iter([look(1.0), look(2.0, "steady", FAULT), look(3.0)]), 0.1)

    assert [line.split("; ")[0][10:] for line in told if line.startswith("[")] == [
        "steady: no fault is scheduled now",
        "steady: http_error 503 on main",
        "steady: no fault is scheduled now",
    ]


def screen(width: int, height: int, looks: int) -> str:
    output = io.StringIO()
    console = Console(file=output, width=width, height=height, force_terminal=True, legacy_windows=False)
    with LiveView(console, Timeline(scenario())) as view:
        for n in range(looks):
            view.update(look(float(n), "blackout", FAULT, good=n / looks))
    return output.getvalue()


@pytest.mark.parametrize(("width", "height"), [(80, 24), (30, 24), (120, 5), (20, 3)])
def test_the_picture_never_scrolls(width: int, height: int) -> None:
    """However small the window: the cursor goes up exactly as many lines as were drawn, and never past the window."""
    text = screen(width, height, 50)

    frames = text.split("\x1b[2K")
    drawn = text.count("\n")
    risen = text.count("\x1b[1A")
    assert len(frames) > 50
    assert 0 <= drawn - risen <= 1
    assert drawn / 50 <= height


def test_the_picture_is_gone_when_the_run_is_over() -> None:
    """The last thing written erases what was drawn, so that the final table follows the command."""
    text = screen(80, 24, 3)

    assert text.rstrip("\r\n\x1b[?25h").endswith("\x1b[1A\x1b[2K")


def test_the_picture_says_what_is_wrong_and_how_the_clients_fare() -> None:
    """Phase, fault in words, rate, success, latency, waiting prompts, and what fails most first."""
    text = screen(100, 24, 2)

    for part in (
        "blackout",
        "http_error 503 on main",
        "2.5 prompts/s",
        "p50 312ms",
        "7 waiting",
        "9 reset, 4 http_error",
    ):
        assert part in text
