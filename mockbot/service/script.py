"""What an answer will say: a question and its fingerprint in, the pieces that are its tokens out. Deterministic, pure.

Prose is not written before it is needed; its length comes from the provider's log-normal. A tool's arguments and
structured output are what they are, about four characters a token.
"""

import json

from mockbot.service.dialects.base import ProviderError, Question
from mockbot.service.reply import words
from mockbot.service.sample import sample

_PIECE = 4  # characters


def fixed(question: Question, mark: int) -> tuple[str, ...] | None:
    """The pieces of an answer whose content the question prescribes; None: prose."""
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


def spoken(script: tuple[str, ...] | None, mark: int, tokens: int) -> tuple[str, ...]:
    """The tokens that are really said."""
    return words(mark, tokens) if script is None else script[:tokens]
