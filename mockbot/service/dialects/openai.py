"""OpenAI chat completions: `POST /v1/chat/completions`, plain and streamed. Wire facts: incidents_and_clients.md §4.

Events are `data: {...}\\n\\n` without an `event:` line; the last is `data: [DONE]`. With
`stream_options.include_usage` every chunk has `usage: null` and one more, with empty `choices`, carries it.
"""

import json
from collections.abc import Mapping

from mockbot.service.capacity import Reason
from mockbot.service.dialects import openai_errors, openai_models
from mockbot.service.dialects.base import Header, ProviderError, Question, Said, Stream
from mockbot.service.dialects.reading import at_least, field, json_object, text_length
from mockbot.service.limits import Allowance

_ORGANIZATION = (b"openai-organization", b"mockbot")
_VERSION = (b"openai-version", b"2020-10-01")
_DONE = b"data: [DONE]\n\n"


def duration(seconds: float) -> bytes:
    """As in OpenAI's reset headers: 12ms, 1.5s, 6m0s, 2m52.8s, 1h0m0s."""
    if seconds < 1:
        return b"%dms" % round(seconds * 1000)
    hours, rest = divmod(round(seconds, 3), 3600)
    minutes, rest = divmod(rest, 60)
    text = f"{rest:.3f}".rstrip("0").rstrip(".") + "s"
    if hours or minutes:
        text = f"{int(minutes)}m{text}"
    return (f"{int(hours)}h{text}" if hours else text).encode()


CHAT_REQUEST: Mapping[str, object] = {
    "type": "object",
    "required": ["model", "messages"],
    "properties": {
        "model": {"type": "string", "examples": ["gpt-4o-mini"]},
        "messages": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["role"],
                "properties": {"role": {"type": "string"}, "content": {}},
            },
        },
        "stream": {"type": ["boolean", "null"]},
        "stream_options": {
            "type": ["object", "null"],
            "properties": {"include_usage": {"type": ["boolean", "null"]}},
        },
        "max_completion_tokens": {"type": ["integer", "null"], "minimum": 1},
        "max_tokens": {"type": ["integer", "null"], "minimum": 1},
    },
}
RESPONSES: Mapping[int | str, dict[str, object]] = {
    200: {"description": "The answer, or its events", "content": {"application/json": {}, "text/event-stream": {}}},
    400: {"description": "Not a request that can be understood"},
    401: {"description": "No usable API key"},
    404: {"description": "No such model"},
    413: {"description": "Too large"},
    429: {"description": "Over a limit; Retry-After is the true wait"},
    503: {"description": "No capacity"},
}


class _ChatStream:
    """One streamed chat completion."""

    __slots__ = ("_after", "_before", "_said")

    def __init__(self, said: Said) -> None:
        question = said.question
        self._said = said
        head = (
            f'data: {{"id":"chatcmpl-{said.mark:016x}","object":"chat.completion.chunk","created":{said.created},'
            f'"model":{json.dumps(question.model)},"service_tier":"default","system_fingerprint":"fp_mockbot","choices":'
        )
        self._before = f'{head}[{{"index":0,"delta":'.encode()
        usage = b',"usage":null' if question.include_usage else b""
        self._after = b',"logprobs":null,"finish_reason":%s}]' + usage + b"}\n\n"

    def _chunk(self, delta: bytes, finish: bytes = b"null") -> bytes:
        return self._before + delta + self._after % finish

    def opening(self) -> bytes:
        return self._chunk(b'{"role":"assistant","content":"","refusal":null}')

    def words(self, text: str) -> bytes:
        return self._chunk(b'{"content":"%s"}' % text.encode("ascii"))

    def closing(self) -> bytes:
        last = self._chunk(b"{}", b'"length"' if self._said.cut_short else b'"stop"')
        if not self._said.question.include_usage:
            return last + _DONE
        head = self._before[: self._before.index(b'[{"index"')]
        return last + head + b'[],"usage":%s}\n\n' % usage(self._said) + _DONE

    def error(self, code: str) -> bytes:
        return b"data: " + json.dumps({"error": openai_errors.event(code)}).encode() + b"\n\n"


