"""Azure OpenAI's API: OpenAI's endpoints below a deployment and below /openai/v1, with Azure's own errors and headers.

The crowd asks /openai/v1, where the model's name in the body is the deployment's.
Source of the paths: learn.microsoft.com/azure/ai-foundry/openai/reference and .../openai/api-version-lifecycle.
"""

from mockbot.dialects.azure.chat import AzureChat, DeployedChat
from mockbot.dialects.azure.completions import AzureCompletions, DeployedCompletions
from mockbot.dialects.azure.embeddings import AzureEmbeddings, DeployedEmbeddings
from mockbot.dialects.azure.endpoint import API_VERSION
from mockbot.dialects.azure.responses import AzureResponses, DeployedResponses, VersionedResponses
from mockbot.dialects.family import Family, KeyPlace, ModelList
from mockbot.dialects.openai import models as openai_models
from mockbot.dialects.openai.error_bodies import HOPELESS

_USAGE = {"stream_options": {"include_usage": True}}

AZURE = Family(
    name="azure",
    dialects=(
        AzureChat(), AzureResponses(), AzureEmbeddings(), AzureCompletions(),
        DeployedChat(), DeployedResponses(), VersionedResponses(), DeployedEmbeddings(), DeployedCompletions(),
    ),
    ask=lambda question, streamed: {**question, "stream": streamed, **(_USAGE if streamed else {})},
    key_places=(KeyPlace("api-key"), KeyPlace("Authorization", "Bearer")),  # the second: a token of Entra's
    headers={},
    retry_header="x-stainless-retry-count",
    # AZURE_API_*: LiteLLM's names.
    environment=lambda url, key: (
        dict.fromkeys(("AZURE_OPENAI_ENDPOINT", "AZURE_API_BASE"), url)
        | dict.fromkeys(("AZURE_OPENAI_API_KEY", "AZURE_API_KEY"), key)
    ),
    # openai-python's client at module level, `openai.chat...`, refuses to choose when OpenAI's key is there, too.
    unless_set={"OPENAI_API_VERSION": API_VERSION, "AZURE_API_VERSION": API_VERSION, "OPENAI_API_TYPE": "openai"},
    hosts=("*.openai.azure.com", "*.services.ai.azure.com", "*.cognitiveservices.azure.com"),
    models_path="/openai/v1/models",
    models=openai_models.MODELS,
    model_list=openai_models.listed,
    model=openai_models.one,
    further_lists=(ModelList("/openai/models", openai_models.listed, openai_models.one),),
    hopeless=HOPELESS,
)  # fmt: skip
