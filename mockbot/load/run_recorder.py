"""Records of a run in, its journals and the figures of the live view out.

Every record is written to disk as it comes. Only the last two wall seconds are kept in memory, for Progress.
"""

import math
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping

from mockbot.errors import TestbedError
from mockbot.evidence.records import Attempt, Progress, Prompt, Record
from mockbot.runs.folder import RunFolder
from mockbot.runs.journal_files import LOAD_JOURNALS, JournalWriter
from mockbot.scenario.timeline import Conditions
from mockbot.units.rank import nearest_rank

# Wall seconds: four lines of the live view, so that a rate is steady and the begin of an outage shows at once.
WINDOW = 2.0


class RunRecorder:
    """`take` is the sink of driver, collectors and health; `progress` is one line for the live view."""

    def __init__(self, folder: RunFolder, speed: float, slo: float) -> None:
        self._slo = slo
        self._journal = JournalWriter(folder, LOAD_JOURNALS)
        self._speed = speed
        self._recent: deque[tuple[float, Attempt | Prompt]] = deque()
        self._starts: deque[tuple[float, int]] = deque([(time.monotonic(), 0)])
        self.closed = False
        self.broken = ""  # why records could not be written
        self.watcher: Callable[[Record], None] = lambda _: None

    def take(self, record: Record) -> None:
        """Write one record. After `close` it is dropped: a late one of a worker that is being ended."""
        if self.closed:
            return
        self.watcher(record)
        if isinstance(record, Attempt | Prompt):
            self._recent.append((time.monotonic(), record))
        try:
            self._journal.write(record)
        except TestbedError as error:
            self.broken = self.broken or str(error)

    def progress(self, now: Conditions, users: int, pending: int, started: int, overdue: Mapping[int, int]) -> Progress:
        """The state of the last two wall seconds. `started`: prompts since the run began; as in `Collector.overdue`."""
        moment = time.monotonic()
        while self._recent and self._recent[0][0] < moment - WINDOW:
            self._recent.popleft()
        while len(self._starts) > 1 and self._starts[0][0] < moment - WINDOW:
            self._starts.popleft()
        since, before = self._starts[0]  # the number of starts is cumulative, so two points make the rate
        self._starts.append((moment, started))
        prompts = [
            record for _, record in self._recent if isinstance(record, Prompt) and record.settled != "unfinished"
        ]
        # As the report counts: a prompt that is late, answered or not, is not good, and never answered is infinite.
        took = [prompt.end - prompt.intended if prompt.settled == "answered" else math.inf for prompt in prompts]
        took = sorted([*took, *[math.inf] * sum(overdue.values())])
        p50 = nearest_rank(took, 0.5)
        return Progress(
            t=round(now.t, 3),
            phase=now.phase,
            wrong=tuple(active.span.id for active in now.faults),
            users=users,
            pending=pending,
            prompts_per_s=round((started - before) / max(moment - since, 0.1) / self._speed, 3),
            good=sum(each <= self._slo for each in took) / len(took) if took else None,
            latency_p50=None if p50 is None or math.isinf(p50) else p50,
            failures=dict(Counter(r.outcome for _, r in self._recent if isinstance(r, Attempt) and r.outcome != "ok")),
            overdue=dict(overdue),
        )

    @property
    def written(self) -> dict[str, int]:
        """How many records of each kind were written."""
        return self._journal.written

    def close(self) -> None:
        """Idempotent."""
        self.closed = True
        self._journal.close()
