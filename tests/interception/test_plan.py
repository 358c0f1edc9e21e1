"""Which hosts lead to which provider."""

import pytest

from mockbot.dialects.families import FAMILIES
from mockbot.errors import UsageError
from mockbot.interception.plan import intercepted_hosts, told
from mockbot.scenario.schema import Scenario
from tests.scenario.build import scenario

TWO: dict[str, object] = {"main": {}, "spare": {}, "other": {"dialect": "anthropic"}}


def of(providers: dict[str, object]) -> Scenario:
    return scenario(providers=providers)


def test_every_public_host_is_intercepted() -> None:
    """Also of dialects that no provider here speaks: a run asks nobody for real. Loopback stays direct."""
    public = {host for family in FAMILIES.values() for host in family.hosts} - {"localhost", "127.0.0.1"}

    hosts = intercepted_hosts(of(TWO))

    assert {*hosts} == public
    assert hosts["api.openai.com"] == hosts["api.x.ai"] == "main"
    assert hosts["api.anthropic.com"] == "other"


def test_a_host_of_the_users_own_comes_first() -> None:
    """It adds one, or gives one to another provider."""
    hosts = intercepted_hosts(of(TWO), ["LLM.corp.example=spare", "api.openai.com=spare"])

    assert hosts["llm.corp.example"] == hosts["api.openai.com"] == "spare"
    assert next(iter(hosts)) == "llm.corp.example"


@pytest.mark.parametrize("text", ["llm.example", "llm.example=spair", "=main"])
def test_what_names_no_provider_is_refused(text: str) -> None:
    """With what is meant."""
    with pytest.raises(UsageError, match="write HOST=PROVIDER"):
        intercepted_hosts(of(TWO), [text])


def test_a_provider_without_a_host_is_named_at_the_start() -> None:
    """Of two that speak one dialect the first has the hosts."""
    lines = [*told(of(TWO), intercepted_hosts(of(TWO)))]

    assert lines[0].startswith("intercepted for main: api.openai.com, ")
    assert "nothing is intercepted for spare" in lines[1]
    assert "--intercept-host HOST=spare" in lines[1]
    assert lines[2] == "intercepted for other: api.anthropic.com"
    assert [*told(of(TWO), None)] == []
