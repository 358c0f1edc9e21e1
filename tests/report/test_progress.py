"""Everything that takes long says how long it will still take, in a pipe too."""

import io
from collections.abc import Iterator

from rich.console import Console

from mockbot.report.progress import progress


def told(times: Iterator[float], steps: list[float]) -> tuple[str, str]:
    """(stdout, stderr) of work of 100 steps, in a pipe, by a clock that reads these times."""
    out, errors = io.StringIO(), io.StringIO()
    with progress(Console(file=out), "simulating", Console(file=errors), lambda: next(times)) as report:
        for done in steps:
            report(done, 100.0, f"step {done:g}")
    return out.getvalue(), errors.getvalue()


def test_a_pipe_is_told_the_time_left_on_stderr() -> None:
    """A quarter in three seconds: nine are left. The results are alone on stdout."""
    out, errors = told(iter([0.0, 1.0, 3.0]), [10.0, 25.0])

    assert (out, errors) == ("", "simulating: 25 % (step 25), about 9 s left\n")


def test_nothing_is_said_of_what_is_quick() -> None:
    """Under two seconds."""
    assert told(iter([0.0, 0.5, 1.9]), [10.0, 90.0]) == ("", "")


def test_lines_are_rare() -> None:
    """One in ten seconds, however many steps."""
    _, errors = told(iter([0.0, *(3.0 + n / 10 for n in range(150))]), [float(n) / 2 for n in range(1, 150)])

    assert len(errors.splitlines()) == 2


def test_a_terminal_gets_a_bar_with_the_time_left() -> None:
    """And it is erased at the end."""
    out = io.StringIO()
    console = Console(file=out, width=80, force_terminal=True, legacy_windows=False)
    with progress(console, "simulating") as report:
        report(50.0, 100.0, "5:00")

    assert "simulating" in out.getvalue()
    assert "5:00" in out.getvalue()
    assert "-:--:--" in out.getvalue() or "0:00:0" in out.getvalue()
    assert out.getvalue().endswith("\x1b[2K")
