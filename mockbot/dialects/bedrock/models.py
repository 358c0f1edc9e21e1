"""Bedrock's models as its control plane lists them: `GET /foundation-models`, `GET /foundation-models/{id}`.

The control plane is another host (bedrock.REGION.amazonaws.com) with an address of its own, which is the testbed's,
too. docs.aws.amazon.com/bedrock/latest/APIReference/API_ListFoundationModels.html and API_GetFoundationModel.html
"""

import json
from collections.abc import Sequence

MODELS = (
    "anthropic.claude-opus-5-5-v1:0", "anthropic.claude-sonnet-5-5-v1:0", "anthropic.claude-haiku-5-5-v1:0",
    "amazon.titan-embed-text-v2:0", "cohere.embed-english-v3", "mockbot",
)  # fmt: skip


def listed(names: Sequence[str]) -> bytes:
    """The list of these models."""
    return json.dumps({"modelSummaries": [_summary(name) for name in names]}).encode()


def one(model: str) -> bytes:
    """One model."""
    return json.dumps({"modelDetails": _summary(model)}).encode()


def _summary(name: str) -> dict[str, object]:
    embeds = "embed" in name
    return {
        "modelArn": f"arn:aws:bedrock:us-east-1::foundation-model/{name}",
        "modelId": name,
        "modelName": name,
        "providerName": name.partition(".")[0].capitalize(),
        "inputModalities": ["TEXT"],
        "outputModalities": ["EMBEDDING" if embeds else "TEXT"],
        "responseStreamingSupported": not embeds,
        "inferenceTypesSupported": ["ON_DEMAND"],
        "modelLifecycle": {"status": "ACTIVE"},
    }
