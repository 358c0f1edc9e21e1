"""The contents of a conversation, read and checked as Google does: turns of parts, and calls that get their results.

Sources of the rules and their wording: github.com/google-gemini/gemini-cli/issues/3814 (as many results as calls),
github.com/langchain-ai/langchain/issues/33940 (no contents), github.com/boldsoftware/sketch/issues/68 (an empty part).
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from mockbot.dialects.dialect import Json
from mockbot.dialects.gemini.gemini_parameters import fields, invalid, list_at, unknown_field, wrong_value

_DATA = frozenset({
    "text", "inlineData", "fileData", "functionCall", "functionResponse", "executableCode", "codeExecutionResult",
    "toolCall", "toolResponse",
})  # fmt: skip
_BESIDE = frozenset({
    "thought", "thoughtSignature", "videoMetadata", "mediaResolution", "partMetadata", "mediaProcessing",
    "speechMetadata", "audioMetadata",
})  # fmt: skip
_ROLES = (None, "", "user", "model", "function")
_AS_MANY = (
    "Please ensure that the number of function response parts is equal to the number of function call parts of the "
    "function call turn."
)
_AFTER_CALLS = "Please ensure that function response turn comes immediately after a function call turn."


class Turn(NamedTuple):
    """Consecutive parts of one speaker; a part's fields are in camelCase."""

    role: str
    parts: list[Json]

    def named(self, kind: str) -> list[str]:
        """The names of the functions in its parts of this kind, functionCall or functionResponse."""
        found = [part[kind] for part in self.parts if kind in part]
        return [str(each.get("name") or "") if isinstance(each, Mapping) else "" for each in found]


def turns_of(data: Json) -> list[Turn]:
    """The conversation; ProviderError(400) for one that Google would not take."""
    contents = list_at(data, "contents")
    if not contents:
        raise invalid("* GenerateContentRequest.contents: contents is not specified\n")
    turns = [turn_of(each, f"contents[{number}]") for number, each in enumerate(contents)]
    calls = 0
    for number, turn in enumerate(turns):
        results = len(turn.named("functionResponse"))
        if results and not calls and number and not turns[number - 1].named("functionResponse"):
            raise invalid(_AFTER_CALLS)
        if calls and results != calls:
            raise invalid(_AS_MANY)
        calls = len(turn.named("functionCall"))
    return turns


def turn_of(content: Any, where: str) -> Turn:
    """One Content message."""
    if not isinstance(content, dict):
        raise wrong_value(where, content, "type.googleapis.com/google.ai.generativelanguage.v1beta.Content")
    if content.keys() <= {"role", "parts"}:
        message = content
    elif strangers := (message := fields(content)).keys() - {"role", "parts"}:
        raise unknown_field(min(strangers), where)
    role = message.get("role")
    if role not in _ROLES:
        raise invalid("Please use a valid role: user, model.")
    parts = list_at(message, "parts", f"{where}.parts")
    if not parts:
        raise invalid(f"* GenerateContentRequest.{where}.parts: contents.parts must not be empty.\n")
    return Turn(str(role or "user"), [_part(each, f"{where}.parts[{n}]") for n, each in enumerate(parts)])


def _part(part: Any, where: str) -> Json:
    if not isinstance(part, dict):
        raise wrong_value(where, part, "type.googleapis.com/google.ai.generativelanguage.v1beta.Part")
    read = fields(part)
    for name in read:
        if name not in _DATA and name not in _BESIDE:
            raise unknown_field(name, where)
    if not _DATA & read.keys():
        required = "required oneof field 'data' must have one initialized field"
        raise invalid(f"* GenerateContentRequest.{where}.data: {required}\n")
    if not isinstance(read.get("text", ""), str):
        raise wrong_value(f"{where}.text", read["text"], "TYPE_STRING")
    return read


def instruction_of(data: Json) -> Turn | None:
    """The system's instruction: a Content, or its text alone."""
    given = data.get("systemInstruction")
    if given is None:
        return None
    return turn_of({"parts": [{"text": given}]} if isinstance(given, str) else given | {"role": "user"}
                   if isinstance(given, dict) else given, "system_instruction")  # fmt: skip


def results_of(turns: list[Turn]) -> list[str]:
    """The names of the functions whose results came since the last answer in words."""
    results: list[str] = []
    for turn in turns:
        if turn.role == "model" and not turn.named("functionCall"):
            results.clear()
        results += turn.named("functionResponse")
    return results
