"""Turn a Scenario into YAML text that `load.py` reads back as an equal Scenario: every default written out. Pure."""

from io import StringIO

from ruamel.yaml import YAML

from mockbot.scenario.schema import Scenario


def scenario_yaml(scenario: Scenario) -> str:
    """The resolved scenario, in the order of the language; what is not set is left out."""
    yaml = YAML(typ="rt", pure=True)
    yaml.default_flow_style = False
    yaml.width = 120
    text = StringIO()
    yaml.dump(scenario.model_dump(mode="json", exclude_none=True), text)
    return text.getvalue()
