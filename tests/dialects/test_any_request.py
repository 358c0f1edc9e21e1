"""Whatever a request says, it is refused as its provider refuses it, or answered: plain and streamed, and readable."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mockbot.dialects.anthropic.messages import AnthropicMessages
from mockbot.dialects.azure.chat import AzureChat
from mockbot.dialects.dialect import AnswerMetadata, Dialect, ProviderError
from mockbot.dialects.gemini.generate_content import GenerateContent
from mockbot.dialects.openai.chat import OpenAIChat
from mockbot.dialects.openai.responses import OpenAIResponses
from mockbot.scenario.schema import Answer
from mockbot.service.answer_content import composed, prose

LAW = Answer.model_validate({"tokens": {"median": 9, "p95": 9}})
CITY = {"type": "object", "properties": {"city": {"type": "string"}}}
GOOGLES = {"type": "OBJECT", "properties": {"city": {"type": "STRING", "minLength": "1"}}, "propertyOrdering": ["city"]}
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 300) | st.text(max_size=3) | st.sampled_from(["type", "name", "auto"]),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["type", "name", "tools"]), inner, max_size=3)
    ),
    max_leaves=5,
)
NESTED = [{"type": "function", "function": {"name": name, "parameters": CITY}} for name in "ab"]
FLAT = [{"type": "function", "name": "a", "parameters": CITY}, {"type": "custom", "name": "b"}]
CALLED = {
    "role": "assistant",
    "content": None,
    "tool_calls": [{"id": "1", "type": "function", "function": {"name": "a"}}],
}
SENSIBLE: dict[Dialect, dict[str, list[Any]]] = {
    OpenAIChat(): {
        "messages": [
            [{"role": "user", "content": "x" * 5000}],
            [CALLED, {"role": "tool", "tool_call_id": "1", "content": "z"}],
        ],
        "max_completion_tokens": [1, 7],
        "tools": [NESTED, [{"type": "custom", "custom": {"name": "b"}}]],
        "tool_choice": [
            "none",
            "required",
            {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": NESTED}},
        ],
        "parallel_tool_calls": [False],
        "functions": [[{"name": "a"}]],
        "function_call": ["none", {"name": "a"}],
        "response_format": [{"type": "json_object"}],
        "n": [2],
        "stop": ["e", ["e", "\n"]],
        "logprobs": [True],
        "top_logprobs": [2],
        "reasoning_effort": ["high"],
        "service_tier": ['"'],
    },
    OpenAIResponses(): {
        "input": [
            "x",
            [{"type": "function_call", "call_id": "1", "name": "a"}, {"type": "function_call_output", "call_id": "1"}],
        ],
        "max_output_tokens": [16],
        "instructions": ["x" * 5000],
        "tools": [FLAT, [{"type": "web_search"}]],
        "tool_choice": [
            "required",
            {"type": "custom", "name": "b"},
            {"type": "allowed_tools", "mode": "required", "tools": FLAT},
        ],
        "parallel_tool_calls": [False],
        "text": [{"format": {"type": "json_object"}}],
        "reasoning": [{"effort": "low", "summary": "auto"}, {"effort": "low"}],
        "include": [["message.output_text.logprobs", "reasoning.encrypted_content"]],
        "top_logprobs": [2],
        "metadata": [{"a": '"'}],
    },
    AnthropicMessages(): {
        "messages": [
            [
                {
                    "role": "user",
                    "content": [{"type": "text", "text": "x" * 5000, "cache_control": {"type": "ephemeral"}}],
                }
            ]
        ],
        "max_tokens": [1, 7],
        "tools": [[{"name": name, "input_schema": CITY} for name in "ab"], [{"type": "computer_1", "name": "c"}]],
        "tool_choice": [
            {"type": "any"},
            {"type": "tool", "name": "a"},
            {"type": "auto", "disable_parallel_tool_use": True},
        ],
        "stop_sequences": [["e"]],
        "thinking": [{"type": "enabled", "budget_tokens": 3}, {"type": "adaptive", "display": "omitted"}],
        "output_config": [{"effort": "low"}],
        "cache_control": [{"type": "ephemeral", "ttl": "1h"}],
    },
    GenerateContent(): {
        "contents": [
            {"parts": {"text": "x" * 5000}},
            [
                {"parts": [{"text": "x"}]},
                {"role": "model", "parts": [{"functionCall": {"name": "a"}}]},
                {"parts": [{"function_response": {"name": "a", "response": {}}}]},
            ],
        ],
        "systemInstruction": ["x", {"parts": [{"text": "x" * 5000}]}],
        "tools": [
            [{"functionDeclarations": [{"name": name, "parametersJsonSchema": CITY} for name in "ab"]}],
            [{"function_declarations": [{"name": "a", "parameters": GOOGLES}]}, {"googleSearch": {}}],
        ],
        "toolConfig": [
            {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["a"]}},
            {"function_calling_config": {"mode": "NONE"}},
        ],
        "generationConfig": [
            {"maxOutputTokens": 1},
            {"candidateCount": 2, "stopSequences": ["e"]},
            {"responseMimeType": "application/json", "responseSchema": GOOGLES},
            {"thinkingConfig": {"includeThoughts": True, "thinkingBudget": 3}},
            {"thinking_config": {"thinking_level": "LOW"}, "max_output_tokens": 7},
        ],
        "safetySettings": [[{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}]],
    },
}
SENSIBLE[AzureChat()] = next(iter(SENSIBLE.values()))
ALWAYS: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": {"model": "gpt-4o", "messages": [{"role": "user", "content": "x"}]},
    "/openai/v1/chat/completions": {
        "model": "gpt-4o",
        "messages": [{"role": "user", "content": '"finish_reason":null}'}],
    },
    "/v1/responses": {"model": "gpt-4o", "input": "x"},
    "/v1/messages": {"model": "claude-x", "messages": [{"role": "user", "content": "x"}], "max_tokens": 50},
    GenerateContent.path: {"contents": [{"role": "user", "parts": [{"text": "x"}]}]},
}


@pytest.mark.parametrize("dialect", SENSIBLE, ids=lambda dialect: dialect.path)
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(data=st.data())
def test_any_request_is_refused_or_answered(dialect: Dialect, data: st.DataObject) -> None:
    """Parameters as documented, in any combination, and among them what no API takes."""
    fields = SENSIBLE[dialect]
    names = data.draw(st.sets(st.sampled_from(sorted(fields)), max_size=6))
    asked = {name: data.draw(st.sampled_from(fields[name])) for name in sorted(names)}
    if data.draw(st.integers(0, 2)) == 0:
        asked[data.draw(st.sampled_from(sorted(fields)))] = data.draw(JUNK)
    try:
        question = dialect.read(json.dumps(ALWAYS[dialect.path] | asked).encode())
        choices = tuple(composed(question, "main", LAW, 1 << 60) or ()) or prose("main", 1 << 60, 9, cut_short=False)
    except ProviderError as error:
        if error.status == 400:
            return
        raise
    tokens = max(choice.tokens() for choice in choices)
    meta = AnswerMetadata(question, 1 << 60, 0, tokens)
    plain, streamed, stream = dialect.reader(False), dialect.reader(True), dialect.stream(meta, choices)
    plain.part(dialect.whole(meta, choices), 0.0)
    streamed.part(stream.opening(), 0.0)
    for token in range(tokens):
        streamed.part(stream.tokens(token, token + 1), 0.0)
    streamed.part(stream.closing(), 0.0)

    assert {plain.outcome, streamed.outcome} <= {"ok", "blank"}
    assert plain.outcome == streamed.outcome
    assert choices[0].ending == "length" or choices[0].parts[-1].kind == "call" or plain.text == streamed.text
