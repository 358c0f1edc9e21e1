"""Turn the models into the JSON Schema (draft 2020-12) that editors check scenario files with. Pure.

The models accept short forms that pydantic's own schema does not know: a Spec by its main value alone
(`latency: 300ms`), and a policy, budget or breaker by its name alone (`policy: backoff`). This module adds them.

A file that `extends` another contains only part of a scenario: editors check its first level only, and `mockbot check`
all of it.
"""

import json
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue
from pydantic_core import core_schema

from mockbot.scenario.extend import EXTENDS
from mockbot.scenario.schema import Scenario
from mockbot.units.frozen_model import Spec
from mockbot.units.quantities import DURATION_JSON, RATE_JSON, SHARE_JSON

_UNITS: dict[str, dict[str, Any]] = {"duration": DURATION_JSON, "share": SHARE_JSON, "rate": RATE_JSON}
_EXTENDS = "a bundled scenario, or the path of a file; this file is merged into it"


def schema_json() -> str:
    """The text of the committed `scenarios/scenario.schema.json`, to the byte."""
    schema = _with_units_by_reference(Scenario.model_json_schema(schema_generator=_WithShortForms))
    head = {key: schema.pop(key) for key in ("$schema", "title")}
    defs = schema.pop("$defs") | _UNITS
    # A scenario that extends another has a name, and any of the other keys.
    keys = {EXTENDS: {"type": "string", "description": _EXTENDS}, "name": schema["properties"]["name"]}
    child = {
        "type": "object",
        "properties": keys | {key: True for key in schema["properties"] if key not in keys},
        "required": [*keys],
        "additionalProperties": False,
    }
    choice = {"if": {"required": [EXTENDS]}, "then": child, "else": schema}
    return json.dumps(head | choice | {"$defs": defs}, indent=2, ensure_ascii=False) + "\n"


def _with_units_by_reference(node: Any) -> Any:
    """Hundreds of durations would make the file several times as long."""
    if isinstance(node, list):
        return [_with_units_by_reference(item) for item in node]
    if not isinstance(node, dict):
        return node
    for name, unit in _UNITS.items():
        if unit.items() <= node.items():
            return {key: value for key, value in node.items() if key not in unit} | {"$ref": f"#/$defs/{name}"}
    return {key: _with_units_by_reference(value) for key, value in node.items()}


class _WithShortForms(GenerateJsonSchema):
    def generate(self, schema: core_schema.CoreSchema, mode: JsonSchemaMode = "validation") -> JsonSchemaValue:
        head = {"$schema": self.schema_dialect, "title": "mockbot scenario"}
        return head | {key: value for key, value in super().generate(schema, mode).items() if key != "title"}

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - pydantic's signature
        """No: titles would only repeat the keys."""
        return False

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        written = super().model_schema(schema)
        written.pop("title", None)
        if not issubclass(schema["cls"], Spec):
            return written
        return {"anyOf": [written["properties"][schema["cls"].main], written]}

    def tagged_union_schema(self, schema: core_schema.TaggedUnionSchema) -> JsonSchemaValue:
        """Alternatives may overlap (a user's own policy takes any name), so any of them will do."""
        members = super().tagged_union_schema(schema)["oneOf"]
        names: list[str] = []
        for member in members:
            name = self.resolve_ref_schema(member).get("properties", {}).get("name", {})
            names += [name["const"]] if "const" in name else name.get("enum", [])
        return {"anyOf": [*([{"enum": names}] if names else []), *members]}

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """Defaults as a file would write them; those that are whole mappings are left out."""
        written = super().default_schema(schema)
        in_words = schema["schema"].get("serialization", {})
        if schema.get("default") is not None and in_words.get("type") == "function-plain":
            written["default"] = in_words["function"](schema["default"])
        unwritten = isinstance(written.get("default"), dict | list | None)
        return {key: value for key, value in written.items() if key != "default" or not unwritten}

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        """A file leaves a key out instead of writing null."""
        return self.generate_inner(schema["schema"])
