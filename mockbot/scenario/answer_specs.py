"""An answer that a scenario words, and the condition under which it is given. Pure."""

import json
from collections.abc import Callable
from typing import Annotated

from pydantic import AfterValidator, Field, JsonValue, model_validator

from mockbot.units.frozen_model import Model
from mockbot.units.linear_pattern import LinearPattern

MOST_BYTES = 16 * 1024  # of one answer; a file has 64 KiB
MOST_ANSWERS = 50  # of one provider; a request is compared with each


def _searchable(pattern: str) -> str:
    LinearPattern(pattern)
    return pattern


def _sendable(value: JsonValue) -> JsonValue:
    if (size := len(json.dumps(value))) > MOST_BYTES:
        raise ValueError(f"has {size:,} bytes; an answer has at most {MOST_BYTES:,}")
    return value


Sendable = AfterValidator(_sendable)
OwnText = Annotated[str, Field(min_length=1), Sendable]


class ToolCall(Model):
    """A call of a tool, with its arguments."""

    name: str = Field(min_length=1, max_length=64)
    arguments: Annotated[dict[str, JsonValue], Sendable] = Field(default_factory=dict)


class OwnAnswer(Model):
    """An answer to each request whose last message fits; without a condition, to each."""

    contains: str | None = Field(None, min_length=1, description="this text, anywhere in the last message")
    matches: Annotated[str, AfterValidator(_searchable)] | None = Field(
        None, description="a regular expression that is found in the last message; (?i) ignores case"
    )
    text: OwnText | None = Field(None, description="prose; its first word will be the name of provider and request")
    verbatim: OwnText | None = Field(None, description="exactly this text")
    data: Annotated[JsonValue, Sendable] = Field(None, description="a value that is sent as JSON")
    call: ToolCall | None = Field(None, description="a tool to call")

    @model_validator(mode="after")
    def _one_of_each(self) -> "OwnAnswer":
        if self.contains is not None and self.matches is not None:
            raise ValueError("has both 'contains' and 'matches'; a condition is one of them")
        given = [name for name in ("text", "verbatim", "data", "call") if getattr(self, name) is not None]
        if len(given) != 1:
            found = " and ".join(map(repr, given)) or "no answer"
            raise ValueError(f"has {found}; write one of 'text', 'verbatim', 'data' and 'call'")
        return self

    def condition(self) -> Callable[[str], bool]:
        """Whether it is the answer to a last message with this text."""
        if self.matches is not None:
            return LinearPattern(self.matches).found_in
        part = self.contains or ""
        return lambda text: part in text
