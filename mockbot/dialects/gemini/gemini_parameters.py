"""Gemini's parameters by endpoint, and its answers to those that it does not take.

Sources: ai.google.dev/api/generate-content, /embeddings and /tokens; for `labels` and what else only Vertex AI has,
cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference. Bodies are ProtoJSON: a field has its name in
camelCase or snake_case. The wording of errors: github.com/gera2ld/ai.nvim/issues/13.
"""

import re
from collections.abc import Mapping
from typing import Any

from mockbot.dialects.dialect import Json, ProviderError
from mockbot.dialects.parameter import NO_EFFECT, Parameter, Table, checked, choice, done, number, reported

CONFIG = "generationConfig."
GENERATE: Table = {
    **done("model", "contents", "systemInstruction", "tools", "toolConfig", "generationConfig", "labels"),
    "serviceTier": Parameter("done", NO_EFFECT),
    "safetySettings": Parameter("done", "nothing is ever blocked"),
    "cachedContent": reported("there are no cached contents; equal beginnings of prompts are cached by themselves"),
    "store": reported("nothing is stored", unless=False),
    "modelArmorConfig": reported("nothing is screened"),
    "continuationToken": reported("no answer is continued"),
    f"{CONFIG}candidateCount": number(int, 1, 8),
    f"{CONFIG}stopSequences": Parameter("done", "5 at most"),
    f"{CONFIG}maxOutputTokens": number(int, 1),
    f"{CONFIG}temperature": number(float, 0, 2, NO_EFFECT),
    f"{CONFIG}topP": number(float, 0, 1, NO_EFFECT),
    f"{CONFIG}topK": number(float, 1, text=NO_EFFECT),
    f"{CONFIG}seed": Parameter("done", NO_EFFECT, int),
    f"{CONFIG}presencePenalty": number(float, -2, 2, NO_EFFECT),
    f"{CONFIG}frequencyPenalty": number(float, -2, 2, NO_EFFECT),
    f"{CONFIG}responseMimeType": choice("text/plain", "application/json", "text/x.enum"),
    **done(f"{CONFIG}responseSchema", f"{CONFIG}responseJsonSchema", f"{CONFIG}thinkingConfig"),
    f"{CONFIG}responseModalities": reported("answers are text", unless=["TEXT"]),
    f"{CONFIG}responseLogprobs": reported("there are no probabilities", unless=False),
    f"{CONFIG}logprobs": reported("there are no probabilities"),
    f"{CONFIG}mediaResolution": Parameter("done", NO_EFFECT),
    f"{CONFIG}speechConfig": reported("answers have no sound"),
    f"{CONFIG}imageConfig": reported("answers have no pictures"),
    f"{CONFIG}audioTimestamp": reported("no sound is heard", unless=False),
    f"{CONFIG}audioTranscriptionConfig": reported("no sound is heard"),
    f"{CONFIG}enableEnhancedCivicAnswers": reported("there is nothing civic", unless=False),
    f"{CONFIG}routingConfig": reported("the model that is asked answers"),
    f"{CONFIG}modelConfig": reported("the model that is asked answers"),
}  # fmt: skip
COUNT_TOKENS: Table = {
    **done("model", "contents", "generateContentRequest", "systemInstruction", "tools", "generationConfig"),
    "instances": reported("use contents"),
}
_EMBEDS: Table = {
    **done("model", "content", "title", "outputDimensionality"),
    "taskType": Parameter("done", NO_EFFECT, str),
    "embedContentConfig": Parameter("done", "its outputDimensionality counts"),
}
EMBED: Table = _EMBEDS
BATCH_EMBED: Table = done("model", "requests")
PREDICT: Table = done("instances", "parameters", "labels")

_UNDERSCORED = re.compile(r"_+([a-z0-9])")


def fields(message: Mapping[str, Any]) -> dict[str, Any]:
    """A message's fields in camelCase, however they are written. A field that starts with `_` is Google's own."""
    if not any("_" in name for name in message):
        return dict(message)
    return {_UNDERSCORED.sub(lambda found: found[1].upper(), name.lstrip("_")): each for name, each in message.items()}


def invalid(message: str) -> ProviderError:
    """Google's 400."""
    return ProviderError(400, None, message)


def unknown_field(name: str, where: str = "") -> ProviderError:
    """Its error for a field that a message does not have; `where`: the message, "" for the whole body."""
    at = f" at '{where}'" if where else ""
    message = f'Invalid JSON payload received. Unknown name "{name}"{at}: Cannot find field.'
    return ProviderError(400, "unknown_field", message, param=where or None)


def wrong_value(where: str, value: object, kind: str) -> ProviderError:
    """Its error for a value of another type."""
    shown = f'"{value}"' if isinstance(value, str) else value
    message = f"Invalid value at '{where}' ({kind}), {shown}"
    return ProviderError(400, "unknown_field", message, param=where)


def message_at(data: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A field that is a message, its fields in camelCase; an empty one when it is absent."""
    value = data.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise wrong_value(name, value, "message")
    return fields(value)


def list_at(data: Mapping[str, Any], name: str, where: str = "") -> list[Any]:
    """A repeated field; one message stands for a list of it, as the API takes it."""
    value = data.get(name)
    if value is None:
        return []
    if isinstance(value, dict):
        return [value]
    if not isinstance(value, list):
        raise wrong_value(where or name, value, "repeated")
    return value


def check(data: Json, table: Table, where: str = "") -> tuple[str, ...]:
    """The parameters to report; ProviderError(400) for one that is unknown or has a value that is not allowed."""
    config = message_at(data, "generationConfig") if "generationConfig" in table else {}
    asked = {**data, **{CONFIG + name: value for name, value in config.items()}}
    if table is COUNT_TOKENS:
        asked = data
    return checked(asked, table, _check, lambda names: _stranger(names[0], where))


def _stranger(name: str, where: str) -> ProviderError:
    if name.startswith(CONFIG):
        return unknown_field(name.removeprefix(CONFIG), "generation_config")
    return unknown_field(name, where)


def _check(name: str, value: object, parameter: Parameter) -> None:
    where = re.sub("[A-Z]", lambda found: f"_{found[0].lower()}", name)
    if parameter.choices and value not in parameter.choices:
        raise invalid(
            f"* GenerateContentRequest.{where}: allowed mimetypes are `text/plain`, `application/json`, "
            "`application/xml`, `application/yaml` and `text/x.enum`.\n"
        )
    if parameter.kind not in (int, float):
        return
    if type(value) is not int and (parameter.kind is int or type(value) is not float):
        raise wrong_value(where, value, "TYPE_INT32" if parameter.kind is int else "TYPE_FLOAT")
    assert isinstance(value, int | float)  # noqa: S101 - for mypy
    least, most = parameter.least, parameter.most
    if (least is not None and value < least) or (most is not None and value > most):
        name = where.split(".")[-1]
        bounds = f"in the range [{least:.1f}, {most:.1f}]" if most is not None else f"at least {least:g}"
        raise invalid(f"* GenerateContentRequest.{where}: {name} must be {bounds}.\n")
