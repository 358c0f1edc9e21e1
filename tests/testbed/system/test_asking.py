"""How an application of the user's own is asked, and how its answer is read."""

import json

import pytest

from mockbot.evidence.records import Outcome
from mockbot.testbed.system.asking import Ask

NAMES = {"prompt": 'Is it "up"? {user} [q7f3k2m]', "user": "people-1", "group": "people", "key": "sk-x"}


def _ask(answer: object, **request: object) -> Ask:
    asked = {"json": {"text": "{prompt}"}, **request}
    when = {"status": [207], "text": "temporarily unavailable"}
    return Ask.model_validate({"request": asked, "answer": answer, "degraded_when": when})


def test_every_string_of_a_request_is_filled_once() -> None:
    """A prompt that looks like a name stays a prompt."""
    ask = _ask({"json": "$.a"}, path="/ask/{group}", headers={"x-user": "{user}"}, json={"q": ["{prompt}", 3]})

    request = ask.request.filled(NAMES)

    assert (request.path, request.headers) == ("/ask/people", {"x-user": "people-1"})
    assert json.loads(request.body()[1]) == {"q": [NAMES["prompt"], 3]}


def test_a_body_may_be_a_form_or_text() -> None:
    """With the type that an HTML form or curl would send."""
    form = _ask({"text": True}, json=None, form={"q": "{prompt}"}).request.filled({"prompt": "a b&c"})
    text = _ask({"text": True}, json=None, text="{prompt}!").request.filled({"prompt": "ü"})

    assert form.body() == ("application/x-www-form-urlencoded", b"q=a+b%26c")
    assert text.body() == ("text/plain; charset=utf-8", "ü!".encode())


# (form, lines) -> (outcome, text, whether it claims to be whole, first token)
READ: list[tuple[object, list[bytes], tuple[Outcome, str, bool, float | None]]] = [
    ({"json": "$.a.b"}, [b'{"a":\n', b'{"b": "hi"}}'], ("ok", "hi", True, None)),
    ({"json": "$.a"}, [b'{"a": " "}'], ("blank", " ", True, None)),
    ({"text": True}, [b"one\n", b"two"], ("ok", "one\ntwo", False, 0.0)),
    ({"text": True}, [], ("blank", "", False, None)),
    ({"sse": "$.d"}, [b"event: x\n", b'data: {"d":"a "}\r\n', b"\n", b'data: {"d":"b"}\n'], ("ok", "a b", False, 1.0)),
    ({"sse": "$"}, [b"data: one \n", b"\n", b"data:two\n"], ("ok", "one two", False, 0.0)),
    ({"sse": {"data": "$.d", "ends": "[DONE]"}}, [b'data: {"d":"a"}\n', b"data: [DONE]\n"], ("ok", "a", True, 0.0)),
    ({"sse": {"data": "$.d", "ends": "[DONE]"}}, [b'data: {"d":"a"}\n'], ("truncated", "a", False, 0.0)),
    ({"ndjson": "$.m"}, [b'{"role":"x"}\n', b"\n", b'{"m":"a"}\n', b'{"m":"b"}\n'], ("ok", "ab", False, 2.0)),
    ({"ndjson": {"data": "$.m", "ends": "$.done"}}, [b'{"m":"a","done":false}\n'], ("truncated", "a", False, 0.0)),
    ({"ndjson": {"data": "$.m", "ends": "$.done"}}, [b'{"m":"a","done":true}\n'], ("ok", "a", True, 0.0)),
]


@pytest.mark.parametrize(("form", "lines", "expected"), READ)
def test_an_answer_is_read_as_its_form_says(
    form: object, lines: list[bytes], expected: tuple[Outcome, str, bool, float | None]
) -> None:
    """A document claims to be whole, a stream does with its last event, plain text never does."""
    reader = _ask(form).reader()
    for number, line in enumerate(lines):
        reader.line(line, float(number))

    outcome = reader.outcome

    assert (outcome, reader.text, reader.claims, reader.first) == expected


@pytest.mark.parametrize(
    ("form", "line", "says"),
    [
        ({"json": "$.a"}, b"<html>Bad gateway", "the answer is not JSON; it begins with '<html>Bad gateway'"),
        ({"json": "$.a"}, b'{"b": 1}', "there is nothing at $.a of the answer; it begins with '{\"b\": 1}'"),
        ({"json": "$.a"}, b'{"a": 1}', "there is no text but 1 at $.a"),
        ({"sse": "$.a"}, b"data: oops\n", "a part of the stream is not JSON; it begins with 'oops'"),
        ({"sse": "$.a"}, b'data: {"b": "x"}\n', "no part of the stream has text at $.a; it begins with"),
        ({"ndjson": "$.a"}, b'{"b": "x"}\n', "no part of the stream has text at $.a; it begins with"),
    ],
)
def test_what_cannot_be_read_is_quoted(form: object, line: bytes, says: str) -> None:
    """A wrong JSONPath shows in the first answer, with that answer's beginning."""
    reader = _ask(form).reader()
    reader.line(line, 0.0)

    assert reader.outcome == "malformed"
    assert reader.unreadable.startswith(says)


def test_an_apology_is_known_by_its_status_or_its_text() -> None:
    """It is an answer, and not a good one."""
    ask = _ask({"text": True})

    assert ask.degraded(207, "here you are")
    assert ask.degraded(200, "We are temporarily unavailable.")
    assert not ask.degraded(200, "here you are")
