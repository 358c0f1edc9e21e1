"""Progress in, one steady picture of the running outage out; plain lines where the output is no terminal.

The picture is drawn over itself, is never taller than the window and is gone when the run is over, so nothing scrolls
away.
"""

import time
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from mockbot.evidence.records import Progress
from mockbot.report.words import fault_words
from mockbot.scenario.timeline import Timeline
from mockbot.units.formatting import format_duration, format_share

LINE_EVERY = 5.0  # wall seconds between two plain lines of one phase
HISTORY = 60  # looks in the little curve of success
BARS = " ▁▂▃▄▅▆▇█"


class LiveView:
    """Shows the run while it is on. `now` gives wall seconds, for the pace of the plain lines."""

    def __init__(self, console: Console, timeline: Timeline, now: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._timeline = timeline
        self._now = now
        self._words = {span.id: fault_words(span) for span in timeline.faults}
        self._success: deque[float | None] = deque(maxlen=HISTORY)
        self._live = Live(console=console, auto_refresh=False, transient=True, vertical_overflow="crop")
        self._said: tuple[str, tuple[str, ...]] = ("", ())  # phase and faults of the last plain line
        self._said_at = 0.0

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def update(self, progress: Progress) -> None:
        """Show one look at the run."""
        self._success.append(progress.success)
        if self._console.is_terminal:
            self._live.update(self._picture(progress), refresh=True)
        elif self._is_news(progress):
            self._console.print(Text(self._line(progress)), soft_wrap=True)

    def _is_news(self, progress: Progress) -> bool:
        now, what = self._now(), (progress.phase, progress.wrong)
        if what == self._said and now - self._said_at < LINE_EVERY:
            return False
        self._said, self._said_at = what, now
        return True

    def _line(self, progress: Progress) -> str:
        return f"[{progress.t:6.0f} s] {progress.phase}: {self._wrong(progress)}; {_figures(progress)}"

    def _wrong(self, progress: Progress) -> str:
        return ", ".join(self._words.get(fault, fault) for fault in progress.wrong) or "nothing is wrong"

    def _picture(self, progress: Progress) -> Group:
        style = "bold red" if progress.wrong else "green"
        parts: list[RenderableType] = [
            self._bars(progress),
            Text(self._wrong(progress), style),
            Text(_figures(progress)),
            self._curve(),
        ]
        ranked = sorted(progress.failures.items(), key=lambda item: (-item[1], item[0]))
        failing = ", ".join(f"{count} {name}" for name, count in ranked) or "nothing"  # always a line, or it would jump
        return Group(*parts, Text(f"failing now: {failing}", style="dim"))

    def _bars(self, progress: Progress) -> Table:
        phase, end = self._timeline.phase_at(progress.t), self._timeline.end
        grid = Table.grid(padding=(0, 1))
        grid.add_column(max_width=20, no_wrap=True, overflow="ellipsis")
        grid.add_column(ratio=1)
        grid.add_column(justify="right", no_wrap=True)
        for name, start, stop in ((progress.phase, phase.start, phase.end), ("whole run", 0.0, end)):
            done = min(max(progress.t - start, 0.0), stop - start)
            told = f"{format_duration(done)} of {format_duration(stop - start)}"
            grid.add_row(Text(name, "bold"), ProgressBar(stop - start, done, width=24), told)
        return grid

    def _curve(self) -> Text:
        curve = "".join("·" if share is None else BARS[round(share * (len(BARS) - 1))] for share in self._success)
        return Text(f"success {curve}", no_wrap=True, overflow="crop")


def _figures(progress: Progress) -> str:
    success = "-" if progress.success is None else format_share(progress.success)
    p50 = "-" if progress.latency_p50 is None else format_duration(progress.latency_p50)
    return (
        f"{progress.users} users, {progress.prompts_per_s:.1f} prompts/s, "
        f"{success} good, p50 {p50}, {progress.pending} waiting"
    )
