"""A client that is not ours: the environment that sends it through the proxy, and what was seen of it.

In: the Addresses of a stage. Out: environment variables, and the journal of a client that keeps none.
"""

import threading
from collections.abc import Mapping

from mockbot.errors import TestbedError
from mockbot.evidence.observed import Wire, journal_of
from mockbot.evidence.records import Action, Attempt, Outcome, Prompt, Request
from mockbot.proxy.toxiproxy_client import EndedConnection, ToxicControl
from mockbot.scenario.derive import GUEST
from mockbot.scenario.schema import Scenario
from mockbot.scenario.timeline import Timeline
from mockbot.service.control import ServiceControl
from mockbot.stage import Addresses

KEY = "sk-free-1"
IN_PLACE_WITHIN = 10.0  # wall seconds
LOCAL = "127.0.0.1,localhost,::1"
_CUTTERS: Mapping[str, Outcome] = {"reset_peer": "reset", "limit_data": "reset", "timeout": "timeout"}


def environment(scenario: Scenario, stage: Addresses, base: Mapping[str, str]) -> dict[str, str]:
    """What a client needs to know; `base`: the environment it has already.

    The first provider of a dialect is where that dialect's SDKs go, or the first of all, since each answers every
    dialect's questions; every provider is also there by its own name.
    """
    openai, anthropic = (_first(scenario, dialect) for dialect in ("openai", "anthropic"))
    providers = stage.providers
    variables = {"MOCKBOT_URL": providers[scenario.first_provider], "MOCKBOT_STATUS_URL": stage.status_page}
    variables |= {f"MOCKBOT_{_shouted(name)}_URL": url for name, url in providers.items()}
    url = f"{providers[openai]}/v1"
    variables |= {"OPENAI_BASE_URL": url, "OPENAI_API_BASE": url, "OPENAI_API_KEY": KEY}
    variables |= {"ANTHROPIC_BASE_URL": providers[anthropic], "ANTHROPIC_API_KEY": KEY}
    direct = ",".join(filter(None, (base.get("NO_PROXY") or base.get("no_proxy"), LOCAL)))
    return {**variables, "NO_PROXY": direct, "no_proxy": direct}


def _first(scenario: Scenario, dialect: str) -> str:
    names = (name for name, provider in scenario.providers.items() if provider.dialect == dialect)
    return next(names, scenario.first_provider)


def _shouted(name: str) -> str:
    return name.upper().replace("-", "_")


class Cues:
    """The driver's actions as they are confirmed, and somebody who waits for them."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._news = threading.Condition()
        self.actions: list[Action] = []

    def heard(self, action: Action) -> None:
        """One more action; from the driver's thread."""
        with self._news:
            self.actions.append(action)
            self._news.notify_all()

    def wait(self, t: float) -> None:
        """Until everything that is wrong at second t is in place. TestbedError when that does not come about."""
        with self._news:
            if not self._news.wait_for(lambda: self._in_place(t), IN_PLACE_WITHIN):
                errors = [action.error for action in self.actions if action.error]
                why = f": {errors[-1]}" if errors else ""
                raise TestbedError(f"the faults of second {t:g} were not in place after {IN_PLACE_WITHIN:g} s{why}")

    def _in_place(self, t: float) -> bool:
        confirmed = [action for action in self.actions if action.confirmed is not None]
        begun = {action.fault for action in confirmed if action.does == "begin"}
        ended = {action.fault for action in confirmed if action.does == "end"}
        begins = {active.span.id for active in self._timeline.at(t).faults}
        over = {fault.id for fault in self._timeline.faults if fault.end <= t} & begun
        return begins <= begun and over <= ended


class Watcher:
    """Collects what the stage sees of a client. Begins when it is made; raises TestbedError when the stage is gone."""

    def __init__(self, addresses: Addresses) -> None:
        self._addresses = addresses
        self._service = ServiceControl(addresses.service_control)
        self._proxy = ToxicControl(addresses.proxy_control)
        self._service.watch_requests()
        self._requests: list[Request] = []
        self._unfinished: tuple[Request, ...] = ()
        self._wires: set[Wire] = set()

    def look(self) -> None:
        """Take over what is new; now and then, because a proxy remembers only its last connections."""
        finished, self._unfinished = self._service.requests(len(self._requests))
        self._requests += finished
        for provider, proxy in self._addresses.proxies.items():
            self._wires |= {wire for ended in self._proxy.ended(proxy) if (wire := _wire(provider, ended))}

    @property
    def requests(self) -> tuple[Request, ...]:
        """Every request that had ended at the last look, in the order in which they ended."""
        return tuple(self._requests)

    def journal(self) -> list[Attempt | Prompt]:
        """Everything up to the last look."""
        return journal_of((*self._requests, *self._unfinished), self._wires, GUEST, self._addresses.speed)

    def close(self) -> None:
        """Let go of the control ports."""
        self._service.close()
        self._proxy.close()


def _wire(provider: str, ended: EndedConnection) -> Wire | None:
    """Whether and how the proxy cut it; a toxic's name is the id of its fault, which ends with its kind."""
    kinds = (name.rpartition(".")[2] for name in ended.toxics)
    how = next((_CUTTERS[kind] for kind in kinds if kind in _CUTTERS), "reset" if ended.closed_by_disable else None)
    return None if how is None else Wire(provider, ended.port, how)
