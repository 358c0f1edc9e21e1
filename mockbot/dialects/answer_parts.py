"""What an answer consists of, the same for every dialect, plain and streamed: choices of parts of tokens.

    choice 0   thinking ────────► text ──────────────────►            ends with "stop"
    choice 1   thinking ──────► call get_weather ► call get_time ►    ends with "calls"
               token 1, 2, 3 ...

The parts of a choice follow each other; choices are generated side by side, so the k-th token of each is due at the
same time. Every choice has a part, and only a fault leaves a part without tokens.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

Ending = Literal["stop", "length", "calls"]


@dataclass(frozen=True, slots=True)
class Tool:
    """What the client offers to be called; `parameters` is a JSON Schema, of a custom tool one of its only text.

    `legacy`: one of `functions`, OpenAI's way before there were tools.
    """

    name: str
    parameters: Mapping[str, object]
    kind: Literal["function", "custom", "legacy"] = "function"


class Part(NamedTuple):
    """One stretch of a choice: a thought, a text, or the arguments of a call of `tool`."""

    kind: Literal["thinking", "text", "call"]
    tokens: tuple[str, ...]
    tool: Tool | None = None

    @property
    def text(self) -> str:
        """Its tokens joined."""
        return "".join(self.tokens)


class Choice(NamedTuple):
    """One of the answers to a question, and why it ends; `stopped_by` is the client's stop sequence that it met."""

    parts: tuple[Part, ...]
    ending: Ending = "stop"
    stopped_by: str | None = None

    def tokens(self, kind: str = "") -> int:
        """How many tokens its parts of this kind have; without a kind, all of them."""
        return sum([len(part.tokens) for part in self.parts if not kind or part.kind == kind])

    def call(self, number: int) -> int:
        """Which call of the choice its part of this number is: 0, 1, ..."""
        return sum([part.kind == "call" for part in self.parts[:number]])


def blank(choices: tuple[Choice, ...]) -> tuple[Choice, ...]:
    """The same parts without a token."""
    return tuple(choice._replace(parts=tuple(each._replace(tokens=()) for each in choice.parts)) for choice in choices)


class PartStream:
    """The events of a streamed answer. A dialect's subclass says how it starts, how a part begins, goes on and ends,
    and how everything finishes; parts are named by the index of their choice and their number in it.
    """

    __slots__ = ("_only", "_open", "choices")
    media_type = b"text/event-stream; charset=utf-8"

    def __init__(self, choices: tuple[Choice, ...]) -> None:
        self.choices = choices
        self._open = [0] * len(choices)  # the number of each choice's latest part
        alone = len(choices) == 1 and len(choices[0].parts) == 1
        self._only = choices[0].parts[0].tokens if alone else None

    def start(self) -> bytes:
        """What comes before all parts."""
        return b""

    def begin(self, index: int, number: int) -> bytes:  # noqa: ARG002
        """A part begins."""
        return b""

    def piece(self, index: int, number: int, tokens: tuple[str, ...]) -> bytes:
        """The next tokens of a part."""
        raise NotImplementedError

    def end(self, index: int, number: int) -> bytes:  # noqa: ARG002
        """A part ends."""
        return b""

    def finish(self) -> bytes:
        """What comes after all parts."""
        return b""

    def opening(self) -> bytes:
        """The events before the first token: each choice's first part begins."""
        return self.start() + b"".join([self.begin(index, 0) for index in range(len(self.choices))])

    def tokens(self, since: int, upto: int) -> bytes:
        """The events of the tokens `since` < k <= `upto` of every choice."""
        if self._only is not None:
            return self.piece(0, 0, self._only[since:upto])
        events = []
        for index, choice in enumerate(self.choices):
            begun = 0
            for number, part in enumerate(choice.parts):
                ended = begun + len(part.tokens)
                if begun < upto and since < ended:
                    while (latest := self._open[index]) < number:
                        self._open[index] = latest + 1
                        events += [self.end(index, latest), self.begin(index, latest + 1)]
                    events.append(self.piece(index, number, part.tokens[max(0, since - begun) : upto - begun]))
                begun = ended
        return b"".join(events)

    def closing(self) -> bytes:
        """The events of a regular end."""
        return b"".join([self.end(index, latest) for index, latest in enumerate(self._open)]) + self.finish()
