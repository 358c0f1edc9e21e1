"""Errors as the service sends them: the CDN's pages, the figures in a refusal, and Retry-After."""

import json

import pytest

from mockbot.dialects.dialect import AnswerMetadata, ProviderError, Question
from mockbot.dialects.openai.chat import OpenAIChat
from mockbot.dialects.retry_after import retry_headers, wait_in
from mockbot.service import cdn_error_pages
from mockbot.service.answer_endpoint import error_parts, refusal_of
from mockbot.service.job import Refused
from mockbot.service.limits import Limiter
from mockbot.units.quantities import WaitForm


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


def asked(model: str) -> AnswerMetadata:
    """A request to this model."""
    return AnswerMetadata(Question(model), 1, 0, 0)


def test_a_refusal_carries_the_true_figures() -> None:
    """OpenAI's own sentence with limit, used, requested and the wait in wall time; the same in the headers."""
    limiter = Limiter(30_000 / 60, "tokens")
    limiter.take("key", 0.0, 18_928)
    over = limiter.take("key", 0.0, 11_159)

    error = refusal_of(
        OpenAIChat(), Refused("token_limited", over.wait, (over,)), AnswerMetadata(Question("gpt-4.1"), 1, 0, 0), 1.0
    )
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

    error = refusal_of(
        OpenAIChat(), Refused("too_large", None, (over,)), AnswerMetadata(Question("gpt-4o"), 1, 0, 0), 1.0
    )
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
    assert dict(retry_headers(wait, speed, "seconds", 0.0)) == told


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ("date", {b"retry-after": b"Fri, 08 Nov 2024 16:06:03 GMT"}),  # whole seconds, rounded up
        ("ms", {b"retry-after-ms": b"1500"}),
    ],
)
def test_a_wait_may_be_a_date_or_milliseconds_alone(form: WaitForm, told: dict[bytes, bytes]) -> None:
    """RFC 9110 section 10.2.3, and Azure. What was written is read back."""
    now = 1731081961.0

    sent = retry_headers(30.0, 20.0, form, now)
    waits = wait_in({name.decode(): value.decode() for name, value in sent}.get, now)

    assert dict(sent) == told
    assert waits == (2.0 if form == "date" else 1.5)
