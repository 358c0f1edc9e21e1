"""A prompt's identity, made by the crowd and found in what a system made of the request."""

import pytest

from mockbot.dialects.prompt_identity import identity_of, last_user_text, mark_of, trace_of


def test_one_prompt_has_one_identity_in_each_run() -> None:
    """Any process makes the same one; another prompt or another run has others."""
    first = identity_of("people-1.3", "1732730000.5")

    assert first == identity_of("people-1.3", "1732730000.5")
    assert first.header == "people-1.3"
    assert len({identity_of(*each) for each in (("p.1", "a"), ("p.2", "a"), ("p.1", "b"))}) == 3
    assert first.mark != identity_of("people-1.3", "1732730000.6").mark


def test_marks_hardly_ever_collide() -> None:
    """30 bits: in a run of 2,000 prompts two have the same mark once in 500 runs; the join settles it by time."""
    marks = {identity_of(f"people-{user}.{n}", "run").mark for user in range(50) for n in range(40)}

    assert len(marks) == 2000


def test_every_way_leads_back_to_the_prompt() -> None:
    """Header, trace and text say the same."""
    identity = identity_of("people-1.3", "run")

    assert identity.headers(0)["x-mockbot-prompt"] == "people-1.3"
    assert trace_of(identity.headers(0)["traceparent"]) == identity.trace
    assert mark_of(identity.marked("When will it be back?")) == identity.mark


@pytest.mark.parametrize("given", ["", "00-abc-def-01", "00-" + "g" * 32 + "-" + "0" * 16 + "-01"])
def test_what_is_no_traceparent_names_no_trace(given: str) -> None:
    """A system may send anything."""
    assert trace_of(given) is None


def test_a_later_version_of_the_header_may_be_longer() -> None:
    """W3C Trace Context, "Versioning of traceparent": what follows the flags is ignored."""
    assert trace_of(f"01-{'a' * 32}-{'b' * 16}-00-more") == "a" * 32


def test_the_last_mark_of_the_last_user_message_counts() -> None:
    """A history repeats the marks of earlier prompts."""
    messages = [
        {"role": "system", "content": "Answer as [q000000] does."},
        {"role": "user", "content": "First [q111111]"},
        {"role": "assistant", "content": "You asked [q111111]"},
        {"role": "user", "content": "Before: First [q111111]. Now: Second [q222222]"},
        {"role": "assistant", "content": "Hm [q333333]"},
    ]

    assert mark_of(last_user_text({"messages": messages})) == "q222222"


@pytest.mark.parametrize(
    "body",
    [
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "Hi [q777777]"}]}]},
        {
            "messages": [
                {"role": "user", "content": "Hi [q777777]"},
                {"role": "user", "content": [{"type": "tool_result", "content": []}]},
            ]
        },
        {"input": "Hi [q777777]"},
        {"input": [{"role": "user", "content": [{"type": "input_text", "text": "Hi [q777777]"}]}]},
        {"prompt": ["Hi [q777777]"]},
        {"messages": [{"role": "system", "content": "Hi [q777777]"}]},
    ],
)
def test_the_mark_is_found_in_every_dialect(body: dict[str, object]) -> None:
    """Text or parts, messages or input; without a user's message in all of them."""
    assert mark_of(last_user_text(body)) == "q777777"


@pytest.mark.parametrize("body", [{}, {"messages": 3}, {"messages": [None, 7]}, {"input": {"a": 1}}])
def test_a_request_of_any_shape_is_survived(body: dict[str, object]) -> None:
    """The service refuses it later; here it merely has no text."""
    assert mark_of(last_user_text(body)) is None
