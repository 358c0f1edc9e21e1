"""What is intercepted: a Scenario and the user's own HOST=PROVIDER in, the hosts of each provider out. Pure."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field

from mockbot.dialects.families import FAMILIES
from mockbot.errors import UsageError
from mockbot.scenario.problems import nearest
from mockbot.scenario.schema import Scenario

SHOWN = 4  # hosts of a provider in a line
_HERE = ("localhost", "127.0.0.1")  # where clients go without a proxy


@dataclass(frozen=True, slots=True)
class Plan:
    """`providers`: provider -> HOST:PORT of its service; `hosts`: pattern -> provider, the first that fits decides."""

    providers: Mapping[str, str]
    hosts: Mapping[str, str] = field(default_factory=dict)
    seed: int = 1  # of what shares of the handshakes a fault hits

    def to_json(self) -> str:
        """One line."""
        return json.dumps(asdict(self))


def intercepted_hosts(scenario: Scenario, own: Iterable[str] = ()) -> dict[str, str]:
    """The user's own, then the public hosts of every dialect, those that no provider speaks too: no real one is asked.

    A dialect's hosts are the first provider's that speaks it, or else the first one's of all, as its SDKs' base URLs
    are (testbed.client_environment). Raises UsageError for what is not HOST=PROVIDER.
    """
    hosts = {}
    for text in own:
        host, _, provider = text.partition("=")
        if not host or provider not in scenario.providers:
            why = f"{scenario.name} has no provider {provider!r}{nearest(provider, scenario.providers)}"
            raise UsageError(f"--intercept-host {text}: write HOST=PROVIDER; {why}")
        hosts[host.lower()] = provider
    of_dialect = {each.dialect: name for name, each in reversed(scenario.providers.items())}
    for name, family in FAMILIES.items():
        for host in family.hosts:
            if host not in _HERE:
                hosts.setdefault(host, of_dialect.get(name, scenario.first_provider))
    return hosts


def told(scenario: Scenario, hosts: Mapping[str, str] | None) -> Iterator[str]:
    """Lines for the user: what goes to which provider, and the providers to which nothing goes."""
    if hosts is None:
        return
    for provider in scenario.providers:
        own = [host for host, to in hosts.items() if to == provider]
        if own:
            more = f" and {len(own) - SHOWN} more" if len(own) > SHOWN else ""
            yield f"intercepted for {provider}: {', '.join(own[:SHOWN])}{more}"
        else:
            first = f"{scenario.providers[provider].dialect}'s hosts lead to the first provider that speaks it"
            yield f"nothing is intercepted for {provider}, {first}: --intercept-host HOST={provider}"
