"""What `--otel` adds to a run: a checked endpoint, requests fetched from the service, and the export of all."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from mockbot.observability.otlp_endpoint import OtlpEndpoint
from mockbot.observability.traced_requests import TracedRequests
from mockbot.runs.folder import RunFile, RunFolder
from mockbot.scenario.timeline import Timeline
from mockbot.service.control_client import ServiceControl
from mockbot.testbed.start import Addresses

if TYPE_CHECKING:
    from mockbot.observability.run_export import RunExport

MODEL = "mockbot"  # that the bundled locustfile asks for (mockbot.load.users, which only Locust's process may import)


@dataclass
class Tracing:
    """A run's export, or none of them. Its methods may be called in any case."""

    export: "RunExport | None" = None
    requests: TracedRequests | None = None  # None: somebody else writes them

    def look(self) -> None:
        """Regularly, while the run goes on."""
        if self.requests is not None:
            self.requests.look()

    def run_over(self) -> None:
        """Once, before the testbed ends."""
        if self.requests is not None:
            self.requests.finish()

    def judged(self, console: Console) -> None:
        """Send the rest and tell what became of it; only the first call counts."""
        export, self.export = self.export, None
        if export is not None:
            console.print(Text(export.finish()), soft_wrap=True)


@contextmanager
def tracing(
    endpoint: OtlpEndpoint | None, folder: RunFolder, timeline: Timeline, console: Console,
    *, system: str = "", model: str = MODEL,
) -> Iterator[Tracing]:  # fmt: skip
    """Within an open testbed, whose addresses are in the folder. `system`: the name of the one that the crowd asks."""
    if endpoint is None:
        yield Tracing()
        return
    from mockbot.observability.run_export import RunExport  # noqa: PLC0415 - imports an extra

    file, requests = folder / RunFile.REQUESTS, None
    if not system:
        addresses = Addresses.from_json((folder / RunFile.TESTBED).read_text("utf-8"))
        file = folder / RunFile.TRACED
        requests = TracedRequests(ServiceControl(addresses.service_control), file)
    journal = folder / RunFile.JOURNAL
    found = Tracing(RunExport(endpoint, folder, timeline, file, journal, "" if system else model, system), requests)
    try:
        yield found
    finally:
        found.judged(console)


def tell_requests(endpoint: OtlpEndpoint | None, folder: RunFolder, timeline: Timeline, console: Console) -> None:
    """Export a finished run of a client that is not mockbot's: what its providers saw, below the client's own spans."""
    if endpoint is None:
        return
    from mockbot.observability.run_export import RunExport  # noqa: PLC0415 - as above

    Tracing(RunExport(endpoint, folder, timeline, folder / RunFile.TRACED)).judged(console)
