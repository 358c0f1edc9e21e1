"""What a scenario says about models and answers of its own: names with `*`, and answers with a condition. Pure."""

import json
import re
from collections.abc import Callable, Sequence
from fnmatch import translate
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, JsonValue, model_validator

from mockbot.units.frozen_model import Model
from mockbot.units.linear_pattern import LinearPattern

MOST_BYTES = 16 * 1024  # of one answer; a file has 64 KiB
MOST_ANSWERS = 50  # of one provider; a request is compared with each
LONGEST_NAME = 200  # characters of a model
CROWDS_MODEL = "mockbot"  # what the crowd asks for is always served


def _searchable(pattern: str) -> str:
    LinearPattern(pattern)
    return pattern


def _sendable(value: JsonValue) -> JsonValue:
    if (size := len(json.dumps(value))) > MOST_BYTES:
        raise ValueError(f"has {size:,} bytes; an answer has at most {MOST_BYTES:,}")
    return value


Sendable = AfterValidator(_sendable)
OwnText = Annotated[str, Field(min_length=1), Sendable]
ModelName = Annotated[str, Field(pattern=r"^[!-~]+$", max_length=LONGEST_NAME)]
Models = Literal["any"] | tuple[ModelName, ...]


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


def serves(models: Models) -> Callable[[str], bool] | None:
    """Whether a model is served; None: any is. `*` stands for any characters."""
    if models == "any":
        return None
    # `translate` makes atomic groups, which do not backtrack; of its special characters only * is one here.
    plain = (model.replace("[", "[[]").replace("?", "[?]") for model in (*models, CROWDS_MODEL))
    pattern = re.compile("|".join(map(translate, plain)))
    return lambda model: len(model) <= LONGEST_NAME and pattern.fullmatch(model) is not None


def listed(models: Models, own: Sequence[str]) -> tuple[str, ...]:
    """The names that a list of models has: those of the file, and of the provider's `own` those that are served."""
    served = serves(models)
    if served is None:
        return tuple(own)
    exact = [model for model in models if "*" not in model]
    return tuple(dict.fromkeys([*exact, *filter(served, own)]))
