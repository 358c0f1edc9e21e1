"""Slots, a bounded queue and abandoned work: requests in, decisions out. No I/O, no clock, no callbacks.

    decision = capacity.ask(job, now)     Admitted(until) | Queued(ahead) | Refused(reason, retry_after)
    capacity.leave(job, now)              its client has disconnected
    capacity.finish(job, now)             a job of unknown length is complete
    capacity.next_event()                 the time of the next change without a call; inf: there is none
    capacity.advance(now)                 applies changes due -> the jobs whose state changed since the last advance

Times are scenario seconds. The live service derives them from wall time, the simulators from virtual time; both drive
this same object.

Rules
- Whatever is due by `now` happens first, in order and at its own exact time, even when the caller is late.
- A job holds one slot for `work` seconds. With `slowdown_from` k, n running jobs share what k can do at full speed:
  each progresses at 1 / max(1, n/k) (flat to a knee, then in proportion to the batch, as vLLM sweeps show). V(t) is the
  integral of that speed; a job begun at V0 ends when V reaches V0 + work, so one heap serves any number of jobs
  (the virtual time of processor sharing; Parekh & Gallager 1993). k = 1 is M/G/1-PS.
- Abandoned work: `continues` (queued and running work goes on, orphaned), `leaves_queue` (only running work goes on),
  `stops` (neither does). Slot-seconds spent after the client has disconnected are `wasted`.
- Tiers named in the queue's `first` have a queue each, served in that order before the others'. When the queue is full,
  a request of such a tier displaces the youngest of the lowest one.
- Refusing costs `refusal_cost` slot-seconds: a debt. Each new job repays at most its own work; idle slots repay it
  first; it is capped at `slots` x 1 s.
- A job whose `work` is infinite is one of unknown length: it holds its slot until `finish`.
- Fewer slots never interrupt a running job; more slots start queued jobs at once. While capacity ramps, it is read
  again at each event and at least every quarter of a second.
"""

import math
from collections.abc import Iterable
from heapq import heappop, heappush

from mockbot.dialects.dialect import Allowance, Reason
from mockbot.scenario.schema import Provider
from mockbot.service.job import Admitted, Decision, Job, Queued, Refused, Slope, State
from mockbot.service.per_second_stats import PerSecondStats
from mockbot.service.wait_queue import WaitQueue

_RAMP_TICK = 0.25  # scenario seconds


