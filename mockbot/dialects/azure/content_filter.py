"""What Azure's content filter adds to answers: OpenAI's bytes in, the same with its results out. Nothing is flagged.

A prompt's results stand in `prompt_filter_results`, in a stream in a first event without choices; those of a choice in
its `content_filter_results`. Inside JSON strings quotes are escaped, so the ends of choices are found in the bytes.
Source: learn.microsoft.com/azure/ai-foundry/openai/concepts/content-filter (annotations) and .../content-streaming.
"""

import json
import re

from mockbot.dialects.answer_parts import Choice, PartStream
from mockbot.dialects.dialect import Shape, Stream

_SAFE = {"filtered": False, "severity": "safe"}
_CHOICE = dict.fromkeys(("hate", "self_harm", "sexual", "violence"), _SAFE)
_PROMPT = {**_CHOICE, "jailbreak": {"filtered": False, "detected": False}}
FLAGGED = {**_PROMPT, "hate": {"filtered": True, "severity": "high"}}

_RESULTS = b',"content_filter_results":' + json.dumps(_CHOICE, separators=(",", ":")).encode()
_ENDED = re.compile(rb'("finish_reason":(?:null|"\w+"))\}')
_GOES_ON, _GOES_ON_FILTERED = b'"finish_reason":null}', b'"finish_reason":null' + _RESULTS + b"}"


def _of_prompts(prompts: int) -> bytes:
    results = [{"prompt_index": index, "content_filter_results": _PROMPT} for index in range(prompts)]
    return json.dumps(results, separators=(",", ":")).encode()


_OF_ONE_PROMPT = _of_prompts(1)


def filtered(answer: bytes, prompts: int = 1) -> bytes:
    """A plain answer with the results of its prompts and choices."""
    of_prompts = _OF_ONE_PROMPT if prompts == 1 else _of_prompts(prompts)
    return b'{"prompt_filter_results":' + of_prompts + b"," + _ENDED.sub(rb"\1" + _RESULTS + b"}", answer)[1:]


class FilteredStream(PartStream):
    """A stream of OpenAI's with the same: `stream` gives the events."""

    __slots__ = ("_prompts", "_stream")

    def __init__(self, stream: Stream, choices: tuple[Choice, ...], prompts: int = 1) -> None:
        super().__init__(choices)
        self._stream, self._prompts = stream, prompts

    def opening(self) -> bytes:
        results = _OF_ONE_PROMPT if self._prompts == 1 else _of_prompts(self._prompts)
        first = b'data: {"id":"","object":"","created":0,"model":"","choices":[],"prompt_filter_results":' + results
        return first + b"}\n\n" + self._stream.opening().replace(_GOES_ON, _GOES_ON_FILTERED)

    def tokens(self, since: int, upto: int) -> bytes:
        return self._stream.tokens(since, upto).replace(_GOES_ON, _GOES_ON_FILTERED)

    def closing(self) -> bytes:
        return _ENDED.sub(rb"\1" + _RESULTS + b"}", self._stream.closing())

    def error(self, code: str, shape: Shape) -> bytes:
        """An error within the stream, as OpenAI has it."""
        return self._stream.error(code, shape)
