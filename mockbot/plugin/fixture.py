"""The value of the fixture `mockbot`: one test's chatbot service behind one proxy, and everything that can go wrong.

While no outage is played the service answers at once and nothing is wrong with it. A test that put something wrong in
place which nobody felt has tested nothing: `check` says so.
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
from mockbot.plugin.hand import (
    PHASE,
    Hand,
    HandFault,
    Wire,
    active_fault,
    begin_on_wire,
    end_on_wire,
    read_fault,
)
from mockbot.plugin.outage import Outage, Undecided
from mockbot.plugin.theatre import Play, Theatre
from mockbot.scenario.policies import Once
from mockbot.scenario.schema import Answer, Group, Phase, Provider, Scenario, Tokens
from mockbot.scenario.timeline import ActiveFault
from mockbot.scenario.transforms import EXTERNAL_GROUP, for_external_client, starting_at
from mockbot.service.control_client import ServiceControl
from mockbot.testbed.client_environment import environment
from mockbot.testbed.client_observer import ClientObserver
from mockbot.units.quantities import Ramp

QUIET = Answer(first_token=0.005, tokens=Tokens(median=12, p95=12), pace=2000.0)


def by_hand() -> Scenario:
    """A service with which nothing is wrong, for a year."""
    return Scenario(
        name="by-hand",
        title="Faults put in place by a test",
        providers={"main": Provider(slots=1000, answer=QUIET)},
        crowd={EXTERNAL_GROUP: Group(users=1.0, policy=Once())},
        phases=(Phase(name=PHASE, lasts=365 * 86400.0, users=Ramp(1, 1)),),
    )


class Mockbot:
    """What a test gets."""

    def __init__(
        self, theatre: Theatre, setenv: Callable[[str, str], None], base: Mapping[str, str], undecided: Undecided,
        folder: Path | None,
    ) -> None:  # fmt: skip
        self._theatre, self._setenv, self._base, self._undecided = theatre, setenv, base, undecided
        self._folder = folder
        self._clock = Clock(time.time())
        self._home = theatre.open(by_hand(), 1.0, self._clock)
        self._shown = self._home
        self._service = ServiceControl(self._home.addresses.service_control)
        self._watcher = ClientObserver(self._home.addresses)
        self._faults: list[HandFault] = []
        self._holding: dict[str, ActiveFault] = {}
        self._outages: list[Outage] = []
        self._judged: Outage | None = None
        self.wire = Wire(self._put_wire)
        self._show(None)

    # -- where it is

    @property
    def url(self) -> str:
        """The base URL (without /v1) of the first provider; it stays the same for the whole test."""
        return self._shown.addresses.providers[self._shown.scenario.first_provider]

    @property
    def env(self) -> dict[str, str]:
        """The variables that lead an SDK here; they are set while the test runs."""
        return environment(self._shown.scenario, self._shown.addresses, self._base)

    # -- what goes wrong

    def outage(
        self, scenario: str | Path | Scenario, *, speed: float | None = None, start_at: str | None = None
    ) -> Outage:
        """An outage to be played in a `with` block. `scenario`: a bundled name, a path, or a Scenario made in Python.

        `speed` (the scenario's own when not given) hurries what mockbot owns; the client's own clock it cannot.
        """
        whole = scenario if isinstance(scenario, Scenario) else _loaded(str(scenario))
        guest = for_external_client(whole if start_at is None else _from(whole, start_at))
        folder = None if self._folder is None else self._folder / f"{len(self._outages) + 1}-{guest.name}"
        outage = Outage(guest, speed or whole.speed, self._theatre, self._show, self._undecided, folder)
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

    def fault(self, *, times: int | None = None, **fault: Any) -> HandFault:
        """One fault by hand: `http_error=503`, `stall="nothing"`, `latency=0.3`..., with its own values and `share`,
        `tier`, `keys`, `endpoint`, `lasts`; `times`: only so many requests.
        """
        return self._put(read_fault(fault), times)

    def _put_wire(self, **fault: Any) -> HandFault:
        return self._put(read_fault(fault), None)

    def _put(self, fault: FaultBase, times: int | None) -> HandFault:
        if self._shown is not self._home:
            raise UsageError("an outage is being played; say in its scenario what else goes wrong")
        if fault.on not in {None, self._home.scenario.first_provider}:
            raise UsageError(f"by hand there is one provider, {self._home.scenario.first_provider!r}")
        provider = self._home.scenario.first_provider
        active = active_fault(fault, provider, len(self._faults), max(0.0, self._clock.now()), times)
        hand = Hand(self._begin, self._end, lambda name: self._theatre.felt(self._home)[name])
        put = HandFault(active, fault.lasts, hand)
        self._faults.append(put)
        return put

    def _begin(self, active: ActiveFault) -> None:
        self._holding[active.span.id] = active
        if active.span.fault.layer == "service":
            self._tell()
        else:
            begin_on_wire(self._theatre.control, self._door(active), active, self._clock)

    def _end(self, active: ActiveFault) -> None:
        del self._holding[active.span.id]
        if active.span.fault.layer == "service":
            self._tell()
        else:
            end_on_wire(self._theatre.control, self._door(active), active)

    def _tell(self) -> None:
        service = [active for active in self._holding.values() if active.span.fault.layer == "service"]
        self._service.set_faults(self._home.scenario.first_provider, service)

    def _door(self, active: ActiveFault) -> str:
        return self._home.addresses.proxies[active.span.provider]

    # -- what was seen

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
        """As `outage.assert_resilient`, of what happened under faults by hand."""
        __tracebackhide__ = True  # the findings are what there is to read, and the user's own line
        attempts = [line for line in self.journal() if isinstance(line, Attempt)]
        bad = [str(habit) for habit in antipatterns(attempts, 1.0) if habit.times]
        if bad:
            raise AssertionError("the client is not resilient:\n" + "\n".join(f"  - {line}" for line in bad))
        if unfelt := self.unfelt():
            self._undecided(unfelt)

    def unfelt(self) -> str | None:
        """Why this test shows nothing; None when something that was wrong was felt, or nothing was wrong."""
        felt = self._theatre.felt(self._home)
        provable = [fault for fault in self._faults if not fault.id.endswith(".down")]
        reasons = [reason for outage in self._outages if (reason := outage.unfelt())]
        if provable and not any(felt[fault.id] for fault in provable):
            names = ", ".join(fault.id.partition(".")[2] for fault in provable)
            reasons.append(f"no request felt the faults put in place by hand ({names}), so the test shows nothing")
        return "; ".join(reasons) or None

    # -- the test's own course

    def check(self) -> None:
        """The test's body is over: undecided when it tested nothing."""
        for outage in self._outages:
            outage.end()
        if reason := self.unfelt():
            self._undecided(reason)
        if self._judged is not None:
            self._judged.assert_resilient()

    def close(self) -> None:
        """Take everything down."""
        for outage in self._outages:
            outage.end()
        for fault in self._faults:
            fault.remove()
        self._watcher.close()
        self._service.close()
        self._theatre.end(self._home)

    def _show(self, play: Play | None) -> None:
        self._shown = play or self._home
        self._theatre.show(self._shown)
        for name, value in self.env.items():
            self._setenv(name, value)


def _loaded(name: str) -> Scenario:
    from mockbot.scenario.library import find  # noqa: PLC0415 - a test with faults by hand reads no file
    from mockbot.scenario.load import load_scenario  # noqa: PLC0415

    return load_scenario(find(name))


def _from(scenario: Scenario, phase: str) -> Scenario:
    try:
        return starting_at(scenario, phase)
    except KeyError:
        names = ", ".join(each.name for each in scenario.phases)
        raise UsageError(f"{scenario.name} has no phase {phase!r}; there are {names}") from None


def undecided(choice: str) -> Undecided:
    """What becomes of a test that shows nothing: "error" or "xfail"."""
    if choice == "xfail":
        return pytest.xfail
    return lambda reason: pytest.fail(f"INCONCLUSIVE: {reason}", pytrace=False)
