"""Every provider family: its dialects and its list of models."""

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
    """One provider's API: its answering endpoints and its models. The first endpoint words errors of unknown paths."""

    dialects: tuple[Dialect, ...]
    model_list: Callable[[], bytes]
    model: Callable[[str], bytes]


FAMILIES: Mapping[str, Family] = {
    "openai": Family((OpenAIChat(), OpenAIResponses(), OpenAIEmbeddings()), openai_models.listed, openai_models.one),
    "anthropic": Family((AnthropicMessages(),), anthropic.listed, anthropic.one),
}
