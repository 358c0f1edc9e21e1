"""What `mockbot run --system` adds to a run: the system, started and watched, and its providers' requests recorded."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from hashlib import blake2b

from mockbot.commands.live_both_sides import LiveBothSides
from mockbot.errors import TestbedError, UsageError
from mockbot.evidence.records import KINDS, Interception, Request, RunInfo
from mockbot.evidence.system_findings import FINDINGS
from mockbot.faults.base import SYSTEM
from mockbot.interception.interceptor_control import InterceptorControl
from mockbot.runs.folder import RunFolder
from mockbot.runs.journal_files import SYSTEM_JOURNALS, JournalWriter
from mockbot.scenario.problems import nearest
from mockbot.scenario.schema import Scenario
from mockbot.scenario.spans import FaultSpan, fault_spans
from mockbot.scenario.transforms import for_system
from mockbot.service.control_client import ServiceControl
from mockbot.testbed.client_environment import environment
from mockbot.testbed.start import Addresses, proxy_before_system
from mockbot.testbed.system.names import names_of_testbed
from mockbot.testbed.system.running_system import RunningSystem, check_startable, open_system
from mockbot.testbed.system.system_control import system_control
from mockbot.testbed.system.system_file import System


def behind_system(
    scenario: Scenario, system: System, speed: float | None, allowed: tuple[str, ...], base: Mapping[str, str]
) -> Scenario:
    """The scenario for a run with the system. Raises UsageError for all that can be known before anything starts.

    `base`: the environment so far.
    """
    check_startable(system.with_environment(base)[0], names_of_testbed(dict.fromkeys(scenario.providers, ""), ""), base)
    for name in allowed:
        if name not in FINDINGS:
            raise UsageError(f"--allow {name}: that is not a finding about a system{nearest(name, FINDINGS)}")
    if speed not in {None, 1.0}:
        raise UsageError(
            f"a system keeps its own clock: its timeouts and waits would be {speed:g} times too long for the outage; "
            "leave --speed out, and use --length to shorten the outage"
        )
    for span in _faults_on_system(scenario):
        if span.fault.layer == "system" and system.start is None:
            raise UsageError(f"fault {span.id}: {system.name} runs already; only what mockbot started can be restarted")
        if span.fault.layer == "wire" and str(system.url).startswith("https:"):
            raise UsageError(f"fault {span.id}: a proxy before {system.url} would break its certificate; use http")
    return for_system(scenario)


def _faults_on_system(scenario: Scenario) -> list[FaultSpan]:
    return [span for span in fault_spans(scenario.phases, scenario.first_provider) if span.provider == SYSTEM]


@dataclass
class WatchedSystem:
    """A system during a run. `exits`: when it ended by itself (Unix time), and its exit code."""

    running: RunningSystem
    asked: System  # as the crowd asks it: through its proxy, when a fault is on its wire
    addresses: Addresses  # the testbed's and the system's
    service: ServiceControl
    journal: JournalWriter
    live: LiveBothSides | None = None  # for the web UI
    exits: list[tuple[float, int]] = field(default_factory=list)
    intercepted: Interception | None = None  # None: it is led by base URLs
    lost: str = ""  # why the last requests of the providers, or what the interceptor saw, are missing
    _taken: int = 0

    def look(self) -> None:
        """Write the requests that have ended since the last look. Not before the run has begun: that drops them.

        A service that does not answer is on record by the driver, which ends the run, or is asked again.
        """
        with suppress(TestbedError):
            self._write_ended()
        if self.live is not None:
            self.live.write()
        if (code := self.running.ended) is not None and not self.exits:
            self.exits.append((time.time(), code))

    def _write_ended(self) -> Sequence[Request]:
        """Write the requests that have ended since the last call; those under way at the same moment."""
        ended, under_way = self.service.requests(self._taken)
        self._taken += len(ended)
        for request in ended:
            self.journal.write(_without_key(request))
        if self.live is not None:
            self.live.requests += ended
        return under_way

    def finish(self) -> None:
        """The last look, at the end of the run: requests under way are written as unfinished."""
        self.look()
        try:
            for request in self._write_ended():
                self.journal.write(_without_key(request))
            if self.addresses.interceptor:
                self.intercepted = InterceptorControl(self.addresses.interceptor).seen()
        except TestbedError as error:
            self.lost = str(error)
        if self.live is not None:
            self.live.write(now=True)

    def noted(self, info: RunInfo) -> RunInfo:
        """The run's record with the exits, in scenario seconds, and with the number of requests that were written."""
        kind = KINDS[Request]
        if info.records is not None:
            info = replace(info, records=info.records | {kind: self.journal.written[kind]})
        info = replace(info, intercepted=self.intercepted)
        if self.exits and (code := self.exits[0][1]) < 0:
            return replace(info, ended="failed", why=f"signal {-code} ended the guard of the system; run it again")
        if self.lost and info.ended == "completed":
            why = f"the last records of the testbed are missing ({self.lost})"
            info = replace(info, ended="failed", why=why)
        if info.t0 is None:
            return info
        return replace(info, system_exits=tuple((round(at - info.t0, 3), code) for at, code in self.exits))


def _without_key(request: Request) -> Request:
    """The request with a fingerprint of its key: it may be a real one, and keys do not stay in a run folder."""
    return replace(request, key=blake2b(request.key.encode(), digest_size=6).hexdigest())


@contextmanager
def watched_system(
    system: System, scenario: Scenario, addresses: Addresses, folder: RunFolder, base: Mapping[str, str], *, ui: bool
) -> Iterator[WatchedSystem]:
    """The system, ready. Raises UsageError or TestbedError. `base`: the environment so far; `ui`: there is a web UI."""
    ready, secrets = system.with_environment(base)
    names = names_of_testbed(addresses.providers, addresses.status_page)
    variables = {**base, **environment(scenario, addresses, base)}
    keys = {variables["OPENAI_API_KEY"], *(value for name, value in names.items() if name.endswith(".key")), ready.key}
    log = folder.logs / "system.log"
    with (
        open_system(ready, names, variables, log, {*secrets, *keys}) as running,
        JournalWriter(folder, SYSTEM_JOURNALS) as journal,
    ):
        service, asked = ServiceControl(addresses.service_control), running.system
        service.record_requests()
        layers = {span.fault.layer for span in _faults_on_system(scenario)}
        with ExitStack() as stack:
            if "wire" in layers:
                addresses, url = stack.enter_context(proxy_before_system(addresses, running.url))
                asked = asked.model_copy(update={"url": url})
            if "system" in layers:
                addresses = replace(addresses, system_control=stack.enter_context(system_control(running)))
            live = LiveBothSides(folder, scenario) if ui else None
            yield WatchedSystem(running, asked, addresses, service, journal, live)
