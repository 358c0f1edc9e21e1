"""One wire dialect, one object, one file."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from mockbot.dialects.anthropic import messages as anthropic
from mockbot.dialects.anthropic.messages import AnthropicMessages
from mockbot.dialects.dialect import Dialect
from mockbot.dialects.openai import models as openai_models
from mockbot.dialects.openai.chat import OpenAIChat
from mockbot.dialects.openai.embeddings import OpenAIEmbeddings
from mockbot.dialects.openai.responses import OpenAIResponses


@dataclass(frozen=True, slots=True)
class Family:
    """What one provider speaks: its answering endpoints and its models.

    The first endpoint is the one that is meant when none is named, and it words the errors of unknown paths.
    """

    dialects: tuple[Dialect, ...]
    model_list: Callable[[], bytes]
    model: Callable[[str], bytes]


FAMILIES: Mapping[str, Family] = {
    "openai": Family((OpenAIChat(), OpenAIResponses(), OpenAIEmbeddings()), openai_models.listed, openai_models.one),
    "anthropic": Family((AnthropicMessages(),), anthropic.listed, anthropic.one),
}
