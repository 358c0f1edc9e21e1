"""The embedded engine inside the test's process, in a thread of its own, for options that no flag has."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from mockbot.process.event_loop import new_event_loop
from mockbot.proxy.proxy_server import Engine, Options


class Running:
    """An engine and the loop it runs in."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.engine: Engine
        self.loop: asyncio.AbstractEventLoop
        self._stop: asyncio.Event
        self._thread.start()
        if not self._ready.wait(10):
            raise AssertionError("the engine did not start")

    @property
    def url(self) -> str:
        return self.engine.control

    def tasks(self) -> int:
        """Tasks in the engine's loop, the engine's own one not counted."""
        return len(asyncio.all_tasks(self.loop)) - 1

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        self.loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self.engine = Engine(self._options)
        await self.engine.start()
        self._ready.set()
        await self._stop.wait()
        await self.engine.close()


@contextmanager
def running(seed: int = 7, **options: object) -> Iterator[Running]:
    """An engine on a free loopback port."""
    engine = Running(Options(host="127.0.0.1", port=0, seed=seed, **options))  # type: ignore[arg-type]
    try:
        yield engine
    finally:
        engine.close()
