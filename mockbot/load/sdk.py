"""Users whose client is an official SDK, observed at its transport: the same records as those of every other user.

The SDK decides about retries and waits; `RecordingTransport` sees each of its requests. That costs about ten times the
CPU of the fast client, so keep such a group small and let the fast client carry the load. An SDK waits in wall time,
therefore speed 1 only.
"""

import ssl
from collections import deque
from collections.abc import Iterator
from functools import cache
from json import JSONDecodeError  # both SDKs let it through when an event is malformed
from typing import ClassVar

import anthropic
import gevent
import httpx2
import openai

from mockbot.clients.policy import GiveUp
from mockbot.dialects.client_identity import ATTEMPT, GROUP, PROMPT
from mockbot.dialects.dialect import Body
from mockbot.dialects.families import FAMILIES
from mockbot.dialects.prompt_identity import TRACE_HEADER, traceparent
from mockbot.dialects.stream_readers import Reader
from mockbot.evidence.records import Outcome
from mockbot.load.collector import Pending
from mockbot.load.recorder import CUT_SHORT, cause, failed_status, observe, trusting
from mockbot.load.users import ChatUser


class SdkUser(ChatUser):
    """One prompt is one call of the SDK, with the SDK's own retries, cancelled when the user's patience is over."""

    abstract = True
    own_clock = True
    dialect: ClassVar[str]

    def call(self, http: httpx2.Client, url: str, body: Body) -> object:
        """Ask once at a base URL (without /v1); returns the SDK's answer, or its stream that has yet to be read."""
        raise NotImplementedError

    @property
    def provider(self) -> str:
        """The one provider that this group asks; an SDK has no fail-over."""
        return self.generator.plan.provider_of(self.group_name)

    def _run_prompt(self, prompt: Pending) -> GiveUp | None:
        why = "patience"
        url, body = self.generator.plan.endpoints[self.provider].url, {**self.body(), "stream": self.spec.stream}
        transport = _transport(self.generator.plan.authority)
        with gevent.Timeout(self.generator.clock.wall(self.spec.patience), False):
            try:
                answer = self.call(httpx2.Client(transport=RecordingTransport(self, prompt, transport)), url, body)
                if isinstance(answer, openai.Stream | anthropic.Stream):
                    deque(answer, maxlen=0)  # reads to the end
                why = "no whole answer"
            except (openai.OpenAIError, anthropic.AnthropicError, httpx2.HTTPError, JSONDecodeError) as error:
                why = type(error).__name__
        return None if prompt.answered_by else GiveUp(self.generator.clock.now(), why)


class OpenAISdk(SdkUser):
    """openai-python as it is."""

    abstract = True
    dialect = "openai"

    def call(self, http: httpx2.Client, url: str, body: Body) -> object:
        """Chat completions."""
        client = openai.OpenAI(base_url=f"{url}/v1", api_key=self.key, http_client=http)
        return client.chat.completions.create(**body)


class AnthropicSdk(SdkUser):
    """anthropic-python as it is."""

    abstract = True
    dialect = "anthropic"

    def call(self, http: httpx2.Client, url: str, body: Body) -> object:
        """Messages."""
        client = anthropic.Anthropic(base_url=url, api_key=self.key, http_client=http)
        return client.messages.create(**{"max_tokens": 1024, **body})


class RecordingTransport(httpx2.BaseTransport):
    """Passes requests on and records each as an attempt of the prompt."""

    def __init__(self, user: SdkUser, prompt: Pending, transport: httpx2.BaseTransport) -> None:
        self._user, self._prompt, self._transport = user, prompt, transport

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Number the request for the service, refuse compression (it would hold tokens back), observe the answer."""
        attempt = SdkAttempt(self._user, self._prompt, str(request.url))
        request.headers["accept-encoding"] = "identity"
        request.headers[PROMPT] = self._prompt.id
        request.headers[ATTEMPT] = str(attempt.n)
        request.headers[GROUP] = self._user.group_name
        if (plan := self._user.generator.plan).traced:
            request.headers[TRACE_HEADER] = traceparent(self._prompt.id, plan.run, attempt.n)
        try:
            response = attempt.response = self._transport.handle_request(request)
        except BaseException as error:  # also GreenletExit and the patience's Timeout: every attempt is recorded
            attempt.finish(_cause(error, attempt.reader), None)
            raise
        return httpx2.Response(
            response.status_code, headers=response.headers, stream=attempt, extensions=response.extensions
        )


class SdkAttempt(httpx2.SyncByteStream):
    """One request of an SDK until it is over: the body that the SDK reads, each line of it also read by `reader`."""

    response: httpx2.Response  # set once its headers have arrived, before the SDK reads

    def __init__(self, user: SdkUser, prompt: Pending, url: str) -> None:
        self.n = user.generator.collector.begin_attempt(prompt, user.provider)
        self.reader = FAMILIES[user.dialect].chat.reader(user.spec.stream)
        self._user, self._prompt, self._url, self._clock = user, prompt, url, user.generator.clock
        self._start = self._clock.now()
        self._finished = False

    def finish(self, outcome: Outcome, response: httpx2.Response | None) -> None:
        """Record the attempt; `response` is None when no headers arrived. Only the first call counts."""
        if self._finished:
            return
        self._finished = True
        status, headers = (None, httpx2.Headers()) if response is None else (response.status_code, response.headers)
        observed = observe(outcome, self._start, self._clock.now(), self.reader, self._clock, status, headers.get)
        self._user.record_attempt(self._prompt, self.n, observed, self._url)

    def __iter__(self) -> Iterator[bytes]:
        try:
            for part in self.response.iter_raw():
                self.reader.length += len(part)
                self.reader.part(part, self._clock.now())
                yield part
        except GeneratorExit:  # the SDK stopped reading; `close` comes next and decides
            raise
        except BaseException as error:
            self.finish(_cause(error, self.reader), self.response)
            raise
        self.finish(self._outcome(), self.response)

    def close(self) -> None:
        """An SDK closes early at a status that it retries, at the end of the stream, or at an error event in it.

        At any other moment it was cancelled.
        """
        complete = self.response.status_code >= 300 or self.reader.over
        self.finish(self._outcome() if complete else "unfinished", self.response)
        self.response.close()

    def _outcome(self) -> Outcome:
        if failed := failed_status(self.response.status_code):
            return failed
        self.reader.part(b"\n", self._clock.now())  # ends a line without an end
        return self.reader.outcome


def _cause(error: BaseException, reader: Reader) -> Outcome:
    """As `recorder.cause`, for the exceptions of httpx2 and h11."""
    match error:
        case httpx2.ConnectError():
            below: BaseException | None = error  # ConnectError of httpx2, of its core, and of the socket
            while below is not None and not isinstance(below, ssl.SSLError):
                below = below.__cause__ or below.__context__
            return "refused" if below is None else cause(below)
        case httpx2.TimeoutException() | gevent.Timeout():
            return "timeout" if reader.first is None else "slow"
        case httpx2.RemoteProtocolError():
            text = str(error).lower()
            return "closed" if any(early in text for early in (*CUT_SHORT, "closed", "disconnected")) else "malformed"
        case httpx2.NetworkError():
            return "reset"
        case _:
            return "unfinished"


@cache
def _transport(authority: str) -> httpx2.HTTPTransport:
    """One for all users: an SSL context costs 20 ms and 0.8 MB, and connections are kept."""
    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=100)
    trusts = trusting(authority) if authority else ssl.create_default_context()
    return httpx2.HTTPTransport(verify=trusts, trust_env=False, limits=limits)
