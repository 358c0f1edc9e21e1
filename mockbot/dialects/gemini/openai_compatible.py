"""Gemini's OpenAI-compatible endpoints (ai.google.dev/gemini-api/docs/openai): OpenAI's bodies, and Google's errors.

An error is in an array: github.com/Alishahryar1/free-claude-code/issues/542.
"""

from mockbot.dialects.dialect import Allowance, Header, Json, ProviderError, Question, Reason
from mockbot.dialects.gemini import error_bodies as gemini_errors
from mockbot.dialects.gemini.generate_content import GenerateContent
from mockbot.dialects.openai.chat import OpenAIChat
from mockbot.dialects.openai.embeddings import OpenAIEmbeddings
from mockbot.dialects.openai.endpoint import OpenAIEndpoint
from mockbot.dialects.openai.openai_parameters import CHAT
from mockbot.dialects.parameter import Table, reported

_GEMINI = GenerateContent()
_CHAT: Table = {**CHAT, "extra_body": reported("use generateContent")}


class _Compatible(OpenAIEndpoint):
    """The headers and errors of both."""

    def question(self, data: Json, model: str) -> Question:
        return super().question(data, model.removeprefix("models/"))

    def unknown_model(self, model: str) -> ProviderError:
        return _GEMINI.unknown_model(model)

    def headers(self, mark: int, millis: int, allowances: tuple[Allowance, ...], speed: float) -> list[Header]:
        return _GEMINI.headers(mark, millis, allowances, speed)

    def refusal(self, reason: Reason, retry_after: float | None) -> ProviderError:
        return _GEMINI.refusal(reason, retry_after)

    def error(self, error: ProviderError, mark: int) -> bytes:  # noqa: ARG002 - it has no id
        return gemini_errors.written(gemini_errors.body(error), array=True)


class CompatibleChat(_Compatible, OpenAIChat):
    """Chat completions, at Gemini."""

    path = "/v1beta/openai/chat/completions"
    parameters = _CHAT


class CompatibleEmbeddings(_Compatible, OpenAIEmbeddings):
    """Embeddings as OpenAI has them, at Gemini."""

    path = "/v1beta/openai/embeddings"
