"""A text that a regular expression matches: pattern in, text out. `re` checks the syntax first and the text last.

Supports what JSON schemas use: literals, classes, groups, alternatives, repetition, anchors and numbered references.
Look-around, named groups and flags are a ValueError. Repetition without a minimum happens once, any other as often as
it must. Deterministic for a given `rng`.
"""

import random
import re
from functools import lru_cache

_LONGEST = 10_000  # characters of a text
_MOST_PARTS = 100_000  # parts read for one text; bounds nested repetitions of nothing, as in (?:(?:){9999}){9999}
_PRINTABLE = "".join(map(chr, range(33, 127)))
_ONE = r"\[\^?\]?(?:\\.|[^\]\\])*\]|\\(?:x..|u.{4}|U.{8}|.)|[^(\\[]"  # a class, an escape or a character
_PART = re.compile(
    rf"(?P<group>\((?:\?:|(?!\?)))|(?P<anchor>[\^$]|\\[AbBZ])|\\(?P<number>[1-9]\d?)|(?P<one>{_ONE})", re.S
)
_REPEAT = re.compile(r"(?:([*+?])|\{(?!\})(\d*)(,?)(\d*)\})[?+]?")
_CODE = re.compile(r"\\(?:x(..)|u(.{4})|U(.{8}))")


def text_like(pattern: str, rng: random.Random) -> str:
    """A text in which `re.search` finds the pattern; ValueError when it is malformed or beyond this generator."""
    try:
        compiled = re.compile(pattern)
        text = _Generator(pattern, rng).alternatives()
    except (re.error, RecursionError) as error:
        raise ValueError(f"{pattern!r} is not a regular expression: {error}") from None
    if compiled.search(text) is None:
        raise ValueError(f"cannot generate a text for {pattern!r}")
    return text


class _Generator:
    """Reads the pattern from `at` on and returns text; a part that repeats is read again for each repetition."""

    def __init__(self, pattern: str, rng: random.Random) -> None:
        self._pattern, self._rng, self._at = pattern, rng, 0
        self._groups: dict[int, str] = {}  # where a group begins -> its text, in the order of the groups' numbers
        self._parts = 0

    def alternatives(self) -> str:
        options = [self._sequence()]
        while self._pattern.startswith("|", self._at):
            self._at += 1
            options.append(self._sequence())
        return self._rng.choice(options)

    def _sequence(self) -> str:
        text = ""
        while self._at < len(self._pattern) and self._pattern[self._at] not in "|)":
            begin, part, times = self._at, self._part(), 1
            end = self._at
            if repeat := _REPEAT.match(self._pattern, end):
                sign, least, comma, most = repeat.groups()
                never = most == "0" or (least == "0" and not comma)
                times, end = (1 if sign else max(int(least or 0), 0 if never else 1)), repeat.end()
            text += part if times else ""
            for _ in range(times - 1):
                self._at = begin
                text = self._bounded(text + self._part())
            self._at = end
        return self._bounded(text)

    def _bounded(self, text: str) -> str:
        self._parts += 1
        if self._parts > _MOST_PARTS or len(text) > _LONGEST:
            raise ValueError(f"a text for {self._pattern!r} would be longer than {_LONGEST} characters")
        return text

    def _part(self) -> str:
        begin, part = self._at, _PART.match(self._pattern, self._at)
        if part is None:
            raise ValueError(f"{self._pattern[begin : begin + 4]!r} is not supported in a pattern")
        self._at, text = part.end(), ""
        if part["number"]:
            text = list(self._groups.values())[int(part["number"]) - 1]
        elif part["one"]:
            text = self._rng.choice(_characters(part["one"]))
        elif part["group"]:
            if part["group"] == "(":
                self._groups.setdefault(begin, "")
            text = self.alternatives()
            self._at += 1
            if begin in self._groups:
                self._groups[begin] = text
        return text


@lru_cache(maxsize=1000)
def _characters(one: str) -> str:
    """The characters that a class, an escape or a literal stands for: printable ASCII, else those that it names."""
    named = one + "".join(chr(int("".join(code), 16)) for code in _CODE.findall(one))
    for characters in (_PRINTABLE, " ", "\t\n\r\f\v" + named):
        fitting = "".join(filter(re.compile(one).fullmatch, characters))
        if fitting:
            return fitting
    raise ValueError(f"no common character fits {one!r}")