class Capacity:
    """One provider's slots and queue.

    Read `running`, `queued`, `slots` freely; change them only through the methods.
    """

    def __init__(self, provider: Provider, stats: PerSecondStats, now: float = 0.0) -> None:
        self.stats = stats
        self.base = self.slots = provider.slots
        self.running = 0
        self.alive = True
        self._limit = provider.queue.limit
        self._queue = WaitQueue(provider.queue)
        self._max_wait = provider.queue.max_wait
        self._fate = provider.abandoned_work if provider.makes_answers else "stops"
        self._knee = provider.answer.slowdown_from
        self._retry_after = provider.retry_after
        self._ends: list[tuple[float, int, Job]] = []
        self._open: set[Job] = set()  # running, of unknown length
        self._count = 0
        self._now = now
        self._v = now
        self.speed = 1.0  # of every running job, as things stand
        self._orphaned = 0
        self._refusal_cost = provider.refusal_cost
        self._debt = 0.0  # slot-seconds that refusals cost and no job has repaid
        self._slopes: tuple[Slope, ...] = ()
        self._warm: Slope | None = None
        self._ramps_until = -math.inf
        self._changed: list[Job] = []

    @property
    def queued(self) -> int:
        """How many jobs wait."""
        return self._queue.waiting

    # -- requests ------------------------------------------------------------------------------------------------

    def ask(self, job: Job, now: float) -> Decision:
        """A slot, a place in the queue, or a refusal."""
        self.catch_up(now)
        job.asked = now
        if not self.alive:
            return self.refuse("crashed", None)
        queue = self._queue
        if self.running < self.slots and not queue.waiting:
            self._begin(job)
            return Admitted(now + job.work / self.speed)
        if queue.waiting >= self._limit:
            if (displaced := queue.displaced_by(job)) is None:
                return self.refuse("queue_full", self._retry_after)
            self._unqueue(displaced, "displaced")
            self.stats.refused += not displaced.gone
        ahead, job.state = queue.waiting, "waiting"
        queue.add(job)
        return Queued(ahead)

    def refuse(self, reason: Reason, retry_after: float | None, allowances: tuple[Allowance, ...] = ()) -> Refused:
        """Count a refusal, and its cost."""
        self.stats.refused += 1
        if self._refusal_cost and self.alive:
            self._debt = min(self._debt + self._refusal_cost, float(self.base))
        return Refused(reason, retry_after, allowances)

    def leave(self, job: Job, now: float) -> None:
        """The job's client has disconnected; no effect on a job that has ended."""
        self.catch_up(now)
        if job.gone or job.state not in ("waiting", "running"):
            return
        job.gone = True
        self.stats.abandoned += 1
        if job.state == "running":
            if self._fate == "stops":
                self._end(job, "left")
                self._fill()
            else:
                self._orphaned += 1
        elif self._fate != "continues":
            self._unqueue(job, "left")

    def finish(self, job: Job, now: float) -> None:
        """A job of unknown length is complete; no effect on one that does not run."""
        self.catch_up(now)
        if job.state == "running":
            self.stats.finished += not job.gone
            self._end(job, "done")
            self._fill()

    # -- time ----------------------------------------------------------------------------------------------------

    def next_event(self) -> float:
        """The earliest of: an answer ends, a wait exceeds the maximum, ramping capacity may have grown."""
        ends = self._ends
        while ends and ends[0][2].state != "running":
            heappop(ends)
        at = self._now + (ends[0][0] - self._v) / self.speed if ends else math.inf
        if self._queue.waiting:
            if self._max_wait is not None:
                at = min(at, self._queue.oldest().asked + self._max_wait)
            if self._now < self._ramps_until:
                at = min(at, self._now + _RAMP_TICK)
        return at

    def progress(self, job: Job, now: float) -> float:
        """Seconds of full-speed work done on a running job by `now`, as things stand."""
        return self._v + (now - self._now) * self.speed - job.v_end + job.work

    def reaches(self, job: Job, progress: float) -> float:
        """When a running job's progress will be, or was, this much, as things stand.

        Of past speeds only the mean is known: what is done was done in proportion.
        """
        done = self._v - job.v_end + job.work
        if self._knee is not None and progress < done:
            return job.begun + (self._now - job.begun) * progress / done
        return self._now + (job.v_end - job.work + progress - self._v) / self.speed

    @property
    def has_changes(self) -> bool:
        """Jobs have changed that `advance` has not returned yet."""
        return bool(self._changed)

    def advance(self, now: float) -> list[Job]:
        """Apply everything due by `now`; returns the jobs whose state changed since the last call, in order."""
        self.catch_up(now)
        return self._take_changed()

    def apply_due(self, now: float) -> list[Job]:
        """As `advance`, at less cost: the seconds and the work since the last change are counted later."""
        while (at := self.next_event()) <= now:
            self._apply_next(at)
        return self._take_changed()

    def _take_changed(self) -> list[Job]:
        changed = self._changed
        if changed:
            self._changed = []
        return changed

    def catch_up(self, now: float) -> None:
        """Apply everything due by `now`; the changed jobs are kept for `advance`."""
        while (at := self.next_event()) <= now:
            self._apply_next(at)
        if now > self._now:
            self._move(now)
            if self._ramps_until > -math.inf:
                self._resize()
                self._fill()  # requests may come so often that no tick of the ramp ever does

    def _apply_next(self, at: float) -> None:
        # An end and an expiry can be due at the same time: the end first, which frees a slot for the waiting job.
        ends = self._ends
        complete = not self._queue.waiting or (bool(ends) and self._now + (ends[0][0] - self._v) / self.speed <= at)
        self._move(at)
        if complete:
            self._v, _, job = heappop(ends)
            self._end(job, "done")
            self.stats.finished += not job.gone
        elif self._max_wait is not None and self.queued and (job := self._queue.oldest()).asked + self._max_wait <= at:
            self._unqueue(job, "expired")
            self.stats.refused += not job.gone
        if self._ramps_until > -math.inf:
            self._resize()
        if self._queue.waiting:
            self._fill()

    def _move(self, now: float) -> None:
        self.stats.move(now, self.running, self._orphaned, self._queue.waiting, self.slots)
        if self._debt:
            self._debt = max(0.0, self._debt - max(0, self.slots - self.running) * (now - self._now))
        # Without a knee V is the time itself; adding up the steps would only collect rounding errors.
        self._v = now if self._knee is None else self._v + (now - self._now) * self.speed
        self._now = now

    # -- slots ---------------------------------------------------------------------------------------------------

    def resize(self, slopes: Iterable[Slope], now: float) -> None:
        """From now on the slots are multiplied by all of these."""
        self.catch_up(now)
        self._slopes = tuple(slopes)
        self._resize()
        self._fill()

    @property
    def reduced(self) -> bool:
        """Fewer slots than the provider was built with."""
        return self.slots < self.base

    def _resize(self) -> None:
        slopes = self._slopes if self._warm is None else (*self._slopes, self._warm)
        factor = math.prod(slope.at(self._now) for slope in slopes) if slopes else 1.0
        self.slots = int(self.base * factor + 0.5) if self.alive else 0
        self._ramps_until = max((slope.end for slope in slopes if slope.first != slope.last), default=-math.inf)
        if self._now >= self._ramps_until:
            self._ramps_until = -math.inf

    def crash(self, now: float) -> list[Job]:
        """The process dies: queue and running work are lost. Returns the jobs lost whose client was still there."""
        self.catch_up(now)
        running = [job for _, _, job in self._ends if job.state == "running"]
        everything = [*self._queue.clear(), *running, *self._open]
        for job in everything:
            job.state, job.ended = "lost", now
            self._changed.append(job)
        self._ends.clear()
        self._open.clear()
        self.running = self._orphaned = self.slots = 0
        self.speed = 1.0
        self.alive = False
        return [job for job in everything if not job.gone]

    def restart(self, warm_up: float, now: float) -> None:
        """The process is back, empty; its capacity grows from nothing to full within `warm_up` seconds."""
        self.catch_up(now)
        self.alive = True
        self._warm = Slope(now, now + warm_up, 0.0, 1.0) if warm_up > 0 else None
        self._resize()

    def _begin(self, job: Job) -> None:
        job.state, job.begun, job.v_end = "running", self._now, self._v + job.work
        if self._debt:
            paid = min(self._debt, job.work)
            self._debt -= paid
            job.v_end += paid
        if job.work == math.inf:
            self._open.add(job)
        else:
            self._count += 1
            heappush(self._ends, (job.v_end, self._count, job))
        self.running += 1
        self._orphaned += job.gone
        self.stats.admitted += 1
        for fault in job.hits:
            self.stats.hit(fault)
        if self._knee is not None:
            self.speed = min(1.0, self._knee / self.running)

    def _end(self, job: Job, state: State) -> None:
        job.state, job.ended = state, self._now
        self._open.discard(job)
        self.running -= 1
        self._orphaned -= job.gone and state == "done"
        self._changed.append(job)
        if self._knee is not None:
            self.speed = min(1.0, self._knee / self.running) if self.running else 1.0

    def _fill(self) -> None:
        while self._queue.waiting and self.running < self.slots:
            job = self._queue.take()
            self._begin(job)
            self._changed.append(job)

    def _unqueue(self, job: Job, state: State) -> None:
        job.state, job.ended = state, self._now
        self._queue.left(job)
        self._changed.append(job)
