"""One direction of one connection: bytes of the source in, bytes for the destination out, a chain of toxics between.

    source --receive--> [stage 1] --> [stage 2] --> ... --> destination       (no stages: straight on)

Rules, Toxiproxy's unless said otherwise (2.12.0, link.go and toxics/toxic.go):

- New toxics go to the end of the chain. Add, update and remove act on live links at once, inside the call.
- A change interrupts the stage concerned and, for add and remove, the one in front of it: what it held is released.
- Each run of a stage rolls `random() < toxicity`; a stage not affected just passes.
- EOF travels behind the data. There is no half close: at the end of the chain it closes the destination.
- A full stage or destination pauses the source, so backpressure is TCP's own and memory is bounded.

Better here: a pipe holds no thread and no lock, so nothing can wait for anything else. The original's deadlock
(issue #558: removing a toxic while its clients die) cannot be expressed.
"""

from collections import deque
from collections.abc import Callable, Sequence
from random import Random
from typing import Protocol

from mockbot.proxy.toxic import Direction, Toxic
from mockbot.proxy.toxics.base import Chunk, Event, Pipe, Signal, Wait

CHUNK_BYTES = 32 * 1024  # what one read of Toxiproxy takes (Go's io.Copy)
EARLY = 0.0002  # uvloop's clock stands still within a round, so a timer may come this much too soon
LONGEST_TIMER = 3600.0


class Handle(Protocol):
    """A timer that can be cancelled: asyncio's TimerHandle."""

    def cancel(self) -> None: ...


class Timers(Protocol):
    """Time for the stages: the event loop's, or a test's virtual one."""

    def now(self) -> float: ...

    def after(self, seconds: float, call: Callable[[], None]) -> Handle: ...


class Ends(Protocol):
    """What a link does to the world at its two ends."""

    def write(self, data: bytes) -> None: ...

    def close(self) -> None: ...

    def pause(self) -> None: ...

    def resume(self) -> None: ...


class Context(Protocol):
    """What a link shares with its connection."""

    timers: Timers

    def stream(self, direction: Direction, toxic: str) -> Random:
        """The random stream of one toxic on one connection; independent of timing and of every other stream."""

    def touched(self, toxic: str) -> None: ...


class Sink(Protocol):
    """Where a stage's output goes: the next stage, or the link's end."""

    def feed(self, chunk: Chunk) -> None: ...

    def end(self) -> None: ...


