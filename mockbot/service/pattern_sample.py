"""A regular expression in, a text that it matches out. `re` checks the syntax first and the text last.

Knows literals, classes, groups, alternatives, repetition, anchors and references; not look-around, conditions or flags.
Repetition without a minimum happens once, any other as often as it must. Deterministic for a given `rng`.
"""

import random
import re

_LONGEST = 10_000  # characters of a text
_PRINTABLE = "".join(map(chr, range(33, 127)))
_CLASSES = {"d": "0123456789", "w": "abcxyz019_", "s": " ", "D": "abcxyz", "W": "-.,;", "S": "abcxyz019"}
_CONTROLS = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v", "a": "\a", "0": "\0"}
_CODE = re.compile(r"x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})")
_GROUP = re.compile(r"\(\?(?::|>|P<(?P<name>\w+)>|P=(?P<again>\w+)\))|\((?!\?)")
_REPEAT = re.compile(r"(?:([*+?])|\{(\d*)(,?)(\d*)\})[?+]?")


def text_like(pattern: str, rng: random.Random) -> str:
    """A text in which `re.search` finds the pattern; ValueError when it is malformed or beyond this generator."""
    try:
        compiled = re.compile(pattern)
        text = _Reader(pattern, rng).alternatives()
    except (re.error, RecursionError) as error:
        raise ValueError(f"{pattern!r} is not a regular expression: {error}") from None
    if compiled.search(text) is None:
        raise ValueError(f"cannot make up a text for {pattern!r}")
    return text


class _Reader:
    """Reads from `at` on and returns text; a part that repeats is read again for each repetition."""

    def __init__(self, pattern: str, rng: random.Random) -> None:
        self._pattern, self._rng, self._at = pattern, rng, 0
        self._numbers: dict[int, str] = {}  # where a group begins -> its number
        self._groups: dict[str, str] = {}  # name or number -> its text

    def alternatives(self) -> str:
        options = [self._sequence()]
        while self._pattern.startswith("|", self._at):
            self._at += 1
            options.append(self._sequence())
        return self._rng.choice(options)

    def _sequence(self) -> str:
        text = ""
        while self._at < len(self._pattern) and self._pattern[self._at] not in "|)":
            text += self._repeated()
            if len(text) > _LONGEST:
                raise ValueError(f"a text for {self._pattern!r} would be longer than {_LONGEST} characters")
        return text

    def _repeated(self) -> str:
        begin = self._at
        text = self._atom()
        repeat = _REPEAT.match(self._pattern, self._at)
        if repeat is None or repeat[0] in ("{}", "{,}?"):
            return text
        sign, least, comma, most = repeat.groups()
        times = 1 if sign else max(int(least or 0), 0 if most == "0" or (least == "0" and not comma) else 1)
        text = text if times else ""
        for _ in range(times - 1):
            self._at = begin
            text += self._atom()
            if len(text) > _LONGEST:
                break
        self._at = repeat.end()
        return text

    def _atom(self) -> str:
        sign = self._pattern[self._at]
        if sign == "(":
            return self._group()
        self._at += 1
        match sign:
            case "[":
                return self._rng.choice(self._class())
            case "\\":
                return self._escape()
            case "^" | "$":
                return ""
            case ".":
                return self._rng.choice("abcxyz")
        return sign

    def _group(self) -> str:
        begin, opening = self._at, _GROUP.match(self._pattern, self._at)
        if opening is None:
            raise ValueError(f"{self._pattern[begin : begin + 4]!r} is more than this can make up")
        self._at = opening.end()
        if opening["again"]:
            return self._groups.get(opening["again"], "")
        captures = opening[0] == "(" or opening["name"]
        number = self._numbers.setdefault(begin, str(len(self._numbers) + 1)) if captures else ""
        text = self.alternatives()
        self._at += 1
        if captures:
            self._groups[number] = text
            if opening["name"]:
                self._groups[opening["name"]] = text
        return text

    def _escape(self) -> str:
        if number := re.compile(r"[1-9]\d?").match(self._pattern, self._at):
            self._at = number.end()
            return self._groups.get(number[0], "")
        if self._pattern[self._at] in "AbBZ":
            self._at += 1
            return ""
        return self._rng.choice(self._escaped())

    def _escaped(self) -> str:
        """The characters that an escape stands for."""
        if code := _CODE.match(self._pattern, self._at):
            self._at = code.end()
            return chr(int(code[1] or code[2] or code[3], 16))
        sign = self._pattern[self._at]
        self._at += 1
        return _CLASSES.get(sign) or _CONTROLS.get(sign, sign)

    def _class(self) -> str:
        """The characters of a class, from behind its `[`."""
        negated = self._pattern.startswith("^", self._at)
        self._at += negated
        members = self._member()
        while not self._pattern.startswith("]", self._at):
            if self._pattern[self._at] == "-" and self._pattern[self._at + 1] != "]":
                self._at += 1
                first, last = ord(members[-1]), ord(self._member())
                members += "".join(map(chr, range(first, min(last, first + 200) + 1)))
            else:
                members += self._member()
        self._at += 1
        return "".join(sorted(set(_PRINTABLE) - set(members))) if negated else members

    def _member(self) -> str:
        sign = self._pattern[self._at]
        self._at += 1
        return self._escaped() if sign == "\\" else sign
