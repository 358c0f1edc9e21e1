"""A seeded service repeats itself: words, lengths, ids and luck, in another process too."""

import json
import re
from typing import Any

import httpx
import pytest

from mockbot.faults.http_error import HttpError
from tests.service.conftest import Serve, body

pytestmark = pytest.mark.live

ANSWER = {"first_token": "0s", "tokens": {"median": 20, "p95": 60}, "pace": "100000/s"}
SCHEMA = {"type": "json_schema", "json_schema": {"name": "n", "schema": {"properties": {"a": {"type": "integer"}}}}}


def essence(text: str) -> str:
    """Ids and words; not the date, nor how many words happened to share an event."""
    ids = sorted(set(re.findall(r'"id":"([^"]*)"', text)))
    return " ".join(ids) + "".join(re.findall(r'"(?:content|message)":"((?:[^"\\\\]|\\\\.)*)"', text))


def run(serve: Serve) -> list[tuple[int, str, str]]:
    """Twenty requests, plain, streamed and structured, half of them failed by chance: what came back, but for the
    date.
    """
    served = serve(answer=ANSWER)
    served.break_with(HttpError.model_validate({"http_error": 500, "share": "50%"}))
    seen = []
    for n in range(20):
        more: dict[str, Any] = {"stream": n % 2 == 0} | ({"response_format": SCHEMA} if n % 3 == 0 else {})
        response = httpx.post(
            f"{served.main}/v1/chat/completions", content=body(**more), headers={"x-mockbot-prompt": str(n)}
        )
        seen.append((response.status_code, response.headers["x-request-id"], essence(response.text)))
    return seen


@pytest.mark.second
def test_two_processes_with_one_seed_say_the_same(serve: Serve) -> None:
    """Status by status, id by id, word by word."""
    first, second = run(serve), run(serve)

    assert first == second
    assert {status for status, _, _ in first} == {200, 500}
    assert len({request for _, request, _ in first}) == 20


def test_a_retry_gets_the_answer_that_the_first_try_would_have_had(serve: Serve) -> None:
    """The same prompt, the same words; another prompt, others."""
    served = serve(answer=ANSWER)

    def said(prompt: str) -> str:
        response = httpx.post(
            f"{served.main}/v1/chat/completions", content=body(), headers={"x-mockbot-prompt": prompt}
        )
        return str(json.loads(response.text)["choices"][0]["message"]["content"])

    assert said("p1") == said("p1") != said("p2")
