"""OpenAI's parameters by endpoint, and its answers to those that it does not take.

Sources: OpenAI's API reference; the wording of errors is that of public reports, such as
github.com/umputun/tg-spam/issues/304 for an unknown argument.
"""

from mockbot.dialects.dialect import Json, ProviderError
from mockbot.dialects.openai.request_fields import wrong_type
from mockbot.dialects.parameter import NO_EFFECT, Parameter, Table, checked, choice, done, number, reported

_TIER = choice("auto", "default", "flex", "priority", "scale")
_EFFORT = choice("none", "minimal", "low", "medium", "high", "xhigh", text="refused by models that do not reason")
_SAMPLING = {
    "temperature": number(float, 0, 2, NO_EFFECT),
    "top_p": number(float, 0, 1, NO_EFFECT),
}
_PENALTIES = {
    "frequency_penalty": number(float, -2, 2, NO_EFFECT),
    "presence_penalty": number(float, -2, 2, NO_EFFECT),
    "seed": Parameter("done", NO_EFFECT, int),
}
_CACHING = {
    name: Parameter("done", "no effect: equal beginnings of prompts are cached for five minutes")
    for name in ("prompt_cache_key", "prompt_cache_retention")
}
_BIAS = reported("a made-up text has no token to favour", unless={})

CHAT: Table = {
    **done("model", "messages", "stream", "stream_options", "max_completion_tokens", "tools"),
    **done("tool_choice", "parallel_tool_calls", "functions", "function_call", "response_format", "logprobs", "stop"),
    **done("metadata", "store", "user", "safety_identifier"),
    **_SAMPLING, **_PENALTIES, **_CACHING,
    "max_tokens": Parameter("done", "refused by models that reason"),
    "n": number(int, 1, 128),
    "top_logprobs": number(int, 0, 20),
    "service_tier": _TIER,
    "reasoning_effort": _EFFORT,
    "verbosity": choice("low", "medium", "high", text=NO_EFFECT),
    "logit_bias": _BIAS,
    "audio": reported("answers have no sound"),
    "modalities": reported("answers are text", unless=["text"]),
    "prediction": reported("no token is ever predicted"),
    "web_search_options": reported("nothing is searched"),
}  # fmt: skip
RESPONSES: Table = {
    **done("model", "input", "instructions", "stream", "stream_options", "tools", "tool_choice", "parallel_tool_calls"),
    **done("text", "reasoning", "include", "metadata", "user", "safety_identifier", "store", "background"),
    **done("previous_response_id"),
    **_SAMPLING, **_CACHING,
    "max_output_tokens": number(int, 16),
    "top_logprobs": number(int, 0, 20),
    "service_tier": _TIER,
    "truncation": choice("auto", "disabled", text=NO_EFFECT),
    "max_tool_calls": reported("no tool of OpenAI's own is called"),
    "prompt": reported("there are no stored prompts"),
    "conversation": reported("there are no conversations"),
    "context_management": reported("nothing is compacted"),
}  # fmt: skip
COMPLETIONS: Table = {
    **done("model", "prompt", "stream", "stream_options", "echo", "stop", "user"),
    **_SAMPLING, **_PENALTIES,
    "max_tokens": number(int, 0, text="16 when it is not given"),
    "n": number(int, 1, 128),
    "best_of": number(int, 1, 20, NO_EFFECT),
    "suffix": Parameter("done", NO_EFFECT, str),
    "logprobs": reported("null", unless=0),
    "logit_bias": _BIAS,
}  # fmt: skip
EMBEDDINGS: Table = {
    **done("model", "input", "dimensions", "user"),
    "encoding_format": choice("float", "base64"),
}
MODERATIONS: Table = done("model", "input")

_ASKS_FOR_MORE = "frequency_penalty", "presence_penalty", "logprobs", "top_logprobs", "logit_bias"


def check(data: Json, table: Table) -> tuple[str, ...]:
    """The parameters to report; ProviderError(400) for one that is unknown or has a value that is not allowed."""
    return checked(data, table, _check, _unknown_parameter if table is RESPONSES else _unrecognized)


