"""A prompt's identity on its way through a system under test: made for the crowd, found again by the service. Pure.

An application or gateway drops what it does not know, so a prompt carries its identity three times:

    x-mockbot-prompt: people-1.3                         few systems pass it on
    traceparent: 00-<32 hex digits>-<16>-01              applications with tracing do (W3C Trace Context, level 1)
    "When will it be back? [q7f3k2m]"                    nearly all do, because the text is what they send on

In a request's text the last mark of the last user message counts: a history repeats the marks of earlier prompts, and
an application that puts everything into one message writes the question last.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b

from mockbot.dialects.client_identity import PROMPT

TRACE_HEADER = "traceparent"
DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: no letter that is read as a digit
_DIGEST = 20  # bytes: 16 are the trace id, the rest are the mark
_PAIRS = [first + second for first in DIGITS for second in DIGITS]
_MARK = re.compile(rf"\[q([{DIGITS}]{{6}})\]")
_TRACE = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(?:-.*)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class PromptIdentity:
    """The three identities of one prompt; `header` is its id in the journal."""

    header: str
    trace: str
    mark: str

    @property
    def span(self) -> str:
        """The id of the prompt's span."""
        return self.trace[:16]

    def span_of(self, n: int) -> str:
        """The id of attempt n's span, which whoever knows the run and the prompt's id can tell."""
        return _span_of(self.trace, n)

    def headers(self, n: int) -> Mapping[str, str]:
        """The headers of attempt n, whose span is the parent of what the request leads to."""
        return {PROMPT: self.header, TRACE_HEADER: f"00-{self.trace}-{self.span_of(n)}-01"}

    def marked(self, question: str) -> str:
        """The question with the mark at its end."""
        return f"{question} [{self.mark}]"


def identity_of(prompt: str, run: str) -> PromptIdentity:
    """The identity of the prompt with this id. `run` keeps the prompts of two runs apart, for a system with a cache."""
    digest = blake2b(f"{run}/{prompt}".encode(), digest_size=_DIGEST).digest()
    return PromptIdentity(prompt, digest[:16].hex(), f"q{base32(int.from_bytes(digest[16:]), 6)}")


def traceparent(prompt: str, run: str, n: int) -> str:
    """That header of attempt n alone, which costs the crowd half of what the whole identity does."""
    trace = blake2b(f"{run}/{prompt}".encode(), digest_size=_DIGEST).hexdigest()[:32]
    return f"00-{trace}-{_span_of(trace, n)}-01"


def _span_of(trace: str, n: int) -> str:
    return trace[16:] if n == 0 else f"{int(trace[16:], 16) + n & 0xFFFF_FFFF_FFFF_FFFF:016x}"


def run_of(t0: float) -> str:
    """What keeps the identities of two runs apart. `t0`: Unix time of the run's second 0."""
    return f"{t0:.3f}"


def with_mark(body: Mapping[str, object], mark: str) -> dict[str, object]:
    """A chat request with the mark at the end of its last user message."""
    given = body.get("messages")
    messages = [dict(each) for each in given] if isinstance(given, list) else []
    for message in reversed(messages):
        if message.get("role") == "user":
            content = message.get("content")
            marked = f"[{mark}]"
            if isinstance(content, list):
                message["content"] = [*content, {"type": "text", "text": marked}]
            else:
                message["content"] = f"{content} {marked}"
            break
    return {**body, "messages": messages}


def base32(number: int, digits: int) -> str:
    """The lowest `digits` digits of a number, an even count: the service names each answer, two digits at a time."""
    return "".join([_PAIRS[number >> bits & 1023] for bits in range(5 * digits - 10, -1, -10)])


def trace_of(traceparent: str) -> str | None:
    """The trace id of a `traceparent` header; None when it is not one."""
    match = _TRACE.fullmatch(traceparent.strip().lower())
    return match[1] if match else None


def parent_of(traceparent: str) -> str | None:
    """The span id of a `traceparent` header; None when it is not one."""
    match = _TRACE.fullmatch(traceparent.strip().lower())
    return match[2] if match else None


def mark_of(text: str) -> str | None:
    """The last mark in a text."""
    marks = _MARK.findall(text)
    return f"q{marks[-1]}" if marks else None


def mark_in(body: bytes) -> str | None:
    """The mark of the prompt that a request's body asks; of a body that is no JSON, or not all of it, the last one."""
    try:
        asked = json.loads(body)
    except ValueError:
        return mark_of(body.decode("latin-1"))
    return mark_of(last_user_text(asked)) if isinstance(asked, dict) else None


def last_user_text(body: Mapping[str, object]) -> str:
    """The text of the last user message of a chat request in any of the dialects; else everything that it asks.

    OpenAI's and Anthropic's `messages`, Responses' `input`, Gemini's `contents`, and the older `prompt`; content is
    text or a list of parts.
    """
    asked = _asked(body)
    if not isinstance(asked, list):
        return _text(asked)
    of_users = [entry for entry in asked if isinstance(entry, dict) and entry.get("role") == "user"]
    # The last one with words: a message of the user's may hold a tool's result alone.
    return next((text for entry in reversed(of_users) if (text := _text(_content(entry)))), "") or _text(asked)


def last_message_text(body: Mapping[str, object]) -> str:
    """The text of the last message, whosever it is: a tool's result, too."""
    asked = _asked(body)
    last = asked[-1] if isinstance(asked, list) and asked else asked
    return _text((_content(last) or last.get("output")) if isinstance(last, dict) else last)


def _asked(body: Mapping[str, object]) -> object:
    return next((found for name in ("messages", "input", "contents", "prompt") if (found := body.get(name))), "")


def _content(message: Mapping[str, object]) -> object:
    """Of a message, or of a part of one; what a function of Gemini's has answered is an object."""
    answered = message.get("functionResponse") or message.get("function_response")
    if isinstance(answered, dict):
        return json.dumps(answered.get("response"))
    return message.get("text") or message.get("content") or message.get("parts")


def _text(content: object) -> str:
    parts: Iterable[object] = content if isinstance(content, list) else [content]
    texts = (_content(part) if isinstance(part, dict) else part for part in parts)
    return " ".join(text if isinstance(text, str) else _text(text) if isinstance(text, list) else "" for text in texts)
