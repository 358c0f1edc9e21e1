"""The tools of a request in, the functions to call now and the tools of Google's own out.

`toolConfig.functionCallingConfig`: AUTO, ANY (a call is demanded), NONE, VALIDATED; `allowedFunctionNames` with ANY and
VALIDATED (ai.google.dev/gemini-api/docs/function-calling). Tools that Google runs are never called.
"""

import re
from typing import Any

from mockbot.dialects.answer_parts import Tool
from mockbot.dialects.dialect import Json
from mockbot.dialects.gemini.contents import Turn, results_of
from mockbot.dialects.gemini.gemini_parameters import fields, invalid, list_at, message_at, unknown_field, wrong_value
from mockbot.dialects.gemini.schemas import json_schema
from mockbot.dialects.tool_calls import Mode, calls_now

_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_.:-]{0,63}")
_NAME_RULE = (
    "Invalid function name. Must start with a letter or an underscore. Must be alphanumeric (a-z, A-Z, 0-9), "
    "underscores (_), dots (.), colons (:), or dashes (-), with a maximum length of 64."
)
_MODES: dict[str, Mode] = {
    "": "auto", "MODE_UNSPECIFIED": "auto", "AUTO": "auto", "ANY": "required", "NONE": "none", "VALIDATED": "auto",
}  # fmt: skip
_DECLARED = frozenset({"name", "description", "parameters", "parametersJsonSchema", "response", "responseJsonSchema",
                       "behavior"})  # fmt: skip
_ANYTHING: Json = {"type": "object", "properties": {}}


def calls(data: Json, turns: list[Turn]) -> tuple[tuple[Tool, ...], tuple[str, ...]]:
    """The functions to call, and the names of the tools to report."""
    offered, of_google = _offered(data)
    config = message_at(message_at(data, "toolConfig"), "functionCallingConfig")
    given = config.get("mode")
    mode = _MODES.get(str(given or ""))
    if mode is None:
        raise wrong_value("tool_config.function_calling_config.mode", given, "Mode")
    allowed = list_at(config, "allowedFunctionNames")
    if allowed and given not in ("ANY", "VALIDATED"):
        raise invalid("allowed_function_names should only be set when function calling mode is ANY or VALIDATED.")
    if mode == "required" and not offered:
        raise invalid("Function calling config is set without function_declarations.")
    names = [tool.name for tool in offered]
    if any(name not in names for name in allowed):
        raise invalid("Request contains an invalid argument.")
    if allowed:
        offered = [tool for tool in offered if tool.name in allowed]
    return calls_now(offered, mode, results_of(turns), parallel=True), of_google


def _offered(data: Json) -> tuple[list[Tool], tuple[str, ...]]:
    offered: list[Tool] = []
    of_google: list[str] = []
    for number, tool in enumerate(list_at(data, "tools")):
        if not isinstance(tool, dict):
            raise wrong_value(f"tools[{number}]", tool, "message")
        read = fields(tool)
        for place, declared in enumerate(list_at(read, "functionDeclarations")):
            offered.append(_function(declared, f"tools[{number}].function_declarations[{place}]"))
        of_google += [f"tools.{name}" for name in read if name != "functionDeclarations"]
    names = [tool.name for tool in offered]
    for name in names:
        if names.count(name) > 1:
            raise invalid(f"Duplicate function declaration found: {name}")
    return offered, tuple(of_google)


def _function(declared: Any, where: str) -> Tool:
    if not isinstance(declared, dict):
        raise wrong_value(where, declared, "message")
    read = fields(declared)
    if strangers := read.keys() - _DECLARED:
        raise unknown_field(min(strangers), where)
    name = read.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise invalid(f"* GenerateContentRequest.{where}.name: {_NAME_RULE}\n")
    written = read.get("parametersJsonSchema")
    if isinstance(written, dict):
        return Tool(name, written)
    given = read.get("parameters")
    return Tool(name, _ANYTHING if given is None else json_schema(given, f"{where}.parameters"))
