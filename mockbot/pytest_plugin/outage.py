"""One outage around a test's client: play a scenario, wait for its phases, judge what the client did in it.

with mockbot.outage("unexpected-failure", speed=60) as outage:    or: async with, and await outage.wait_for(...)
    outage.wait_for("blackout")
    ...
outage.assert_resilient()
"""

import asyncio
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, Self

from mockbot.clock import Clock
from mockbot.errors import UsageError
from mockbot.evidence.journal import RunEvidence
from mockbot.evidence.records import Action, Attempt, Prompt, RunInfo, ServiceSecond
from mockbot.evidence.unserved import counted, leads_elsewhere, sentences
from mockbot.interception.interceptor_control import InterceptorControl
from mockbot.pytest_plugin.manual_faults import felt
from mockbot.pytest_plugin.session_testbed import RunningService, SessionTestbed
from mockbot.runs.folder import RunFolder
from mockbot.runs.journal_files import JournalWriter, read_run, write_run_info
from mockbot.scenario.schema import Scenario
from mockbot.scenario.timeline import Timeline
from mockbot.testbed.client_observer import ClientObserver
from mockbot.testbed.driver import Driver
from mockbot.testbed.fault_confirmations import FaultConfirmations
from mockbot.units.quantities import duration_text

if TYPE_CHECKING:
    from mockbot.evidence.judgement import Judgement

Inconclusive = Callable[[str], NoReturn]


