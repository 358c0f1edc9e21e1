"""scenarios/README.md explains the whole language, and every fragment in it is right."""

import json
import re
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from ruamel.yaml import YAML

from mockbot.measures.table import EXPECTED
from mockbot.scenario.json_schema import schema_json
from mockbot.scenario.library import folder
from mockbot.scenario.load import read_scenario
from mockbot.scenario.policies import POLICY_NAMES
from tests.scenario.build import FILE

README = (folder("scenarios") / "README.md").read_text("utf-8")
FRAGMENTS = re.findall(r"^```yaml\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
YAML_12 = YAML(typ="safe", pure=True)


def completed(fragment: str) -> Iterator[str]:
    """The small scenario with the fragment in its place: once, or once for each of a list of faults."""
    said: dict[str, Any] = YAML_12.load(fragment) or {}
    if "extends" in said:  # is half of another scenario
        yield fragment
        return
    for changes in [_phases_with(fault) for fault in said.get("faults", [])] or [said]:
        values = {**YAML_12.load(FILE), **changes}
        if "crowd" in changes or "phases" in changes:
            values = {
                key: value for key, value in values.items() if key in changes or key not in {"status_page", "expect"}
            }
        if "crowd" in changes and "phases" not in changes:
            values["phases"] = [{"name": "all", "lasts": "1m", "users": 10}]
        text = StringIO()
        YAML_12.dump(values, text)
        yield text.getvalue()


def _phases_with(fault: dict[str, Any]) -> dict[str, Any]:
    return {"phases": [{"name": "all", "lasts": "1m", "users": 10, "faults": [fault]}]}


@pytest.mark.parametrize("fragment", FRAGMENTS, ids=[str(index) for index in range(len(FRAGMENTS))])
def test_a_fragment_of_the_manual_is_right(fragment: str) -> None:
    """Put into a scenario that is otherwise right, it loads."""
    texts = list(completed(fragment))

    assert [read_scenario(text).name for text in texts]


def _words(value: Any) -> Iterator[str]:
    match value:
        case dict():
            for key, inner in value.items():
                yield key
                yield from _words(inner)
        case list():
            for inner in value:
                yield from _words(inner)


def _properties(schema: Any) -> Iterator[str]:
    match schema:
        case dict():
            yield from schema.get("properties", {})
            for inner in schema.values():
                yield from _properties(inner)
        case list():
            for inner in schema:
                yield from _properties(inner)


def test_every_key_of_the_language_has_an_example() -> None:
    """A key that the manual does not show is a key that nobody finds."""
    shown = {word for fragment in FRAGMENTS for word in _words(YAML_12.load(fragment))}
    shown |= {measure.name for measure in EXPECTED}  # in the table that is made of them
    known = set(_properties(json.loads(schema_json())))

    assert known - shown == {"options"}  # of a user's own policy, which is installed and not bundled


@pytest.mark.parametrize("name", POLICY_NAMES)
def test_every_policy_is_named(name: str) -> None:
    """In its table, or among the real clients."""
    assert f"`{name}`" in README
