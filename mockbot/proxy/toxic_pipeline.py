"""One toxic on one link: chunks in, chunks out, a run of the toxic's pipe between them, and at most one timer.

A stage is a generator, a deque and a timer, without task or lock. A change of the chain is complete when the call that
makes it returns.

             feed                        emit
    chunk ---------> inbox --> [ pipe ] ------> next stage or link
                                  ^ start: rolls `random() < toxicity`; not affected: chunks just pass
"""

from collections import deque
from collections.abc import Callable
from random import Random
from typing import Protocol

from mockbot.proxy.timers import EARLY
from mockbot.proxy.toxic import Direction, Toxic
from mockbot.proxy.toxics.base import Chunk, Event, Pipe, Signal, Wait

LONGEST_TIMER = 3600.0  # seconds; an infinite wait is armed again each time


class Handle(Protocol):
    """A timer that can be cancelled: asyncio's TimerHandle."""

    def cancel(self) -> None: ...


class Timers(Protocol):
    """Time for the stages: the event loop's, or a test's virtual one."""

    def now(self) -> float: ...

    def after(self, seconds: float, call: Callable[[], None]) -> Handle: ...


class Context(Protocol):
    """What a link shares with its connection."""

    @property
    def timers(self) -> Timers: ...

    def stream(self, direction: Direction, toxic: str) -> Random:
        """The random stream of one toxic on one connection; independent of timing and of every other stream."""

    def touched(self, toxic: str) -> None: ...


class StageOwner(Protocol):
    """What a stage needs of its link."""

    context: Context
    direction: Direction

    def hold(self, count: int) -> None: ...


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

    def __init__(self, link: StageOwner, toxic: Toxic, sink: Sink) -> None:
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
            self.release()
            if self.ended:
                self.close()

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
            raise RuntimeError(f"the toxic {self.toxic.effect.type} did not return on an interrupt")

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
            self.inbox.append(chunk)
            if not self._full and len(self.inbox) >= self.toxic.effect.capacity:
                self._full = True
                self._link.hold(+1)

    def end(self) -> None:
        self.ended = True
        if self._running and self._pipe is None:
            self.close()
        elif self._wait is not None and self._wait.input:
            self._step(Signal.EOF)

    # -- the run

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
