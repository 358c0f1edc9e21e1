"""The value of the fixture `mockbot`: one test's chatbot service behind one proxy, and the faults put into both.

Outside of outages the service answers at once and without faults. A test in which no request met a fault has tested
nothing; `check` then makes it inconclusive.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mockbot.clock import Clock
from mockbot.errors import UsageError
from mockbot.evidence.antipatterns import antipatterns, check_allowed
from mockbot.evidence.records import Attempt, Prompt, Request
from mockbot.evidence.unserved import leads_elsewhere, sentences
from mockbot.pytest_plugin.manual_faults import PHASE, ManualFault, ManualFaults, WireFaults, read_fault
from mockbot.pytest_plugin.outage import Inconclusive, Outage
from mockbot.pytest_plugin.session_testbed import RunningService, SessionTestbed
from mockbot.scenario.library import find
from mockbot.scenario.policies import Once
from mockbot.scenario.scale import scaled_to
from mockbot.scenario.schema import Answer, Group, Phase, Provider, Scenario, Tokens
from mockbot.scenario.shorten import duration_option, shortened
from mockbot.scenario.transforms import EXTERNAL_GROUP, for_external_client, for_system, starting_at
from mockbot.testbed.client_environment import elsewhere, environment
from mockbot.testbed.client_observer import ClientObserver
from mockbot.units.quantities import Ramp

if TYPE_CHECKING:
    from mockbot.pytest_plugin.crowd_run import CrowdRun
    from mockbot.testbed.system.system_file import System

log = logging.getLogger("mockbot")
QUICK = Answer(first_token=0.005, tokens=Tokens(median=12, p95=12), pace=2000.0)
WITHOUT_FAULTS = Scenario(
    name="by-hand",
    title="Faults put in place by a test",
    providers={"main": Provider(slots=1000, answer=QUICK)},
    crowd={EXTERNAL_GROUP: Group(users=1.0, policy=Once())},
    phases=(Phase(name=PHASE, lasts=365 * 86400.0, users=Ramp(1, 1)),),  # longer than any test
)


class Mockbot:
    """What a test gets: the service's address, its faults and outages, and what the client did."""

    def __init__(
        self, testbed: SessionTestbed, setenv: Callable[[str, str], None], base: Mapping[str, str],
        inconclusive: Inconclusive, folder: Path | None, temporary: pytest.TempPathFactory,
    ) -> None:  # fmt: skip
        self._testbed, self._setenv, self._base, self._inconclusive = testbed, setenv, base, inconclusive
        self._folder = folder
        clock = Clock.start()
        self._own = testbed.open(WITHOUT_FAULTS, 1.0, clock)
        self._current = self._own
        self._watcher = ClientObserver(self._own.addresses)
        self._faults = ManualFaults(testbed, self._own, clock)
        self._outages: list[Outage] = []
        self._judged: Outage | None = None
        self._system: System | None = None
        self._crowds: list[CrowdRun] = []
        self._temporary, self._numbers = temporary, count(1)  # folders of crowds
        self._served = ExitStack()  # the application
        self.wire = WireFaults(self.fault)
        self._switch_to(None)

    @property
    def url(self) -> str:
        """The base URL (without /v1) of the first provider; it stays the same for the whole test."""
        return self._current.addresses.providers[self._current.scenario.first_provider]

    @property
    def env(self) -> dict[str, str]:
        """The environment variables that point an SDK at this service; they are set while the test runs."""
        return environment(self._current.scenario, self._current.addresses, self._base)

    # -- faults

    def outage(
        self, scenario: str | Path | Scenario, *, speed: float | None = None, start_at: str | None = None,
        length: str | None = None, allow: Sequence[str] = (),
    ) -> Outage:  # fmt: skip
        """An outage to play in a `with` block. `scenario`: a bundled name, a path, or a Scenario made in Python.

        `speed` (default: the scenario's own) compresses the service's time; the client's own waits stay as they are.
        `length` ("90s") shortens the outage itself, and `allow` names anti-patterns that its verdict accepts, as the
        options of `mockbot run`. Raises UsageError and ScenarioError.
        """
        check_allowed(allow)
        scenario = _scenario(scenario)
        if start_at is not None:
            try:
                scenario = starting_at(scenario, start_at)
            except KeyError:
                names = ", ".join(each.name for each in scenario.phases)
                raise UsageError(f"{scenario.name} has no phase {start_at!r}; there are {names}") from None
        scenario, text = _shortened(scenario, length)
        played, speed = for_external_client(scenario), speed or scenario.speed
        folder = None if self._folder is None else self._folder / f"{len(self._outages) + 1}-{played.name}"
        outage = Outage(
            played, speed, self._testbed, self._switch_to, self._inconclusive, folder, text, tuple(allow),
            self._elsewhere(),
        )  # fmt: skip
        self._outages.append(outage)
        return outage

    def play(
        self, scenario: str | Path | Scenario, *, speed: float | None = None, start_at: str | None = None,
        length: str | None = None, allow: Sequence[str] = (), resilient: bool = False,
    ) -> Outage:  # fmt: skip
        """An outage for the whole test, as the marker plays it; `resilient`: judge the client at the test's end."""
        outage = self.outage(scenario, speed=speed, start_at=start_at, length=length, allow=allow)
        self._judged = outage if resilient else None
        return outage.__enter__()

    def fault(self, *, times: int | None = None, **fault: Any) -> ManualFault:
        """One fault: `http_error=503`, `stall="nothing"`, `latency=0.3`..., with its own values and `share`,
        `tier`, `keys`, `endpoint`, `lasts`; `times`: only so many requests. Raises UsageError.
        """
        read = read_fault(fault)
        if self._current is not self._own:
            raise UsageError("an outage is being played; add this fault to its scenario")
        return self._faults.add(read, times)

    # -- users of a system under test

    def provider_url(self, name: str) -> str:
        """The base URL (without /v1) of another provider than the first, now and in every outage and crowd."""
        return self._testbed.url_of(name)

    def system(self, target: object, **more: Any) -> None:
        """What `crowd` asks: an ASGI application or a function that makes one, a COMMAND with {port}, a URL, a FILE, or
        the name of a bundled system.

        `more`: keys of a system file, such as `ask`, `env`, `model`. An application is served on a port of its own from
        now on, in a thread of this process with an event loop of its own. Raises UsageError and TestbedError.
        """
        from mockbot.http_server.background_server import application_server  # noqa: PLC0415 - few tests have a system
        from mockbot.pytest_plugin.crowd_run import described  # noqa: PLC0415

        if not isinstance(target, str | Path):
            target = self._served.enter_context(application_server(target))
        self._system = described(str(target), more)

    def crowd(
        self, *, scenario: str | Path | Scenario, users: float | None = None, length: str | None = None,
        changes: Sequence[str] = (), allow: Sequence[str] = (),
    ) -> "CrowdRun":  # fmt: skip
        """Send users through the system while the scenario is played, in real time; the judged run.

        `users`: at the fullest moment; slots and queues grow or shrink with them. `length`, `changes` and `allow`: as
        `--length`, `--set` and `--allow` of `mockbot run`. Raises UsageError, ScenarioError and TestbedError.
        """
        from mockbot.pytest_plugin.crowd_run import CrowdRun, run_crowd  # noqa: PLC0415 - as above

        if self._system is None:
            raise UsageError("which system? Name it before: mockbot.system(app), or a COMMAND, a URL, a FILE")
        if self._current is not self._own or self._faults.hold:
            raise UsageError("the crowd's scenario has its own faults; end the outage, and remove the faults by hand")
        whole = scaled_to(_scenario(scenario, changes), users).scenario
        played, text = _shortened(for_system(whole), length)
        folder = (self._folder or self._temporary.mktemp("mockbot")) / f"crowd-{next(self._numbers)}-{played.name}"
        running = self._testbed.open(played, 1.0, Clock.start())
        try:
            self._switch_to(running)
            judgement = run_crowd(running, self._system, folder, text, allow)
        finally:
            self._switch_to(None)
            self._testbed.end(running)
        run = CrowdRun(judgement, folder, self._inconclusive)
        self._crowds.append(run)
        return run

    # -- what was recorded

    def journal(self) -> list[Attempt | Prompt]:
        """What the client sent outside of outages: each prompt after its attempts."""
        self._watcher.look()
        return self._watcher.journal()

    @property
    def requests(self) -> tuple[Request, ...]:
        """Every request that has ended, outside of outages."""
        self._watcher.look()
        return self._watcher.requests

    def assert_resilient(self, *, allow: Sequence[str] = ()) -> None:
        """As `outage.assert_resilient`, for what the client did outside of outages; `allow` as for `outage`."""
        __tracebackhide__ = True  # the reader needs the findings and the line of the test, not this frame
        check_allowed(allow)
        attempts = [record for record in self.journal() if isinstance(record, Attempt)]
        patterns = [each for each in antipatterns(attempts, 1.0) if each.name not in allow]
        if bad := [str(pattern) for pattern in patterns if pattern.times]:
            raise AssertionError("the client is not resilient:\n" + "\n".join(f"  - {line}" for line in bad))
        unsettled = next((pattern.undecided for pattern in patterns if pattern.unsettled), None)
        if reason := self.unfelt() or unsettled:
            self._inconclusive(reason)

    def unfelt(self) -> str | None:
        """Why this test shows nothing; None when each outage and each manual fault was felt, or there were none, and
        each crowd's run is valid.
        """
        asked = any(isinstance(record, Prompt) for record in self.journal())
        reasons = [*(outage.unfelt() for outage in self._outages), *(run.invalid() for run in self._crowds)]
        if by_hand := self._faults.unfelt(asked=asked):
            reasons.append(by_hand if asked else by_hand + leads_elsewhere(self._elsewhere()))
        found = list(filter(None, reasons))
        return "; ".join([*found, *self.not_served()]) if found else None

    def not_served(self) -> tuple[str, ...]:
        """What the client asked for and mockbot does not do, a sentence each."""
        by_hand = sentences(self._testbed.unserved(self._own), self._own.scenario)
        in_outages = (sentence for outage in self._outages for sentence in outage.not_served())
        return tuple(dict.fromkeys((*by_hand, *in_outages)))

    def _elsewhere(self) -> tuple[str, ...]:
        return elsewhere(self._base, self.env)

    def check(self) -> None:
        """Called after the test's body: inconclusive when it tested nothing."""
        for outage in self._outages:
            outage.end()
        if reason := self.unfelt():
            self._inconclusive(reason)
        if self._judged is not None:
            self._judged.assert_resilient()

    def close(self) -> None:
        """End the outages, the faults and the served application, and stop the service."""
        with self._served:
            for outage in self._outages:
                outage.end()
            self._faults.close()
            self._testbed.end(self._own)

    def _switch_to(self, running: RunningService | None) -> None:
        """Send all requests to this service from now on; None: to the one without faults."""
        self._current = running or self._own
        self._testbed.route_to(self._current)
        for name, value in self.env.items():
            self._setenv(name, value)


def _scenario(named: str | Path | Scenario, changes: Sequence[str] = ()) -> Scenario:
    if isinstance(named, Scenario):
        if changes:
            raise UsageError("`changes` are for a scenario of a file; change this one in Python")
        return named
    from mockbot.scenario.load import load_scenario  # noqa: PLC0415 - a test without an outage reads no file

    return load_scenario(find(str(named)), changes)


def _shortened(scenario: Scenario, length: str | None) -> tuple[Scenario, str]:
    """The scenario, and how it was shortened in words; doubts are logged, for pytest to show."""
    if length is None:
        return scenario, ""
    short = shortened(scenario, duration_option(length))
    for doubt in short.doubts:
        log.warning("length %s: %s", length, doubt)
    return short.scenario, short.text


def inconclusive(choice: str) -> Inconclusive:
    """What ends a test that shows nothing, for "error" and for "xfail"."""
    if choice == "xfail":
        return pytest.xfail
    return lambda reason: pytest.fail(f"INCONCLUSIVE: {reason}", pytrace=False)
