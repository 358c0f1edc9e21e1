"""A request whose answer comes from a real provider or a recording: the edge, limits and capacity as for any other.

What the request asks is read only for the wording of a fault within its answer: a real API takes what no dialect here
knows. Any method and path passes; the faults are those of the provider.
"""

import time
from contextlib import suppress

from starlette.types import Receive, Scope, Send

from mockbot.dialects.dialect import AnswerMetadata, Dialect, ProviderError, Question
from mockbot.service.answer_endpoint import Endpoint, HangUp, RequestState, caller_of, failure_of, refusal_of
from mockbot.service.answer_text import fingerprint
from mockbot.service.chatbot import Caller, TokenCounts
from mockbot.service.content_encoding import unpacked
from mockbot.service.job import Refused
from mockbot.service.provider_runtime import ProviderRuntime
from mockbot.service.upstream_delivery import UpstreamDelivery
from mockbot.upstream.exchange import Asked, Source

_ONE = TokenCounts(exactly=1)  # limits count requests only


class UpstreamEndpoint(Endpoint):
    """As Endpoint. `known`: whether the path is the dialect's; one that is not has the dialect's errors."""

    def __init__(
        self, runtime: ProviderRuntime, dialect: Dialect, seed: int, hang_up: HangUp, source: Source, *, known: bool
    ) -> None:
        super().__init__(runtime, dialect, seed, hang_up)
        self._source, self._known = source, known

    def _caller(self, headers: dict[bytes, bytes], scope: Scope) -> Caller:
        try:
            return caller_of(headers, scope)
        except ProviderError:  # a credential of a form that no dialect has
            return Caller(scope["client"][0] if scope.get("client") else "")

    async def _admit(self, state: RequestState, scope: Scope, receive: Receive, send: Send) -> UpstreamDelivery:
        runtime, dialect, caller, path = self._runtime, self._dialect, state.caller, scope["path"]
        failed = runtime.edge(caller, path)
        if failed is not None:
            state.failed, state.retry = True, runtime.counters.is_retry(state.headers, 0, caller.key)
            raise failure_of(failed)
        body = await runtime.bodies.read(receive, dialect.largest_body)
        target = scope.get("raw_path", path.encode())
        if scope["query_string"]:
            target = b"%b?%b" % (target, scope["query_string"])
        mark = state.mark = fingerprint(self._seed, target, body)
        state.retry = runtime.counters.is_retry(state.headers, mark, caller.key)
        outcome = runtime.admit(caller, path, mark, _ONE)
        meta = AnswerMetadata(Question(""), mark, int(time.time()), 1, started=state.started)
        if isinstance(outcome, Refused):
            meta = meta._replace(question=self._question(scope, state.headers, body))
            raise refusal_of(dialect, outcome, meta, runtime.clock.speed)
        if outcome.stream_faults:
            meta = meta._replace(question=self._question(scope, state.headers, body))
        asked = Asked(scope["method"], target, tuple(scope["headers"]), body)
        return UpstreamDelivery(
            runtime, dialect, outcome, meta, receive, send, state.started, self._source, asked, known=self._known
        )

    def _question(self, scope: Scope, headers: dict[bytes, bytes], body: bytes) -> Question:
        with suppress(ProviderError):
            plain = unpacked(body, headers.get(b"content-encoding", b""), self._dialect.largest_body)
            if self._model_in_path is None:
                return self._dialect.read(plain)
            return self._model_in_path.read_for(scope["path_params"]["model"], plain, scope["query_string"])
        return Question("")
