"""Anthropic's parameters by endpoint, and its answers to those that it does not take.

Sources: Anthropic's API reference; the wording of errors is that of public reports
(github.com/anthropics/anthropic-sdk-python/issues/893, github.com/anthropics/claude-code/issues/6774).
"""

import re

from mockbot.dialects.dialect import Json, ProviderError
from mockbot.dialects.parameter import NO_EFFECT, Parameter, Table, checked, choice, done, number, reported

_PROMPT = done("model", "messages", "system", "thinking", "tools", "tool_choice", "output_config")
_BETA = {
    "cache_control": Parameter("done", "counted in `usage`; a cached prompt is answered no sooner"),
    "context_management": reported("no context is edited"),
    "mcp_servers": reported("no MCP server is asked"),
}
MESSAGES: Table = {
    **_PROMPT, **_BETA,
    **done("max_tokens", "metadata", "stop_sequences", "stream"),
    "temperature": number(float, 0, 1, NO_EFFECT),
    "top_p": number(float, 0, 1, NO_EFFECT),
    "top_k": number(int, 0, text=NO_EFFECT),
    "service_tier": choice("auto", "standard_only"),
    "container": reported("no code is run"),
    "inference_geo": reported("there is one place"),
    "output_format": reported("use output_config"),
    "speed": reported("pace is the scenario's", unless="standard"),
}  # fmt: skip
COUNT_TOKENS: Table = {**_PROMPT, **_BETA, "output_format": reported("use output_config")}

_TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
_LEAST_BUDGET = 1024
_DOCS = "Please consult our documentation at https://docs.claude.com/en/docs/build-with-claude/extended-thinking"
_MAX_TOKENS = f"`max_tokens` must be greater than `thinking.budget_tokens`. {_DOCS}#max-tokens-and-context-window-size"
_TEMPERATURE = (
    "`temperature` may only be set to 1 when thinking is enabled. "
    f"{_DOCS}#important-considerations-when-using-extended-thinking"
)


def invalid(message: str) -> ProviderError:
    """Anthropic's 400."""
    return ProviderError(400, None, message)


def check(data: Json, table: Table) -> tuple[str, ...]:
    """The parameters to report; ProviderError(400) for one that is unknown or has a value that is not allowed."""
    told = checked(data, table, _check, lambda names: invalid(f"{names[0]}: Extra inputs are not permitted"))
    _check_thinking(data)
    _check_tools(data)
    for stop in _list(data, "stop_sequences"):
        if isinstance(stop, str) and not stop.strip():
            raise invalid("stop_sequences: each stop sequence must contain non-whitespace")
    metadata = data.get("metadata")
    if isinstance(metadata, dict) and (strangers := [name for name in metadata if name != "user_id"]):
        raise invalid(f"metadata.{strangers[0]}: Extra inputs are not permitted")
    return told


def _check(name: str, value: object, parameter: Parameter) -> None:
    if parameter.choices and value not in parameter.choices:
        raise invalid(f"{name}: Input should be {' or '.join(map(repr, parameter.choices))}")
    if parameter.kind not in (int, float):
        return
    if type(value) is not int and (parameter.kind is int or type(value) is not float):
        raise invalid(f"{name}: Input should be a valid {'integer' if parameter.kind is int else 'number'}")
    assert isinstance(value, int | float)  # noqa: S101 - for mypy
    if parameter.most is None and parameter.least is not None and value < parameter.least:
        raise invalid(f"{name}: Input should be greater than or equal to {parameter.least:g}")
    if parameter.most is not None and parameter.least is not None and not parameter.least <= value <= parameter.most:
        raise invalid(f"{name}: range: {parameter.least:g}..{parameter.most:g}")


def _check_thinking(data: Json) -> None:
    thinking = data.get("thinking")
    if not isinstance(thinking, dict) or thinking.get("type") != "enabled":
        return
    budget, most = thinking.get("budget_tokens"), data.get("max_tokens")
    if type(budget) is not int:
        raise invalid("thinking.enabled.budget_tokens: Field required")
    if budget < _LEAST_BUDGET:
        raise invalid("thinking.enabled.budget_tokens: Input should be greater than or equal to 1024")
    if type(most) is int and budget >= most:
        raise invalid(_MAX_TOKENS)
    if data.get("temperature") not in (None, 1):
        raise invalid(_TEMPERATURE)
    if data.get("top_k") is not None:
        raise invalid(f"`top_k` must be unset when thinking is enabled. {_DOCS}")
    choice_ = data.get("tool_choice")
    if isinstance(choice_, dict) and choice_.get("type") in ("any", "tool"):
        raise invalid("Thinking may not be enabled when tool_choice forces tool use.")


def _check_tools(data: Json) -> None:
    tools = [tool for tool in _list(data, "tools") if isinstance(tool, dict)]
    names = [tool["name"] for tool in tools if isinstance(tool.get("name"), str)]
    for index, name in enumerate(names):
        if not _TOOL_NAME.fullmatch(name):
            pattern = "String should match pattern '^[a-zA-Z0-9_-]{1,128}$'"
            raise invalid(f"tools.{index}.custom.name: {pattern}")
    if len(set(names)) < len(names):
        raise invalid("tools: Tool names must be unique.")
    choice_ = data.get("tool_choice")
    if not tools and isinstance(choice_, dict) and choice_.get("type") != "none":
        raise invalid("tool_choice: `tool_choice` may only be specified while providing `tools`.")


def _list(data: Json, name: str) -> list[object]:
    value = data.get(name)
    return value if isinstance(value, list) else []
