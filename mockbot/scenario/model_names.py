"""The models that a provider serves: names with `*` in, whether a model is one of them out. Pure."""

import re
from collections.abc import Callable, Sequence
from fnmatch import translate
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema

LONGEST_NAME = 200  # characters
CROWDS_MODEL = "mockbot"  # what the crowd asks for is always served


def _nameable(name: str) -> str:
    if not 0 < len(name) <= LONGEST_NAME or not name.isascii() or not name.isprintable() or " " in name:
        raise ValueError(f"{name!r} is no model: at most {LONGEST_NAME} ASCII characters without blanks")
    return name


ModelName = Annotated[str, AfterValidator(_nameable)]
ANY = ("*",)
Models = Annotated[
    tuple[ModelName, ...],
    BeforeValidator(lambda written: ANY if written == "any" else written),
    WithJsonSchema({"anyOf": [{"const": "any"}, {"type": "array", "items": {"type": "string"}}]}),
]


def serves(models: Sequence[str]) -> Callable[[str], bool] | None:
    """Whether a model is served; None: any is. `*` stands for any characters."""
    if "*" in models:
        return None
    # `translate` makes atomic groups, which do not backtrack; of its special characters only * is one here.
    plain = (model.replace("[", "[[]").replace("?", "[?]") for model in (*models, CROWDS_MODEL))
    pattern = re.compile("|".join(map(translate, plain)))
    return lambda model: len(model) <= LONGEST_NAME and pattern.fullmatch(model) is not None


def listed(models: Sequence[str], own: Sequence[str]) -> tuple[str, ...]:
    """The names that a list of models has: those of the file, and of the provider's `own` those that are served."""
    served = serves(models)
    if served is None:
        return tuple(own)
    exact = [model for model in models if "*" not in model]
    return tuple(dict.fromkeys([*exact, *filter(served, own)]))
