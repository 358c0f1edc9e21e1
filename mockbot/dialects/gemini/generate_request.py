"""Read the body of a generateContent request: the prompt, and the form that its answer is to have."""

from collections.abc import Mapping
from typing import Any

from mockbot.dialects.dialect import Form, Json, Question, Thinking
from mockbot.dialects.gemini.contents import Turn, instruction_of, turns_of
from mockbot.dialects.gemini.function_calling import calls
from mockbot.dialects.gemini.gemini_parameters import GENERATE, check, fields, invalid, list_at, message_at, wrong_value
from mockbot.dialects.gemini.schemas import json_schema
from mockbot.dialects.prompt_prefixes import LEAST, Block, prefixes
from mockbot.dialects.reading import FACTORS, count_tokens, json_length, prompt_tokens, text_length

_CONFIG = "* GenerateContentRequest.generation_config"


def question_of(data: Json, model: str) -> Question:
    """The question; ProviderError(400) for a request that Google would not take."""
    simple = data.keys() == {"contents"}  # all that most requests have
    read = data if simple else fields(data)
    not_done = () if simple else check(read, GENERATE)
    turns = turns_of(read)
    instruction = instruction_of(read)
    tokens = tokens_of(turns, instruction, read.get("tools"))
    if simple and tokens < LEAST:
        return Question(model, prompt_tokens=tokens)
    config = message_at(read, "generationConfig")
    called, of_google = calls(read, turns)
    enum = ("generationConfig.responseMimeType",) if config.get("responseMimeType") == "text/x.enum" else ()
    return Question(
        model=model,
        max_tokens=config.get("maxOutputTokens"),
        prompt_tokens=tokens,
        form=Form(
            calls=called,
            schema=_schema(config),
            choices=config.get("candidateCount") or 1,
            stop=_stops(config),
            thinking=_thinking(config),
        ),
        prefixes=prefixes(model, _blocks(read, turns, instruction)) if tokens >= LEAST else (),
        not_done=(*not_done, *of_google, *enum),
    )


def tokens_of(turns: list[Turn], instruction: Turn | None, tools: Any) -> int:
    """The tokens of a prompt."""
    said = [*turns, *([instruction] if instruction else [])]
    return prompt_tokens(sum([text_length(turn.parts) for turn in said]), len(said)) + count_tokens(json_length(tools))


def _schema(config: Json) -> Mapping[str, object] | None:
    """Of a text that must be JSON: Google's Schema, or a JSON Schema; any object without either."""
    given, written = config.get("responseSchema"), config.get("responseJsonSchema")
    mime = config.get("responseMimeType")
    if given is not None and written is not None:
        raise invalid(f"{_CONFIG}: response_schema and response_json_schema cannot both be set.\n")
    if (given is not None or written is not None) and mime not in ("application/json", "text/x.enum"):
        only = "only application/json and text/x.enum are supported when response_schema is set"
        raise invalid(f"{_CONFIG}.response_mime_type: {only}.\n")
    if written is not None:
        if not isinstance(written, dict):
            raise wrong_value("generation_config.response_json_schema", str(written), "Struct")
        return written
    if given is not None:
        return json_schema(given, "generation_config.response_schema")
    return {"type": "object"} if mime == "application/json" else None


def _stops(config: Json) -> tuple[str, ...]:
    stops = list_at(config, "stopSequences")
    if not all(isinstance(each, str) and each for each in stops):
        raise wrong_value("generation_config.stop_sequences", str(stops), "TYPE_STRING")
    if len(stops) > 5:
        raise invalid(f"{_CONFIG}.stop_sequences: at most 5 stop sequences are allowed.\n")
    return tuple(stops)


def _thinking(config: Json) -> Thinking | None:
    """What `thinkingConfig` asks for; without it a model here does not think. A budget of -1 leaves it to the model."""
    if config.get("thinkingConfig") is None:
        return None
    asked = message_at(config, "thinkingConfig")
    budget, level = asked.get("thinkingBudget"), asked.get("thinkingLevel")
    if budget is not None and level is not None:
        raise invalid("You can only set only one of thinking budget and thinking level.")
    if budget is not None and type(budget) is not int:
        raise wrong_value("generation_config.thinking_config.thinking_budget", budget, "TYPE_INT32")
    if budget == 0:
        return None
    factor = FACTORS.get(str(level or "medium").lower(), FACTORS["medium"])
    most = budget if budget and budget > 0 else None
    return Thinking(factor, most, asked.get("includeThoughts") is True, sealed=True)


def _blocks(data: Json, turns: list[Turn], instruction: Turn | None) -> list[Block]:
    """The prompt in the order in which it is cached implicitly (ai.google.dev/gemini-api/docs/caching)."""
    tools = data.get("tools") or []
    said = [*([instruction] if instruction else []), *turns]
    return [
        *(Block(each, json_length(each)) for each in (tools if isinstance(tools, list) else [tools])),
        *(Block(part, text_length([part])) for turn in said for part in turn.parts),
    ]
