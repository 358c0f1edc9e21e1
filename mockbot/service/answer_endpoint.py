"""One HTTP request and its answer, from the first header to the last event: a plain ASGI endpoint per dialect.

The order: the caller, faults at the edge (before the body is read), the body, limits and capacity, then the answer in
its dialect (delivery.py). A refusal has to be cheap, so a fault at the edge answers without the body.
"""

import time
from collections.abc import Callable
from functools import lru_cache
from typing import Literal

from starlette.types import Receive, Scope, Send

from mockbot.dialects.client_identity import PROMPT, tier_of
from mockbot.dialects.dialect import (
    AnswerMetadata,
    Dialect,
    Header,
    ModelInPath,
    ProviderError,
    RefusesInStream,
)
from mockbot.dialects.families import key_of
from mockbot.dialects.retry_after import retry_headers
from mockbot.process.event_loop import in_turns
from mockbot.service import cdn_error_pages
from mockbot.service.active_faults import Failed
from mockbot.service.answer_content import composed
from mockbot.service.answer_text import fingerprint
from mockbot.service.chatbot import Caller, TokenCounts
from mockbot.service.content_encoding import unpacked
from mockbot.service.cross_origin import readable
from mockbot.service.delivery import JSON, CutOffError, Delivery
from mockbot.service.job import Refused
from mockbot.service.prometheus_counters import Outcome
from mockbot.service.provider_runtime import ProviderRuntime
from mockbot.service.stored_delivery import StoredDelivery

_PROMPT = PROMPT.encode()
_HTML = (b"content-type", b"text/html; charset=UTF-8")

HangUp = Callable[[Scope, Literal["reset", "closed"]], None]  # end the connection of a request
CUT = "mockbot.cut"  # in the scope: how the connection of the request was ended


def caller_of(headers: dict[bytes, bytes], scope: Scope) -> Caller:
    """The client by its API key, else by its address. ProviderError(401) for a key that cannot be used."""
    key = key_of(headers, scope.get("query_string", b""))
    if key is not None:
        return _caller(key)
    client = scope.get("client")
    return Caller(client[0] if client else "")


@lru_cache(maxsize=10_000)
def _caller(key: str) -> Caller:
    return Caller(key, tier_of(key))


