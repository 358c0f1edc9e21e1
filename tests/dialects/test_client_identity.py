"""Which keys are mockbot's own, and what of a command line may be shown."""

import pytest

from mockbot.dialects.client_identity import FREE, api_key, command_text, is_handed_out, tier_of

REAL = (
    "sk-proj-REALSECRETKEY0123456789abcdef",
    "sk-ant-api03-REALSECRETKEY_0123456789-AA",
    "sk-or-v1-0123456789abcdef0123456789abcdef",
    "sk-1234",
    "sk-REAL1SECRET-1",
    "sk-plus-alice",
    "AIzaREALSECRETKEY0123456789",
    "secret",
    "",
)


@pytest.mark.parametrize("key", [api_key(FREE, "1"), "sk-plus-7", "sk-tier_2-123456"])
def test_a_key_that_mockbot_hands_out_is_known(key: str) -> None:
    """A tier and the user's number."""
    assert is_handed_out(key)


@pytest.mark.parametrize("key", REAL)
def test_every_other_key_may_be_a_real_one(key: str) -> None:
    """Also one that begins like mockbot's."""
    assert not is_handed_out(key)


def test_hardly_anything_of_a_real_key_is_taken_for_a_tier() -> None:
    """Tiers are labels of metrics."""
    assert [tier_of(key) for key in REAL[4:5]] == [FREE]
    assert tier_of(f"sk-{'0123456789' * 5}-x") == FREE


@pytest.mark.parametrize(
    "words",
    [
        ("app", "--api-key", "REALSECRET"),
        ("app", "--openai-api-key=REALSECRET"),
        ("env", "OPENAI_API_KEY=REALSECRET", "app"),
        ("curl", "-H", "Authorization: Bearer REALSECRET", "http://127.0.0.1"),
        ("curl", "-H", "x-goog-api-key: REALSECRET", "http://127.0.0.1"),
        ("curl", "http://127.0.0.1/v1?alt=sse&key=REALSECRET&x=1"),
        ("python", "-c", "ask(api_key='REALSECRET', n=1)"),
        ("app", "sk-proj-REALSECRET0123"),
        ("app", "gsk_REALSECRET0123"),
        ("mockbot", "run", "x", "--on-phase", "https://hooks.slack.com/services/T0/B0/REALSECRET"),
        ("mockbot", "run", "x", "--on-phase=./page.sh --login REALSECRET"),
        ("mockbot", "run", "x", "--otel", "https://user:REALSECRET@collector:4318"),
    ],
)
def test_a_key_in_a_command_line_is_masked(words: tuple[str, ...]) -> None:
    """As an option's value, a variable, a header, a parameter, in code, or by its form."""
    assert "REALSECRET" not in command_text(words)
    assert "***" in command_text(words)


def test_the_rest_of_a_command_line_stays() -> None:
    """It can be repeated as it is."""
    words = ("python", "app.py", "--max-tokens", "5", "--monkey=3", "--key-file", "--verbose", "two words", "sk-free-1")
    upstream = ("mockbot", "run", "x", "--upstream", "main=https://api.openai.com", "--upstream-key", "main=OPENAI_KEY")

    assert command_text(words) == "python app.py --max-tokens 5 --monkey=3 --key-file --verbose 'two words' sk-free-1"
    assert command_text(upstream) == " ".join(upstream)
