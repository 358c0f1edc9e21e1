"""The value of the fixture `mockbot`: one test's chatbot service behind one proxy, and the faults put into both.

Outside of outages the service answers at once and without faults. A test whose faults nobody felt has tested nothing;
`check` then makes it inconclusive.
"""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from mockbot.clock import Clock
from mockbot.errors import UsageError
from mockbot.evidence.antipatterns import antipatterns
from mockbot.evidence.records import Attempt, Prompt, Request
from mockbot.faults.union import FaultBase
from mockbot.pytest_plugin.in_process_testbed import InProcessTestbed, RunningService
from mockbot.pytest_plugin.manual_faults import (
    PHASE,
    FaultControl,
    ManualFault,
    WireFaults,
    active_fault,
    begin_on_wire,
    end_on_wire,
    read_fault,
)
from mockbot.pytest_plugin.outage import Inconclusive, Outage
from mockbot.scenario.policies import Once
from mockbot.scenario.schema import Answer, Group, Phase, Provider, Scenario, Tokens
from mockbot.scenario.timeline import ActiveFault
from mockbot.scenario.transforms import EXTERNAL_GROUP, for_external_client, starting_at
from mockbot.service.control_client import ServiceControl
from mockbot.testbed.client_environment import environment
from mockbot.testbed.client_observer import ClientObserver
from mockbot.units.quantities import Ramp

QUICK = Answer(first_token=0.005, tokens=Tokens(median=12, p95=12), pace=2000.0)
WITHOUT_FAULTS = Scenario(
    name="by-hand",
    title="Faults put in place by a test",
    providers={"main": Provider(slots=1000, answer=QUICK)},
    crowd={EXTERNAL_GROUP: Group(users=1.0, policy=Once())},
    phases=(Phase(name=PHASE, lasts=365 * 86400.0, users=Ramp(1, 1)),),  # longer than any test
)
PROVIDER = WITHOUT_FAULTS.first_provider


