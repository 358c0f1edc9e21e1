"""The matrix: which client asks what, of a provider with which fault. A row is a provider of one service."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

SPEED = 5.0  # so that a stream's keep-alives, 5 scenario seconds apart, come well within a client's patience
PATIENCE = 3.0  # wall seconds: every client's timeout, in whatever way it counts
WORDS = 12  # of every answer
KINDS = ("plain", "stream", "tools", "structured")

PROVIDER: Mapping[str, Any] = {
    "answer": {"first_token": "1ms", "tokens": {"median": WORDS, "p95": WORDS}, "pace": "1000/s"},
    "queue": {"max_wait": "5s"},
}
NONE = "none"
FAULTS: Mapping[str, Mapping[str, Any] | None] = {
    NONE: None,
    "http_error 401": {"http_error": 401},
    "http_error 429, insufficient_quota": {"http_error": {"status": 429, "code": "insufficient_quota"}},
    "http_error 500": {"http_error": 500},
    "http_error 502, html": {"http_error": {"status": 502, "body": "html"}},
    "http_error 503": {"http_error": {"status": 503, "retry_after": "5s"}},
    "http_error 529": {"http_error": 529},
    "rate_limited": {"rate_limited": {"retry_after": "5s"}},
    "maintenance": {"maintenance": True},
    "shed free 0%": {"shed": {"admit": {"free": "0%"}}},
    "capacity 0%": {"capacity": "0%"},
    "crash": {"crash": True},
    "slow": {"slow": {"first_token": "2s"}},
    "stall": {"stall": "nothing"},
    "stall after 3 tokens": {"stall": {"sends": "nothing", "after_tokens": 3}},
    "stall keepalive, resumes": {"stall": {"sends": "keepalive", "after_tokens": 3, "resumes": "25s"}},
    "cut reset": {"cut": "reset"},
    "cut closed": {"cut": "closed"},
    "cut clean": {"cut": "clean"},
    "error_event": {"error_event": "server_error"},
    "error_event failed": {"error_event": {"code": "server_error", "shape": "failed"}},
    "malformed_event": {"malformed_event": 3},
    "blank_answer": {"blank_answer": True},
}


@dataclass(frozen=True, slots=True)
class Client:
    """`name`: as its program takes it. `environment`: where .ci/clients installs its packages, if it is in Python."""

    name: str
    title: str
    program: str
    environment: str = "python"


CLIENTS: Sequence[Client] = (
    Client("openai_py", "openai py", "python_clients.py"),
    Client("openai_py_async", "openai py async", "python_clients.py"),
    Client("openai_node", "openai node", "node_clients.mjs"),
    Client("openai_go", "openai go", "go"),
    Client("anthropic_py", "anthropic py", "python_clients.py"),
    Client("anthropic_node", "anthropic node", "node_clients.mjs"),
    Client("vercel_ai", "Vercel AI", "node_clients.mjs"),
    Client("langchain", "langchain", "python_clients.py"),
    Client("litellm", "litellm", "python_clients.py"),
    Client("llama_index", "llama-index", "python_clients.py", "openai_2"),
    Client("instructor", "instructor", "python_clients.py", "openai_2"),
    Client("pydantic_ai", "pydantic-ai", "python_clients.py"),
    Client("java", "Java", "Client.java"),
    Client("net_http", "Go", "go"),
    Client("curl", "curl", "curl.sh"),
    Client("google_genai", "google-genai", "python_clients.py"),
    Client("google_genai_async", "google-genai async", "python_clients.py"),
    Client("google_genai_node", "google-genai node", "node_clients.mjs"),
    Client("azure_py", "Azure py", "python_clients.py"),
    Client("azure_py_async", "Azure py async", "python_clients.py"),
    Client("azure_node", "Azure node", "node_clients.mjs"),
    Client("openrouter_py", "OpenRouter py", "python_clients.py"),
)

SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "degrees": {"type": "integer"}},
    "required": ["city", "degrees"],
    "additionalProperties": False,
}
_ASK = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "What is the weather in Delft?"}]}
_TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": SCHEMA}}
_FORMAT = {"type": "json_schema", "json_schema": {"name": "weather", "strict": True, "schema": SCHEMA}}
BODIES: Mapping[str, Mapping[str, Any]] = {  # of clients that know nothing but HTTP
    "plain": _ASK,
    "stream": {**_ASK, "stream": True},
    "tools": {**_ASK, "tools": [_TOOL], "tool_choice": "required"},
    "structured": {**_ASK, "response_format": _FORMAT},
}

Cell = tuple[str, str]  # kind, fault


def sample(client: Client) -> list[Cell]:
    """One cell of each kind, other faults for each client; all but those that last as long as patience does."""
    quick = [fault for fault in FAULTS if not fault.startswith("stall")]
    place = CLIENTS.index(client)
    first = 4 * place + place // 5  # five clients take all faults, and the next five those beside
    return [(kind, quick[(first + number) % len(quick)]) for number, kind in enumerate(KINDS)]


def every() -> list[Cell]:
    """All cells of a client."""
    return [(kind, fault) for kind in KINDS for fault in FAULTS]
