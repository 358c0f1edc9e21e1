"""The messages of a conversation, checked as Anthropic does: contents are not empty, results follow their calls."""

from typing import Any

from mockbot.dialects.anthropic.anthropic_parameters import invalid
from mockbot.dialects.dialect import Json
from mockbot.dialects.reading import kind_name

_EMPTY = "all messages must have non-empty content except for the optional final assistant message"


def check_messages(messages: list[Any]) -> None:
    """Raises ProviderError(400) for the first message that Anthropic would not take."""
    called: list[str] = []  # ids of the calls in the message before
    for index, message in enumerate(messages):
        if not isinstance(message, dict):
            raise invalid(f"messages.{index}: Input should be a valid dictionary, not {kind_name(message)}")
        role, content, last = message.get("role"), message.get("content"), index == len(messages) - 1
        if role == "system":
            says = (
                'Unexpected role "system". The Messages API accepts a top-level `system` parameter, not "system" as an'
            )
            raise invalid(f"messages: {says} input message role.")
        if role not in ("user", "assistant"):
            raise invalid(f"messages.{index}.role: Input should be 'user' or 'assistant'")
        if not isinstance(content, str | list):
            raise invalid(f"messages.{index}.content: Input should be a valid string or list")
        if not content and not (last and role == "assistant"):
            raise invalid(f"messages.{index}: {_EMPTY}")
        if isinstance(content, str) and last and role == "assistant" and content != content.rstrip():
            raise invalid("messages: final assistant content cannot end with trailing whitespace")
        blocks = [block for block in content if isinstance(block, dict)] if isinstance(content, list) else []
        _check_texts(blocks)
        _check_results(index, blocks, called)
        called = [str(block.get("id")) for block in blocks if block.get("type") == "tool_use"]
    if called:
        raise _without_results(len(messages) - 1, called)


def _check_texts(blocks: list[Json]) -> None:
    for block in blocks:
        text = block.get("text") if block.get("type") == "text" else None
        if isinstance(text, str) and not text.strip():
            what = "contain non-whitespace text" if text else "be non-empty"
            raise invalid(f"messages: text content blocks must {what}")


def _check_results(index: int, blocks: list[Json], called: list[str]) -> None:
    """Each result has its call in the message before, and each call there has its result here."""
    results = [
        (n, str(block.get("tool_use_id"))) for n, block in enumerate(blocks) if block.get("type") == "tool_result"
    ]
    for number, result in results:
        if result not in called:
            unexpected = f"unexpected `tool_use_id` found in `tool_result` blocks: {result}."
            must = "Each `tool_result` block must have a corresponding `tool_use` block in the previous message."
            raise invalid(f"messages.{index}.content.{number}: {unexpected} {must}")
    if missing := [call for call in called if call not in [result for _, result in results]]:
        raise _without_results(index - 1, missing)


def _without_results(index: int, calls: list[str]) -> Exception:
    found = f"`tool_use` ids were found without `tool_result` blocks immediately after: {', '.join(calls)}."
    must = "Each `tool_use` block must have a corresponding `tool_result` block in the next message."
    return invalid(f"messages.{index}: {found} {must}")
