"""Google's Gemini API and its endpoints at Vertex AI: contents, counts of tokens, embeddings, models, and errors."""

from typing import Any

from mockbot.dialects.dialect import Body
from mockbot.dialects.family import Family, KeyPlace, ModelList
from mockbot.dialects.gemini import models as gemini_models
from mockbot.dialects.gemini.count_tokens import CountTokens
from mockbot.dialects.gemini.embeddings import BatchEmbedContents, EmbedContent, Predict
from mockbot.dialects.gemini.generate_content import GenerateContent, StreamGenerateContent
from mockbot.dialects.gemini.openai_compatible import CompatibleChat, CompatibleEmbeddings
from mockbot.dialects.gemini.vertex import (
    VertexCountTokens,
    VertexEmbedContent,
    VertexGenerateContent,
    VertexStreamGenerateContent,
)

_CONFIG = {
    "max_tokens": "maxOutputTokens", "max_completion_tokens": "maxOutputTokens", "temperature": "temperature",
    "top_p": "topP", "n": "candidateCount", "seed": "seed",
}  # fmt: skip


def _ask(question: Body, streamed: bool) -> Body:  # noqa: ARG001 - the path says it
    """Messages as contents; a system's message is an instruction. What OpenAI does not have passes as it is."""
    contents, instructions = [], []
    for message in question["messages"]:
        parts = _parts(message.get("content"))
        if message["role"] in ("system", "developer"):
            instructions += parts
        else:
            contents.append({"role": "model" if message["role"] == "assistant" else "user", "parts": parts})
    config = {_CONFIG[name]: value for name, value in question.items() if name in _CONFIG}
    if stop := question.get("stop"):
        config["stopSequences"] = [stop] if isinstance(stop, str) else stop
    rest = {name: value for name, value in question.items() if name not in {*_CONFIG, "model", "messages", "stop"}}
    asked: Body = {"contents": contents, **rest}
    if instructions:
        asked["systemInstruction"] = {"parts": instructions}
    return asked | ({"generationConfig": config} if config else {})


def _parts(content: Any) -> list[Body]:
    texts = [part.get("text") or "" for part in content] if isinstance(content, list) else [content]
    return [{"text": text} for text in texts]


GEMINI = Family(
    name="gemini",
    dialects=(
        GenerateContent(), StreamGenerateContent(), CountTokens(), EmbedContent(), BatchEmbedContents(),
        VertexGenerateContent(), VertexStreamGenerateContent(), VertexCountTokens(), VertexEmbedContent(), Predict(),
        CompatibleChat(), CompatibleEmbeddings(),
    ),
    ask=_ask,
    key_places=(KeyPlace("x-goog-api-key"), KeyPlace("key", in_query=True), KeyPlace("Authorization", "Bearer")),
    headers={},
    retry_header="",  # Google's SDKs send no number of a retry
    # google-genai prefers GOOGLE_API_KEY (google/genai/_api_client.py, get_env_api_key): a real one must not be sent.
    environment=lambda url, key: (
        dict.fromkeys(("GOOGLE_GEMINI_BASE_URL", "GOOGLE_VERTEX_BASE_URL"), url)
        | dict.fromkeys(("GEMINI_API_KEY", "GOOGLE_API_KEY"), key)
    ),
    # Vertex AI's regions have hosts of their own, such as the last one.
    hosts=(
        "generativelanguage.googleapis.com", "aiplatform.googleapis.com", "us-central1-aiplatform.googleapis.com",
    ),
    models_path="/v1beta/models",
    models=gemini_models.MODELS,
    model_list=gemini_models.listed,
    model=gemini_models.one,
    ask_path=lambda question, streamed: (
        f"/v1beta/models/{question['model']}:{'streamGenerateContent?alt=sse' if streamed else 'generateContent'}"
    ),
    further_lists=(
        ModelList("/v1/models", gemini_models.listed, gemini_models.one),
        ModelList("/v1beta1/publishers/google/models", gemini_models.listed_at_vertex, gemini_models.one_at_vertex),
        ModelList("/v1beta/openai/models", gemini_models.listed_as_openai, gemini_models.one_as_openai),
    ),
)  # fmt: skip
