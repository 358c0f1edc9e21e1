"""One HTTP request and its answer, from the first header to the last event: a plain ASGI endpoint per dialect.

The order of things: who asks, faults at the edge (before the body is read), the body, limits and capacity, then the
answer in its dialect (delivery.py). What is refused is answered as cheaply as possible: nothing of its body is even
read at the edge.
"""

import asyncio
import math
import time
from collections.abc import Callable
from functools import lru_cache

from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from mockbot.dialects.dialect import AnswerMetadata, Dialect, Header, ProviderError
from mockbot.service import cdn_error_pages
from mockbot.service.answer_text import fingerprint
from mockbot.service.chatbot import Caller, Wish
from mockbot.service.delivery import JSON, Delivery
from mockbot.service.fault_board import Failed
from mockbot.service.job import Refused
from mockbot.service.prometheus_counters import Outcome
from mockbot.service.provider_runtime import ProviderRuntime
from mockbot.service.schema_sample import prescribed_content

LARGEST_BODY = 8 * 2**20  # bytes
SLOWEST_BODY = 60.0  # wall seconds for a whole request body

_HTML = (b"content-type", b"text/html; charset=UTF-8")

Reset = Callable[[Scope], None]


def caller_of(headers: dict[bytes, bytes], scope: Scope) -> Caller:
    """Who asks: `Bearer sk-<tier>-<user>` (or x-api-key); of tier "free" with any other key, or none.

    Whoever sends no key is known by its address. ProviderError(401) for an Authorization header that is no Bearer key.
    """
    given = headers.get(b"x-api-key")
    if given is not None:
        return _caller(b"Bearer " + given)
    given = headers.get(b"authorization")
    if given is not None:
        return _caller(given)
    client = scope.get("client")
    return Caller(client[0] if client else "")


@lru_cache(maxsize=10_000)
def _caller(authorization: bytes) -> Caller:
    scheme, _, key = authorization.partition(b" ")
    if scheme.lower() != b"bearer" or not key.strip():
        raise ProviderError(401, "invalid_api_key")
    text = key.strip().decode("latin-1")
    parts = text.split("-", 2)
    return Caller(text, parts[1] if len(parts) == 3 and parts[0] == "sk" and parts[1] else "free")


async def read_body(first: Message, receive: Receive, most: int = LARGEST_BODY) -> bytes:
    """The whole body, of which `first` is the beginning; ProviderError(413) when it is too large, (408) when the
    client has gone or trickles it.
    """
    try:
        async with asyncio.timeout(SLOWEST_BODY):
            return await _rest_of_body(first.get("body", b""), first["type"], receive, most)
    except TimeoutError:
        raise ProviderError(408) from None


async def _rest_of_body(first: bytes, kind: str, receive: Receive, most: int) -> bytes:
    body, more = bytearray(first), kind == "http.request"
    while more and kind == "http.request":
        if len(body) > most:
            raise ProviderError(413)
        message = await receive()
        kind, more = message["type"], message.get("more_body", False)
        body += message.get("body", b"")
    if kind != "http.request":
        raise ProviderError(408)
    if len(body) > most:
        raise ProviderError(413)
    return bytes(body)


def retry_headers(retry_after: float | None, speed: float) -> list[Header]:
    """Retry-After in whole wall seconds, and its milliseconds when time is compressed."""
    if retry_after is None:
        return []
    wall = retry_after / speed
    whole = [(b"retry-after", b"%d" % max(1, math.ceil(wall - 1e-9)))]
    return whole if speed == 1 else [*whole, (b"retry-after-ms", b"%d" % max(1, math.ceil(wall * 1000)))]


