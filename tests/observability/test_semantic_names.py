"""The names that mockbot writes out are those of OpenTelemetry's conventions."""

import pytest
from opentelemetry.semconv._incubating.attributes import gen_ai_attributes
from opentelemetry.semconv._incubating.metrics import gen_ai_metrics
from opentelemetry.semconv.attributes import error_attributes, http_attributes, service_attributes

from mockbot.dialects.families import FAMILIES
from mockbot.observability import semantic_names as names

_OPERATIONS = {each.value for each in gen_ai_attributes.GenAiOperationNameValues}
_PROVIDERS = {each.value for each in gen_ai_attributes.GenAiProviderNameValues}


def test_attributes_and_metrics_are_named_as_the_package_names_them() -> None:
    """Name by name, with the conventions' own constants."""
    theirs = {
        names.OPERATION: gen_ai_attributes.GEN_AI_OPERATION_NAME,
        names.PROVIDER: gen_ai_attributes.GEN_AI_PROVIDER_NAME,
        names.MODEL: gen_ai_attributes.GEN_AI_REQUEST_MODEL,
        names.FIRST_CHUNK: gen_ai_attributes.GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK,
        names.OUTPUT_TOKENS: gen_ai_attributes.GEN_AI_USAGE_OUTPUT_TOKENS,
        names.ERROR: error_attributes.ERROR_TYPE,
        names.STATUS: http_attributes.HTTP_RESPONSE_STATUS_CODE,
        names.SERVICE: service_attributes.SERVICE_NAME,
        names.VERSION: service_attributes.SERVICE_VERSION,
        names.CLIENT_DURATION: gen_ai_metrics.GEN_AI_CLIENT_OPERATION_DURATION,
        names.CLIENT_FIRST_CHUNK: gen_ai_metrics.GEN_AI_CLIENT_OPERATION_TIME_TO_FIRST_CHUNK,
        names.SERVER_DURATION: gen_ai_metrics.GEN_AI_SERVER_REQUEST_DURATION,
        names.SERVER_FIRST_TOKEN: gen_ai_metrics.GEN_AI_SERVER_TIME_TO_FIRST_TOKEN,
    }

    assert [ours for ours, their in theirs.items() if ours != their] == []


@pytest.mark.parametrize("dialect", FAMILIES)
def test_a_provider_has_the_name_that_the_conventions_know_or_its_own(dialect: str) -> None:
    """No dialect whose name the conventions spell in another way is left out."""
    name = names.provider_name(dialect)

    known = {each.replace("_", "").rpartition(".")[2] for each in _PROVIDERS}
    assert name in _PROVIDERS or not any(dialect in each or each in dialect for each in known)


@pytest.mark.parametrize(
    ("path", "operation"),
    [
        ("/v1/chat/completions", "chat"),
        ("/v1/completions", "text_completion"),
        ("/v1/responses", "chat"),
        ("/v1/messages", "chat"),
        ("/v1/embeddings", "embeddings"),
        ("/v1beta/models/{model}:generateContent", "generate_content"),
        ("/v1beta/models/{model}:streamGenerateContent", "generate_content"),
        ("/v1beta/models/{model}:embedContent", "embeddings"),
        ("/model/{model}/converse-stream", "chat"),
    ],
)
def test_a_path_tells_the_operation(path: str, operation: str) -> None:
    """One of the conventions'."""
    assert names.operation_of(path) == operation
    assert operation in _OPERATIONS


def test_no_label_of_a_metric_grows_with_the_run() -> None:
    """Neither prompts nor users nor requests have a number in a label."""
    assert not names.LABELS & {names.PROMPT_ID, names.USER, names.ATTEMPT, names.BEGAN, names.TOOK}
