"""Rehearse the outage of a chatbot API: the public names, each loaded when it is first used.

Documents, locustfiles and users' tests import from here and from nowhere deeper; all other modules may move between
releases. `import mockbot` itself loads nothing: Locust patches the process that imports it. There is no `__dir__` with
the names that are not loaded yet: freezegun asks every module for all in its dir, and that would load Locust.
"""

from mockbot.version import __version__

TYPE_CHECKING = False  # type checkers know the name; importing `typing` would cost more than all else here
if TYPE_CHECKING:
    from mockbot.clients.policy import AttemptResult as AttemptResult
    from mockbot.errors import MockbotError, ScenarioError
    from mockbot.load.locust_plugin import install
    from mockbot.load.sdk import AnthropicSdk, OpenAISdk
    from mockbot.load.system_client import Answer, Asked
    from mockbot.load.users import ChatUser
    from mockbot.pytest_plugin.crowd_run import CrowdRun
    from mockbot.pytest_plugin.fixture import Mockbot
    from mockbot.pytest_plugin.outage import Outage
    from mockbot.scenario.dump import scenario_yaml
    from mockbot.scenario.load import load_scenario
    from mockbot.scenario.schema import Scenario

__all__ = [
    "Answer",
    "AnthropicSdk",
    "Asked",
    "AttemptResult",
    "ChatUser",
    "CrowdRun",
    "Mockbot",
    "MockbotError",
    "OpenAISdk",
    "Outage",
    "Scenario",
    "ScenarioError",
    "__version__",
    "install",
    "load_scenario",
    "scenario_yaml",
]

_DEFINED_IN = {
    "Answer": "mockbot.load.system_client:Answer",
    "Asked": "mockbot.load.system_client:Asked",
    "AnthropicSdk": "mockbot.load.sdk:AnthropicSdk",
    "AttemptResult": "mockbot.clients.policy:AttemptResult",
    "ChatUser": "mockbot.load.users:ChatUser",
    "CrowdRun": "mockbot.pytest_plugin.crowd_run:CrowdRun",
    "Mockbot": "mockbot.pytest_plugin.fixture:Mockbot",
    "MockbotError": "mockbot.errors:MockbotError",
    "OpenAISdk": "mockbot.load.sdk:OpenAISdk",
    "Outage": "mockbot.pytest_plugin.outage:Outage",
    "Scenario": "mockbot.scenario.schema:Scenario",
    "ScenarioError": "mockbot.errors:ScenarioError",
    "install": "mockbot.load.locust_plugin:install",
    "load_scenario": "mockbot.scenario.load:load_scenario",
    "scenario_yaml": "mockbot.scenario.dump:scenario_yaml",
}

if not TYPE_CHECKING:  # type checkers read the imports above, so that a name that does not exist is an error to them

    def __getattr__(name):
        """Load a public name (PEP 562). AttributeError names the nearest ones."""
        if name not in _DEFINED_IN:
            from difflib import get_close_matches  # noqa: PLC0415 - only for the message

            near = get_close_matches(name, __all__, n=3)
            hint = f"; did you mean {' or '.join(map(repr, near))}?" if near else ""
            raise AttributeError(f"module 'mockbot' has no attribute {name!r}{hint}", name=name)
        from importlib import import_module  # noqa: PLC0415 - as above

        module, attribute = _DEFINED_IN[name].split(":")
        value = globals()[name] = getattr(import_module(module), attribute)
        return value
