"""What an answer consists of: choices, thoughts, texts and calls, in every combination within the client's maximum."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockbot.dialects.answer_parts import Choice, Tool
from mockbot.dialects.dialect import Form, ProviderError, Question, Thinking
from mockbot.dialects.identified_text import Piece, recognise, request_name
from mockbot.scenario.schema import Answer
from mockbot.service.answer_content import composed, prose
from mockbot.service.answer_text import length

LAW = Answer.model_validate({"tokens": {"median": 40, "p95": 80}})
MARK = 0x1234_5678_9ABC_DEF0
OBJECT = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER, NOTE = Tool("weather", OBJECT), Tool("note", {"type": "string"}, "custom")


def choices_of(most: int | None = None, **form: Any) -> tuple[Choice, ...]:
    """The choices of an answer of this form."""
    choices = composed(Question("m", max_tokens=most, form=Form(**form)), "main", LAW, MARK)
    assert choices is not None
    return tuple(choices)


def pieces(choice: Choice) -> tuple[Piece, ...]:
    """What is recognised in a choice's texts."""
    return recognise("".join(part.text for part in choice.parts if part.kind == "text"))


def test_one_text_in_prose_is_left_to_its_delivery() -> None:
    """Most answers are; nothing is made for those that are turned away."""
    assert composed(Question("m"), "main", LAW, MARK) is None
    assert prose("main", MARK, 5, cut_short=True)[0].ending == "length"


def test_every_choice_is_recognised_as_the_same_requests_answer() -> None:
    """Each is as long as an answer of its own, and the first as the only one would be."""
    choices = choices_of(choices=3)

    assert [choice.tokens() for choice in choices] == [length(LAW, MARK + index) for index in range(3)]
    for choice in choices:
        assert pieces(choice) == (Piece("main", request_name(MARK), choice.tokens(), choice.tokens()),)


def test_thoughts_come_first_and_are_nobodys_answer() -> None:
    """As many tokens as the factor says."""
    (choice,) = choices_of(thinking=Thinking(2.0))
    own = length(LAW, MARK)

    assert [(part.kind, len(part.tokens)) for part in choice.parts] == [("thinking", 2 * own), ("text", own)]
    assert recognise(choice.parts[0].text) == ()


def test_thoughts_keep_to_their_budget_and_leave_half_of_the_maximum() -> None:
    """So a client gets a text, though it may be cut."""
    assert choices_of(thinking=Thinking(9.0, at_most=30))[0].tokens("thinking") == 30
    (cut,) = choices_of(20, thinking=Thinking(9.0))
    assert (cut.tokens("thinking"), cut.tokens("text"), cut.ending) == (10, 10, "length")
    assert pieces(cut)[0].whole


def test_a_text_ends_before_the_first_stop_sequence() -> None:
    """With a whole word, so that it is still recognised as whole."""
    (full,) = choices_of(stop=("no such word",))
    words = full.parts[0].tokens
    stop = words[8][1:]

    (choice,) = choices_of(stop=("no such word", stop))

    assert stop not in "".join(choice.parts[0].tokens[1:])
    assert (choice.stopped_by, choice.ending, full.stopped_by) == (stop, "stop", None)
    assert choice.parts[0].tokens[1:] == words[1 : choice.tokens()]
    assert pieces(choice)[0].whole


def test_a_json_text_ends_right_before_its_stop_sequence() -> None:
    """As the provider does; it is no longer JSON."""
    (choice,) = choices_of(schema=OBJECT, stop=(":",))

    assert (choice.parts[0].text, choice.stopped_by) == ('{"city"', ":")


def test_calls_have_arguments_that_fit_and_custom_tools_a_text() -> None:
    """Two calls at once, each with arguments of its own."""
    (choice,) = choices_of(calls=(WEATHER, NOTE))

    assert choice.ending == "calls"
    assert [part.tool for part in choice.parts] == [WEATHER, NOTE]
    assert isinstance(json.loads(choice.parts[0].text)["city"], str)
    assert choice.parts[1].text.isprintable()


@given(
    st.integers(1, 200),
    st.sampled_from([(), (WEATHER,), (WEATHER, NOTE)]),
    st.sampled_from([None, OBJECT]),
    st.sampled_from([None, Thinking(0.1), Thinking(4.0, 64)]),
    st.sampled_from([(), ("e",), ('"', " the")]),
    st.integers(2, 4),
)
def test_no_choice_has_more_tokens_than_the_client_allows(
    most: int, calls: Any, schema: Any, thinking: Any, stop: Any, n: int
) -> None:
    """Whatever it consists of; each has a part, and what is not cut short satisfies what it was asked for."""
    for choice in choices_of(most, calls=calls, schema=schema, thinking=thinking, stop=stop, choices=n):
        assert choice.parts
        assert choice.tokens() <= most
        if choice.ending == "length":
            assert choice.tokens() == most
        elif calls:
            assert len([part for part in choice.parts if part.kind == "call"]) == len(calls)
        elif schema is None:
            assert pieces(choice)[0].whole


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "text"},
        {"$ref": "https://example.com/schema"},
        {"$ref": "#/$defs/gone"},
        {"type": "string", "pattern": "("},
        {"type": "integer", "minimum": 1.2, "maximum": 1.8},
        {"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]},
        {"$ref": "#"},
        {"properties": 5},
        {"enum": []},
    ],
    ids=str,
)
def test_an_impossible_schema_is_the_clients_error(schema: dict[str, Any]) -> None:
    """400 in the provider's words, never a traceback."""
    with pytest.raises(ProviderError) as error:
        choices_of(calls=(Tool("f", schema),))

    assert (error.value.status, error.value.code) == (400, "invalid_function_parameters")
