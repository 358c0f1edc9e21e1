"""What every wire dialect translates between: a provider's bytes outside, these few values inside.

A Dialect is one endpoint of a provider's API (`family.py`): an object in a file of its own. On the service's side it
reads requests into Questions (or raises ProviderError), and writes answers, events and errors as its provider does; on
the clients' side it writes requests and reads answers. It decides nothing: no time, no chance, no capacity.
"""

from base64 import b64encode
from collections.abc import Mapping
from random import Random
from typing import Any, Literal, NamedTuple, Protocol, runtime_checkable

from mockbot.dialects.answer_parts import Choice, Tool
from mockbot.dialects.parameter import Table
from mockbot.dialects.stream_readers import Reader
from mockbot.units.quantities import WaitForm

Header = tuple[bytes, bytes]
Shape = Literal["nested", "flat", "failed"]
Json = dict[str, object]  # an object of a request's body, not yet checked
Body = dict[str, Any]  # of a client's request: goes to json.dumps and nowhere else
Unit = Literal["requests", "tokens"]
Reason = Literal["queue_full", "max_wait", "displaced", "shed", "rate_limited", "token_limited", "too_large", "crashed"]


class Allowance(NamedTuple):
    """What an API key has left of a unit: `limit` and `remaining` of it, `reset` seconds until it is full again."""

    unit: Unit
    limit: int
    remaining: int
    reset: float
    cost: int = 1  # of this request
    wait: float = 0.0  # > 0: over the limit; the same request would pass after so many seconds
    never: bool = False  # it costs more than the limit ever holds


class Thinking(NamedTuple):
    """How much is thought before the answer: `factor` times the answer's own length, at most `at_most` tokens."""

    factor: float
    at_most: int | None = None
    shown: bool = False  # the client sees the thoughts, not only that there were some
    sealed: bool = False  # and gets what the provider knows them by: a signature, or their encrypted content


class Form(NamedTuple):
    """What an answer consists of, when it is not one text in prose."""

    calls: tuple[Tool, ...] = ()  # to make now, at once
    schema: Mapping[str, object] | None = None  # of a text that must be JSON
    choices: int = 1
    stop: tuple[str, ...] = ()  # a text ends before the first of these
    thinking: Thinking | None = None
    logprobs: int | None = None  # alternatives for each token of a text; None: no probabilities


class Prefix(NamedTuple):
    """A beginning of a prompt that the provider may have cached; `name` stands for its content."""

    name: bytes
    tokens: int
    keep: float  # for so many seconds from now on; 0: not because of this request


class CacheUse(NamedTuple):
    """Tokens of a prompt: read from the cache, and written to it for five minutes or an hour."""

    read: int = 0
    written: int = 0
    written_for_an_hour: int = 0


PROSE, UNCACHED = Form(), CacheUse()


class Storage(NamedTuple):
    """What becomes of an answer after it is given; `previous`: the id of the one that it continues."""

    store: bool
    background: bool
    previous: str | None
    items: list[Json]  # what was asked
    size: int = 0  # bytes of the request


class Question(NamedTuple):
    """The parts of a request that its answer depends on."""

    model: str
    stream: bool = False
    max_tokens: int | None = None
    prompt_tokens: int = 1
    include_usage: bool = False
    form: Form = PROSE
    prefixes: tuple[Prefix, ...] = ()  # the shortest first
    echo: Mapping[str, object] = {}  # what the answer repeats of the request; read-only
    inputs: tuple[str, ...] = ()  # texts to embed
    dimensions: int = 0
    base64: bool = False
    not_done: tuple[str, ...] = ()  # parameters that the request has and mockbot ignores
    storage: Storage | None = None  # of an answer that is kept, made in the background, or continues another one
    as_array: bool = False  # a stream is one JSON array, and not events


class AnswerMetadata(NamedTuple):
    """An answer's values on the wire beside its choices."""

    question: Question
    mark: int  # the request's fingerprint: every id is made from it
    created: int  # Unix time
    tokens: int  # of all choices
    cache: CacheUse = UNCACHED
    started: float = 0.0  # when its request came, as time.perf_counter() has it

    def name(self, prefix: str, n: int = 0) -> str:
        """An id of the kind that begins with this prefix, the n-th of this answer."""
        return f"{prefix}{self.mark:016x}{(self.mark * 0x9E3779B97F4A7C15 + n) & 0xFFFFFFFF:08x}"

    @property
    def shows_thoughts(self) -> bool:
        """Whether the client sees what is thought."""
        return self.question.form.thinking is not None and self.question.form.thinking.shown

    def seal(self) -> str:
        """What a client has to send back unread: base64 of random bytes."""
        return b64encode(Random(self.mark).randbytes(192)).decode()


