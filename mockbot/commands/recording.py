"""What `mockbot serve --record DIR` keeps: every stretch from one order to the next, written as one run at the end.

Each stretch has a clock of its own; in the run they follow one another. Whoever sent requests is judged as the command
of `mockbot run NAME -- COMMAND` is, without an exit code.
"""

import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from rich.console import Console

from mockbot.clock import Clock
from mockbot.errors import TestbedError
from mockbot.evidence.attempt_inference import Wire, journal_of
from mockbot.evidence.records import Action, Request, RunInfo, ServiceSecond
from mockbot.interception.interceptor_control import InterceptorControl
from mockbot.runs.folder import RunFile, RunFolder
from mockbot.runs.journal_files import JournalWriter, write_run_info
from mockbot.runs.judge import conclude
from mockbot.scenario.dump import scenario_yaml
from mockbot.scenario.played import Stretch, played
from mockbot.scenario.schema import Scenario
from mockbot.scenario.transforms import EXTERNAL_GROUP, for_external_client
from mockbot.testbed.client_observer import ClientObserver
from mockbot.testbed.start import Addresses


@dataclass
class _Recorded:
    """One stretch. `ended`: when its faults were."""

    scenario: Scenario
    clock: Clock
    observer: ClientObserver
    records: list[Action | ServiceSecond] = field(default_factory=list)
    ended: float = 0.0

    @property
    def lasts(self) -> int:
        """Whole seconds, because those of the service are; the last one includes the end."""
        seconds = [record.t + 1 for record in self.records if isinstance(record, ServiceSecond)]
        return max(math.ceil(self.ended), 1, *seconds)


class Recording:
    """Of one `mockbot serve`. Raises UsageError when `out` holds a run already, or cannot be written to."""

    def __init__(self, scenario: Scenario, testbed: Addresses, out: Path) -> None:
        self._testbed = testbed
        self._folder = RunFolder.create(for_external_client(scenario), out)
        self._stretches: list[_Recorded] = []
        self._missing = ""  # why requests, or what the interceptor saw, are not on record

    def begin(self, scenario: Scenario, clock: Clock) -> None:
        """Another stretch, before the service's clock begins again."""
        self._stretches.append(_Recorded(for_external_client(scenario), clock, ClientObserver(self._testbed)))

    def take(self, record: Action | ServiceSecond) -> None:
        """A record of the driver, in its thread."""
        self._stretches[-1].records.append(record)

    def look(self) -> None:
        """Collect the requests that have ended."""
        with suppress(TestbedError):  # on record by the driver, and asked again
            self._stretches[-1].observer.look()

    def end(self, at: float) -> None:
        """The stretch is over: its faults were ended at `at`."""
        self._stretches[-1].ended = at
        try:
            self._stretches[-1].observer.look()
        except TestbedError as error:
            self._missing = self._missing or str(error)

    def write(self, console: Console) -> None:
        """The run folder, judged; nothing when nothing has begun."""
        if not self._stretches:
            return
        seen = None
        if self._testbed.forward_proxy:
            try:
                seen = InterceptorControl(self._testbed.interceptor).seen()
            except TestbedError as error:
                self._missing = self._missing or str(error)
        stretches, start = self._stretches, 0
        run = played([Stretch(each.scenario, each.ended, each.lasts) for each in stretches])
        requests, wires = list[Request](), set[Wire]()
        with JournalWriter(self._folder) as journal:
            for each, ids in zip(stretches, run.faults, strict=True):
                for record in each.records:
                    journal.write(_moved(record, start, ids))
                wires |= each.observer.wires
                requests += [replace(it, start=it.start + start, end=it.end + start) for it in each.observer.every]
                start += each.lasts
            for line in journal_of(requests, wires, EXTERNAL_GROUP, self._testbed.speed):
                journal.write(line)
        self._folder.put(RunFile.SCENARIO, run.scenario.model_dump_json(indent=1))
        self._folder.put(RunFile.SCENARIO_YAML, scenario_yaml(run.scenario))
        info = RunInfo(
            scenario=run.scenario.name,
            speed=self._testbed.speed,
            t0=stretches[0].clock.t0,
            ended="failed" if self._missing else "completed",
            why=f"the last records of the testbed are missing ({self._missing})" if self._missing else "",
            end=start - stretches[-1].lasts + stretches[-1].ended,
            engine="embedded",
            nodes=0,
            seed=run.scenario.seed,
            client="command",
            intercepted=seen,
            records=journal.written,
        )
        write_run_info(self._folder, info)
        conclude(self._folder, console)


def _moved(record: Action | ServiceSecond, by: int, ids: Mapping[str, str]) -> Action | ServiceSecond:
    """The record on the clock of the whole run, with the ids that faults have there."""
    if isinstance(record, ServiceSecond):
        return replace(record, t=record.t + by, felt={ids.get(id_, id_): hits for id_, hits in record.felt.items()})
    confirmed = None if record.confirmed is None else record.confirmed + by
    fault = ids.get(record.fault, record.fault)
    return replace(record, fault=fault, due=record.due + by, sent=record.sent + by, confirmed=confirmed)