class Mockbot:
    """What a test gets."""

    def __init__(
        self, testbed: InProcessTestbed, setenv: Callable[[str, str], None], base: Mapping[str, str],
        inconclusive: Inconclusive, folder: Path | None,
    ) -> None:  # fmt: skip
        self._testbed, self._setenv, self._base, self._inconclusive = testbed, setenv, base, inconclusive
        self._folder = folder
        self._clock = Clock(time.time())
        self._own = testbed.open(WITHOUT_FAULTS, 1.0, self._clock)
        self._current = self._own
        self._service = ServiceControl(self._own.addresses.service_control)
        self._watcher = ClientObserver(self._own.addresses)
        self._control = FaultControl(self._begin, self._end, lambda name: testbed.felt(self._own)[name])
        self._faults: list[ManualFault] = []
        self._holding: dict[str, ActiveFault] = {}
        self._outages: list[Outage] = []
        self._judged: Outage | None = None
        self.wire = WireFaults(lambda **fault: self._add(read_fault(fault), None))
        self._switch_to(None)

    # -- its address

    @property
    def url(self) -> str:
        """The base URL (without /v1) of the first provider; it stays the same for the whole test."""
        return self._current.addresses.providers[self._current.scenario.first_provider]

    @property
    def env(self) -> dict[str, str]:
        """The variables that lead an SDK here; they are set while the test runs."""
        return environment(self._current.scenario, self._current.addresses, self._base)

    # -- faults

    def outage(
        self, scenario: str | Path | Scenario, *, speed: float | None = None, start_at: str | None = None
    ) -> Outage:
        """An outage to be played in a `with` block. `scenario`: a bundled name, a path, or a Scenario made in Python.

        `speed` (default: the scenario's own) compresses the service's time; the client's own waits stay as they are.
        Raises UsageError and ScenarioError.
        """
        whole = scenario if isinstance(scenario, Scenario) else _load(str(scenario))
        if start_at is not None:
            try:
                whole = starting_at(whole, start_at)
            except KeyError:
                names = ", ".join(each.name for each in whole.phases)
                raise UsageError(f"{whole.name} has no phase {start_at!r}; there are {names}") from None
        guest = for_external_client(whole)
        folder = None if self._folder is None else self._folder / f"{len(self._outages) + 1}-{guest.name}"
        outage = Outage(guest, speed or whole.speed, self._testbed, self._switch_to, self._inconclusive, folder)
        self._outages.append(outage)
        return outage

    def play(
        self, scenario: str | Path | Scenario, *, speed: float | None = None, start_at: str | None = None,
        resilient: bool = False,
    ) -> Outage:  # fmt: skip
        """What the marker does: an outage for the whole test; `resilient`: judge the client when the test is over."""
        outage = self.outage(scenario, speed=speed, start_at=start_at)
        self._judged = outage if resilient else None
        return outage.__enter__()

    def fault(self, *, times: int | None = None, **fault: Any) -> ManualFault:
        """One fault: `http_error=503`, `stall="nothing"`, `latency=0.3`..., with its own values and `share`,
        `tier`, `keys`, `endpoint`, `lasts`; `times`: only so many requests. Raises UsageError.
        """
        return self._add(read_fault(fault), times)

    def _add(self, fault: FaultBase, times: int | None) -> ManualFault:
        if self._current is not self._own:
            raise UsageError("an outage is being played; say in its scenario what else goes wrong")
        if fault.on not in {None, PROVIDER}:
            raise UsageError(f"by hand there is one provider, {PROVIDER!r}")
        active = active_fault(fault, PROVIDER, len(self._faults), max(0.0, self._clock.now()), times)
        added = ManualFault(active, fault.lasts, self._control)
        self._faults.append(added)
        return added

    def _begin(self, active: ActiveFault) -> None:
        self._holding[active.span.id] = active
        if active.span.fault.layer == "service":
            self._set_service_faults()
        else:
            begin_on_wire(self._testbed.control, self._own.addresses.proxies[PROVIDER], active, self._clock)

    def _end(self, active: ActiveFault) -> None:
        del self._holding[active.span.id]
        if active.span.fault.layer == "service":
            self._set_service_faults()
        else:
            end_on_wire(self._testbed.control, self._own.addresses.proxies[PROVIDER], active)

    def _set_service_faults(self) -> None:
        service = [active for active in self._holding.values() if active.span.fault.layer == "service"]
        self._service.set_faults(PROVIDER, service)

    # -- what was recorded

    def journal(self) -> list[Attempt | Prompt]:
        """What the client asked outside of outages: each prompt after its attempts."""
        self._watcher.look()
        return self._watcher.journal()

    @property
    def requests(self) -> tuple[Request, ...]:
        """Every request that has ended, outside of outages."""
        self._watcher.look()
        return self._watcher.requests

    def assert_resilient(self) -> None:
        """As `outage.assert_resilient`, for what the client did outside of outages."""
        __tracebackhide__ = True  # the findings are what there is to read, and the user's own line
        attempts = [line for line in self.journal() if isinstance(line, Attempt)]
        bad = [str(habit) for habit in antipatterns(attempts, 1.0) if habit.times]
        if bad:
            raise AssertionError("the client is not resilient:\n" + "\n".join(f"  - {line}" for line in bad))
        if unfelt := self.unfelt():
            self._inconclusive(unfelt)

    def unfelt(self) -> str | None:
        """Why this test shows nothing; None when a fault was felt in each part, or there was no fault."""
        felt = self._testbed.felt(self._own)
        provable = [fault for fault in self._faults if not fault.id.endswith(".down")]
        reasons = [reason for outage in self._outages if (reason := outage.unfelt())]
        if provable and not any(felt[fault.id] for fault in provable):
            names = ", ".join(fault.id.partition(".")[2] for fault in provable)
            reasons.append(f"no request felt the faults put in place by hand ({names}), so the test shows nothing")
        return "; ".join(reasons) or None

    # -- the end of the test

    def check(self) -> None:
        """The test's body is over: inconclusive when it tested nothing."""
        for outage in self._outages:
            outage.end()
        if reason := self.unfelt():
            self._inconclusive(reason)
        if self._judged is not None:
            self._judged.assert_resilient()

    def close(self) -> None:
        """End the outages and the faults, and stop the service."""
        for outage in self._outages:
            outage.end()
        for fault in self._faults:
            fault.remove()
        self._watcher.close()
        self._service.close()
        self._testbed.end(self._own)

    def _switch_to(self, running: RunningService | None) -> None:
        """Lead clients to this service; None: to the one without faults."""
        self._current = running or self._own
        self._testbed.route_to(self._current)
        for name, value in self.env.items():
            self._setenv(name, value)


def _load(name: str) -> Scenario:
    from mockbot.scenario.library import find  # noqa: PLC0415 - a test without an outage reads no file
    from mockbot.scenario.load import load_scenario  # noqa: PLC0415

    return load_scenario(find(name))


def inconclusive(choice: str) -> Inconclusive:
    """How a test that shows nothing ends: "error" or "xfail"."""
    if choice == "xfail":
        return pytest.xfail
    return lambda reason: pytest.fail(f"INCONCLUSIVE: {reason}", pytrace=False)