class Endpoint:
    """`POST` of one dialect at one provider."""

    def __init__(self, runtime: ProviderRuntime, dialect: Dialect, seed: int, hang_up: HangUp) -> None:
        self._runtime, self._dialect, self._seed, self._hang_up = runtime, dialect, seed, hang_up
        self._model_in_path = dialect if isinstance(dialect, ModelInPath) else None
        self._unread = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        state, runtime = RequestState(dict(scope["headers"])), self._runtime
        if b"origin" in state.headers:
            send = readable(send)
        try:
            state.caller = self._caller(state.headers, scope)
            state.delivery = delivery = await self._admit(state, scope, receive, send)
            await delivery.deliver()
        except ProviderError as error:
            state.error, mark = error.status, state.mark
            if error.unknown_model is not None:
                runtime.asked_for("model", error.unknown_model)
            if not mark:  # its body was not read
                self._unread += 1
                mark = fingerprint(self._seed, self._dialect.path.encode(), str(self._unread).encode())
            host = state.headers.get(b"host", b"api").decode("latin-1")
            headers, body = error_parts(self._dialect, error, mark, runtime.clock.speed, host)
            await runtime.writer.respond(send, error.status, headers, body)
        except CutOffError as cut:
            scope[CUT] = cut.how
            self._hang_up(scope, cut.how)
        counters, caller, outcome = runtime.counters, state.caller, state.outcome
        counters.settle(self._dialect.path, state.status, caller.tier, outcome, state.mark, caller.key, state.retry)
        if outcome == "finished" and state.delivery is not None:
            meta, whole = state.delivery.meta, time.perf_counter() - state.started
            counters.answered(meta.question.prompt_tokens, meta.tokens, state.delivery.first, whole)

    def _caller(self, headers: dict[bytes, bytes], scope: Scope) -> Caller:
        return caller_of(headers, scope)

    async def _admit(self, state: "RequestState", scope: Scope, receive: Receive, send: Send) -> Delivery:
        """The delivery of an admitted request; ProviderError for any other."""
        runtime, dialect, caller = self._runtime, self._dialect, state.caller
        failed = runtime.edge(caller, dialect.path)
        if failed is not None:
            state.failed, state.retry = True, runtime.counters.is_retry(state.headers, 0, caller.key)
            raise failure_of(failed)
        body = await runtime.bodies.read(receive, dialect.largest_body)
        if b"content-encoding" in state.headers:
            body = unpacked(body, state.headers[b"content-encoding"], dialect.largest_body)
        mark = state.mark = fingerprint(self._seed, state.headers.get(_PROMPT, b""), body)
        state.retry = runtime.counters.is_retry(state.headers, mark, caller.key)
        if self._model_in_path is None:
            question = dialect.read(body)
        else:
            question = self._model_in_path.read_for(scope["path_params"]["model"], body, scope["query_string"])
        if runtime.serves is not None and not runtime.serves(question.model):
            raise dialect.unknown_model(question.model)
        for name in question.not_done:
            runtime.asked_for("parameter", name)
        if question.storage is not None:
            question = runtime.stored.continued(question, body)
        choices = None if runtime.own_answers is None else runtime.own_answers.choices(body, question, mark)
        if choices is None:
            to_make = composed(question, runtime.name, runtime.chatbot.provider.answer, mark)
            choices = None if to_make is None else await in_turns(to_make)  # 128 with long thoughts take 50 ms and more
        wanted = TokenCounts(question.max_tokens, None, question.prompt_tokens)
        if choices is not None:  # already cut to the client's maximum
            wanted = TokenCounts(None, max([choice.tokens() for choice in choices]), question.prompt_tokens)
        outcome = runtime.admit(caller, dialect.path, mark, wanted)
        if isinstance(outcome, Refused):
            raise refusal_of(dialect, outcome, AnswerMetadata(question, mark, int(time.time()), 0), runtime.clock.speed)
        tokens = outcome.tokens if choices is None else sum([choice.tokens() for choice in choices])
        cache = runtime.cache_use(question.prefixes)
        meta = AnswerMetadata(question, mark, int(time.time()), tokens, cache, state.started)
        kind = Delivery if question.storage is None else StoredDelivery
        return kind(runtime, dialect, outcome, meta, choices, receive, send, state.started)


class RequestState:
    """What the endpoint knows of a request, from its first header to its end."""

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
        if self.delivery is not None and (self.error is None or self.delivery.outcome == "flawed"):
            return self.delivery.outcome
        return "failed" if self.failed else "refused"

    @property
    def status(self) -> int:
        """The status sent; 0: none."""
        if self.error is not None:
            return self.error
        return self.delivery.status if self.delivery is not None and self.delivery.opened else 0


def refusal_of(dialect: Dialect, refused: Refused, meta: AnswerMetadata, speed: float) -> ProviderError:
    """A refusal as the provider's error, with the figures of its limits."""
    error = dialect.refusal(refused.reason, refused.retry_after)
    error.allowances, error.model, error.speed = refused.allowances, meta.question.model, speed
    if meta.question.stream and isinstance(dialect, RefusesInStream):
        return dialect.in_stream(error, meta)
    return error


def failure_of(failed: Failed) -> ProviderError:
    """A fault's answer as an error that the dialect words."""
    answer = failed.answer
    error = ProviderError(answer.status, answer.code, retry_after=failed.retry_after, html=answer.html)
    error.wait_form, error.body = answer.wait_form, None if answer.body is None else answer.body.encode()
    error.headers = tuple((name.encode(), value.encode()) for name, value in answer.headers)
    return error


def error_parts(
    dialect: Dialect, error: ProviderError, mark: int, speed: float, host: str
) -> tuple[list[Header], bytes]:
    """Headers and body of an error as its provider, or the CDN in front of it, sends it."""
    error.speed = speed
    if error.html:
        body = cdn_error_pages.page(error.status, host, mark)
        headers = [_HTML, *cdn_error_pages.headers(mark)]
    else:
        body = dialect.error(error, mark) if error.body is None else error.body
        headers = [JSON, *dialect.headers(mark, 0, error.allowances, speed), *dialect.error_headers(error)]
    if error.headers:
        given = dict(error.headers)
        headers = [header for header in headers if header[0] not in given] + [*error.headers]
    return headers + retry_headers(error.retry_after, speed, error.wait_form, time.time()), body