class Outage:
    """A context manager, plain and asynchronous, that is used once. Made by `mockbot.outage`."""

    def __init__(
        self, scenario: Scenario, speed: float, testbed: SessionTestbed,
        switch_to: Callable[[RunningService | None], None], inconclusive: Inconclusive, folder: Path | None,
        shortened: str = "", allowed: tuple[str, ...] = (), elsewhere: tuple[str, ...] = (),
    ) -> None:  # fmt: skip
        self.scenario, self.speed = scenario, speed
        self.timeline = Timeline(scenario)
        self._testbed, self._switch_to, self._inconclusive, self._out = testbed, switch_to, inconclusive, folder
        self._folder: RunFolder | None = None
        self._shortened, self._allowed, self._elsewhere = shortened, allowed, elsewhere
        self._clock = Clock(0.0, speed)
        self._confirmations = FaultConfirmations(self.timeline)
        self._seconds: list[ServiceSecond] = []
        self._running: RunningService | None = None
        self._driver: Driver | None = None
        self._watcher: ClientObserver | None = None
        self._evidence: RunEvidence | None = None

    def __enter__(self) -> Self:
        if self._running is not None:
            raise UsageError("an outage is played once; make another one with mockbot.outage(...)")
        if self._out is not None:
            self._folder = RunFolder.create(self.scenario, self._out)
        self._clock = Clock.start(self.speed)
        self._running = running = self._testbed.open(self.scenario, self.speed, self._clock)
        self._watcher = ClientObserver(running.addresses)
        self._driver = Driver(self.timeline, running.addresses, self._take)
        self._switch_to(running)
        self._clock = Clock.start(self.speed)  # second 0 is now, not before the service started
        self._driver.start(self._clock)
        self._confirmations.wait(0.0)
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    async def __aenter__(self) -> "AsyncOutage":
        await asyncio.to_thread(self.__enter__)
        return AsyncOutage(self)

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self.end)

    def wait_for(self, phase: str) -> None:
        """Wait until this phase has begun and its faults are in place. UsageError when it is over, or is no phase."""
        span = next((span for span in self.timeline.phases if span.name == phase), None)
        if span is None:
            names = ", ".join(span.name for span in self.timeline.phases)
            raise UsageError(f"{self.scenario.name} has no phase {phase!r}; there are {names}")
        if self._driver is None or self._clock.now() >= span.end:
            raise UsageError(f"{phase} is over already; wait for phases in their order, and earlier")
        threading.Event().wait(max(0.0, self._clock.wall(span.start - self._clock.now())))
        self._confirmations.wait(span.start)

    @property
    def phase(self) -> str:
        """The current phase."""
        return self.timeline.phase_at(self._clock.now()).name

    def end(self) -> None:
        """End every fault and the service, and keep the evidence. Idempotent."""
        if self._driver is None or self._running is None or self._watcher is None:
            return
        driver, running, watcher, self._driver = self._driver, self._running, self._watcher, None
        end = self._clock.now()
        try:
            driver.stop()
            watcher.look()
            journal = watcher.journal()
            addresses = running.addresses
            seen = InterceptorControl(addresses.interceptor).seen() if addresses.forward_proxy else None
        finally:
            self._switch_to(None)
            self._testbed.end(running)
        info = RunInfo(
            scenario=self.scenario.name,
            speed=self.speed,
            t0=self._clock.t0,
            ended="completed",
            end=min(end, self.timeline.end),
            engine="embedded",
            nodes=0,
            seed=self.scenario.seed,
            client="command",
            shortened=self._shortened,
            allowed=self._allowed,
            elsewhere=self._elsewhere,
            intercepted=seen,
        )
        self._evidence = RunEvidence(
            info,
            self.scenario,
            self.timeline,
            requests=lambda: iter(journal),
            seconds=lambda: iter(self._seconds),
            actions=tuple(self._confirmations.actions),
        )
        if self._folder is not None:
            self._write_run(self._folder, journal)

    def _write_run(self, folder: RunFolder, journal: list[Attempt | Prompt]) -> None:
        """The run folder that `mockbot report` reads."""
        from mockbot.evidence.verdict import judge_run  # noqa: PLC0415 - as below
        from mockbot.runs.judge import write_reports  # noqa: PLC0415 - templates and charts, only for a report

        with JournalWriter(folder) as writer:
            for record in (*journal, *self._seconds, *self.evidence.actions):
                writer.write(record)
        write_run_info(folder, replace(self.evidence.info, records=writer.written))
        write_reports(folder, judge_run(read_run(folder)))

    @property
    def evidence(self) -> RunEvidence:
        """What the run recorded. Raises UsageError while the outage is being played."""
        if self._evidence is None:
            raise UsageError("the outage is still being played; judge it after its `with` block")
        return self._evidence

    def judgement(self) -> "Judgement":
        """Verdict, reasons, expectations and guards."""
        from mockbot.evidence.verdict import judge  # noqa: PLC0415 - not every test judges

        return judge(self.evidence)

    def assert_resilient(self) -> None:
        """Raise AssertionError, with the findings and their evidence, when the client made the outage worse or missed
        the scenario's expectations. Inconclusive, which is no pass, when there is too little evidence.
        """
        __tracebackhide__ = True  # the reader needs the findings and the line of the test, not this frame
        judgement = self.judgement()
        reasons = "\n".join(f"  - {reason}" for reason in judgement.reasons)
        if self.speed > 1:
            second = f"at speed {self.speed:g} a second of the client's own clock is {duration_text(self.speed)} here"
            reasons += f"\n  - {second}; with length= instead of speed= its timeouts keep their meaning"
        if judgement.verdict == "fail":
            raise AssertionError(f"the client is not resilient in {self.scenario.name}:\n{reasons}")
        if judgement.verdict == "inconclusive":
            self._inconclusive(f"too little evidence about the client in {self.scenario.name}:\n{reasons}")

    def unfelt(self) -> str | None:
        """Why this outage tested nothing; None when one of its faults was felt, or nothing goes wrong but the load."""
        name = self.scenario.name
        if self._running is None:
            return f"{name} was made and never played, so the test shows nothing: play it in a `with` block"
        asked = any(isinstance(line, Prompt) for line in self.evidence.requests())
        hits = sum((Counter(second.felt) for second in self._seconds), Counter[str]())
        faults = self.timeline.faults
        if any(felt(span.fault.kind, hits[span.id], asked=asked) for span in faults):
            return None
        if not asked:
            nothing = f"no request felt {name}: the client asked no model, so the test shows nothing"
            return nothing + leads_elsewhere(self._elsewhere)
        return f"no request felt {name}: the client sent requests only while no fault held" if faults else None

    def not_served(self) -> tuple[str, ...]:
        """What the client asked for and mockbot does not do, a sentence each."""
        return sentences(counted(self._seconds), self.scenario)

    def _take(self, record: Action | ServiceSecond) -> None:
        if isinstance(record, Action):
            self._confirmations.take(record)
        else:
            self._seconds.append(record)


class AsyncOutage:
    """The same for a test that is a coroutine: waiting does not block the test's own event loop."""

    def __init__(self, outage: Outage) -> None:
        self._outage = outage

    async def wait_for(self, phase: str) -> None:
        """As `Outage.wait_for`."""
        await asyncio.to_thread(self._outage.wait_for, phase)

    @property
    def phase(self) -> str:
        """As `Outage.phase`."""
        return self._outage.phase

    def judgement(self) -> "Judgement":
        """As `Outage.judgement`."""
        return self._outage.judgement()

    def assert_resilient(self) -> None:
        """As `Outage.assert_resilient`."""
        __tracebackhide__ = True
        self._outage.assert_resilient()
