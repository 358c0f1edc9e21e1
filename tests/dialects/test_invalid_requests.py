"""Requests that a provider refuses are refused with its own words; parameters that mockbot ignores are named."""

import json
from pathlib import Path
from typing import Any

import pytest

from mockbot.dialects.anthropic import ANTHROPIC
from mockbot.dialects.dialect import Dialect, ProviderError, Question
from mockbot.dialects.families import FAMILIES
from mockbot.dialects.openai import OPENAI
from mockbot.dialects.parameter_tables import markdown

USER = {"role": "user", "content": "x"}
CALL = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
CALLING = {"role": "assistant", "content": None, "tool_calls": [CALL]}
RESULT = {"role": "tool", "tool_call_id": "call_1", "content": "z"}
TOOL = {"type": "function", "function": {"name": "f"}}
USING = {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "f", "input": {}}]}
GIVING = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "z"}]}


def dialect_of(path: str) -> Dialect:
    """The endpoint at this path."""
    return next(each for family in FAMILIES.values() for each in family.dialects if each.path == path)


def read(path: str, **asked: Any) -> Question:
    """What the endpoint makes of a request that is right but for `asked`."""
    usual: dict[str, dict[str, Any]] = {
        "/v1/chat/completions": {"model": "gpt-4o", "messages": [USER]},
        "/v1/responses": {"model": "gpt-4o", "input": "x"},
        "/v1/embeddings": {"model": "text-embedding-3-small", "input": "x"},
        "/v1/messages": {"model": "claude-sonnet-5-5", "max_tokens": 2000, "messages": [USER]},
    }
    return dialect_of(path).read(json.dumps(usual[path] | asked).encode())


@pytest.mark.parametrize(
    ("asked", "message", "param"),
    [
        ({"foo": 1}, "Unrecognized request argument supplied: foo", None),
        ({"foo": 1, "bar": 2}, "Unrecognized request arguments supplied: bar, foo", None),
        (
            {"messages": [{"role": "robot", "content": "z"}]},
            "Invalid value: 'robot'. Supported values are: 'system'",
            "messages[0].role",
        ),
        (
            {"messages": [{"role": "user"}]},
            "Invalid value for 'content': expected a string, got null.",
            "messages.[0].content",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "smell"}]}]},
            "Invalid value: 'smell'.",
            "messages[0].content[0].type",
        ),
        (
            {"messages": [USER, RESULT]},
            "Invalid parameter: messages with role 'tool' must be a response to",
            "messages.[1].role",
        ),
        (
            {"messages": [USER, CALLING]},
            "An assistant message with 'tool_calls' must be followed by",
            "messages.[1].role",
        ),
        (
            {"messages": [USER, CALLING, USER]},
            "An assistant message with 'tool_calls' must be followed by",
            "messages.[1].role",
        ),
        (
            {"temperature": 3},
            "Invalid 'temperature': decimal above maximum value. Expected a value <= 2, but got 3",
            "temperature",
        ),
        ({"temperature": "hot"}, "Invalid type for 'temperature': expected a decimal, but got a string", "temperature"),
        ({"top_p": -1}, "Invalid 'top_p': decimal below minimum value. Expected a value >= 0, but got -1", "top_p"),
        ({"n": 0}, "Invalid 'n': integer below minimum value. Expected a value >= 1, but got 0", "n"),
        ({"n": True}, "Invalid type for 'n': expected an integer, but got a boolean", "n"),
        ({"presence_penalty": 2.5}, "Invalid 'presence_penalty': decimal above maximum value.", "presence_penalty"),
        (
            {"logprobs": True, "top_logprobs": 21},
            "Invalid 'top_logprobs': integer above maximum value.",
            "top_logprobs",
        ),
        (
            {"top_logprobs": 2},
            "The 'top_logprobs' parameter is only allowed when 'logprobs' is enabled.",
            "top_logprobs",
        ),
        (
            {"service_tier": "gold"},
            "Invalid value: 'gold'. Supported values are: 'auto', 'default', 'flex'",
            "service_tier",
        ),
        ({"stop": list("abcde")}, "Invalid 'stop': array too long. Expected an array with maximum length 4", "stop"),
        (
            {"tool_choice": "required"},
            "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools'",
            "tool_choice",
        ),
        ({"tools": []}, "Invalid 'tools': empty array.", "tools"),
        (
            {"model": "o4-mini", "max_tokens": 10},
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_comp",
            "max_tokens",
        ),
        (
            {"model": "gpt-5-mini", "temperature": 0.2},
            "Unsupported value: 'temperature' does not support 0.2 with this model.",
            "temperature",
        ),
        (
            {"model": "o3", "logprobs": True},
            "Unsupported parameter: 'logprobs' is not supported with this model.",
            "logprobs",
        ),
        ({"reasoning_effort": "low"}, "Unrecognized request argument supplied: reasoning_effort", None),
        (
            {"response_format": {"type": "json_object"}},
            "'messages' must contain the word 'json' in some form",
            "messages",
        ),
    ],
)
def test_openai_refuses_with_its_own_words(asked: dict[str, Any], message: str, param: str | None) -> None:
    """400, the sentence and the field."""
    with pytest.raises(ProviderError) as refused:
        read("/v1/chat/completions", **asked)

    assert (refused.value.status, refused.value.param) == (400, param)
    assert str(refused.value.message).startswith(message)


