"""OpenAI's API: chats, responses, embeddings, completions, moderations, models, and the bodies of its errors."""

from mockbot.dialects.family import Family, KeyPlace
from mockbot.dialects.openai import models as openai_models
from mockbot.dialects.openai.chat import OpenAIChat
from mockbot.dialects.openai.completions import OpenAICompletions
from mockbot.dialects.openai.embeddings import OpenAIEmbeddings
from mockbot.dialects.openai.error_bodies import HOPELESS
from mockbot.dialects.openai.moderations import OpenAIModerations
from mockbot.dialects.openai.responses import OpenAIResponses

_USAGE = {"stream_options": {"include_usage": True}}

OPENAI = Family(
    name="openai",
    dialects=(OpenAIChat(), OpenAIResponses(), OpenAIEmbeddings(), OpenAICompletions(), OpenAIModerations()),
    ask=lambda question, streamed: {**question, "stream": streamed, **(_USAGE if streamed else {})},
    key_places=(KeyPlace("Authorization", "Bearer"),),
    headers={},
    retry_header="x-stainless-retry-count",
    # OPENAI_API_BASE is the name of openai-python before 1.0, which frameworks still read.
    environment=lambda url, key: (
        dict.fromkeys(("OPENAI_BASE_URL", "OPENAI_API_BASE"), f"{url}/v1") | {"OPENAI_API_KEY": key}
    ),
    hosts=("api.openai.com",),
    models_path="/v1/models",
    models=openai_models.MODELS,
    model_list=openai_models.listed,
    model=openai_models.one,
    hopeless=HOPELESS,
)
