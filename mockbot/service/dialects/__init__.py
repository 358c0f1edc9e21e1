"""One wire dialect, one object, one file."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from mockbot.service.dialects import openai_models
from mockbot.service.dialects.base import Dialect
from mockbot.service.dialects.openai import OpenAIChat


@dataclass(frozen=True, slots=True)
class Family:
    """What one provider speaks: its answering endpoints, the first of which also words errors for unknown paths,
    and its models.
    """

    dialects: tuple[Dialect, ...]
    model_list: Callable[[], bytes]
    model: Callable[[str], bytes]


FAMILIES: Mapping[str, Family] = {
    "openai": Family((OpenAIChat(),), openai_models.listed, openai_models.one),
}
