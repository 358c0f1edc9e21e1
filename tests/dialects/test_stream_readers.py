"""What an answer's lines mean; pure, no process needed."""

import json

import pytest

from mockbot.dialects.stream_readers import AnthropicStream, OpenAIStream, Reader, WholeAnswer

TOKEN = b'data: {"choices":[{"delta":{"content":"a"}}]}\n'
STOP = b'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n'
USAGE = b'data: {"choices":[],"usage":{"total_tokens":7}}\n'
DONE = b"data: [DONE]\n"


def _read(reader: Reader, *lines: bytes, every: float = 1.0) -> Reader:
    for number, line in enumerate(lines):
        reader.line(line, number * every)
    return reader


@pytest.mark.parametrize(
    ("lines", "outcome"),
    [
        ((TOKEN, STOP, USAGE, DONE), "ok"),
        ((TOKEN, b"\n", b": ping\n", b"event: x\n", b"id: 1\n", b"retry: 5\n", STOP, DONE), "ok"),
        ((TOKEN.replace(b"data: ", b"data:"), STOP.replace(b"\n", b"\r\n"), DONE), "ok"),
        ((), "truncated"),
        ((TOKEN, TOKEN), "truncated"),
        ((TOKEN, DONE), "truncated"),
        ((TOKEN, STOP), "truncated"),
        ((STOP, DONE), "blank"),
        ((TOKEN.replace(b'"a"', b'"  "'), STOP, DONE), "blank"),
        ((TOKEN, b'data: {"error":{"message":"no"}}\n'), "error_event"),
        ((TOKEN, b"data: {not json\n", STOP, DONE), "malformed"),
        ((b'data: {"something":"else"}\n',), "malformed"),
        ((b"data: 7\n",), "malformed"),
        ((b"<html>\n",), "malformed"),
    ],
)
def test_an_openai_stream_means(lines: tuple[bytes, ...], outcome: str) -> None:
    """Only text, a finish reason and [DONE] together are an answer."""
    assert _read(OpenAIStream(), *lines).outcome == outcome


def test_nothing_is_expected_after_done() -> None:
    """The reader says so, so that nobody waits for the connection to close."""
    assert _read(OpenAIStream(), TOKEN, STOP).over is False
    assert _read(OpenAIStream(), TOKEN, STOP, DONE).over is True


def test_only_text_is_a_token() -> None:
    """The role chunk, comments, usage and the finish chunk are none; the longest silence is between two tokens."""
    role = b'data: {"choices":[{"delta":{"role":"assistant","content":""}}]}\n'
    reader = _read(OpenAIStream(), role, TOKEN, b": ping\n", b": ping\n", TOKEN, STOP, DONE)

    assert (reader.tokens, reader.first, reader.last, reader.worst_gap) == (2, 1.0, 4.0, 3.0)


def _event(**event: object) -> bytes:
    return b"data: " + json.dumps(event).encode() + b"\n"


TEXT = _event(type="content_block_delta", delta={"type": "text_delta", "text": "Hi"})
END_TURN = _event(type="message_delta", delta={"stop_reason": "end_turn"})
STOPPED = _event(type="message_stop")


@pytest.mark.parametrize(
    ("lines", "outcome"),
    [
        ((_event(type="message_start"), _event(type="ping"), TEXT, END_TURN, STOPPED), "ok"),
        ((TEXT, END_TURN), "truncated"),
        ((TEXT, STOPPED), "truncated"),
        ((END_TURN, STOPPED), "blank"),
        ((TEXT, _event(type="error", error={"type": "overloaded_error"})), "error_event"),
        ((TEXT, _event(kind="?")), "malformed"),
    ],
)
def test_an_anthropic_stream_means(lines: tuple[bytes, ...], outcome: str) -> None:
    """message_stop and a stop reason together end an answer."""
    assert _read(AnthropicStream(), *lines).outcome == outcome


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ({"choices": [{"message": {"content": "Yes."}, "finish_reason": "stop"}]}, "ok"),
        ({"choices": [{"message": {"content": None}, "finish_reason": "stop"}]}, "blank"),
        ({"choices": [{"message": {"content": "Yes."}, "finish_reason": None}]}, "malformed"),
        ({"choices": []}, "malformed"),
        ({"content": [{"type": "text", "text": "Yes."}], "stop_reason": "end_turn"}, "ok"),
        ({"content": [], "stop_reason": "end_turn"}, "blank"),
        ([], "malformed"),
    ],
)
def test_a_whole_answer_means(answer: object, outcome: str) -> None:
    """Of either API; a document without its promised parts is malformed."""
    assert _read(WholeAnswer(), json.dumps(answer).encode()).outcome == outcome
