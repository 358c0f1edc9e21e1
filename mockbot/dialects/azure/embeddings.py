"""Azure embeddings: `POST /openai/v1/embeddings` and below a deployment."""

from mockbot.dialects.azure.endpoint import AzureEndpoint, Deployed, without_model
from mockbot.dialects.openai.embeddings import OpenAIEmbeddings
from mockbot.dialects.openai.openai_parameters import EMBEDDINGS
from mockbot.dialects.parameter import Table, reported

_PARAMETERS: Table = {**EMBEDDINGS, "input_type": reported("one vector for each text")}


class AzureEmbeddings(AzureEndpoint, OpenAIEmbeddings):
    """Embeddings, whose model is a deployment's name."""

    path = "/openai/v1/embeddings"
    operation = "Embeddings_Create"
    parameters = _PARAMETERS


class DeployedEmbeddings(Deployed, AzureEmbeddings):
    """Embeddings of a deployment."""

    path = "/openai/deployments/{model}/embeddings"
    schema = without_model(OpenAIEmbeddings.schema)
