"""Turn the models into the JSON Schema (draft 2020-12) that editors check scenario files with. Pure.

The models accept short forms that pydantic's own schema does not know: a Spec by its main value alone
(`latency: 300ms`), and a policy, budget or breaker by its name alone (`policy: backoff`). This module adds them.

A file that `extends` another is half a scenario: editors complete its first level only, and `mockbot check` knows the
rest.
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
_EXTENDS = "a bundled scenario, or the path of a file; what stands here is put over it"


def schema_json() -> str:
    """The committed `scenarios/scenario.schema.json`, to the byte."""
    schema = _shared(Scenario.model_json_schema(schema_generator=_WithShortForms))
    schema["$defs"] |= _UNITS
    return json.dumps(_or_extending(schema), indent=2, ensure_ascii=False) + "\n"


def _or_extending(schema: dict[str, Any]) -> dict[str, Any]:
    """The scenario alone, or one that extends another: a name, and any of the other keys."""
    keys = {EXTENDS: {"type": "string", "description": _EXTENDS}, "name": schema["properties"]["name"]}
    child = {
        "type": "object",
        "properties": keys | {key: True for key in schema["properties"] if key not in keys},
        "required": [*keys],
        "additionalProperties": False,
    }
    head, shared = ("$schema", "title"), ("$defs",)
    whole = {key: value for key, value in schema.items() if key not in {*head, *shared}}
    choice = {"if": {"required": [EXTENDS]}, "then": child, "else": whole}
    return {key: schema[key] for key in head} | choice | {key: schema[key] for key in shared}


def _shared(node: Any) -> Any:
    """Units by reference: there are hundreds of durations."""
    if isinstance(node, list):
        return [_shared(item) for item in node]
    if not isinstance(node, dict):
        return node
    for name, unit in _UNITS.items():
        if unit.items() <= node.items():
            return {key: value for key, value in node.items() if key not in unit} | {"$ref": f"#/$defs/{name}"}
    return {key: _shared(value) for key, value in node.items()}


class _WithShortForms(GenerateJsonSchema):
    def generate(self, schema: core_schema.CoreSchema, mode: JsonSchemaMode = "validation") -> JsonSchemaValue:
        head = {"$schema": self.schema_dialect, "title": "mockbot scenario"}
        return head | {key: value for key, value in super().generate(schema, mode).items() if key != "title"}

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - pydantic's signature
        """Titles would only repeat the keys."""
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
        names = [name for member in members for name in self._names(member)]
        return {"anyOf": [*([{"enum": names}] if names else []), *members]}

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """Defaults as a file would write them, those of whole mappings left out."""
        written = super().default_schema(schema)
        in_words = schema["schema"].get("serialization", {})
        if schema.get("default") is not None and in_words.get("type") == "function-plain":
            written["default"] = in_words["function"](schema["default"])
        unwritten = isinstance(written.get("default"), dict | list | None)
        return {key: value for key, value in written.items() if key != "default" or not unwritten}

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        """What is not wanted is left out of a file, not written as null."""
        return self.generate_inner(schema["schema"])

    def _names(self, member: JsonSchemaValue) -> list[str]:
        name = self.resolve_ref_schema(member).get("properties", {}).get("name", {})
        return [name["const"]] if "const" in name else name.get("enum", [])
