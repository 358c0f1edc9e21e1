"""The cases: what the server answers, one answer after the other, and what our own client policy sees of each.

Every body is one that all dialects accept, so that one script serves every client.
"""

import json
import time
from collections.abc import Mapping, Sequence
from email.utils import formatdate

from mockbot.clients.policy import AttemptResult
from mockbot.dialects.retry_after import wait_in
from tests.clients.scripted import Answer

GOOD = {
    "id": "x", "object": "chat.completion", "created": 1, "model": "m", "type": "message", "role": "assistant",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}],
    "content": [{"type": "text", "text": "hi"}], "stop_reason": "end_turn", "stopReason": "end_turn",
    "usage": {
        "prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2, "input_tokens": 1, "output_tokens": 1,
        "inputTokens": 1, "outputTokens": 1, "totalTokens": 2,
    },
    "candidates": [{"content": {"role": "model", "parts": [{"text": "hi"}]}, "finishReason": "STOP"}],
    "output": {"message": {"role": "assistant", "content": [{"text": "hi"}]}}, "metrics": {"latencyMs": 1},
}  # fmt: skip
BAD = {"type": "error", "message": "no", "error": {"type": "server_error", "code": None, "message": "no"}}
AWS = {  # Bedrock names its errors in a header
    400: "ValidationException", 401: "UnrecognizedClientException", 404: "ResourceNotFoundException",
    408: "ModelTimeoutException", 429: "ThrottlingException", 500: "InternalServerException",
    503: "ServiceUnavailableException",
}  # fmt: skip
JSON = ("content-type", "application/json")
SSE = ("content-type", "text/event-stream")


def refusal(status: int, **headers: str) -> Answer:
    """An error status; `retry_after_ms` is the header retry-after-ms."""
    named = [JSON, *((name.replace("_", "-"), value) for name, value in headers.items())]
    if status in AWS:
        named.append(("x-amzn-errortype", AWS[status]))
    return Answer(status, tuple(named), json.dumps(BAD).encode())


FINE = Answer(200, (JSON,), json.dumps(GOOD).encode())
RESET, CLOSED, HUNG = Answer(then="reset"), Answer(), Answer(then="hang")
REFUSED = "connection refused"  # nothing listens
STREAMED = "a stream cut after its first event"

CASES: Mapping[str, Sequence[Answer]] = {
    **{str(code): [refusal(code)] for code in (400, 401, 404, 408, 409, 422, 429, 500, 502, 503, 504, 529)},
    "retry-after 7": [refusal(503, retry_after="7")],
    "retry-after 7 of a 429": [refusal(429, retry_after="7")],
    "retry-after 0": [refusal(429, retry_after="0")],
    "retry-after -3": [refusal(503, retry_after="-3")],
    "retry-after 59": [refusal(429, retry_after="59")],
    "retry-after 61": [refusal(503, retry_after="61")],
    "retry-after 3600": [refusal(503, retry_after="3600")],
    "retry-after of words": [refusal(503, retry_after="soon")],
    "a date in two days": [refusal(503, retry_after=formatdate(time.time() + 172_800, usegmt=True))],
    "a date long past": [refusal(429, retry_after="Thu, 01 Jan 1970 00:00:00 GMT")],
    "retry-after-ms 1500": [refusal(503, retry_after_ms="1500")],
    "both: milliseconds count": [refusal(429, retry_after_ms="1500", retry_after="40")],
    "x-should-retry false": [refusal(503, x_should_retry="false")],
    "x-should-retry true": [refusal(400, x_should_retry="true")],
    "reset before a byte": [RESET],
    "closed before a byte": [CLOSED],
    "no answer in time": [HUNG],
    REFUSED: [CLOSED],
    "an answer at last": [refusal(503), FINE],
    "one of each": [RESET, refusal(500), FINE],
    STREAMED: [Answer(200, (SSE,), b'event: ping\ndata: {"type": "ping"}\n\n', then="reset")],
}
SAMPLE = ("400", "429", "503", "529", "retry-after 7", "x-should-retry true", "reset before a byte", "one of each")


def seen(name: str, answer: Answer) -> AttemptResult:
    """What a client of mockbot's reports of it."""
    headers = dict(answer.headers)
    if name == REFUSED:
        return AttemptResult("refused", "main", 0.0)
    if answer.status is None:
        return AttemptResult("timeout" if answer.then == "hang" else "reset", "main", 0.0)
    if answer.status == 200:
        good = answer.then == "close"
        return AttemptResult("ok" if good else "reset", "main", 0.0, 200, streamed=not good)
    return AttemptResult(
        "rate_limited" if answer.status == 429 else "http_error", "main", 0.0, answer.status,
        retry_after=wait_in(headers.get, time.time()),
        should_retry={"true": True, "false": False}.get(headers.get("x-should-retry", "")),
    )  # fmt: skip
