"""The names of spans, attributes and metrics: OpenTelemetry's conventions for generative AI, and mockbot's own. Pure.

The conventions are written out, because the package that has them calls them experimental and moves them between its
releases; `tests/observability/test_semantic_names.py` compares these with the package. Durations are wall seconds, as
the conventions demand; what is scenario time says so.
"""

OPERATION, PROVIDER, MODEL = "gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.request.model"
FIRST_CHUNK = "gen_ai.response.time_to_first_chunk"
OUTPUT_TOKENS, ERROR, STATUS = "gen_ai.usage.output_tokens", "error.type", "http.response.status_code"
SERVICE, NAMESPACE, INSTANCE, VERSION = (
    "service.name", "service.namespace", "service.instance.id", "service.version",
)  # fmt: skip

CLIENT_DURATION = "gen_ai.client.operation.duration"
CLIENT_FIRST_CHUNK = "gen_ai.client.operation.time_to_first_chunk"
SERVER_DURATION = "gen_ai.server.request.duration"
SERVER_FIRST_TOKEN = "gen_ai.server.time_to_first_token"  # noqa: S105 - a token of an answer
SCENARIO_SECOND = "mockbot.scenario.second"
# Bucket bounds in seconds, which the conventions advise.
DURATIONS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
FIRST_CHUNKS = (0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)

CHAT, GENERATE, COMPLETION, EMBEDDINGS = "chat", "generate_content", "text_completion", "embeddings"
_PROVIDERS = {  # a dialect's name -> the conventions'; others have their own
    "azure": "azure.ai.openai",
    "bedrock": "aws.bedrock",
    "gemini": "gcp.gemini",
    "mistral": "mistral_ai",
    "xai": "x_ai",
}

PROMPT_ID, USER, GROUP, TIER, SETTLED, OUTCOME, ATTEMPT, AT_PROVIDER, REPLICA, PHASE, FAULTS = (
    f"mockbot.{name}"
    for name in (
        "prompt",
        "user",
        "group",
        "tier",
        "settled",
        "outcome",
        "attempt",
        "provider",
        "replica",
        "phase",
        "faults",
    )
)
BEGAN, TOOK = "mockbot.scenario.start", "mockbot.scenario.duration"  # scenario seconds
# All that may be the label of a metric: each has a few values in a run, however long it is.
LABELS = frozenset({OPERATION, PROVIDER, MODEL, ERROR, GROUP, PHASE, AT_PROVIDER})


def provider_name(dialect: str) -> str:
    """What the conventions call a provider that speaks this dialect."""
    return _PROVIDERS.get(dialect, dialect)


def operation_of(path: str) -> str:
    """What a request to this path of a provider asks for."""
    last = path.rstrip("/").rpartition("/")[2].lower()
    if "embed" in last:
        return EMBEDDINGS
    if "generatecontent" in last:
        return GENERATE
    return COMPLETION if last == "completions" and "/chat/" not in path else CHAT
