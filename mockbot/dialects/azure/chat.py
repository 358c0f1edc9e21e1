"""Azure chat completions: `POST /openai/v1/chat/completions` and below a deployment, plain and streamed."""

from mockbot.dialects.answer_parts import Choice
from mockbot.dialects.azure.content_filter import FilteredStream, filtered
from mockbot.dialects.azure.endpoint import AzureEndpoint, Deployed, without_model
from mockbot.dialects.dialect import AnswerMetadata, Stream
from mockbot.dialects.openai.chat import OpenAIChat
from mockbot.dialects.openai.openai_parameters import CHAT
from mockbot.dialects.parameter import Table, reported

_PARAMETERS: Table = {
    **CHAT,
    "data_sources": reported("no data of yours is searched"),
    "user_security_context": reported("nobody is alerted"),
}


class AzureChat(AzureEndpoint, OpenAIChat):
    """Chat completions, whose model is a deployment's name."""

    path = "/openai/v1/chat/completions"
    operation = "ChatCompletions_Create"
    parameters = _PARAMETERS

    def whole(self, meta: AnswerMetadata, choices: tuple[Choice, ...]) -> bytes:
        return filtered(super().whole(meta, choices))

    def stream(self, meta: AnswerMetadata, choices: tuple[Choice, ...]) -> Stream:
        return FilteredStream(super().stream(meta, choices), choices)


class DeployedChat(Deployed, AzureChat):
    """Chat completions of a deployment."""

    path = "/openai/deployments/{model}/chat/completions"
    schema = without_model(OpenAIChat.schema)
