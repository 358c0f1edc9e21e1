"""Errors on the wire: every row of the tables, the edge's pages, and the figures in a refusal."""

import json
from typing import Any

import pytest

from mockbot.dialects.anthropic import error_bodies as anthropic_errors
from mockbot.dialects.anthropic.messages import AnthropicMessages
from mockbot.dialects.dialect import ProviderError
from mockbot.dialects.families import FAMILIES
from mockbot.dialects.openai import error_bodies as openai_errors
from mockbot.dialects.openai.chat import OpenAIChat
from mockbot.dialects.openai.common import duration
from mockbot.service import cdn_error_pages
from mockbot.service.answer_endpoint import error_parts, refusal_of, retry_headers
from mockbot.service.job import Refused
from mockbot.service.limits import Limiter


def openai_body(status: int, code: str | None = None) -> Any:
    """What OpenAI says."""
    return json.loads(OpenAIChat().error(ProviderError(status, code), 1))


@pytest.mark.parametrize("row", openai_errors.ROWS, ids=lambda row: f"{row.status}-{row.code}")
def test_every_row_of_openais_table_has_the_four_fields(row: openai_errors.Row) -> None:
    """message, type, param and code, as the specification demands."""
    error = openai_body(row.status, None if row.code is None else str(row.code))["error"]

    assert list(error) == ["message", "type", "param", "code"]
    assert (error["message"], error["type"]) == (row.message, row.type)


@pytest.mark.parametrize(
    ("status", "code", "kind", "wire_code"),
    [
        (400, None, "invalid_request_error", None),
        (401, None, "invalid_request_error", "invalid_api_key"),
        (404, None, "invalid_request_error", "model_not_found"),
        (429, None, "requests", "rate_limit_exceeded"),
        (429, "slow_down", "rate_limit_error", "slow_down"),
        (429, "insufficient_quota", "insufficient_quota", "insufficient_quota"),
        (500, None, "server_error", None),
        (502, None, "cf_bad_gateway", 502),
        (503, None, "service_unavailable_error", "server_is_overloaded"),
        (503, "engine_overloaded", "server_error", None),
        (503, "cf_service_unavailable", "cf_service_unavailable", 503),
        (599, None, "server_error", None),
        (429, "my_own_code", "requests", "my_own_code"),
    ],
)
def test_openais_types_and_codes(status: int, code: str | None, kind: str, wire_code: object) -> None:
    """Integer codes where the captures have them, and an unknown code carried through."""
    error = openai_body(status, code)["error"]

    assert (error["type"], error["code"]) == (kind, wire_code)


def test_the_load_shedding_of_2023_has_no_error_object() -> None:
    """`{"status": "come back later"}`."""
    assert openai_body(429, "come_back_later") == {"status": "come back later"}


@pytest.mark.parametrize("row", anthropic_errors.ROWS, ids=lambda row: str(row.status))
def test_every_row_of_anthropics_table(row: anthropic_errors.Row) -> None:
    """type, error and request id."""
    body = json.loads(AnthropicMessages().error(ProviderError(row.status), 1))

    assert body["type"] == "error"
    assert body["error"] == {"type": row.type, "message": row.message}
    assert body["request_id"].startswith("req_")


@pytest.mark.parametrize(
    ("status", "words"),
    [(502, "Bad gateway"), (520, "unknown error"), (522, "timed out"), (524, "timeout"), (530, "unregistered")],
)
def test_the_edges_pages(status: int, words: str) -> None:
    """Cloudflare's title with the host, and its headers."""
    headers, body = error_parts(OpenAIChat(), ProviderError(status, html=True), 7, 1.0, "api.example.com")

    page = body.decode()
    assert f"<title>api.example.com | {status}: " in page
    assert words in page
    assert dict(headers)[b"content-type"].startswith(b"text/html")
    assert dict(headers)[b"server"] == b"cloudflare"
    assert dict(headers)[b"cf-ray"]


def test_a_host_header_cannot_write_into_the_page() -> None:
    """What a client sends is escaped."""
    assert b"<script>" not in cdn_error_pages.page(502, "<script>alert(1)</script>", 1)


def test_a_refusal_carries_the_true_figures() -> None:
    """OpenAI's own sentence with limit, used, requested and the wait in wall time; the same in the headers."""
    limiter = Limiter(30_000 / 60, "tokens")
    limiter.take("key", 0.0, 18_928)
    over = limiter.take("key", 0.0, 11_159)

    error = refusal_of(OpenAIChat(), Refused("token_limited", over.wait, (over,)), "gpt-4.1", 1.0)
    headers, body = error_parts(OpenAIChat(), error, 1, 1.0, "api")

    assert json.loads(body)["error"]["message"].startswith(
        "Rate limit reached for gpt-4.1 in organization org-mockbot on tokens per min (TPM): "
        "Limit 30000, Used 18928, Requested 11159. Please try again in 174ms."
    )
    assert dict(headers)[b"x-ratelimit-remaining-tokens"] == b"11072"
    assert dict(headers)[b"retry-after"] == b"1"


def test_what_can_never_fit_is_told_so_without_a_wait() -> None:
    """Request too large: no Retry-After."""
    over = Limiter(30_000 / 60, "tokens").take("key", 0.0, 30_601)

    error = refusal_of(OpenAIChat(), Refused("too_large", None, (over,)), "gpt-4o", 1.0)
    headers, body = error_parts(OpenAIChat(), error, 1, 1.0, "api")

    assert (
        "Limit 30000, Requested 30601. The input or output tokens must be reduced"
        in json.loads(body)["error"]["message"]
    )
    assert b"retry-after" not in dict(headers)


@pytest.mark.parametrize(
    ("wait", "speed", "told"),
    [
        (None, 1.0, {}),
        (0.2, 1.0, {b"retry-after": b"1"}),
        (30.0, 1.0, {b"retry-after": b"30"}),
        (30.0, 20.0, {b"retry-after": b"2", b"retry-after-ms": b"1500"}),
        (0.001, 20.0, {b"retry-after": b"1", b"retry-after-ms": b"1"}),
    ],
)
def test_retry_after_is_wall_time(wait: float | None, speed: float, told: dict[bytes, bytes]) -> None:
    """Whole seconds rounded up, at least 1; milliseconds beside it when time is compressed."""
    assert dict(retry_headers(wait, speed)) == told


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.012, b"12ms"), (1.5, b"1.5s"), (172.8, b"2m52.8s"), (360, b"6m0s"), (3600, b"1h0m0s"), (0, b"0ms")],
)
def test_resets_are_written_as_openai_writes_them(seconds: float, text: bytes) -> None:
    """Durations, not timestamps."""
    assert duration(seconds) == text


@pytest.mark.parametrize("family", FAMILIES)
def test_capacity_and_limits_are_refused_in_each_familys_way(family: str) -> None:
    """Limits are 429 everywhere; a lack of capacity is 503 at one and 529 at the other."""
    dialect = FAMILIES[family].dialects[0]

    assert dialect.refusal("rate_limited", 1.0).status == 429
    assert dialect.refusal("queue_full", None).status == {"openai": 503, "anthropic": 529}[family]
