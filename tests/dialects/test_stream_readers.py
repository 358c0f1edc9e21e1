"""What an answer's lines mean; pure, no process needed."""

import json
import re

import pytest

from mockbot.dialects.answer_parts import Choice, Part, Tool, blank
from mockbot.dialects.dialect import AnswerMetadata, Dialect, Question, Shape
from mockbot.dialects.families import FAMILIES
from mockbot.dialects.stream_readers import Reader

OPENAI, RESPONSES, EMBEDDINGS, COMPLETIONS, _ = FAMILIES["openai"].dialects
ANTHROPIC = FAMILIES["anthropic"].chat
TOKEN = b'data: {"choices":[{"delta":{"content":"a"}}]}\n'
SHAPES: tuple[Shape, ...] = ("nested", "flat", "failed")
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
    assert _read(OPENAI.reader(True), *lines).outcome == outcome


def test_nothing_is_expected_after_done() -> None:
    """The reader says so, so that nobody waits for the connection to close."""
    assert _read(OPENAI.reader(True), TOKEN, STOP).over is False
    assert _read(OPENAI.reader(True), TOKEN, STOP, DONE).over is True


def test_only_text_is_a_token() -> None:
    """The role chunk, comments, usage and the finish chunk are none; the longest silence is between two tokens."""
    role = b'data: {"choices":[{"delta":{"role":"assistant","content":""}}]}\n'
    reader = _read(OPENAI.reader(True), role, TOKEN, b": ping\n", b": ping\n", TOKEN, STOP, DONE)

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
    assert _read(ANTHROPIC.reader(True), *lines).outcome == outcome


@pytest.mark.parametrize(
    ("dialect", "answer", "outcome"),
    [
        (OPENAI, {"choices": [{"message": {"content": "Yes."}, "finish_reason": "stop"}]}, "ok"),
        (OPENAI, {"choices": [{"message": {"content": None}, "finish_reason": "stop"}]}, "blank"),
        (OPENAI, {"choices": [{"message": {"content": "Yes."}, "finish_reason": None}]}, "malformed"),
        (OPENAI, {"choices": []}, "malformed"),
        (OPENAI, [], "malformed"),
        (ANTHROPIC, {"content": [{"type": "text", "text": "Yes."}], "stop_reason": "end_turn"}, "ok"),
        (ANTHROPIC, {"content": [], "stop_reason": "end_turn"}, "blank"),
        (ANTHROPIC, {"content": [], "stop_reason": None}, "malformed"),
        (ANTHROPIC, [], "malformed"),
        (EMBEDDINGS, {"data": [{"embedding": [0.5]}]}, "ok"),
        (EMBEDDINGS, {"data": []}, "malformed"),
    ],
)
def test_a_whole_answer_means(dialect: Dialect, answer: object, outcome: str) -> None:
    """Of any API; a document without its promised parts is malformed."""
    assert _read(dialect.reader(False), json.dumps(answer).encode()).outcome == outcome


TOOL = Tool("lookup", {"type": "object"})
WRITTEN = [
    (COMPLETIONS, None),
    *((dialect, tool) for dialect in (OPENAI, RESPONSES, ANTHROPIC) for tool in (None, TOOL)),
]


@pytest.mark.parametrize(("dialect", "tool"), WRITTEN, ids=lambda each: getattr(each, "path", None))
def test_what_a_dialect_writes_its_reader_reads(dialect: Dialect, tool: Tool | None) -> None:
    """Text and tool calls, plain and streamed, in whatever parts the bytes arrive; errors and broken events as such."""
    meta = AnswerMetadata(Question("m", include_usage=True), 7, 0, 2)
    said = (Choice((Part("text" if tool is None else "call", ('{"a":', " 1}"), tool),)),)
    stream = dialect.stream(meta, said)
    begun = stream.opening() + stream.tokens(0, 1) + dialect.keepalive + stream.tokens(1, 2)
    whole = begun + stream.closing()

    assert _parts(dialect.reader(True), whole) == ("ok", 2)
    assert _parts(dialect.reader(True), begun) == ("truncated", 2)
    assert _parts(dialect.reader(True), begun + dialect.malformed) == ("malformed", 2)
    assert [_parts(dialect.reader(True), stream.error("server_error", shape))[0] for shape in SHAPES] == [
        "error_event"
    ] * 3
    assert _parts(dialect.reader(False), dialect.whole(meta, said))[0] == "ok"
    silent = dialect.stream(meta, said)
    assert _parts(dialect.reader(True), silent.opening() + silent.closing()) == ("blank", 0)
    assert _parts(dialect.reader(False), dialect.whole(meta, blank(said)))[0] == "blank"


def test_choices_are_streamed_side_by_side() -> None:
    """No choice waits for the end of another; a reader reads the first."""
    said = tuple(Choice((Part("text", (f"{name}1", f" {name}2")),)) for name in "ab")
    stream = OPENAI.stream(AnswerMetadata(Question("m"), 7, 0, 4), said)
    events = [stream.opening(), stream.tokens(0, 1), stream.tokens(1, 2), stream.closing()]

    assert [re.findall(rb'"content":"([^"]+)"', each) for each in events[1:3]] == [[b"a1", b"b1"], [b" a2", b" b2"]]
    reader = OPENAI.reader(True)
    reader.part(b"".join(events), 0.0)
    assert (reader.text, reader.outcome) == ("a1 a2", "ok")


def _parts(reader: Reader, body: bytes) -> tuple[str, int]:
    """Outcome and tokens of a body that arrives in parts of seven bytes."""
    for start in range(0, len(body), 7):
        reader.part(body[start : start + 7], 0.0)
    return reader.outcome, reader.tokens
