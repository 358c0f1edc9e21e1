"""One direction of one connection: bytes of the source in, bytes for the destination out, a chain of toxics between.

    source --receive--> [stage 1] --> [stage 2] --> ... --> destination       (no stages: straight on)

Rules, those of Toxiproxy unless noted (2.12.0, link.go and toxics/toxic.go):

- New toxics go to the end of the chain. Add, update and remove act on live links at once, inside the call.
- A change interrupts the stage concerned and, for add and remove, the one in front of it: what it held is released.
- Each run of a stage rolls `random() < toxicity`; a stage not affected just passes.
- EOF travels behind the data. There is no half close: at the end of the chain it closes the destination.
- A source that was reset resets the destination, behind the data as well. (Toxiproxy closes it.)
- A full stage or destination pauses the source and the stage before it, so backpressure is TCP's own and memory is
  bounded.

Unlike Toxiproxy's, a pipe has no thread and no lock, so none can wait for another: its deadlock (issue #558, removing a
toxic while its clients end) cannot occur.
"""

from collections.abc import Sequence
from typing import Protocol

from mockbot.proxy.toxic import Direction, Toxic
from mockbot.proxy.toxic_pipeline import Context, Stage
from mockbot.proxy.toxics.base import Chunk

CHUNK_BYTES = 32 * 1024  # what one read of Toxiproxy takes (Go's io.Copy)


class Traffic:
    """Bytes of one direction of one proxy, counted while they flow."""

    __slots__ = ("received", "sent")

    def __init__(self) -> None:
        self.received = 0
        self.sent = 0


class End(Protocol):
    """The source or the destination of a link."""

    def write(self, data: bytes) -> None: ...

    def close(self) -> None: ...

    def reset(self) -> None: ...

    def pause(self) -> None: ...

    def resume(self) -> None: ...


class Link:
    """The chain of one direction; counts its bytes in `traffic` while they flow."""

    __slots__ = (
        "_destination",
        "_holds",
        "_reset",
        "_source",
        "_stages",
        "closed",
        "context",
        "direction",
        "ended",
        "full",
        "traffic",
    )

    def __init__(
        self,
        direction: Direction,
        toxics: Sequence[Toxic],
        context: Context,
        source: End,
        destination: End,
        traffic: Traffic,
    ) -> None:
        self.direction, self.context, self.traffic = direction, context, traffic
        self._source, self._destination = source, destination
        self.closed = self.ended = self.full = self._reset = False
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
            self._destination.write(data)
            return
        now = self.context.timers.now()
        for start in range(0, len(data), CHUNK_BYTES):
            self._stages[0].feed(Chunk(now, data[start : start + CHUNK_BYTES]))

    def source_ended(self, *, reset: bool = False) -> None:
        if not self.ended:
            self.ended, self._reset = True, reset
            (self._stages[0] if self._stages else self).end()

    # -- the destination's side (the Sink behind the last stage)

    def feed(self, *chunks: Chunk) -> None:
        data = chunks[0].data if len(chunks) == 1 else b"".join(chunk.data for chunk in chunks)
        if not self.closed and data:
            self.traffic.sent += len(data)
            self._destination.write(data)

    def end(self) -> None:
        if not self.closed:
            self.stop()
            (self._destination.reset if self._reset else self._destination.close)()

    def stop(self) -> None:
        """The destination is gone, or about to be: nothing is written any more."""
        self.closed = True
        for stage in self._stages:
            stage.stop()

    def fail(self) -> None:
        """A stage cannot go on: the connection ends."""
        self.stop()
        self._source.reset()
        self._destination.reset()

    # -- backpressure

    def destination_full(self, full: bool) -> None:
        """The destination takes no more bytes for now, or takes them again."""
        self.full = full
        self.hold(+1 if full else -1)
        if not full and self._stages:
            self._stages[-1].work()

    def relieved(self, stage: Stage) -> None:
        """The stage has room again, for the one before it."""
        index = self._stages.index(stage)
        if index:
            self._stages[index - 1].work()

    def hold(self, count: int) -> None:
        """One more, or one less, reason not to read from the source."""
        before, self._holds = self._holds, self._holds + count
        if before == 0 and self._holds:
            self._source.pause()
        elif before and self._holds == 0:
            self._source.resume()

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
        if ended:  # an EOF that had reached it reaches the next stage
            stage.next.end()
        elif before is not None and not before.closed:
            before.start()

    def _find(self, toxic: Toxic) -> Stage | None:
        return next((stage for stage in self._stages if stage.toxic is toxic), None)
