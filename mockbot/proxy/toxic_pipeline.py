"""One toxic on one link: chunks in, chunks out, a run of the toxic's pipe between them, and at most one timer.

A stage is a generator, a deque and a timer, without task or lock. A change of the chain is complete when the call that
makes it returns.

             feed                        emit
    chunk ---------> inbox --> [ pipe ] ------> next stage or link
                                  ^ start: rolls `random() < toxicity`; not affected: chunks just pass

- It works for as long as its pipe's wait is met, the next stage has room and the event loop's turn is not spent.
- A full inbox pauses the source and the stage before; room in it lets both go on.
- A pipe that raises takes its connection with it: both sides are reset, and the error is logged.
"""

import logging
from collections import deque
from collections.abc import Callable
from random import Random
from typing import Protocol

from mockbot.proxy.timers import EARLY
from mockbot.proxy.toxic import Direction, Toxic
from mockbot.proxy.toxics.base import Chunk, Event, Pipe, Signal, Wait
from mockbot.proxy.toxics.noop import Noop

LONGEST_TIMER = 3600.0  # seconds; an infinite wait is armed again each time
LARGEST_INBOX = 4 * 1024 * 1024  # bytes; 1024 chunks in front of a latency would be 32 MB (CHUNK_BYTES)
LOG = logging.getLogger("mockbot.proxy")


class Handle(Protocol):
    """A timer that can be cancelled: asyncio's TimerHandle."""

    def cancel(self) -> None: ...


class Timers(Protocol):
    """Time for the stages: the event loop's, or a test's virtual one."""

    def now(self) -> float: ...

    def after(self, seconds: float, call: Callable[[], None]) -> Handle: ...

    def spent(self) -> bool:
        """Whether others have their turn now: what is left goes on with `after(0, ...)`."""


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

    def relieved(self, stage: "Stage") -> None: ...

    def fail(self) -> None: ...


class Sink(Protocol):
    """Where a stage's output goes: the next stage, or the link's end."""

    full: bool

    def feed(self, *chunks: Chunk) -> None: ...

    def end(self) -> None: ...


class Stage:
    """One toxic on one link: its inbox, its current run, its timer."""

    __slots__ = (
        "_link", "_pipe", "_rng", "_size", "_timer", "_wait",
        "closed", "ended", "full", "inbox", "next", "passed", "toxic",
    )  # fmt: skip

    def __init__(self, link: StageOwner, toxic: Toxic, sink: Sink) -> None:
        self.toxic, self.next = toxic, sink
        self.inbox: deque[Chunk] = deque()
        self.ended = self.closed = self.full = False
        self.passed = 0
        self._link = link
        self._size = 0  # bytes in the inbox
        self._pipe: Pipe | None = None
        self._wait: Wait | None = None  # None while the pipe is at work, too
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
        self._size += len(chunk.data)

    def touched(self) -> None:
        self._link.context.touched(self.toxic.name)

    def close(self) -> None:
        if not self.closed:
            self.stop()
            self.next.end()

    # -- what the link does with it

    def start(self) -> None:
        """Begin a run: roll, then let the toxic work, or pass everything on."""
        toxicity = self.toxic.toxicity
        affected = toxicity >= 1 or (toxicity > 0 and self.rng.random() < toxicity)
        self._pipe = (self.toxic.effect if affected else Noop()).pipe(self)
        self._tell(None)
        self.work()

    def interrupt(self) -> None:
        """End the run; what the toxic held goes on, or back into the inbox."""
        self._cancel()
        if self._wait is not None:
            self._tell(Signal.INTERRUPT)
        self._pipe = None

    def stop(self) -> None:
        """Nothing leaves this stage any more, nothing is kept."""
        self.closed, self._pipe, self._wait = True, None, None
        self._cancel()
        self.inbox.clear()
        self._size = 0
        self._relieve()

    def release(self) -> None:
        """Push everything queued to the next stage, untouched (a removal)."""
        if self.inbox:
            self.next.feed(*self.inbox)

    def feed(self, *chunks: Chunk) -> None:
        if self.closed:
            return
        for chunk in chunks:
            self.inbox.append(chunk)
            self._size += len(chunk.data)
        if not self.full and (len(self.inbox) >= self.toxic.effect.capacity or self._size >= LARGEST_INBOX):
            self.full = True
            self._link.hold(+1)
        if self._wait is not None and self._wait.input:
            self.work()

    def end(self) -> None:
        self.ended = True
        if self._wait is not None and self._wait.input:
            self.work()

    def work(self) -> None:
        """Serve the pipe's waits for as long as what it waits for is there; then arm the timer."""
        self._cancel()
        timers = self._link.context.timers
        while (wait := self._wait) is not None:
            if timers.spent():
                self._timer = timers.after(0, self._on_timer)
                break
            now = timers.now()
            event = self._ready(wait, now)
            if event is not None:
                self._tell(event)
                continue
            if wait.until is not None and wait.until > now + EARLY:
                self._timer = timers.after(min(wait.until - now, LONGEST_TIMER), self._on_timer)
            break
        self._relieve()

    # -- the run

    def _ready(self, wait: Wait, now: float) -> Event | None:
        if wait.input and self.inbox and not self.next.full:
            chunk = self.inbox.popleft()
            self._size -= len(chunk.data)
            return chunk
        if wait.input and self.ended and not self.inbox:
            return Signal.EOF
        if wait.until is not None and wait.until <= now + EARLY and not (wait.emits and self.next.full):
            return Signal.TIME
        return None

    def _tell(self, event: Event | None) -> None:
        """Tell the pipe what happened (None: begin), and keep what it waits for then."""
        pipe, self._wait = self._pipe, None
        if pipe is None:
            return
        try:
            wait = next(pipe) if event is None else pipe.send(event)
            if event is Signal.INTERRUPT:
                raise RuntimeError("it did not return on an interrupt")
        except StopIteration:
            return
        except Exception:  # whatever a toxic does wrong, its own connection must not hang, nor another one suffer
            LOG.exception("toxic %s (%s) failed: its connection is reset", self.toxic.name, self.toxic.effect.type)
            self.touched()
            self._link.fail()
            return
        if pipe is self._pipe:
            self._wait = wait

    def _relieve(self) -> None:
        if self.full and len(self.inbox) <= self.toxic.effect.capacity // 2 and self._size <= LARGEST_INBOX // 2:
            self.full = False
            self._link.hold(-1)
            self._link.relieved(self)

    def _on_timer(self) -> None:
        self._timer = None
        self.work()

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
