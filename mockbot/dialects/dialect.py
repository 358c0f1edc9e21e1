"""What every wire dialect translates between: a provider's bytes outside, these few values inside.

A Family is one provider's API, a Dialect one endpoint of it: an object in a file of its own. On the service's side it
reads requests into Questions (or raises ProviderError), and writes answers, events and errors as its provider does; on
the clients' side it writes requests and reads answers. It decides nothing: no time, no chance, no capacity.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol, runtime_checkable

from mockbot.dialects.parameter import Table
from mockbot.dialects.stream_readers import Reader

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


@dataclass(frozen=True, slots=True)
class Tool:
    """A function that the client offers; `parameters` is a JSON Schema."""

    name: str
    parameters: Mapping[str, object]


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
    tool: Tool | None = None  # the one to call now
    schema: Mapping[str, object] | None = None  # of a text answer that must be JSON
    inputs: tuple[str, ...] = ()  # texts to embed, or with which each of several choices begins
    dimensions: int = 0
    base64: bool = False
    not_done: tuple[str, ...] = ()  # parameters that the request has and mockbot ignores
    storage: Storage | None = None  # of an answer that is kept, made in the background, or continues another one

    @property
    def prescribes(self) -> Mapping[str, object] | None:
        """The schema that the content must satisfy; None: prose."""
        return self.tool.parameters if self.tool is not None else self.schema


class AnswerMetadata(NamedTuple):
    """An answer's values on the wire beside its text."""

    question: Question
    mark: int  # the request's fingerprint: every id is made from it
    created: int  # Unix time
    tokens: int
    cut_short: bool  # by the client's own maximum

    def name(self, prefix: str, n: int = 0) -> str:
        """An id of the kind that begins with this prefix, the n-th of this answer."""
        return f"{prefix}{self.mark:016x}{(self.mark * 0x9E3779B97F4A7C15 + n) & 0xFFFFFFFF:08x}"


class ProviderError(Exception):
    """An error answer that no dialect has worded yet.

    `code` picks among the bodies that a status has; `retry_after` in scenario seconds; `unknown_model` is the one that
    the request named in vain; `model`, `speed` and `allowances` are known when limits turned the request away.
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


class Stream(Protocol):
    """One streamed answer in its dialect; every method gives whole events, ready to be sent."""

    def opening(self) -> bytes:
        """The events before the first token."""

    def words(self, text: str) -> bytes:
        """The next piece of the answer's text."""

    def closing(self) -> bytes:
        """The events of a regular end."""

    def error(self, code: str, shape: Shape) -> bytes:
        """An error within the stream; `shape` where the provider has several."""


class Dialect(Protocol):
    """One endpoint of a provider's API."""

    path: str
    parameters: Table  # of a request's body, and what becomes of each
    schema: Mapping[str, object]  # the same as JSON Schema, for OpenAPI
    responses: Mapping[int | str, dict[str, object]]  # status -> what it means, for OpenAPI
    keepalive: bytes  # keeps a silent stream open
    malformed: bytes  # an event that the API does not allow

    @property
    def prompt_fields(self) -> tuple[str, ...]:
        """Of a request's body; requests with equal values are attempts for the same prompt."""

    def read(self, body: bytes) -> Question:
        """Parse a request, or raise ProviderError(400 or 404)."""

    def whole(self, meta: AnswerMetadata, text: str) -> bytes:
        """The body of a plain answer."""

    def stream(self, meta: AnswerMetadata) -> Stream:
        """The events of a streamed answer."""

    def reader(self, streamed: bool) -> Reader:
        """A client's reader of one answer."""

    def headers(self, mark: int, millis: int, allowances: tuple[Allowance, ...], speed: float) -> list[Header]:
        """The headers of every answer but content type and length; `millis` wall milliseconds so far."""

    def refusal(self, reason: Reason, retry_after: float | None) -> ProviderError:
        """This provider's error for a request that it cannot take in."""

    def error(self, error: ProviderError, mark: int) -> bytes:
        """The JSON body of an error."""

    def error_headers(self, status: int) -> list[Header]:
        """Further headers of an error."""


@runtime_checkable
class StoringDialect(Dialect, Protocol):
    """An endpoint whose answers can be asked for again by their ids."""

    def id_of(self, meta: AnswerMetadata) -> str:
        """The id of an answer."""

    def unfinished(self, meta: AnswerMetadata, status: str) -> bytes:
        """The body of an answer that is not whole: queued, in_progress, failed or cancelled."""

    def items(self, meta: AnswerMetadata) -> list[dict[str, object]]:
        """What was asked, in order, each with an id."""


class KeyPlace(NamedTuple):
    """Where a request carries its API key: a header, after `scheme` and a blank if it has one, or a query parameter."""

    name: str
    scheme: str = ""
    in_query: bool = False


@dataclass(frozen=True, slots=True)
class Family:
    """One provider's API, both sides of the wire.

    The crowd asks the first of `dialects`, which also words the errors of unknown paths. `ask` turns a question as
    OpenAI has it (`model` and `messages`, and whatever else a ChatUser wants) into the body of a request, streamed or
    not. `environment`: the variables that lead the provider's SDKs to a base URL (without /v1) with an API key; `hosts`
    is where they go without them.
    """

    name: str  # `dialect` in a scenario
    dialects: tuple[Dialect, ...]
    ask: Callable[[Body, bool], Body]
    key_places: tuple[KeyPlace, ...]  # the crowd uses the first, a header
    headers: Mapping[str, str]  # of the crowd's requests, beside the key
    retry_header: str  # in which SDKs send the number of a retry, 0 for a first attempt
    environment: Callable[[str, str], Mapping[str, str]]
    hosts: tuple[str, ...]
    models_path: str
    model_list: Callable[[], bytes]
    model: Callable[[str], bytes]

    @property
    def chat(self) -> Dialect:
        """The endpoint that the crowd asks."""
        return self.dialects[0]

    def request_headers(self, key: str) -> dict[str, str]:
        """The headers of a request with this API key."""
        place = self.key_places[0]
        return {place.name: f"{place.scheme} {key}".lstrip(), **self.headers}
