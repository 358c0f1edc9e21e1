"""A request to Converse in, the same as Anthropic's API has it out: blocks, tools, cache points, reasoning.

docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html and API_runtime_ContentBlock.html
"""

import json
from typing import Any

from mockbot.dialects.bedrock.endpoint import NOT_JSON
from mockbot.dialects.dialect import Json, ProviderError

UNLIMITED = 2**31 - 1
_UNREAD = ("image", "document", "video", "audio", "citationsContent", "searchResult")
_NO_TOOLS = "The toolConfig field must be defined when using toolUse and toolResult content blocks."
_NOT_FIRST = (
    "A conversation must start with a user message. Try again with a conversation that starts with a user message."
)


def invalid(message: str) -> ProviderError:
    """Bedrock's ValidationException."""
    return ProviderError(400, None, message)


def plain_texts(data: Json) -> list[str] | None:
    """The texts of a request that has nothing but a conversation of one text each, which most have; None otherwise."""
    messages = data.get("messages")
    if len(data) > 1 or type(messages) is not list:
        return None
    texts: list[str] = []
    for message in messages:
        match message:
            case {"role": "user" | "assistant" as role, "content": [{"text": str(text), **more}]}:
                if more or not text.strip() or not (texts or role == "user"):
                    return None
                texts.append(text)
            case _:
                return None
    return texts or None


def as_anthropic(data: Json, model: str, *, stream: bool) -> Json:
    """The request; ProviderError(400) where it has another shape."""
    config, tools = _member(data, "inferenceConfig", dict), _member(data, "toolConfig", dict)
    messages = [_message(each, number) for number, each in enumerate(_member(data, "messages", list))]
    if messages and messages[0]["role"] != "user":
        raise invalid(_NOT_FIRST)
    if not tools and any(each["type"] in ("tool_use", "tool_result") for one in messages for each in one["content"]):
        raise invalid(_NO_TOOLS)
    named = {"temperature": "temperature", "topP": "top_p", "stopSequences": "stop_sequences"}
    asked: Json = {"model": model, "stream": stream, "messages": messages}
    asked |= {"max_tokens": config.get("maxTokens", UNLIMITED)}
    asked |= {name: config[given] for given, name in named.items() if given in config}
    if system := _blocks(_member(data, "system", list), "system"):
        asked["system"] = system
    if tools:
        asked |= _tools(tools)
    if output := _output(_member(data, "outputConfig", dict)):
        asked["output_config"] = output
    if "anthropic" in model:
        more = _member(data, "additionalModelRequestFields", dict)
        more = {name: value for name, value in more.items() if name != "anthropic_beta"}
        if "reasoning_config" in more:  # the older name (AWS's guide to extended thinking)
            more["thinking"] = more.pop("reasoning_config")
        asked |= more
    return asked


def _member(data: Any, name: str, kind: type) -> Any:
    value = data.get(name)
    if value is None:
        return kind()
    if type(value) is not kind:
        raise invalid(f"{name}: {NOT_JSON}")
    return value


def _message(message: object, number: int) -> Any:
    if not isinstance(message, dict) or message.get("role") not in ("user", "assistant"):
        raise invalid(f"Value at 'messages.{number + 1}.member.role' failed to satisfy constraint: [user, assistant]")
    return {
        "role": message["role"],
        "content": _blocks(_member(message, "content", list), f"messages.{number}.content"),
    }


def _blocks(given: list[object], where: str) -> list[Json]:
    """Blocks; a cache point marks the one before it."""
    blocks: list[Json] = []
    for number, block in enumerate(given):
        point = block.get("cachePoint") if isinstance(block, dict) else None
        if isinstance(point, dict):
            if blocks:
                blocks[-1]["cache_control"] = {"type": "ephemeral", "ttl": point.get("ttl") or "5m"}
        else:
            blocks.append(_block(block, f"{where}.{number}"))
    return blocks


def _block(block: object, where: str) -> Json:
    match block:
        case {"text": str(text)} | {"guardContent": {"text": {"text": str(text)}}}:
            return {"type": "text", "text": text}
        case {"toolUse": {"toolUseId": str(name), "name": str(tool), "input": given}}:
            return {"type": "tool_use", "id": name, "name": tool, "input": given}
        case {"toolResult": {"toolUseId": str(name), "content": list(content)}}:
            texts = [each.get("text") or json.dumps(each.get("json")) for each in content if isinstance(each, dict)]
            return {
                "type": "tool_result", "tool_use_id": name, "content": [{"type": "text", "text": t} for t in texts]
            }  # fmt: skip
        case {"reasoningContent": dict()}:
            return {"type": "thinking"}
        case dict() if kind := next((name for name in _UNREAD if name in block), None):
            return {"type": kind}
    raise invalid(f"The content block at {where} has no known member. {NOT_JSON}")


def _tools(config: Json) -> Json:
    tools: list[Json] = []
    for number, tool in enumerate(_member(config, "tools", list)):
        match tool:
            case {"toolSpec": {"name": str(name), "inputSchema": {"json": dict(schema)}}}:
                tools.append({"name": name, "input_schema": schema})
            case {"cachePoint": dict()}:
                if tools:
                    tools[-1]["cache_control"] = {"type": "ephemeral"}
            case {"systemTool": dict()}:
                pass  # runs at the provider, and is never called
            case _:
                raise invalid(f"The tool at toolConfig.tools.{number} has no known member. {NOT_JSON}")
    asked: Json = {"tools": tools}
    match _member(config, "toolChoice", dict):
        case {"any": dict()}:
            asked["tool_choice"] = {"type": "any"}
        case {"tool": {"name": str(name)}}:
            asked["tool_choice"] = {"type": "tool", "name": name}
    return asked


def _output(config: Json) -> Json:
    output: Json = {"effort": config["effort"]} if "effort" in config else {}
    match config.get("textFormat"):
        case None:
            pass
        case {"structure": {"jsonSchema": {"schema": str(text)}}}:
            try:
                output["format"] = {"type": "json_schema", "schema": json.loads(text)}
            except ValueError:
                raise invalid("outputConfig.textFormat.structure.jsonSchema.schema is not JSON") from None
        case _:
            raise invalid(f"outputConfig.textFormat: {NOT_JSON}")
    return output
