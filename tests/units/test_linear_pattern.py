"""Regular expressions from files that nobody has to trust."""

import pytest

from mockbot.units.linear_pattern import LONGEST_TEXT, LinearPattern


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [(r"(?i)order \d+", "Where is Order 12?", True), ("^yes$", "yes and no", False), ("", "anything", True)],
)
def test_a_pattern_is_searched_anywhere(pattern: str, text: str, found: bool) -> None:
    """As `re.search`."""
    assert LinearPattern(pattern).found_in(text) is found


@pytest.mark.timeout(30)
def test_what_would_take_years_takes_no_time() -> None:
    """Python's own engine doubles its time with each character."""
    assert not LinearPattern("(a+)+$").found_in("a" * 5000 + "!")
    assert not LinearPattern("(x+x+)+y").found_in("x" * 5000)


@pytest.mark.parametrize(
    "pattern", ["(", r"(a)\1", "(?=a)b", "a{0,3000}", "((a{20}){20}){20}", "ab{200,}" * 3, "x" * 3000]
)
def test_what_cannot_be_bounded_is_refused(pattern: str) -> None:
    """With the pattern and the reason."""
    with pytest.raises(ValueError, match=r"is not a regular expression|could take long"):
        LinearPattern(pattern)


def test_of_a_long_text_the_end_is_searched() -> None:
    """Whoever puts everything into one message asks at its end."""
    text = "early " + "x" * LONGEST_TEXT + " late"

    assert LinearPattern("late").found_in(text)
    assert not LinearPattern("early").found_in(text)
