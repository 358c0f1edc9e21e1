"""The table: real clients, what each does, and what is to be said of it.

The service answers 503 with Retry-After: a second for the first two requests of a polite client, two seconds for every
request of one that hammers; to one that gives up it says nothing about when to come back.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from mockbot.evidence.antipatterns import antipatterns
from mockbot.evidence.records import Attempt, Prompt

Kind = Literal["polite", "hammering", "gives_up"]
KINDS: tuple[Kind, ...] = ("polite", "hammering", "gives_up")
FAULTS: Mapping[Kind, Mapping[str, Any]] = {
    "polite": {"http_error": 503, "retry_after": 1, "times": 2},
    "hammering": {"http_error": 503, "retry_after": 2},
    "gives_up": {"http_error": 503},
}
PROGRAMS = Path(__file__).parent / "programs"


@dataclass(frozen=True, slots=True)
class Client:
    """`needs`: Python packages. `undecided`: the kinds in which nothing tells a retry from a new prompt, as each
    request has words of its own, and a connection of its own or nothing changed but an id.
    """

    name: str
    program: str = "python_clients.py"
    needs: Sequence[str] = ()
    undecided: Sequence[Kind] = ()


CLIENTS: Sequence[Client] = (
    Client("openai_alone", needs=["openai"]),
    Client("openai_loop", needs=["openai"]),
    Client("openai_loop_of_sdk_retries", needs=["openai"]),
    Client("openai_new_client_each_time", needs=["openai"], undecided=["gives_up"]),
    Client("openai_async", needs=["openai"]),
    Client("openai_tenacity", needs=["openai", "tenacity"]),
    Client("openai_backoff", needs=["openai", "backoff"]),
    Client("openai_stamina", needs=["openai", "stamina"]),
    Client("anthropic_alone", needs=["anthropic"]),
    Client("anthropic_loop", needs=["anthropic"]),
    Client("litellm_retries", needs=["litellm"]),
    Client("langchain_with_retry", needs=["langchain-openai"]),
    Client("requests_loop", needs=["requests"], undecided=["gives_up"]),
    Client("requests_adapter", needs=["requests"]),
    Client("urllib3_retry", needs=["urllib3"]),
    Client("httpx_loop", needs=["httpx"]),
    Client("httpx_timestamp", needs=["httpx"], undecided=["gives_up"]),
    Client("httpx_nonce", needs=["httpx"], undecided=["polite", "hammering"]),
    Client("httpx_new_words", needs=["httpx"], undecided=KINDS),
    Client("aiohttp_loop", needs=["aiohttp"]),
    Client("urllib_loop", undecided=["gives_up"]),
    Client("fetch", "fetch.mjs"),
    Client("curl", "curl.sh", undecided=["gives_up"]),
    Client("net_http", "client.go"),
    Client("http_client", "Client.java"),
    Client("url_connection", "Client.java"),
)
RUNTIMES = {".mjs": "node", ".sh": "curl", ".go": "go", ".java": "java"}


def check(client: Client, kind: Kind, journal: Sequence[Attempt | Prompt]) -> None:
    """Assert that the right thing is said of what the client did."""
    patterns = {each.name: each for each in antipatterns((a for a in journal if isinstance(a, Attempt)), 1.0)}
    found = {name for name, each in patterns.items() if each.times}
    unsettled = {name for name, each in patterns.items() if each.unsettled}
    if kind in client.undecided:
        assert found == set()
        assert "never_retries" in unsettled
        return
    assert unsettled == set()
    EXPECTED[kind](found, [line for line in journal if isinstance(line, Prompt)])
    if kind == "polite":
        assert patterns["ignores_retry_after"].undecided == ""  # shown, and not for want of an occasion


def _polite(found: set[str], prompts: Sequence[Prompt]) -> None:
    assert found == set()
    assert [(prompt.attempts, prompt.settled) for prompt in prompts] == [(3, "answered")]


def _hammering(found: set[str], prompts: Sequence[Prompt]) -> None:
    assert found >= {"ignores_retry_after", "retries_without_end"}
    assert "never_retries" not in found
    assert [prompt.settled for prompt in prompts] == ["gave_up"]


def _gives_up(found: set[str], prompts: Sequence[Prompt]) -> None:
    assert found == {"never_retries"}
    assert [prompt.attempts for prompt in prompts] == [1] * 5


EXPECTED: Mapping[Kind, Callable[[set[str], Sequence[Prompt]], None]] = {
    "polite": _polite,
    "hammering": _hammering,
    "gives_up": _gives_up,
}