class Stage:
    """One toxic on one link: its inbox, its current run, its timer."""

    __slots__ = (
        "_full", "_link", "_pipe", "_rng", "_running", "_timer", "_wait",
        "closed", "ended", "inbox", "next", "passed", "toxic",
    )  # fmt: skip

    def __init__(self, link: "Link", toxic: Toxic, sink: Sink) -> None:
        self.toxic, self.next = toxic, sink
        self.inbox: deque[Chunk] = deque()
        self.ended = self.closed = self._full = False
        self.passed = 0
        self._link = link
        self._running = False
        self._pipe: Pipe | None = None
        self._wait: Wait | None = None
        self._timer: Handle | None = None
        self._rng: Random | None = None

    # -- what a pipe may do (toxics.base.Stub)

    @property
    def rng(self) -> Random:
        if self._rng is None:
            self._rng = self._link.context.stream(self._link.direction, self.toxic.name)
        return self._rng

    def now(self) -> float:
        return self._link.context.timers.now()

    def emit(self, chunk: Chunk) -> None:
        self.next.feed(chunk)

    def unread(self, chunk: Chunk) -> None:
        self.inbox.appendleft(chunk)

    def touched(self) -> None:
        self._link.context.touched(self.toxic.name)

    def close(self) -> None:
        if not self.closed:
            self.stop()
            self.next.end()

    # -- what the link does with it

    def start(self) -> None:
        """Begin a run: roll, then let the toxic work, or pass everything on."""
        self._running = True
        toxicity = self.toxic.toxicity
        if toxicity >= 1 or (toxicity > 0 and self.rng.random() < toxicity):
            self._pipe = self.toxic.effect.pipe(self)
            self._follow(next(self._pipe))
        else:
            self._pass_on()

    def interrupt(self) -> None:
        """End the run; what the toxic held goes on, or back into the inbox."""
        pipe, self._pipe, self._running = self._pipe, None, False
        self._cancel()
        self._wait = None
        if pipe is not None and not self.closed:
            try:
                pipe.send(Signal.INTERRUPT)
            except StopIteration:
                return
            raise RuntimeError(f"the toxic {self.toxic.effect.type} did not let go")

    def stop(self) -> None:
        """Nothing leaves this stage any more, nothing is kept."""
        self.closed, self._pipe, self._wait = True, None, None
        self._cancel()
        self.inbox.clear()
        self._relieve()

    def release(self) -> None:
        """Push everything queued to the next stage, untouched (a removal)."""
        while self.inbox:
            self.next.feed(self.inbox.popleft())
        self._relieve()

    def feed(self, chunk: Chunk) -> None:
        if self.closed:
            return
        if self._wait is not None and self._wait.input:
            self._step(chunk)
        elif self._running and self._pipe is None:
            self.next.feed(chunk)
        else:
            self._queue(chunk)

    def end(self) -> None:
        self.ended = True
        if self._running and self._pipe is None:
            self.close()
        elif self._wait is not None and self._wait.input:
            self._step(Signal.EOF)

    # -- the run

    def _pass_on(self) -> None:
        self.release()
        if self.ended:
            self.close()

    def _queue(self, chunk: Chunk) -> None:
        self.inbox.append(chunk)
        if not self._full and len(self.inbox) >= self.toxic.effect.capacity:
            self._full = True
            self._link.hold(+1)

    def _relieve(self) -> None:
        if self._full and len(self.inbox) <= self.toxic.effect.capacity // 2:
            self._full = False
            self._link.hold(-1)

    def _step(self, event: Event) -> None:
        """Tell the pipe what happened and follow it to its next wait."""
        self._cancel()
        self._wait = None
        pipe = self._pipe
        if pipe is None:
            return
        try:
            wait = pipe.send(event)
        except StopIteration:
            return
        self._follow(wait)

    def _follow(self, wait: Wait) -> None:
        """Serve the pipe's waits for as long as what it waits for is there already; then arm the timer."""
        pipe = self._pipe
        while pipe is not None and pipe is self._pipe:
            event = self._ready(wait)
            if event is None:
                self._wait = wait
                self._arm(wait)
                return
            try:
                wait = pipe.send(event)
            except StopIteration:
                return

    def _ready(self, wait: Wait) -> Event | None:
        if wait.input and self.inbox:
            chunk = self.inbox.popleft()
            self._relieve()
            return chunk
        if wait.input and self.ended:
            return Signal.EOF
        if wait.until is not None and wait.until <= self.now() + EARLY:
            return Signal.TIME
        return None

    def _arm(self, wait: Wait) -> None:
        if wait.until is not None:
            seconds = min(wait.until - self.now(), LONGEST_TIMER)
            self._timer = self._link.context.timers.after(seconds, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        wait = self._wait
        if wait is None or wait.until is None:
            return
        if wait.until > self.now() + EARLY:
            self._arm(wait)
        else:
            self._step(Signal.TIME)

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class Link:
    """The chain of one direction. `received` and `sent` count bytes while they flow."""

    __slots__ = ("_ends", "_holds", "_stages", "closed", "context", "direction", "ended", "traffic")

    def __init__(self, direction: Direction, toxics: Sequence[Toxic], context: Context, ends: Ends, traffic: "Traffic"):
        self.direction, self.context, self._ends, self.traffic = direction, context, ends, traffic
        self.closed = self.ended = False
        self._holds = 0
        self._stages: list[Stage] = []
        for toxic in reversed(toxics):
            self._stages.insert(0, Stage(self, toxic, self._stages[0] if self._stages else self))
        for stage in self._stages:
            stage.start()

    # -- the source's side

    def receive(self, data: bytes) -> None:
        self.traffic.received += len(data)
        if self.closed:
            return
        if not self._stages:
            self.traffic.sent += len(data)
            self._ends.write(data)
            return
        now = self.context.timers.now()
        for start in range(0, len(data), CHUNK_BYTES):
            self._stages[0].feed(Chunk(now, data[start : start + CHUNK_BYTES]))

    def source_ended(self) -> None:
        if not self.ended:
            self.ended = True
            (self._stages[0] if self._stages else self).end()

    # -- the destination's side (the Sink behind the last stage)

    def feed(self, chunk: Chunk) -> None:
        if not self.closed and chunk.data:
            self.traffic.sent += len(chunk.data)
            self._ends.write(chunk.data)

    def end(self) -> None:
        if not self.closed:
            self.stop()
            self._ends.close()

    def stop(self) -> None:
        """The destination is gone, or about to be: nothing is written any more."""
        self.closed = True
        for stage in self._stages:
            stage.stop()

    def hold(self, count: int) -> None:
        """One more, or one less, reason not to read from the source."""
        before, self._holds = self._holds, self._holds + count
        if before == 0 and self._holds:
            self._ends.pause()
        elif before and self._holds == 0:
            self._ends.resume()

    # -- changes of the chain; each acts at once

    def add(self, toxic: Toxic) -> None:
        if self.closed:
            return
        last = self._stages[-1] if self._stages else None
        if last is not None and last.closed:
            return
        stage = Stage(self, toxic, self)
        self._stages.append(stage)
        if last is None:
            stage.ended = self.ended
            stage.start()
            return
        last.interrupt()
        last.next = stage
        stage.start()
        last.start()

    def update(self, toxic: Toxic) -> None:
        stage = self._find(toxic)
        if stage is not None and not stage.closed:
            stage.interrupt()
            stage.start()

    def remove(self, toxic: Toxic) -> None:
        stage = self._find(toxic)
        if stage is None or stage.closed:
            return
        index = self._stages.index(stage)
        before = self._stages[index - 1] if index else None
        stage.interrupt()
        if toxic.effect.closes_when_removed:
            stage.touched()
            stage.close()
            return
        if before is not None and not before.closed:
            before.interrupt()
            before.next = stage.next
        stage.release()
        ended = stage.ended
        stage.stop()
        self._stages.remove(stage)
        self._rejoin(before, stage.next, ended=ended)

    def _rejoin(self, before: Stage | None, after: Sink, *, ended: bool) -> None:
        """The gap of a removed stage closes; an EOF that had reached it reaches the next one."""
        if ended:
            after.end()
        elif before is not None and not before.closed:
            before.start()

    def _find(self, toxic: Toxic) -> Stage | None:
        return next((stage for stage in self._stages if stage.toxic is toxic), None)


class Traffic:
    """Bytes of one direction of one proxy, counted while they flow."""

    __slots__ = ("received", "sent")

    def __init__(self) -> None:
        self.received = 0
        self.sent = 0
