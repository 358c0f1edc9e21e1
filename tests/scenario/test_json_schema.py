"""What editors are told about scenario files."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from mockbot.scenario.json_schema import schema_json
from mockbot.scenario.library import find, folder, names
from tests.scenario.build import FILE
from tests.scenario.test_dump import FAULTS

SCHEMA = json.loads(schema_json())


def as_an_editor_reads(text: str) -> Any:
    """Plain YAML 1.2."""
    return YAML(typ="safe", pure=True).load(text)


def complaints(text: str) -> list[str]:
    """What an editor would underline."""
    return [error.message for error in Draft202012Validator(SCHEMA).iter_errors(as_an_editor_reads(text))]


def test_the_schema_is_a_schema() -> None:
    """Of the draft that it names."""
    Draft202012Validator.check_schema(SCHEMA)

    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_the_committed_schema_is_current() -> None:
    """`mockbot schema > scenarios/scenario.schema.json` when this fails."""
    assert (folder("scenarios") / "scenario.schema.json").read_text("utf-8") == schema_json()


@pytest.mark.parametrize("name", names())
def test_editors_find_nothing_wrong_with_a_bundled_scenario(name: str) -> None:
    """Each names the schema in its first line, and follows it."""
    text = find(name).read_text("utf-8")

    assert text.startswith("# yaml-language-server: $schema=scenario.schema.json\n")
    assert complaints(text) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("policy: backoff", "policy: {name: backoff, attempts: 4, budget: grpc, breaker: {name: consecutive}}"),
        ("policy: backoff", "policy: openai-python"),
        ("http_error: 503", "http_error: {status: 503, retry_after: 30s}"),
        ("http_error: 503", "latency: 300ms"),
        ("http_error: 503", "latency: {latency: 300ms, jitter: 50ms}"),
        ("http_error: 503", "down: true, flap: {period: 10s, duty: 20%}"),
        ("http_error: 503", "capacity: 100% -> 20%"),
        ("http_error: 503", "stall: keepalive, share: 10% -> 0%"),
        ("users: 10", "users: 10 -> 40"),
        ("users: 10", "users: 10, mix: {hasty: 100%}"),
        ("every: 5s", "every: 0"),
        ("title: A small outage", "title: A small outage\nspeed: 20\nslo: 1m30s"),
    ],
)
def test_short_forms_are_right_in_an_editor_too(old: str, new: str) -> None:
    """What the loader accepts is not underlined."""
    assert old in FILE
    assert complaints(FILE.replace(old, new)) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("slots: 4", "slts: 4"),
        ("slots: 4", "slots: 0"),
        ("policy: backoff", "policy: backof"),
        ("http_error: 503", "http_error: 200"),
        ("http_error: 503", "htp_error: 503"),
        ("lasts: 1m, users", "lasts: 1min, users"),
        ("users: 60%", "users: 0.6"),
        ("state: investigating", "state: investigated"),
        ("title: A small outage\n", ""),
    ],
)
def test_editors_underline_what_the_loader_refuses(old: str, new: str) -> None:
    """Where one value alone shows it."""
    assert old in FILE
    assert complaints(FILE.replace(old, new)) != []


def test_every_kind_of_fault_is_known() -> None:
    """The closed union of the models is the one of the schema."""
    kinds = {key for fault in FAULTS for key in fault}

    required = {key for model in SCHEMA["$defs"].values() for key in model.get("required", [])}

    assert kinds <= required


def test_the_schema_is_beside_the_files_that_name_it() -> None:
    """A relative reference, so that it works in a wheel, a checkout and a copy."""
    assert (Path(find(names()[0])).parent / "scenario.schema.json").is_file()
