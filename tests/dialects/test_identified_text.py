"""Answers that can be told apart by their text alone, whatever a system did to the rest."""

import pytest

from mockbot.dialects.identified_text import Piece, own_words, recognise, request_name, words
from mockbot.dialects.sentences import SENTENCES

MARK = 0x63C910F505369B55
NAME = request_name(MARK)


def _text(provider: str = "main", mark: int = MARK, tokens: int = 20) -> str:
    return "".join(words(provider, mark, tokens))


@pytest.mark.parametrize("tokens", [1, 2, 13, 500])
def test_an_answer_has_exactly_its_tokens_and_says_who_wrote_it(tokens: int) -> None:
    """The head is the first of them; there is no space before it."""
    said = words("main", MARK, tokens)

    assert len(said) == tokens
    assert said[0] == f"[main:{NAME}:{tokens}]"
    assert recognise("".join(said)) == (Piece("main", NAME, tokens, tokens),)


def test_words_need_no_escaping() -> None:
    """Every token goes into JSON as it is."""
    text = "".join(token for sentence in SENTENCES for token in sentence)

    assert text.isascii()
    assert text.isprintable()
    assert not set(text) & set('"\\<>&')


def test_no_tokens_are_no_text() -> None:
    """A blank answer stays blank."""
    assert words("main", MARK, 0) == ()


def test_a_cut_answer_says_how_much_is_missing() -> None:
    """Wherever it was cut after its first word."""
    for kept in range(1, 20):
        text = "".join(words("main", MARK, 20)[:kept])

        assert recognise(text) == (Piece("main", NAME, kept, 20),)


def test_two_answers_in_one_text_are_two_pieces() -> None:
    """What a fail-over in the middle of a stream makes."""
    cut = "".join(words("main", MARK, 20)[:7])

    first, second = recognise(cut + _text("other", tokens=9))

    assert (first.provider, first.words, first.whole) == ("main", 7, False)
    assert (second.provider, second.whole) == ("other", True)


def test_a_rendered_answer_is_still_recognised() -> None:
    """Re-wrapped, and with text of the application's own around it."""
    text = "Answer:\n" + _text().replace(" ", "\n") + "\n\nSources: none"

    assert recognise(text) == (Piece("main", NAME, 20, 20),)


@pytest.mark.parametrize("text", ["", "Sorry, we are busy.", "[main:short:3] no", _text()[18:], "[q7f3k2m]"])
def test_what_no_provider_wrote_has_no_pieces(text: str) -> None:
    """An apology, a title, a summary."""
    assert recognise(text) == ()


def test_a_changed_answer_is_not_whole() -> None:
    """The comparison ends at the first word that differs."""
    said = [*words("main", MARK, 20)]
    said[5] = " otherwise"

    assert recognise("".join(said)) == (Piece("main", NAME, 5, 20),)


def test_a_forged_length_costs_nothing() -> None:
    """A text from outside cannot make the reader write millions of words."""
    assert recognise(f"[main:{NAME}:999999] x") == (Piece("main", NAME, 1, 999999),)


def test_an_answer_of_the_scenarios_own_is_recognised_and_its_words_are_counted() -> None:
    """Its words do not follow from its name; white space is as the scenario has it."""
    text = "One  two\n\nthree. "
    said = own_words("main", MARK, text)

    assert "".join(said) == f"[main:{NAME}:=4] {text}"
    assert recognise("".join(said)) == (Piece("main", NAME, 4, 4),)
    assert recognise("".join(said[:3])) == (Piece("main", NAME, 3, 4),)
