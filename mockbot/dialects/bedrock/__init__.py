"""Amazon Bedrock's API: Converse, InvokeModel for Anthropic's bodies and embeddings, and the list of models.

Requests are signed (SigV4) or carry a bearer token; mockbot checks neither. In a signed one the access key id is the
API key: `AWS4-HMAC-SHA256 Credential=ID/date/region/bedrock/aws4_request, ...` (docs.aws.amazon.com/IAM/latest/
UserGuide/reference_sigv-signing-elements.html). Variables: docs.aws.amazon.com/sdkref/latest/guide/
feature-ss-endpoints.html; AWS_BEARER_TOKEN_BEDROCK: bedrock/latest/userguide/api-keys-use.html;
ANTHROPIC_BEDROCK_BASE_URL: anthropic-sdk-python, lib/bedrock/_client.py.
"""

from collections.abc import Mapping
from urllib.parse import quote

from mockbot.dialects.bedrock import models as bedrock_models
from mockbot.dialects.bedrock.converse import Converse, ConverseStream
from mockbot.dialects.bedrock.invoke import InvokeModel, InvokeModelWithResponseStream
from mockbot.dialects.dialect import Body
from mockbot.dialects.family import Family, KeyPlace

REGION = "us-east-1"
_REGIONS = (
    REGION, "us-east-2", "us-west-2", "ca-central-1", "sa-east-1", "eu-central-1", "eu-north-1", "eu-west-1",
    "eu-west-2", "eu-west-3", "ap-northeast-1", "ap-northeast-2", "ap-south-1", "ap-southeast-1", "ap-southeast-2",
)  # fmt: skip


def _ask(question: Body, streamed: bool) -> Body:  # noqa: ARG001 - the path says whether it is
    def blocks(content: str | list[Body]) -> list[Body]:
        texts = [content] if isinstance(content, str) else [str(part.get("text", "")) for part in content]
        return [{"text": text} for text in texts]

    messages = [each for each in question["messages"] if each["role"] != "system"]
    asked: Body = {"messages": [{"role": each["role"], "content": blocks(each["content"])} for each in messages]}
    if system := [each for each in question["messages"] if each["role"] == "system"]:
        asked["system"] = [block for each in system for block in blocks(each["content"])]
    named = {"max_tokens": "maxTokens", "temperature": "temperature", "top_p": "topP"}
    if config := {name: question[given] for given, name in named.items() if given in question}:
        asked["inferenceConfig"] = config
    return asked


def _path(question: Body, streamed: bool) -> str:
    return f"/model/{quote(question['model'], safe='')}/{'converse-stream' if streamed else 'converse'}"


def _environment(url: str, key: str) -> Mapping[str, str]:
    """Made-up credentials, too: a program's own must not be sent.

    No AWS_BEARER_TOKEN_BEDROCK: botocore sends a bearer token by HTTPS only.
    """
    return {
        "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": url,
        "AWS_ENDPOINT_URL_BEDROCK": url,
        "ANTHROPIC_BEDROCK_BASE_URL": url,
        "AWS_ACCESS_KEY_ID": key,
        "AWS_SECRET_ACCESS_KEY": "mockbot",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
    }


BEDROCK = Family(
    name="bedrock",
    dialects=(Converse(), ConverseStream(), InvokeModel(), InvokeModelWithResponseStream()),
    ask=_ask,
    ask_path=_path,
    key_places=(
        KeyPlace("Authorization", "Bearer"),
        KeyPlace("Authorization", "AWS4-HMAC-SHA256", within="Credential=([^/,]+)"),
    ),
    headers={},
    retry_header="x-stainless-retry-count",  # of AnthropicBedrock; boto3's amz-sdk-request counts in words
    environment=_environment,
    hosts=tuple(f"{plane}.{region}.amazonaws.com" for region in _REGIONS for plane in ("bedrock-runtime", "bedrock")),
    models_path="/foundation-models",
    models=bedrock_models.MODELS,
    model_list=bedrock_models.listed,
    model=bedrock_models.one,
)