def _check(name: str, value: object, parameter: Parameter) -> None:
    kind = parameter.kind
    if kind is not None and type(value) is not kind and not (kind is float and type(value) is int):
        raise wrong_type(name, kind, value)
    if parameter.choices and value not in parameter.choices:
        raise bad_value(name, value, parameter.choices)
    if not isinstance(value, int | float):
        return
    if parameter.least is not None and value < parameter.least:
        raise _out_of_bounds(name, value, kind, f"below minimum value. Expected a value >= {parameter.least:g}")
    if parameter.most is not None and value > parameter.most:
        raise _out_of_bounds(name, value, kind, f"above maximum value. Expected a value <= {parameter.most:g}")


def _out_of_bounds(name: str, value: float, kind: type | None, reason: str) -> ProviderError:
    number = "integer" if kind is int else "decimal"
    code = f"{number}_{'below_min' if reason.startswith('below') else 'above_max'}_value"
    return ProviderError(400, code, f"Invalid '{name}': {number} {reason}, but got {value} instead.", param=name)


def bad_value(name: str, value: object, choices: tuple[str, ...]) -> ProviderError:
    """OpenAI's error for a word that is not one of these."""
    quoted = [f"'{each}'" for each in choices]
    supported = f"{', '.join(quoted[:-1])}, and {quoted[-1]}" if len(quoted) > 2 else " and ".join(quoted)
    message = f"Invalid value: '{value}'. Supported values are: {supported}."
    return ProviderError(400, "invalid_value", message, param=name)


def _unrecognized(names: list[str]) -> ProviderError:
    plural = "s" if len(names) > 1 else ""
    return ProviderError(400, None, f"Unrecognized request argument{plural} supplied: {', '.join(sorted(names))}")


def _unknown_parameter(names: list[str]) -> ProviderError:
    return ProviderError(400, "unknown_parameter", f"Unknown parameter: '{names[0]}'.", param=names[0])


def check_model(data: Json, model: str) -> None:
    """ProviderError(400) for a parameter of a chat that this model does not take."""
    if not model.startswith(("o1", "o3", "o4", "gpt-5")) or model.startswith("gpt-5-chat"):
        if data.get("reasoning_effort") is not None and model.startswith(("gpt-3", "gpt-4", "gpt-5-chat", "chatgpt-")):
            raise _unrecognized(["reasoning_effort"])
        return
    if data.get("max_tokens") is not None:
        use = "is not supported with this model. Use 'max_completion_tokens' instead."
        message = f"Unsupported parameter: 'max_tokens' {use}"
        raise ProviderError(400, "unsupported_parameter", message, param="max_tokens")
    # From GPT-5.1 on the default effort is none, with which a model takes what others take.
    if model.startswith("gpt-5.") and data.get("reasoning_effort") in (None, "none"):
        return
    for name in ("temperature", "top_p"):
        if data.get(name) not in (None, 1):
            value = f"does not support {data[name]} with this model. Only the default (1) value is supported."
            raise ProviderError(400, "unsupported_value", f"Unsupported value: '{name}' {value}", param=name)
    for name in _ASKS_FOR_MORE:
        if data.get(name):
            message = f"Unsupported parameter: '{name}' is not supported with this model."
            raise ProviderError(400, "unsupported_parameter", message, param=name)


def check_together(data: Json) -> None:
    """ProviderError(400) for parameters of a chat that need another one, or are too many."""
    if not data.get("tools"):
        if data.get("tools") is not None:
            reason = "empty array. Expected an array with minimum length 1, but got an empty array instead."
            raise ProviderError(400, "empty_array", f"Invalid 'tools': {reason}", param="tools")
        for name in ("tool_choice", "parallel_tool_calls"):
            if data.get(name) is not None and data.get(name) != "none":
                message = f"Invalid value for '{name}': '{name}' is only allowed when 'tools' are specified."
                raise ProviderError(400, None, message, param=name)
    if data.get("top_logprobs") is not None and data.get("logprobs") is not True:
        message = "The 'top_logprobs' parameter is only allowed when 'logprobs' is enabled."
        raise ProviderError(400, "invalid_value", message, param="top_logprobs")