@pytest.mark.parametrize(
    "asked",
    [
        {"messages": [USER, CALLING, RESULT], "tools": [TOOL]},
        {"messages": [{"role": "developer", "content": [{"type": "text", "text": "x"}]}, USER]},
        {"messages": [USER, {"role": "assistant", "content": None, "refusal": "no"}, USER]},
        {"model": "o4-mini", "max_completion_tokens": 10, "temperature": 1, "reasoning_effort": "low"},
        {"model": "gpt-5.2", "temperature": 0.2},
        {"model": "ft:gpt-4o:x", "temperature": 2, "top_p": 0} | {"model": "gpt-4o"},
        {"n": None, "service_tier": None, "tools": None, "tool_choice": "none"},
    ],
)
def test_openai_takes_what_it_documents(asked: dict[str, Any]) -> None:
    """The nearest requests that are right."""
    assert read("/v1/chat/completions", **asked).not_done == ()


@pytest.mark.parametrize(
    ("path", "asked", "message"),
    [
        ("/v1/responses", {"foo": 1}, "Unknown parameter: 'foo'."),
        ("/v1/responses", {"temperature": 2.1}, "Invalid 'temperature': decimal above maximum value."),
        (
            "/v1/responses",
            {"input": [{"type": "function_call_output", "call_id": "c", "output": "z"}]},
            "No tool call found for function call output with call_id c.",
        ),
        (
            "/v1/responses",
            {"input": [{"role": "robot", "content": "z"}]},
            "Invalid value: 'robot'. Supported values are: 'assistant', 'system', 'developer', and 'user'.",
        ),
        ("/v1/embeddings", {"foo": 1}, "Unrecognized request argument supplied: foo"),
        (
            "/v1/embeddings",
            {"encoding_format": "hex"},
            "Invalid value: 'hex'. Supported values are: 'float' and 'base64'.",
        ),
    ],
)
def test_every_endpoint_has_its_own(path: str, asked: dict[str, Any], message: str) -> None:
    """The same table decides at all of them."""
    with pytest.raises(ProviderError) as refused:
        read(path, **asked)

    assert str(refused.value.message).startswith(message)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"foo": 1}, "foo: Extra inputs are not permitted"),
        ({"metadata": {"user": "x"}}, "metadata.user: Extra inputs are not permitted"),
        ({"temperature": 1.5}, "temperature: range: 0..1"),
        ({"temperature": "hot"}, "temperature: Input should be a valid number"),
        ({"top_k": -1}, "top_k: Input should be greater than or equal to 0"),
        ({"service_tier": "gold"}, "service_tier: Input should be 'auto' or 'standard_only'"),
        ({"stop_sequences": [" "]}, "stop_sequences: each stop sequence must contain non-whitespace"),
        (
            {"thinking": {"type": "enabled", "budget_tokens": 2048}},
            "`max_tokens` must be greater than `thinking.budget_tokens`.",
        ),
        (
            {"thinking": {"type": "enabled", "budget_tokens": 10}},
            "thinking.enabled.budget_tokens: Input should be greater than",
        ),
        (
            {"thinking": {"type": "enabled", "budget_tokens": 1024}, "temperature": 0},
            "`temperature` may only be set to 1 when thinking",
        ),
        ({"tool_choice": {"type": "any"}}, "tool_choice: `tool_choice` may only be specified while providing `tools`."),
        ({"tools": [{"name": "f"}, {"name": "f"}]}, "tools: Tool names must be unique."),
        ({"tools": [{"name": "a b"}]}, "tools.0.custom.name: String should match pattern"),
        ({"messages": [{"role": "system", "content": "x"}]}, 'messages: Unexpected role "system".'),
        (
            {"messages": [{"role": "user", "content": ""}]},
            "messages.0: all messages must have non-empty content except for",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "text", "text": ""}]}]},
            "messages: text content blocks must be non-empty",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "text", "text": " "}]}]},
            "messages: text content blocks must contain non-whitespace text",
        ),
        (
            {"messages": [USER, {"role": "assistant", "content": "so "}]},
            "messages: final assistant content cannot end with trailing whitespace",
        ),
        ({"messages": [GIVING]}, "messages.0.content.0: unexpected `tool_use_id` found in `tool_result` blocks: t."),
        (
            {"messages": [USER, USING, USER]},
            "messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: t.",
        ),
    ],
)
def test_anthropic_refuses_with_its_own_words(asked: dict[str, Any], message: str) -> None:
    """400 and the sentence."""
    with pytest.raises(ProviderError) as refused:
        read("/v1/messages", **asked)

    assert refused.value.status == 400
    assert str(refused.value.message).startswith(message)


@pytest.mark.parametrize(
    "asked",
    [
        {"messages": [USER, USING, GIVING], "tools": [{"name": "f"}]},
        {"messages": [USER, {"role": "assistant", "content": ""}]},
        {"temperature": 1, "thinking": {"type": "enabled", "budget_tokens": 1999}},
        {"thinking": {"type": "adaptive"}, "metadata": {"user_id": "x"}},
    ],
)
def test_anthropic_takes_what_it_documents(asked: dict[str, Any]) -> None:
    """The nearest requests that are right."""
    assert read("/v1/messages", **asked).not_done == ()


def test_what_is_ignored_is_named() -> None:
    """Unless its value asks for nothing."""
    chat = read("/v1/chat/completions", logit_bias={"5": 1}, modalities=["text"], prediction=None)
    messages = read("/v1/messages", container="c", speed="fast")

    assert chat.not_done == ("logit_bias",)
    assert messages.not_done == ("container", "speed")


def test_every_provider_says_what_it_makes_of_every_parameter() -> None:
    """Each endpoint has a table, and the page shows all of them.

    `python -m mockbot.dialects.parameter_tables docs/api.md` writes it.
    """
    page = (Path(__file__).parents[2] / "docs" / "api.md").read_text("utf-8")

    assert all(dialect.parameters for family in (OPENAI, ANTHROPIC) for dialect in family.dialects)
    assert markdown() in page