def usage(said: Said) -> bytes:
    """The usage object of a chat completion."""
    prompt, completion = said.question.prompt_tokens, said.tokens
    return (
        b'{"prompt_tokens":%d,"completion_tokens":%d,"total_tokens":%d,"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},'
        b'"completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}'
    ) % (prompt, completion, prompt + completion)


class OpenAIChat:
    """Chat completions."""

    path = "/v1/chat/completions"
    schema = CHAT_REQUEST
    responses = RESPONSES
    keepalive = b": keepalive\n\n"
    malformed = b'data: {"id":"chatcmpl-\n\n'

    def read(self, body: bytes) -> Question:
        """A question from a request's body; ProviderError(400) when it is not one, ProviderError(404) for a model
        that nobody has.
        """
        data = json_object(body, openai_errors.NOT_JSON)
        model = openai_models.known(data)
        messages = field(data, "messages", list, required=True)
        if not messages:
            raise ProviderError(400, "empty_array", _EMPTY_MESSAGES, param="messages")
        characters = sum(_message_length(index, message) for index, message in enumerate(messages))
        stream = bool(field(data, "stream", bool))
        options = field(data, "stream_options", dict) or {}
        if options and not stream:
            message = "The 'stream_options' parameter is only allowed when 'stream' is enabled."
            raise ProviderError(400, "invalid_value", message, param="stream_options")
        most = at_least(data, "max_completion_tokens", 1)
        return Question(
            model=model,
            stream=stream,
            max_tokens=most if most is not None else at_least(data, "max_tokens", 1),
            prompt_tokens=(characters + 3) // 4 + 3 * len(messages) + 3,
            include_usage=bool(field(options, "include_usage", bool)),
        )

    def whole(self, said: Said, text: str) -> bytes:
        """The chat.completion object."""
        return (
            b'{"id":"chatcmpl-%016x","object":"chat.completion","created":%d,"model":%s,"choices":[{"index":0,"message":'
            b'{"role":"assistant","content":"%s","refusal":null,"annotations":[]},"logprobs":null,"finish_reason":"%s"}],'
            b'"usage":%s,"service_tier":"default","system_fingerprint":"fp_mockbot"}'
        ) % (
            said.mark,
            said.created,
            json.dumps(said.question.model).encode(),
            text.encode("ascii"),
            b"length" if said.cut_short else b"stop",
            usage(said),
        )

    def stream(self, said: Said) -> Stream:
        """Its events."""
        return _ChatStream(said)

    def headers(self, mark: int, millis: int, allowance: Allowance | None, speed: float) -> list[Header]:
        """Request id, time, version, and the true state of the key's limit when it has one."""
        headers = [
            (b"x-request-id", b"req_%016x%016x" % (mark, mark ^ 0x9E3779B97F4A7C15)),
            (b"openai-processing-ms", b"%d" % millis),
            _VERSION,
            _ORGANIZATION,
        ]
        if allowance is not None:
            headers += [
                (b"x-ratelimit-limit-requests", b"%d" % allowance.limit),
                (b"x-ratelimit-remaining-requests", b"%d" % allowance.remaining),
                (b"x-ratelimit-reset-requests", duration(allowance.reset / speed)),
            ]
        return headers

    def refusal(self, reason: Reason, retry_after: float | None) -> ProviderError:
        """Limits are 429, a lack of capacity is 503."""
        return openai_errors.refusal(reason, retry_after)

    def error(self, trouble: ProviderError, mark: int) -> bytes:  # noqa: ARG002 - other dialects name the request in the body
        """OpenAI's error object."""
        return openai_errors.body(trouble)


_EMPTY_MESSAGES = (
    "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead."
)


def _message_length(index: int, message: object) -> int:
    if not isinstance(message, dict):
        text = f"Invalid type for 'messages[{index}]': expected an object, but got something else instead."
        raise ProviderError(400, "invalid_type", text, param=f"messages[{index}]")
    if not isinstance(message.get("role"), str):
        name = f"messages[{index}].role"
        raise ProviderError(400, "missing_required_parameter", f"Missing required parameter: '{name}'.", param=name)
    return text_length(message.get("content"))
