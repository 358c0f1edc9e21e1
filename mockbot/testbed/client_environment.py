"""The environment variables that send a client in any language through the proxy. A testbed's Addresses in."""

from collections.abc import Mapping

from mockbot.dialects.client_identity import FREE, api_key
from mockbot.dialects.families import FAMILIES
from mockbot.interception.environment import JAVA, java_variables, proxy_variables, trust_variables
from mockbot.scenario.schema import Scenario
from mockbot.testbed.start import Addresses

# Clients of other providers read these, and those with a real account of a provider that is served here.
_ELSEWHERE = (
    "AI21_", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_BEDROCK_", "ANTHROPIC_FOUNDRY_", "ANTHROPIC_VERTEX_",
    "AWS_ACCESS_KEY_ID", "AWS_BEARER_TOKEN", "AWS_PROFILE", "AZURE_", "CEREBRAS_", "CLAUDE_CODE_USE_", "COHERE_",
    "CO_API_", "DEEPSEEK_", "FIREWORKS_", "GEMINI_", "GOOGLE_", "GROQ_", "HF_TOKEN", "HUGGINGFACE", "MISTRAL_",
    "OPENAI_ORG", "OPENAI_PROJECT", "OPENROUTER_", "PERPLEXITY_", "REPLICATE_", "TOGETHER_", "VERTEX_", "WATSONX_",
    "XAI_",
)  # fmt: skip
KEY = api_key(FREE, "1")
LOCAL = ("127.0.0.1", "localhost")  # without ::1, which httpx 0.24.0 cannot read and where nothing listens


def elsewhere(base: Mapping[str, str], own: Mapping[str, str]) -> tuple[str, ...]:
    """The names in a client's environment `base` that lead it to a provider outside; `own`: those that mockbot sets."""
    return tuple(sorted(name for name in base if name.startswith(_ELSEWHERE) and name not in own))


def environment(scenario: Scenario, addresses: Addresses, base: Mapping[str, str]) -> dict[str, str]:
    """The variables to set; `base`: the client's environment so far.

    A dialect's SDKs get the first provider of that dialect, or else the first of all: each provider answers every
    dialect. Each provider's address is also in a variable of the provider's own name.

    A client that is intercepted gets the same keys and no base URL: it asks the public hosts, by way of a proxy.
    """
    intercepted = bool(addresses.forward_proxy)
    urls = addresses.providers
    of_dialect = {scenario.providers[name].dialect: urls[name] for name in reversed(scenario.providers)}
    first = urls[scenario.first_provider]
    variables = {"MOCKBOT_URL": first, "MOCKBOT_STATUS_URL": addresses.status_page}
    variables |= {f"MOCKBOT_{name.upper().replace('-', '_')}_URL": url for name, url in urls.items()}
    for name, family in FAMILIES.items():
        url = of_dialect.get(name, first)
        own = family.environment(url, KEY)
        variables |= {key: value for key, value in own.items() if not (intercepted and value.startswith(url))}
        variables |= {each: value for each, value in family.unless_set.items() if each not in base}
    if addresses.certificates:
        variables |= trust_variables(addresses.certificates)
        variables |= java_variables(base.get(JAVA, ""), addresses.certificates, addresses.forward_proxy)
    if intercepted:
        variables |= proxy_variables(addresses.forward_proxy)
    # A user's own exceptions would let an intercepted host escape; for the others the forward proxy knows them.
    users = "" if intercepted else base.get("NO_PROXY") or base.get("no_proxy") or ""
    direct = ",".join(dict.fromkeys(filter(None, (*map(str.strip, users.split(",")), *LOCAL))))
    return {**variables, "NO_PROXY": direct, "no_proxy": direct}
