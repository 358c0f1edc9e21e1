"""Turn a Scenario into YAML text that `load.py` reads back as an equal Scenario: every default written out. Pure."""

import re
from io import StringIO

from ruamel.yaml import YAML, ScalarNode
from ruamel.yaml.representer import RoundTripRepresenter

from mockbot.scenario.schema import Scenario

# YAML 1.1 folds these as line breaks, and ruamel.yaml's plain and quoted styles would turn them into a space.
_LINE_BREAKS = re.compile("[\x85\u2028\u2029]")


class _Representer(RoundTripRepresenter):
    """As ruamel.yaml writes text, but a text with an odd line break is double-quoted, where it can be escaped."""

    def represent_text(self, text: str) -> ScalarNode:
        style = '"' if _LINE_BREAKS.search(text) else None
        return self.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Representer.add_representer(str, _Representer.represent_text)


def scenario_yaml(scenario: Scenario) -> str:
    """The resolved scenario, in the order of the language; what is not set is left out."""
    yaml = YAML(typ="rt", pure=True)
    yaml.Representer = _Representer
    yaml.default_flow_style = False
    yaml.width = 120
    text = StringIO()
    yaml.dump(scenario.model_dump(mode="json", exclude_none=True), text)
    return text.getvalue()
