"""What an answer consists of: a question, its fingerprint and the provider's numbers in, choices out. Pure.

Rules
- The same question with the same fingerprint gives the same choices.
- A text in prose names its provider and its request (`identified_text.words`), in every choice; a JSON text and the
  arguments of a call satisfy their schema. A choice but the first is as long as another request's answer would be.
- Thoughts come first. They have so many tokens as the answer itself, times the factor that the client asked for, and
  leave half of the client's maximum to it.
- The client's maximum counts all tokens of a choice.
- A text ends before the client's stop sequence: a JSON text right there, prose with the last whole word. The first word
  of prose, its name, is never taken for a stop sequence.
"""

import json
from collections.abc import Iterator, Mapping
from itertools import accumulate
from sys import maxsize

from mockbot.dialects.answer_parts import Choice, Ending, Part
from mockbot.dialects.dialect import PROSE, ProviderError, Question, Thinking
from mockbot.dialects.identified_text import thoughts, words
from mockbot.scenario.schema import Answer
from mockbot.service.answer_text import length
from mockbot.service.schema_sample import sample

_TOKEN = 4  # characters of JSON, the providers' own rule of thumb


def composed(question: Question, provider: str, law: Answer, mark: int) -> Iterator[Choice] | None:
    """The choices, each made when it is taken; None: one text in prose, which is written when it is delivered.

    Taking one raises ProviderError(400) for a schema that no value satisfies.
    """
    form = question.form
    if form is PROSE or form == PROSE:
        return None
    return (_choice(question, provider, law, mark, index) for index in range(form.choices))


def prose(provider: str, mark: int, tokens: int, *, cut_short: bool) -> tuple[Choice, ...]:
    """The one choice of a plain text."""
    return (Choice((Part("text", words(provider, mark, tokens), None),), "length" if cut_short else "stop", None),)


def _choice(question: Question, provider: str, law: Answer, mark: int, index: int) -> Choice:
    form, own = question.form, mark + index
    said = _prescribed(question, own)
    size = sum([len(part.tokens) for part in said]) or length(law, own)
    most = maxsize if question.max_tokens is None else question.max_tokens
    parts = []
    if form.thinking is not None and (much := _thought(form.thinking, size, most)):
        parts, most = [Part("thinking", thoughts(own, much))], most - much
    stopped_by = None
    if not said:
        tokens, stopped_by = _until_stop(words(provider, mark, min(size, most)), form.stop)
        said = [Part("text", words(provider, mark, len(tokens)))]
    elif form.schema is not None and form.stop and not form.calls:
        text, stopped_by = _before_stop(said[0].text, form.stop)
        said = [Part("text", _pieces(text))]
    ending: Ending = "stop" if stopped_by is not None or size <= most else "length"
    for part in said:
        if most > 0:
            parts.append(part._replace(tokens=part.tokens[:most]))
            most -= len(part.tokens)
    return Choice(tuple(parts), "calls" if form.calls and ending == "stop" else ending, stopped_by)


def _thought(thinking: Thinking, size: int, most: int) -> int:
    wanted = max(1, round(size * thinking.factor))
    return min(wanted, most // 2, maxsize if thinking.at_most is None else thinking.at_most)


def _prescribed(question: Question, own: int) -> list[Part]:
    """The parts whose content the client prescribes; none of an answer in prose."""
    form = question.form
    if form.calls:
        parts = []
        for number, tool in enumerate(form.calls):
            text = _satisfying(tool.parameters, own + number, "invalid_function_parameters", "tools")
            parts.append(Part("call", _pieces(str(json.loads(text)) if tool.kind == "custom" else text), tool))
        return parts
    if form.schema is not None:
        return [Part("text", _pieces(_satisfying(form.schema, own, "invalid_json_schema", "response_format")))]
    return []


def _satisfying(schema: Mapping[str, object], seed: int, code: str, param: str) -> str:
    try:
        return json.dumps(sample(schema, seed))
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise ProviderError(400, code, f"Invalid schema: {error}.", param=param) from error


def _pieces(text: str) -> tuple[str, ...]:
    return tuple([text[start : start + _TOKEN] for start in range(0, len(text), _TOKEN)])


def _before_stop(text: str, stops: tuple[str, ...]) -> tuple[str, str | None]:
    """The text before the first stop sequence in it, and which one that is."""
    found = [(text.index(stop), stop) for stop in stops if stop and stop in text]
    return (text[: min(found)[0]], min(found)[1]) if found else (text, None)


def _until_stop(tokens: tuple[str, ...], stops: tuple[str, ...]) -> tuple[tuple[str, ...], str | None]:
    """The words before the one in which the first stop sequence begins."""
    before, stop = _before_stop("".join(tokens[1:]), stops)
    if stop is None:
        return tokens, None
    return tokens[: 1 + sum([end <= len(before) for end in accumulate(map(len, tokens[1:]))])], stop
