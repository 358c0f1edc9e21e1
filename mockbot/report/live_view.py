"""Progress in, one steady picture of the running outage out; plain lines where the output is no terminal.

The picture is drawn over itself, is never taller than the window and is erased at the end of the run, so nothing
scrolls away.
"""

import time
from collections import deque
from collections.abc import Callable
from textwrap import fill
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from mockbot.evidence.records import Progress
from mockbot.report.phrases import NO_FAULT, fault_text
from mockbot.scenario.timeline import Timeline
from mockbot.units.formatting import format_clock, format_duration, format_number, format_share, format_wall

LINE_EVERY = 5.0  # wall seconds between two plain lines of one phase
HISTORY = 60  # samples in the curve of good answers
BARS = " ▁▂▃▄▅▆▇█"


class HiddenView:
    """Shows that a drill goes on, and nothing of what is wrong: a line every LINE_EVERY wall seconds."""

    def __init__(self, console: Console, now: Callable[[], float] = time.monotonic) -> None:
        self._console, self._now = console, now
        self._printed_at = float("-inf")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        """Nothing is to be undone."""

    def update(self, progress: Progress) -> None:
        """Print how far the clock is."""
        if self._now() - self._printed_at >= LINE_EVERY:
            self._printed_at = self._now()
            self._console.print(f"the drill's clock: {format_clock(progress.t)}", highlight=False)


class LiveView:
    """Shows the run while it is on. `now` gives wall seconds, for the pace of the plain lines."""

    def __init__(self, console: Console, timeline: Timeline, now: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._timeline = timeline
        self._now = now
        self._fault_texts = {span.id: fault_text(span) for span in timeline.faults}
        self._good: deque[float | None] = deque(maxlen=HISTORY)
        self._live = Live(console=console, auto_refresh=False, transient=True, vertical_overflow="crop")
        self._printed: tuple[str, tuple[str, ...]] = ("", ())  # phase and faults of the last plain line
        self._printed_at = 0.0
        self._first: tuple[float, float] | None = None  # wall and scenario time of the first progress

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._live.stop()

    def update(self, progress: Progress) -> None:
        """Draw it, or print a line when phase or faults changed or the last line is LINE_EVERY old."""
        self._good.append(progress.good)
        faults = ", ".join(self._fault_texts.get(fault, fault) for fault in progress.wrong) or NO_FAULT
        if self._console.is_terminal:
            self._live.update(self._picture(progress, faults), refresh=True)
            return
        now, state = self._now(), (progress.phase, progress.wrong)
        if state != self._printed or now - self._printed_at >= LINE_EVERY:
            self._printed, self._printed_at = state, now
            figures = f"{_figures(progress)}{self._left(progress.t)}"
            line = f"[{format_clock(progress.t):>7}] {progress.phase}: {faults}; {figures}"
            self._console.print(Text(fill(line, self._console.width, subsequent_indent=" " * 10)), soft_wrap=True)

    def _left(self, t: float) -> str:
        """Wall time until the end of the timeline, at the pace until now; nothing before there is a pace."""
        now = self._now()
        if self._first is None:
            self._first = now, t
        began, since = self._first
        if t <= since:
            return ""
        return f", {format_wall((now - began) * max(0.0, self._timeline.end - t) / (t - since))} left"

    def _picture(self, progress: Progress, faults: str) -> Group:
        grid = Table.grid(padding=(0, 1))
        grid.add_column(max_width=20, no_wrap=True, overflow="ellipsis")
        grid.add_column(ratio=1)
        grid.add_column(justify="right", no_wrap=True)
        phase, end = self._timeline.phase_at(progress.t), self._timeline.end
        for name, start, stop in ((progress.phase, phase.start, phase.end), ("whole run", 0.0, end)):
            done = min(max(progress.t - start, 0.0), stop - start)
            text = f"{format_duration(done)} of {format_duration(stop - start)}"
            grid.add_row(Text(name, "bold"), ProgressBar(stop - start, done, width=24), text)
        curve = "".join("·" if share is None else BARS[round(share * (len(BARS) - 1))] for share in self._good)
        ranked = sorted(progress.failures.items(), key=lambda item: (-item[1], item[0]))
        failing = ", ".join(f"{count} {name}" for name, count in ranked) or "nothing"  # always a line, or it would jump
        return Group(
            grid,
            Text(faults, "bold red" if progress.wrong else "green"),
            Text(f"{_figures(progress)}{self._left(progress.t)}"),
            Text(f"good {curve}", no_wrap=True, overflow="crop"),
            Text(f"failing now: {failing}", style="dim"),
        )


def _figures(progress: Progress) -> str:
    good = "-" if progress.good is None else format_share(progress.good)
    p50 = "-" if progress.latency_p50 is None else format_duration(progress.latency_p50)
    prompts = f"{format_number(progress.prompts_per_s, 1)} prompts/s"
    return f"{progress.users} users, {prompts}, {good} good, p50 {p50}, {progress.pending} waiting"
