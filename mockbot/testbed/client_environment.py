"""The environment variables that send a client in any language through the proxy. A testbed's Addresses in."""

from collections.abc import Mapping

from mockbot.scenario.schema import Scenario
from mockbot.testbed.start import Addresses

KEY = "sk-free-1"
LOCAL = "127.0.0.1,localhost,::1"


def environment(scenario: Scenario, addresses: Addresses, base: Mapping[str, str]) -> dict[str, str]:
    """The variables to set; `base`: the environment that the client has already.

    A dialect's SDKs go to the first provider of that dialect, or to the first of all, because each provider answers
    every dialect. Each provider's address is also there under the provider's own name.
    """
    openai, anthropic = (_first(scenario, dialect) for dialect in ("openai", "anthropic"))
    providers = addresses.providers
    variables = {"MOCKBOT_URL": providers[scenario.first_provider], "MOCKBOT_STATUS_URL": addresses.status_page}
    variables |= {f"MOCKBOT_{name.upper().replace('-', '_')}_URL": url for name, url in providers.items()}
    url = f"{providers[openai]}/v1"
    variables |= {"OPENAI_BASE_URL": url, "OPENAI_API_BASE": url, "OPENAI_API_KEY": KEY}
    variables |= {"ANTHROPIC_BASE_URL": providers[anthropic], "ANTHROPIC_API_KEY": KEY}
    direct = ",".join(filter(None, (base.get("NO_PROXY") or base.get("no_proxy"), LOCAL)))
    return {**variables, "NO_PROXY": direct, "no_proxy": direct}


def _first(scenario: Scenario, dialect: str) -> str:
    names = (name for name, provider in scenario.providers.items() if provider.dialect == dialect)
    return next(names, scenario.first_provider)
