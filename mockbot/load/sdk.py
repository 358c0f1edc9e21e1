"""Users whose client is a real SDK, watched from below: what it sends and sees becomes the same records as everyone's.

The SDK decides about retries and waits; we see each of its requests in a transport of our own. It costs about ten
times the CPU of the fast client (research: locust §4), so let such a group be small, and let the fast one carry the
load. It keeps its own clock: speed 1 only.
"""

import ssl
from collections.abc import Iterator
from functools import cache
from json import JSONDecodeError  # both SDKs let that of a malformed event pass
from typing import ClassVar

import anthropic
import gevent
import httpx2
import openai

from mockbot.clients.policy import GiveUp
from mockbot.evidence.records import Outcome
from mockbot.load.collector import AttemptObservation, Pending
from mockbot.load.recorder import FLAGS, TOO_EARLY, retry_after
from mockbot.load.request_forms import DIALECTS, Name
from mockbot.load.stream_readers import Reader, whole_answer
from mockbot.load.users import QUESTION, ChatUser


class SdkUser(ChatUser):
    """One prompt is one call of the SDK, with the SDK's own retries; patience hangs up on it."""

    abstract = True
    own_clock = True
    dialect: ClassVar[Name]

    def _converse_about(self, prompt: Pending) -> GiveUp | None:
        why = "patience"
        with gevent.Timeout(self.node.clock.wall(self.spec.patience), False):
            why = self._try(prompt)
        return None if prompt.answered_by else GiveUp(self.node.clock.now(), why)

    def _try(self, prompt: Pending) -> str:
        try:
            self.call(httpx2.Client(transport=Watch(self, prompt, _wire())))
        except (openai.OpenAIError, anthropic.AnthropicError, httpx2.HTTPError, JSONDecodeError) as error:
            return type(error).__name__
        return "no whole answer"

    def call(self, http: httpx2.Client) -> None:
        """Ask once and read the answer to its end."""
        raise NotImplementedError

    @property
    def base(self) -> str:
        """The provider's URL, without /v1."""
        return self.node.cast.endpoints[self.provider].url

    @property
    def provider(self) -> str:
        """Whom this group asks; an SDK knows of no other."""
        return self.node.cast.home(self.group_name)


class OpenAISdk(SdkUser):
    """openai-python as it is."""

    abstract = True
    dialect = "openai"

    def call(self, http: httpx2.Client) -> None:
        """Chat completions, streamed when the group streams."""
        client = openai.OpenAI(base_url=f"{self.base}/v1", api_key=self.key, http_client=http)
        ask = client.chat.completions.create
        if not self.spec.stream:
            ask(model=self.model, messages=[{"role": "user", "content": QUESTION}])
            return
        for _ in ask(model=self.model, messages=[{"role": "user", "content": QUESTION}], stream=True):
            pass


class AnthropicSdk(SdkUser):
    """anthropic-python as it is."""

    abstract = True
    dialect = "anthropic"

    def call(self, http: httpx2.Client) -> None:
        """Messages, streamed when the group streams."""
        client = anthropic.Anthropic(base_url=self.base, api_key=self.key, http_client=http)
        ask = client.messages.create
        if not self.spec.stream:
            ask(model=self.model, max_tokens=1024, messages=[{"role": "user", "content": QUESTION}])
            return
        for _ in ask(model=self.model, max_tokens=1024, messages=[{"role": "user", "content": QUESTION}], stream=True):
            pass


class Watch(httpx2.BaseTransport):
    """Passes requests on and puts each on record as an attempt of the prompt."""

    def __init__(self, user: SdkUser, prompt: Pending, wire: httpx2.BaseTransport) -> None:
        self._user, self._prompt, self._wire = user, prompt, wire

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Marked for the service as the fast client's are, and not compressed, so that tokens show as they come."""
        n = self._user.node.collector.send(self._prompt, self._user.provider)
        attempt = Attempt(self._user, self._prompt, n, request)
        try:
            response = self._wire.handle_request(request)
        except BaseException as error:
            attempt.over(_cause(error, attempt.reader))
            raise
        attempt.response = response
        return httpx2.Response(
            response.status_code,
            headers=response.headers,
            stream=Ear(response, attempt),
            extensions=response.extensions,
        )


