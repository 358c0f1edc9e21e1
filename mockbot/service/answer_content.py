"""The content of an answer: a question and its fingerprint in, its tokens out. Deterministic, pure.

Prose is generated when it is delivered; the provider's log-normal gives its length. Tool arguments and structured
output are generated at once, because their length follows from the schema: about four characters per token.
"""

import json

from mockbot.dialects.dialect import ProviderError, Question
from mockbot.service.answer_text import words
from mockbot.service.schema_sample import sample

_PIECE = 4  # characters


def prescribed_content(question: Question, mark: int) -> tuple[str, ...] | None:
    """The tokens of an answer that must satisfy a schema; None: prose. ProviderError(400) for an unusable schema."""
    schema = question.prescribes
    if schema is None:
        return None
    try:
        text = json.dumps(sample(schema, mark))
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        name = "tools[0].function.parameters" if question.tool else "response_format"
        message = f"Invalid schema: {error}."
        raise ProviderError(
            400, "invalid_function_parameters" if question.tool else "invalid_json_schema", message, param=name
        ) from error
    return tuple(text[start : start + _PIECE] for start in range(0, len(text), _PIECE))


def content_tokens(content: tuple[str, ...] | None, mark: int, tokens: int) -> tuple[str, ...]:
    """The tokens to deliver."""
    return words(mark, tokens) if content is None else content[:tokens]