class ProviderError(Exception):
    """An error answer that no dialect has worded yet.

    `code` picks among the bodies that a status has; `retry_after` in scenario seconds; `unknown_model` is the one that
    the request named in vain; `speed` is known when it is written, `model` and `allowances` when limits turned the
    request away. `headers` replace those of the same name, and `body` the provider's own, where a scenario words the
    answer, or a dialect whose refusal has the status of an answer (`RefusesInStream`).
    """

    def __init__(
        self,
        status: int,
        code: str | None = None,
        message: str | None = None,
        *,
        param: str | None = None,
        retry_after: float | None = None,
        html: bool = False,
        unknown_model: str | None = None,
    ) -> None:
        self.status, self.code, self.message, self.param = status, code, message, param
        self.retry_after, self.html, self.unknown_model = retry_after, html, unknown_model
        self.model, self.speed = "", 1.0
        self.allowances: tuple[Allowance, ...] = ()
        self.wait_form: WaitForm = "seconds"
        self.headers: tuple[Header, ...] = ()
        self.body: bytes | None = None


class Stream(Protocol):
    """One streamed answer in its dialect; every method gives whole events, ready to be sent (`PartStream`)."""

    media_type: bytes  # of the response: server-sent events, unless a subclass of PartStream says otherwise

    def opening(self) -> bytes:
        """The events before the first token."""

    def tokens(self, since: int, upto: int) -> bytes:
        """The answer's next tokens, `since` < k <= `upto`; nothing for those that no client sees."""

    def closing(self) -> bytes:
        """The events of a regular end."""

    def error(self, code: str, shape: Shape) -> bytes:
        """An error within the stream; `shape` where the provider has several."""


class Dialect(Protocol):
    """One endpoint of a provider's API."""

    path: str  # with `{model}` where it names the model (`ModelInPath`)
    parameters: Table  # of a request's body, and what becomes of each
    schema: Mapping[str, object]  # the same as JSON Schema, for OpenAPI
    responses: Mapping[int | str, dict[str, object]]  # status -> what it means, for OpenAPI
    largest_body: int  # bytes of a request; a larger one is refused with 413
    keepalive: bytes  # keeps a silent stream open
    malformed: bytes  # an event that the API does not allow

    @property
    def prompt_fields(self) -> tuple[str, ...]:
        """Of a request's body; requests with equal values are attempts for the same prompt."""

    def read(self, body: bytes) -> Question:
        """Parse a request, or raise ProviderError(400)."""

    def unknown_model(self, model: str) -> ProviderError:
        """This provider's error for a model that is not served."""

    def whole(self, meta: AnswerMetadata, choices: tuple[Choice, ...]) -> bytes:
        """The body of a plain answer."""

    def stream(self, meta: AnswerMetadata, choices: tuple[Choice, ...]) -> Stream:
        """The events of a streamed answer."""

    def reader(self, streamed: bool) -> Reader:
        """A client's reader of one answer."""

    def headers(self, mark: int, millis: int, allowances: tuple[Allowance, ...], speed: float) -> list[Header]:
        """The headers of every answer but content type and length; `millis` wall milliseconds so far."""

    def refusal(self, reason: Reason, retry_after: float | None) -> ProviderError:
        """This provider's error for a request that it cannot take in."""

    def error(self, error: ProviderError, mark: int) -> bytes:
        """The JSON body of an error."""

    def error_headers(self, error: ProviderError) -> list[Header]:
        """Further headers of an error."""


@runtime_checkable
class ModelInPath(Dialect, Protocol):
    """An endpoint whose requests name their model in the path only; it may hold slashes."""

    also: tuple[str, ...]  # further paths of the same endpoint, such as other versions'; `{any}` is one segment

    def read_for(self, model: str, body: bytes, query: bytes) -> Question:
        """Parse a request to this model, or raise ProviderError(400); the query may say how it wants the answer."""


@runtime_checkable
class RefusesInStream(Dialect, Protocol):
    """An endpoint that answers 200 to a request for a stream that is over its limits, and says so within the stream."""

    def in_stream(self, error: ProviderError, meta: AnswerMetadata) -> ProviderError:
        """The refusal with status 200, and the events of its stream as its body."""


@runtime_checkable
class FailsWithin(Dialect, Protocol):
    """An endpoint whose plain answer may turn out to be an error after its status has been decided."""

    failed_within: int  # that status; elsewhere such an answer is a 500


def status_within(dialect: Dialect) -> int:
    """The status of a plain answer that turns out to be an error."""
    return dialect.failed_within if isinstance(dialect, FailsWithin) else 500


@runtime_checkable
class StoringDialect(Dialect, Protocol):
    """An endpoint whose answers can be asked for again by their ids."""

    def id_of(self, meta: AnswerMetadata) -> str:
        """The id of an answer."""

    def unfinished(self, meta: AnswerMetadata, status: str) -> bytes:
        """The body of an answer that is not whole: queued, in_progress, failed or cancelled."""

    def items(self, meta: AnswerMetadata) -> list[Json]:
        """What was asked, in order, each with an id."""

    def output(self, meta: AnswerMetadata, choices: tuple[Choice, ...]) -> list[Json]:
        """What was answered, in order."""

    def calls_after(self, body: bytes, before: list[Json]) -> tuple[Tool, ...]:
        """The tools to call now, when these items came before those of the request."""
