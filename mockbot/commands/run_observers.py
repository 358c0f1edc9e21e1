"""Those who are told of a run while it is played: an OpenTelemetry endpoint, Prometheus, a hook at changes of phase.

The rule: none of them holds up a run or changes its verdict. What is known to be wrong with one is an error before it.
"""

import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from mockbot.errors import ExitCode, TestbedError, UsageError
from mockbot.evidence.records import Progress, Request
from mockbot.observability.crowd_metrics import crowd_metrics
from mockbot.observability.otlp_endpoint import OtlpEndpoint
from mockbot.observability.phase_hook import PhaseHook, PhaseMessage, check_hook
from mockbot.observability.traced_requests import TracedRequests, write_requests
from mockbot.report.phrases import fault_text
from mockbot.runs.folder import RunFile, RunFolder
from mockbot.scenario.timeline import Timeline
from mockbot.service.control_client import ServiceControl
from mockbot.testbed.start import Addresses

if TYPE_CHECKING:
    from mockbot.observability.run_export import RunExport

MODEL = "mockbot"  # that the bundled locustfile asks for (mockbot.load.users, which only Locust's process may import)


@dataclass(frozen=True, slots=True)
class Observing:
    """The command line. `otel`: URL of a collector; `metrics_port`: 0 for any free one; `on_phase`: URL or command."""

    otel: str | None = None
    metrics_port: int | None = None
    on_phase: str | None = None

    def checked(self) -> OtlpEndpoint | None:
        """Raises UsageError for what cannot be used."""
        if self.on_phase is not None:
            check_hook(self.on_phase)
        if self.metrics_port:
            try:
                socket.create_server(("127.0.0.1", self.metrics_port)).close()
            except OSError as error:
                raise UsageError(
                    f"--metrics-port {self.metrics_port}: {error.strerror}; pass another one, or 0 for any"
                ) from None
        return None if self.otel is None else OtlpEndpoint(self.otel)


NOBODY = Observing()


@dataclass
class Observers:
    """Those of one run. Its methods may be called in any case."""

    timeline: Timeline
    export: "RunExport | None" = None
    requests: TracedRequests | None = None  # None: somebody else writes them
    hook: PhaseHook | None = None
    failures: list[str] = field(default_factory=list)  # of the hook
    unwritten: str = ""  # why requests of which spans are made could not be written
    _phase: str = ""
    _second: float = 0.0

    def look(self) -> None:
        """Regularly, once the run has begun."""
        if self.requests is not None:
            self.requests.look()

    def progress(self, record: Progress) -> None:
        """A line of the live view."""
        self.at(record.t)

    def at(self, second: float) -> None:
        """It is this second of the scenario: when a phase began since the last call, the hook is told."""
        self._second = second
        phase = "" if second >= self.timeline.end else self.timeline.phase_at(second).name
        if self.hook is not None and phase != self._phase:
            wrong = [fault_text(active.span) for active in self.timeline.at(second).faults]
            self.hook.tell(PhaseMessage.of(self.timeline.scenario.name, phase, second, wrong))
        self._phase = phase

    def write(self, file: Path, requests: Iterable[Request]) -> None:
        """Those of a client that is not mockbot's, once; a failure is told by `judged` and changes no verdict."""
        try:
            write_requests(file, requests)
        except TestbedError as error:
            self.unwritten = str(error)

    def run_over(self) -> None:
        """Once, before the testbed ends."""
        if self.requests is not None:
            self.requests.finish()

    def judged(self, console: Console, code: ExitCode | None = None, report: Path | None = None) -> None:
        """Send the rest and tell what became of it; only the first call counts."""
        hook, self.hook = self.hook, None
        if hook is not None:
            if code is not None:
                name, verdict = self.timeline.scenario.name, code.name.lower()
                hook.tell(PhaseMessage.judged(name, self._second, verdict, str(report)))
            hook.close()
            for line in self.failures:
                console.print(Text(line), soft_wrap=True)
        export, self.export = self.export, None
        if export is not None:
            console.print(Text(export.finish()), soft_wrap=True)
            if why := self.unwritten or (self.requests.failed if self.requests is not None else ""):
                console.print(Text(f"--otel: spans of providers are missing: {why}"), soft_wrap=True)


@contextmanager
def observing(
    found: Observers, wanted: Observing, endpoint: OtlpEndpoint | None, folder: RunFolder, console: Console,
    system: str, model: str,
) -> Iterator[None]:  # fmt: skip
    """Begin to tell them, within an open testbed whose addresses are in the folder; `judged` ends it.

    `system`: the name of the one that the crowd asks, if there is one; `model`: that the crowd asks for.
    """
    if endpoint is not None:
        from mockbot.observability.run_export import RunExport  # noqa: PLC0415 - imports an extra

        file = folder / RunFile.REQUESTS
        if not system:
            addresses = Addresses.from_json((folder / RunFile.TESTBED).read_text("utf-8"))
            file = folder / RunFile.TRACED
            found.requests = TracedRequests(ServiceControl(addresses.service_control), file)
        found.export = RunExport(endpoint, folder, found.timeline, file, folder / RunFile.JOURNAL, model, system)
    if wanted.on_phase is not None:
        found.hook = PhaseHook(wanted.on_phase, found.failures.append)
    with crowd_metrics(wanted.metrics_port, folder, found.timeline) as port:
        if port is not None:
            console.print(f"metrics of the crowd at http://127.0.0.1:{port}/metrics", highlight=False)
        yield


def client_observers(observing: Observing, timeline: Timeline) -> Observers:
    """Those of a run of a client that is not mockbot's."""
    found = Observers(timeline)
    if observing.on_phase is not None:
        found.hook = PhaseHook(observing.on_phase, found.failures.append)
    return found


def export_client(found: Observers, endpoint: OtlpEndpoint | None, folder: RunFolder) -> None:
    """Begin to export the finished run of such a client: what its providers saw, below the client's own spans."""
    if endpoint is not None:
        from mockbot.observability.run_export import RunExport  # noqa: PLC0415 - imports an extra

        found.export = RunExport(endpoint, folder, found.timeline, folder / RunFile.TRACED)
