"""OpenAI's endpoints as another provider has them: a row of the table and a path in, a Dialect out."""

import json
from collections.abc import Callable, Mapping

from mockbot.dialects.answer_parts import Choice
from mockbot.dialects.compatible.compatible_errors import Described
from mockbot.dialects.compatible.compatible_providers import Provider
from mockbot.dialects.dialect import Allowance, AnswerMetadata, Dialect, Header, ProviderError, Reason, Shape, Stream
from mockbot.dialects.openai import error_bodies as openai_errors
from mockbot.dialects.openai.chat import ChatStream, OpenAIChat
from mockbot.dialects.openai.completions import OpenAICompletions
from mockbot.dialects.openai.embeddings import OpenAIEmbeddings
from mockbot.dialects.openai.endpoint import OpenAIEndpoint
from mockbot.dialects.openai.responses import OpenAIResponses
from mockbot.dialects.parameter import reported

# Codes by which the service names errors as OpenAI has them; any other one a scenario has written.
_OPENAIS = {str(row.code) for row in openai_errors.ROWS if row.type != "insufficient_quota"} | {"missing_model"}

_OWN = reported("the provider's own")


class CompatibleEndpoint(OpenAIEndpoint):
    """Headers and errors, the same at every endpoint of a provider; stands before OpenAI's class of the endpoint."""

    def __init__(self, provider: Provider, path: str) -> None:
        self.provider, self.path = provider, path
        self.keepalive, self.failed_within = provider.keepalive, provider.failed_within

    def unknown_model(self, model: str) -> ProviderError:
        row = self.provider
        message = row.no_such_model.format(model=model)
        return ProviderError(row.no_model, "model_not_found", message, unknown_model=model)

    def headers(self, mark: int, millis: int, allowances: tuple[Allowance, ...], speed: float) -> list[Header]:
        """The request's id, and the true state of the key's limits where the provider tells it."""
        told = [each for each in super().headers(mark, millis, allowances, speed) if each[0].startswith(b"x-ratelimit")]
        return [(self.provider.request_id, _id(mark).encode()), *(told if self.provider.limits else ())]

    def refusal(self, reason: Reason, retry_after: float | None) -> ProviderError:
        """As OpenAI's, but for a lack of capacity."""
        error = super().refusal(reason, retry_after)
        if error.status == 503:
            error.status, error.message = self.provider.busy, self.provider.errors[503].message
        return error

    def error(self, error: ProviderError, mark: int) -> bytes:
        own, row = self.provider.errors.get(error.status), openai_errors.row_of(error.status, error.code)
        message, kind, code = own or (row.message, row.type, None if row.code is None else str(row.code))
        if error.code is not None and error.code not in _OPENAIS:
            code = error.code
        written = Described(error.status, error.message or message, kind, code, error.param, _id(mark))
        return json.dumps(self.provider.written(written)).encode()


class CompatibleChat(CompatibleEndpoint, OpenAIChat):
    """Chat completions."""

    def __init__(self, provider: Provider, path: str) -> None:
        super().__init__(provider, path)
        self.parameters = {**OpenAIChat.parameters, **dict.fromkeys(provider.ignored, _OWN)}

    def stream(self, meta: AnswerMetadata, choices: tuple[Choice, ...]) -> Stream:
        return CompatibleStream(meta, choices, self.provider)


class CompatibleStream(ChatStream):
    """A streamed chat completion, whose error is the provider's own."""

    __slots__ = ("_provider",)

    def __init__(self, meta: AnswerMetadata, choices: tuple[Choice, ...], provider: Provider) -> None:
        super().__init__(meta, choices)
        self._provider = provider

    def error(self, code: str, shape: Shape) -> bytes:  # noqa: ARG002 - there is one shape here
        return b"data: " + json.dumps(self._provider.event(self._meta, code)).encode() + b"\n\n"


class CompatibleResponses(CompatibleEndpoint, OpenAIResponses):
    """Responses."""


class CompatibleEmbeddings(CompatibleEndpoint, OpenAIEmbeddings):
    """Embeddings."""


class CompatibleCompletions(CompatibleEndpoint, OpenAICompletions):
    """Completions."""


ENDPOINTS: Mapping[str, Callable[[Provider, str], Dialect]] = {
    "chat/completions": CompatibleChat,
    "responses": CompatibleResponses,
    "embeddings": CompatibleEmbeddings,
    "completions": CompatibleCompletions,
}


def _id(mark: int) -> str:
    return f"{mark:016x}{mark ^ 0x9E3779B97F4A7C15:016x}"
