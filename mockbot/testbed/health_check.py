"""Look at the testbed itself, again and again: its failures are records, and must not pass for the client's.

What failed or took long is recorded as a "look". So are the troubles that service, proxy and interceptor have noticed
about themselves, a process of the testbed that has ended, faults or proxies that are not as the driver left them
(somebody else uses the same control port), and a provider that does not answer where clients ask it, though it has no
fault. `broken` says why nothing can be learnt any more: the proxy's control port has hung, or a part has ended or is
silent.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Protocol, TypeVar

from mockbot.clock import Clock
from mockbot.errors import TestbedError
from mockbot.evidence.records import WAY_TO, Action
from mockbot.faults.effects import ClosedPort, Toxic
from mockbot.process.control_port import ask
from mockbot.process.process_group import has_ended
from mockbot.proxy.control_session import LIMITS, ControlPlaneHung
from mockbot.proxy.toxiproxy_client import ToxicControl
from mockbot.service.control_messages import REACH
from mockbot.testbed.applied_faults import AppliedFaults, Faults
from mockbot.testbed.start import Addresses

T = TypeVar("T")

SLOW_LOOK = 1.0  # wall seconds from which a look is on record
GONE = 3  # looks in a row that fail before service or proxy counts as gone
NOBODY_ELSE = "somebody else has changed it; let nobody else use this testbed"


class Watched(Protocol):
    """A part of the testbed with a control API, which knows its troubles and the ids of each provider's faults."""

    def troubles(self) -> list[str]: ...

    def faults(self) -> dict[str, list[str]]: ...


class HealthCheck:
    """Looks at the parts of one testbed. `take` gets the records; every method may be called in one thread only."""

    def __init__(
        self,
        addresses: Addresses,
        service: Watched,
        wire: ToxicControl,
        interceptor: Watched | None,
        take: Callable[[Action], None],
    ) -> None:
        self._service, self._wire, self._interceptor, self._take = service, wire, interceptor, take
        self._proxies, self._providers = addresses.proxies, addresses.providers
        self._processes = dict(addresses.processes)
        self._authority = addresses.authority
        self._listening: dict[str, str] = {}  # proxy -> its address at the first look
        self._told: dict[str, int] = {}  # how many of the troubles of each part are known
        self._unanswered = Counter[str]()  # looks in a row, by part of the testbed
        self.broken = ""  # why nothing can be learnt any more; from then on no wire fault begins or ends

    def look(self, clock: Clock, applied: Mapping[str, AppliedFaults]) -> bool:
        """Look at every part once; whether the service answers. `applied`: provider -> what the driver has set."""
        self._note_ended_processes(clock)
        if answers := self._note_troubles(clock, "service", self._service.troubles):
            own = {name: applied[name].service for name in self._providers}
            self._note_foreign_faults(clock, "service", self._service.faults, own)
        if not self.broken and self._note_troubles(clock, "proxy", lambda: self.unless_hung(self._wire.troubles)):
            self._note_foreign_toxics(clock, applied)
        if self._interceptor is not None and self._note_troubles(clock, "interceptor", self._interceptor.troubles):
            own = {name: applied[name].handshakes for name in self._providers}
            self._note_foreign_faults(clock, "interceptor", self._interceptor.faults, own)
        for provider in self._providers:
            if not (self.broken or applied[provider].any_between):
                self.asked(clock, f"{WAY_TO}{provider}", partial(self._reach, provider))
        return answers

    def asked(self, clock: Clock, part: str, question: Callable[[], T]) -> T | None:
        """The answer of a part of the testbed; None where it failed: that, and what took long, is recorded."""
        sent = clock.now()
        try:
            answer = question()
        except TestbedError as failure:
            self._note_ended_processes(clock)  # why it fails, where that is it; since the beginning of this look
            self.failed(part, sent, str(failure))
            self._unanswered[part] += 1
            if self._unanswered[part] == GONE:
                self.broken = self.broken or f"the {part} has gone or hangs: {failure}"
            return None
        self._unanswered[part] = 0
        now = clock.now()
        if clock.wall(now - sent) >= SLOW_LOOK:
            self._take(Action(part, "look", sent, sent, now))
        return answer

    def failed(self, part: str, when: float, why: str) -> None:
        """Record that this part of the testbed failed at this scenario second."""
        self._take(Action(part, "look", when, when, None, why))

    def unless_hung(self, call: Callable[[], T]) -> T:
        """The answer of the proxy's control API. Raises ControlPlaneHung at once where a call has hung before."""
        if self.broken:
            raise ControlPlaneHung(self.broken)
        try:
            return call()
        except ControlPlaneHung as error:
            self.broken = str(error)
            raise

    def _note_ended_processes(self, clock: Clock) -> None:
        for name, pid in [*self._processes.items()]:
            if has_ended(pid):
                del self._processes[name]
                self.failed(name, clock.now(), f"its process {pid} has ended or was killed")
                self.broken = self.broken or f"the {name} ended or was killed while it was needed"

    def _note_troubles(self, clock: Clock, part: str, question: Callable[[], list[str]]) -> bool:
        """Record what a part has noticed about itself since the last look, and say whether it answered.

        What was before the first look is not of this run.
        """
        troubles = self.asked(clock, part, question)
        if troubles is None:
            return False
        for trouble in troubles[self._told.get(part, len(troubles)) :]:
            self.failed(part, clock.now(), trouble)
        self._told[part] = len(troubles)
        return True

    def _note_foreign_faults(
        self, clock: Clock, part: str, question: Callable[[], Mapping[str, list[str]]], own: Mapping[str, Faults]
    ) -> None:
        """Record each provider whose faults at this part of the testbed are not those that this driver has set."""
        if (holding := self.asked(clock, part, question)) is None:
            return
        for provider, faults in own.items():
            found = sorted(holding.get(provider, []))
            if found != sorted(faults):
                why = f"{provider} has the faults {_names(found)} instead of {_names(faults)}"
                self.failed(part, clock.now(), f"{why}: {NOBODY_ELSE}")

    def _note_foreign_toxics(self, clock: Clock, applied: Mapping[str, AppliedFaults]) -> None:
        """Record each proxy that is not as this driver left it."""
        if (states := self.asked(clock, "proxy", lambda: self.unless_hung(self._wire.states))) is None:
            return
        for provider, proxy in self._proxies.items():
            effects = {fault: active.span.fault.effect() for fault, active in applied[provider].wire.items()}
            toxics = {fault for fault, effect in effects.items() if isinstance(effect, Toxic)}
            enabled = not any(isinstance(effect, ClosedPort) for effect in effects.values())
            if (state := states.get(proxy)) is None:
                why = "was deleted"
            elif state.listen != self._listening.setdefault(proxy, state.listen):
                why = f"was moved to {state.listen}"
            elif state.enabled != enabled:
                why = "was enabled" if state.enabled else "was disabled"
            elif (found := set(state.toxics)) != toxics:
                why = f"has the toxics {_names(found)} instead of {_names(toxics)}"
            else:
                continue
            self.failed("proxy", clock.now(), f"{proxy} {why}: {NOBODY_ELSE}")

    def _reach(self, provider: str) -> None:
        """Take the way of a client's request, with one that counts nowhere; the provider answers it with 404."""
        try:
            ask(self._providers[provider], "GET", REACH, limits=LIMITS, authority=self._authority)
        except (ConnectionError, TimeoutError) as error:
            raise TestbedError(f"{provider} does not answer at {self._providers[provider]}: {error}") from None


def _names(ids: Iterable[str]) -> str:
    return ", ".join(sorted(ids)) or "none"
