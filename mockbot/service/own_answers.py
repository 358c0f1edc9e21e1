"""The answers that a scenario words: a request in, the first one that fits out. Pure.

Rules
- The last message decides, whosever it is: after a tool's result it is that result.
- An answer that fits is given whatever the request demands: tools and schemas of its own are not looked at.
- Only prose can name its provider and its request (`identified_text.own_words`); other answers are sent as they stand.
"""

import json
from collections.abc import Sequence

from pydantic_core import from_json

from mockbot.dialects.answer_parts import Choice, Part, Tool
from mockbot.dialects.dialect import Question
from mockbot.dialects.identified_text import own_words
from mockbot.dialects.prompt_identity import last_message_text
from mockbot.scenario.answer_specs import OwnAnswer

_TOKEN = 4  # characters, the providers' own rule of thumb


class OwnAnswers:
    """Those of one provider, in the order of the file."""

    def __init__(self, provider: str, answers: Sequence[OwnAnswer]) -> None:
        self._provider = provider
        self._answers = [(answer.condition(), answer) for answer in answers]

    def choices(self, body: bytes, question: Question, mark: int) -> tuple[Choice, ...] | None:
        """What the answer consists of, each choice the same; None when no answer fits. `body` has been read."""
        if question.inputs:
            return None
        text = last_message_text(from_json(body))
        for fits, answer in self._answers:
            if fits(text):
                return (self._choice(answer, question.max_tokens, mark),) * question.form.choices
        return None

    def _choice(self, answer: OwnAnswer, most: int | None, mark: int) -> Choice:
        tokens = self._tokens(answer, mark)
        cut_short = most is not None and len(tokens) > most
        if answer.call is None:
            return Choice((Part("text", tokens[:most]),), "length" if cut_short else "stop")
        call = Part("call", tokens[:most], Tool(answer.call.name, {"type": "object"}))
        return Choice((call,), "length" if cut_short else "calls")

    def _tokens(self, answer: OwnAnswer, mark: int) -> tuple[str, ...]:
        if answer.text is not None:
            return own_words(self._provider, mark, answer.text)
        text = answer.verbatim or json.dumps(answer.data if answer.call is None else answer.call.arguments)
        return tuple(text[start : start + _TOKEN] for start in range(0, len(text), _TOKEN))