class Endpoint:
    """`POST` of one dialect at one provider."""

    def __init__(self, runtime: ProviderRuntime, dialect: Dialect, seed: int, reset: Reset) -> None:
        self._runtime, self._dialect, self._seed, self._reset = runtime, dialect, seed, reset
        self._unread = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        visit = _Visit(dict(scope["headers"]))
        try:
            visit.caller = caller_of(visit.headers, scope)
            visit.delivery = delivery = await self._let_in(visit, receive, send)
            await (delivery.streamed() if delivery.meta.question.stream else delivery.whole())
        except ProviderError as error:
            visit.error = error.status
            mark, speed = visit.mark or self._next_mark(), self._runtime.clock.speed
            headers, body = error_parts(self._dialect, error, mark, speed, _host(visit.headers))
            await self._runtime.writer.respond(send, error.status, headers, body)
        except ConnectionAbortedError:
            self._reset(scope)
        self._settle(visit)

    async def _let_in(self, visit: "_Visit", receive: Receive, send: Send) -> Delivery:
        runtime, dialect, caller = self._runtime, self._dialect, visit.caller
        failed = runtime.edge(caller, dialect.path)
        if failed is not None:
            visit.failed, visit.retry = True, runtime.counters.is_retry(visit.headers, 0, caller.key)
            raise failure_of(failed)
        message = await receive()
        if message["type"] == "http.request" and not message["more_body"] and len(message["body"]) <= LARGEST_BODY:
            body = message["body"]
        else:
            body = await read_body(message, receive)
        mark = visit.mark = fingerprint(self._seed, visit.headers.get(b"x-mockbot-prompt", b""), body)
        visit.retry = runtime.counters.is_retry(visit.headers, mark, caller.key)
        question = dialect.read(body)
        content = prescribed_content(question, mark)
        wish = Wish(question.max_tokens, None if content is None else len(content), question.prompt_tokens)
        outcome = runtime.admit(caller, dialect.path, mark, wish)
        if isinstance(outcome, Refused):
            raise turned_away(dialect, outcome, question.model, runtime.clock.speed)
        meta = AnswerMetadata(question, mark, int(time.time()), outcome.tokens, outcome.cut_short)
        return Delivery(runtime, dialect, outcome, meta, content, receive, send, visit.started)

    def _next_mark(self) -> int:
        """What stands for a request whose body was not read."""
        self._unread += 1
        return fingerprint(self._seed, self._dialect.path.encode(), str(self._unread).encode())

    def _settle(self, visit: "_Visit") -> None:
        counters, caller, outcome = self._runtime.counters, visit.caller, visit.outcome
        counters.settle(self._dialect.path, visit.status, caller.tier, outcome, visit.mark, caller.key, visit.retry)
        if outcome == "finished" and visit.delivery is not None:
            meta, whole = visit.delivery.meta, time.perf_counter() - visit.started
            counters.answered(meta.question.prompt_tokens, meta.tokens, visit.delivery.first, whole)


class _Visit:
    """What is known of a request, from its first header to its end."""

    __slots__ = ("caller", "delivery", "error", "failed", "headers", "mark", "retry", "started")

    def __init__(self, headers: dict[bytes, bytes]) -> None:
        self.headers = headers
        self.started = time.perf_counter()
        self.caller = Caller("")
        self.mark, self.retry, self.failed = 0, False, False
        self.error: int | None = None
        self.delivery: Delivery | None = None

    @property
    def outcome(self) -> Outcome:
        """What became of it."""
        if self.delivery is not None and (self.error is None or self.delivery.outcome == "flawed"):
            return self.delivery.outcome
        return "failed" if self.failed else "refused"

    @property
    def status(self) -> int:
        """What was answered; 0: nothing."""
        if self.error is not None:
            return self.error
        return 200 if self.delivery is not None and self.delivery.opened else 0


def _host(headers: dict[bytes, bytes]) -> str:
    return headers.get(b"host", b"api").decode("latin-1")


def turned_away(dialect: Dialect, refused: Refused, model: str, speed: float) -> ProviderError:
    """A refusal in the provider's words, with the figures of its limits."""
    error = dialect.refusal(refused.reason, refused.retry_after)
    error.allowances, error.model, error.speed = refused.allowances, model, speed
    return error


def failure_of(failed: Failed) -> ProviderError:
    """A fault's answer in neutral words."""
    return ProviderError(failed.status, failed.code, retry_after=failed.retry_after, html=failed.html)


def error_parts(
    dialect: Dialect, error: ProviderError, mark: int, speed: float, host: str
) -> tuple[list[Header], bytes]:
    """Headers and body of an error as its provider, or the edge in front of it, sends it."""
    if error.html:
        body = cdn_error_pages.page(error.status, host, mark)
        headers = [_HTML, *cdn_error_pages.headers(mark)]
    else:
        body = dialect.error(error, mark)
        headers = [JSON, *dialect.headers(mark, 0, error.allowances, speed), *dialect.error_headers(error.status)]
    return headers + retry_headers(error.retry_after, speed), body


def error_response(dialect: Dialect, error: ProviderError, mark: int, speed: float, host: str) -> Response:
    """The same for Starlette."""
    headers, body = error_parts(dialect, error, mark, speed, host)
    response = Response(body, error.status)
    response.raw_headers += headers
    return response
