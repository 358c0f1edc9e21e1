"""What Gemini's answers mean to a reader, and that it reads what is written; pure, no process needed."""

import json

import pytest

from mockbot.dialects.answer_parts import Choice, Part, Tool, blank
from mockbot.dialects.dialect import AnswerMetadata, Form, Question, Thinking
from mockbot.dialects.families import FAMILIES
from mockbot.dialects.prompt_identity import last_message_text, last_user_text
from mockbot.dialects.stream_readers import Reader

GEMINI = FAMILIES["gemini"].chat
TOOL = Tool("lookup", {"type": "object"})
TEXT, THOUGHT = Part("text", ('{"a":', " 1}")), Part("thinking", ("Let", " me"))
CALL = Part("call", ('{"a":', " 1}"), TOOL)
SAID = b'data: {"candidates":[{"content":{"role":"model","parts":[{"text":"a"}]}}]}\r\n'
LAST = b'data: {"candidates":[{"content":{"role":"model"},"finishReason":"STOP"}]}\r\n'
ERROR = b'data: {"error":{"code":503,"message":"no","status":"UNAVAILABLE"}}\r\n'


def _parts(reader: Reader, body: bytes) -> tuple[str, str]:
    """Outcome and text of a body that arrives in parts of seven bytes."""
    for start in range(0, len(body), 7):
        reader.part(body[start : start + 7], 0.0)
    return reader.outcome, reader.text


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        (SAID + b"\r\n" + LAST, "ok"),
        (SAID, "truncated"),
        (LAST, "blank"),
        (b"", "truncated"),
        (SAID + ERROR, "error_event"),
        (SAID + b"data: {not json\r\n", "malformed"),
        (b'data: {"promptFeedback":{}}\r\n', "malformed"),
        (b"<html>\r\n", "malformed"),
    ],
)
def test_a_stream_means(body: bytes, outcome: str) -> None:
    """Only text and a finish reason together are an answer; nothing else ends a stream."""
    assert _parts(GEMINI.reader(True), body)[0] == outcome


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ({"candidates": [{"content": {"parts": [{"text": "Yes."}]}, "finishReason": "STOP"}]}, "ok"),
        ({"candidates": [{"content": {"role": "model"}, "finishReason": "STOP"}]}, "blank"),
        ({"candidates": [{"content": {"parts": [{"text": "Yes."}]}}]}, "malformed"),
        ({"candidates": []}, "malformed"),
        ([{"candidates": [{"content": {"parts": [{"text": "Yes."}]}}]}], "malformed"),
        ([], "malformed"),
    ],
)
def test_a_whole_answer_means(answer: object, outcome: str) -> None:
    """A document without its finish reason is malformed, and so is an array."""
    assert _parts(GEMINI.reader(False), json.dumps(answer).encode())[0] == outcome


@pytest.mark.parametrize("parts", [(TEXT,), (CALL,), (THOUGHT, TEXT), (THOUGHT, CALL, CALL)], ids=len)
@pytest.mark.parametrize("shown", [False, True])
def test_what_is_written_is_read(parts: tuple[Part, ...], shown: bool) -> None:
    """Plain, in events and as an array: the same text, which thoughts are no part of; a cut and an error as such."""
    form = Form(thinking=Thinking(1.0, shown=shown, sealed=True) if parts[0] is THOUGHT else None)
    said = (Choice(parts, "calls" if parts[-1] is CALL else "stop"),)
    text, tokens = '{"a": 1}' * (len(parts) - (parts[0] is THOUGHT)), said[0].tokens()
    for as_array in (False, True):
        meta = AnswerMetadata(Question("{m}", stream=True, form=form, as_array=as_array), 7, 0, tokens)
        stream = GEMINI.stream(meta, said)
        begun = stream.opening() + b"".join([stream.tokens(n, n + 1) + GEMINI.keepalive for n in range(tokens)])
        silent, failed = GEMINI.stream(meta, said), GEMINI.stream(meta, said)
        whole, nothing = begun + stream.closing(), silent.opening() + silent.closing()
        error = failed.opening() + failed.tokens(0, 1) + failed.error("UNAVAILABLE", "nested")

        assert _parts(GEMINI.reader(not as_array), whole) == ("ok", text)
        assert _parts(GEMINI.reader(not as_array), nothing) == ("blank", "")
        assert _parts(GEMINI.reader(not as_array), begun)[0] == ("malformed" if as_array else "truncated")
        assert _parts(GEMINI.reader(not as_array), error)[0] == ("malformed" if as_array else "error_event")
        assert _parts(GEMINI.reader(not as_array), begun + GEMINI.malformed)[0] == "malformed"
    assert _parts(GEMINI.reader(False), GEMINI.whole(meta, said)) == ("ok", text)
    assert _parts(GEMINI.reader(False), GEMINI.whole(meta, blank(said)))[0] == "blank"


def test_a_call_that_the_maximum_has_cut_is_not_there() -> None:
    """Its JSON is half: the answer ends with MAX_TOKENS, without the part."""
    said = (Choice((CALL,), "length"),)
    answer = json.loads(GEMINI.whole(AnswerMetadata(Question("m"), 7, 0, 2), said))

    assert answer["candidates"] == [{"index": 0, "content": {"role": "model"}, "finishReason": "MAX_TOKENS"}]


def test_the_texts_of_contents_are_found() -> None:
    """For marks of prompts and for answers of the scenario's own: the user's last words, and a function's result."""
    asked = {"role": "user", "parts": [{"text": "first"}]}
    called = {"role": "model", "parts": [{"functionCall": {"name": "f"}}]}
    result = {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {"result": "7 degrees"}}}]}

    assert last_user_text({"contents": [asked]}) == "first"
    assert last_message_text({"contents": [asked, called, result]}) == '{"result": "7 degrees"}'


def test_the_crowds_question_becomes_contents() -> None:
    """Messages as OpenAI has them; the model and whether it is streamed stand in the path."""
    family = FAMILIES["gemini"]
    messages = [{"role": role, "content": role} for role in ("system", "user", "assistant")]
    question = {"model": "mockbot", "messages": messages, "max_tokens": 9, "stop": "x", "labels": {"a": "b"}}

    assert family.ask(question, True) == {
        "contents": [
            {"role": "user", "parts": [{"text": "user"}]},
            {"role": "model", "parts": [{"text": "assistant"}]},
        ],
        "systemInstruction": {"parts": [{"text": "system"}]},
        "generationConfig": {"maxOutputTokens": 9, "stopSequences": ["x"]},
        "labels": {"a": "b"},
    }
    assert family.path_of(question, True) == "/v1beta/models/mockbot:streamGenerateContent?alt=sse"
    assert family.path_of(question, False) == "/v1beta/models/mockbot:generateContent"
