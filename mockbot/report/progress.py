"""Work with a known end in, a bar with the time left out; where the output is no terminal, a line now and then.

The bar is on the console that the command prints to. A pipe must hold results only, so lines go to stderr, the first
after PATIENCE.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from mockbot.units.formatting import format_percent, format_wall

PATIENCE = 2.0  # wall seconds without a word
LINE_EVERY = 10.0  # wall seconds between two lines
Report = Callable[[float, float, str], None]  # done, of so much, and how far that is in words


@contextmanager
def progress(
    console: Console, what: str, errors: Console | None = None, now: Callable[[], float] = time.monotonic
) -> Iterator[Report]:
    """Yields what is to be called with each step. `errors`: where lines go, stderr when it is None."""
    if console.is_terminal:
        columns = TextColumn(what), BarColumn(), TextColumn("{task.fields[at]}"), TimeRemainingColumn()
        with Progress(*columns, console=console, transient=True) as bar:
            task = bar.add_task(what, total=None, at="")
            yield lambda done, end, at: bar.update(task, completed=done, total=end, at=at)
        return
    lines = _Lines(what, errors or Console(stderr=True), now)
    yield lines.report


class _Lines:
    """Tells how far it is and how long it will take, as if it went on as fast as until now."""

    def __init__(self, what: str, console: Console, now: Callable[[], float]) -> None:
        self._what, self._console, self._now = what, console, now
        self._began = now()
        self._next = self._began + PATIENCE

    def report(self, done: float, end: float, at: str) -> None:
        if (moment := self._now()) < self._next or not 0 < done < end:
            return
        self._next = moment + LINE_EVERY
        left = format_wall((moment - self._began) * (end - done) / done)
        where = f" ({at})" if at else ""
        self._console.print(
            f"{self._what}: {format_percent(done / end)}{where}, about {left} left", highlight=False, markup=False
        )
