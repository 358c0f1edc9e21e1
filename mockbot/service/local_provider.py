"""One provider, or one replica of it, in this process: its runtime, and the connections that reach it."""

from collections import Counter
from collections.abc import Sequence

from mockbot.clock import Clock
from mockbot.evidence.records import ServiceSecond
from mockbot.http_server.listener import Connections
from mockbot.scenario.timeline import ActiveFault
from mockbot.service.metrics_endpoint import exposition
from mockbot.service.provider_runtime import ProviderRuntime


class LocalProvider:
    """`connections` are up while the provider has not crashed."""

    def __init__(self, runtime: ProviderRuntime, connections: Connections) -> None:
        self._runtime, self._connections = runtime, connections

    async def start_clock(self, clock: Clock) -> None:
        """A new run begins, with the provider up and nothing wrong."""
        self._runtime.restart(clock)
        await self._connections.up()

    async def set_faults(self, faults: Sequence[ActiveFault]) -> None:
        """Exactly these hold from now on; a crash takes the port down, its end brings it back."""
        runtime = self._runtime
        was_down = runtime.chatbot.down
        runtime.set_faults(faults)
        if runtime.chatbot.down and not was_down:
            runtime.connections_reset(self._connections.down())
        elif not runtime.chatbot.down:
            await self._connections.up()

    async def seconds(self, since: int) -> list[ServiceSecond]:
        """The complete seconds from `since` on."""
        return list(self._runtime.seconds(since))

    async def felt(self) -> Counter[str]:
        """How many requests each fault has hit in this run so far, the running second included."""
        return Counter(self._runtime.chatbot.stats.all_felt)

    async def unserved(self) -> Counter[str]:
        """What requests of this run so far asked for that is not served."""
        return Counter(self._runtime.chatbot.stats.all_unserved)

    async def metrics(self) -> bytes:
        """In Prometheus' text format."""
        return exposition(self._runtime)