class Attempt:
    """One request of an SDK, until it is over."""

    def __init__(self, user: SdkUser, prompt: Pending, n: int, request: httpx2.Request) -> None:
        self.user, self.prompt, self.n, self.request = user, prompt, n, request
        self.start = user.node.clock.now()
        self.reader: Reader = DIALECTS[user.dialect].stream() if user.spec.stream else whole_answer()
        self.response: httpx2.Response | None = None
        self._told = False
        request.headers["accept-encoding"] = "identity"
        request.headers["x-mockbot-prompt"] = prompt.id
        request.headers["x-mockbot-attempt"] = str(n)
        request.headers["x-mockbot-group"] = user.group_name

    def over(self, outcome: Outcome) -> None:
        """On record, once."""
        if self._told:
            return
        self._told = True
        clock, reader, response = self.user.node.clock, self.reader, self.response
        headers = httpx2.Headers() if response is None else response.headers
        sight = AttemptObservation(
            outcome,
            self.start,
            clock.now(),
            status=None if response is None else response.status_code,
            first_token=None if reader.first is None else reader.first - self.start,
            worst_gap=reader.worst_gap,
            tokens=reader.tokens,
            retry_after=retry_after(headers.get, clock),
            should_retry=FLAGS.get(headers.get("x-should-retry", "")),
            length=reader.length,
        )
        self.user.told(self.prompt, self.n, sight, str(self.request.url))


class Ear(httpx2.SyncByteStream):
    """Listens to the body that the SDK reads."""

    def __init__(self, response: httpx2.Response, attempt: Attempt) -> None:
        self._response, self._attempt = response, attempt
        self._rest = b""

    def __iter__(self) -> Iterator[bytes]:
        try:
            for part in self._response.iter_raw():
                self._hear(part)
                yield part
        except GeneratorExit:  # the SDK has read enough; `close` comes next
            raise
        except BaseException as error:
            self._attempt.over(_cause(error, self._attempt.reader))
            raise
        self._attempt.over(self._outcome())

    def close(self) -> None:
        """An SDK that closes early has seen a status that it tries again at, the stream's end, or an error in it."""
        enough = self._response.status_code >= 300 or self._attempt.reader.over
        self._attempt.over(self._outcome() if enough else "unfinished")
        self._response.close()

    def _hear(self, part: bytes) -> None:
        reader, now = self._attempt.reader, self._attempt.user.node.clock.now()
        reader.length += len(part)
        *lines, self._rest = (self._rest + part).split(b"\n")
        for line in lines:
            if not reader.over:
                reader.line(line + b"\n", now)

    def _outcome(self) -> Outcome:
        status = self._response.status_code
        if status >= 400:
            return "rate_limited" if status == 429 else "http_error"
        if status >= 300:
            return "malformed"
        if self._rest and not self._attempt.reader.over:
            self._attempt.reader.line(self._rest, self._attempt.user.node.clock.now())
        return self._attempt.reader.outcome


def _cause(error: BaseException, reader: Reader) -> Outcome:
    """As `recorder.cause`, in the words of httpx2 and h11."""
    match error:
        case httpx2.ConnectError():
            return "refused"
        case httpx2.TimeoutException() | gevent.Timeout():
            return "timeout" if reader.first is None else "slow"
        case httpx2.RemoteProtocolError():
            words = str(error).lower()
            return "reset" if any(early in words for early in (*TOO_EARLY, "closed", "disconnected")) else "malformed"
        case httpx2.NetworkError():
            return "reset"
        case _:
            return "unfinished"


@cache
def _wire() -> httpx2.HTTPTransport:
    """One for all users: an SSL context costs 20 ms and 0.8 MB, and connections are kept."""
    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=100)
    return httpx2.HTTPTransport(verify=ssl.create_default_context(), trust_env=False, limits=limits)
