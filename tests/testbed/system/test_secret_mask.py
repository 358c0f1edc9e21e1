"""No secret gets into the log of a system, however its output is split."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from mockbot.testbed.system.secret_mask import SecretMask

SECRET = "sk-live/0123456789"
TEXT = f"start {SECRET}\nAuthorization: Bearer {SECRET}, key=sk-live%2F0123456789\nlast {SECRET}".encode()


@given(st.lists(st.integers(0, len(TEXT))))
def test_a_secret_is_masked_wherever_a_chunk_ends(cuts: list[int]) -> None:
    """Also as a part of a URL, and at the end of the stream."""
    mask, places = SecretMask([SECRET]), [0, *sorted(cuts), len(TEXT)]

    out = b"".join(mask.feed(TEXT[a:b]) for a, b in pairwise(places)) + mask.flush()

    assert out == b"start ***\nAuthorization: Bearer ***, key=***\nlast ***"


def test_a_line_without_an_end_is_passed_on_and_masked() -> None:
    """A system that never ends a line cannot fill the memory."""
    mask, out = SecretMask([SECRET]), b""
    for _ in range(20):
        out += mask.feed(b"x" * 10_000 + SECRET.encode())

    assert len(out) > 100_000
    assert SECRET.encode() not in out + mask.flush()


def test_a_complete_line_is_not_held_back() -> None:
    """Whoever follows the log sees it."""
    assert SecretMask([SECRET]).feed(b"ready\nnext") == b"ready\n"


def test_the_longer_of_two_secrets_is_masked_whole() -> None:
    """One may begin with the other; a value of one letter is no secret."""
    mask = SecretMask(["abcd", "abcdefgh", "a"])

    assert mask.feed(b"abcdefgh abcd a\nabcd") == b"*** *** a\n"
    assert mask.feed(b"efgh\n") == b"***\n"
