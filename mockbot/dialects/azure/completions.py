"""Azure completions, the legacy API: `POST /openai/v1/completions` and below a deployment, plain and streamed."""

from mockbot.dialects.answer_parts import Choice
from mockbot.dialects.azure.content_filter import FilteredStream, filtered
from mockbot.dialects.azure.endpoint import AzureEndpoint, Deployed, without_model
from mockbot.dialects.dialect import AnswerMetadata, Json, ProviderError, Question, Stream
from mockbot.dialects.openai.completions import CHAT_MODELS, OpenAICompletions


class AzureCompletions(AzureEndpoint, OpenAICompletions):
    """Completions, whose model is a deployment's name."""

    path = "/openai/v1/completions"
    operation = "Completions_Create"

    def question(self, data: Json, model: str) -> Question:
        if model.startswith(CHAT_MODELS):
            raise ProviderError(400, "OperationNotSupported")
        return super().question(data, model)

    def whole(self, meta: AnswerMetadata, choices: tuple[Choice, ...]) -> bytes:
        return filtered(super().whole(meta, choices))

    def stream(self, meta: AnswerMetadata, choices: tuple[Choice, ...]) -> Stream:
        return FilteredStream(super().stream(meta, choices), choices)


class DeployedCompletions(Deployed, AzureCompletions):
    """Completions of a deployment."""

    path = "/openai/deployments/{model}/completions"
    schema = without_model(OpenAICompletions.schema)
