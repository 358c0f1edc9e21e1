"""Errors and refusals on the wire: every row of the tables, and each family's status."""

import json
from typing import Any

import pytest

from mockbot.dialects.anthropic import error_bodies as anthropic_errors
from mockbot.dialects.anthropic.messages import AnthropicMessages
from mockbot.dialects.dialect import ProviderError
from mockbot.dialects.families import FAMILIES
from mockbot.dialects.openai import error_bodies as openai_errors
from mockbot.dialects.openai.chat import OpenAIChat
from mockbot.dialects.openai.endpoint import duration


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
    ("seconds", "text"),
    [(0.012, b"12ms"), (1.5, b"1.5s"), (172.8, b"2m52.8s"), (360, b"6m0s"), (3600, b"1h0m0s"), (0, b"0ms")],
)
def test_resets_are_written_as_openai_writes_them(seconds: float, text: bytes) -> None:
    """Durations, not timestamps."""
    assert duration(seconds) == text


@pytest.mark.parametrize("family", FAMILIES)
def test_capacity_and_limits_are_refused_in_each_familys_way(family: str) -> None:
    """Limits are 429 everywhere; a lack of capacity is 503 at one and 529 at the other."""
    dialect = FAMILIES[family].chat

    assert dialect.refusal("rate_limited", 1.0).status == 429
    assert dialect.refusal("queue_full", None).status == {"openai": 503, "anthropic": 529, "bedrock": 503}[family]
