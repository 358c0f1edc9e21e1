"""A regular expression in, a text that it matches out. Without look-around; repetition stays as short as it may."""

import random
import re
from re import _constants as ops  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

_PRINTABLE = "".join(map(chr, range(33, 127)))
_CATEGORIES = {
    ops.CATEGORY_DIGIT: "0123456789",
    ops.CATEGORY_NOT_DIGIT: "abcxyz",
    ops.CATEGORY_WORD: "abcxyz019_",
    ops.CATEGORY_NOT_WORD: "-.,;",
    ops.CATEGORY_SPACE: " ",
    ops.CATEGORY_NOT_SPACE: "abcxyz019",
}


def text_like(pattern: str, rng: random.Random) -> str:
    """A text in which the pattern is found; raises ValueError when it is broken or looks around."""
    try:
        parsed = parser.parse(pattern)
    except re.error as error:
        raise ValueError(f"{pattern!r} is not a regular expression: {error}") from None
    text = _text(parsed, rng, {})
    if re.search(pattern, text) is None:
        raise ValueError(f"cannot make up a text for {pattern!r}")
    return text


def _text(parsed: Any, rng: random.Random, groups: dict[int, str]) -> str:
    return "".join(_piece(op, value, rng, groups) for op, value in parsed)


def _piece(op: Any, value: Any, rng: random.Random, groups: dict[int, str]) -> str:
    if op in (ops.SUBPATTERN, ops.ATOMIC_GROUP, ops.BRANCH, ops.MAX_REPEAT, ops.MIN_REPEAT, ops.POSSESSIVE_REPEAT):
        return _nested(op, value, rng, groups)
    if op is ops.LITERAL:
        return chr(value)
    if op is ops.NOT_LITERAL:
        return rng.choice(_PRINTABLE.replace(chr(value), ""))
    if op is ops.ANY:
        return rng.choice("abcxyz")
    if op is ops.IN:
        return rng.choice(_members(value))
    if op is ops.GROUPREF:
        return groups.get(value, "")
    if op is ops.AT:
        return ""
    raise ValueError(f"{op} is more than this can make up")


def _nested(op: Any, value: Any, rng: random.Random, groups: dict[int, str]) -> str:
    if op is ops.SUBPATTERN:
        groups[value[0]] = _text(value[-1], rng, groups)
        return groups[value[0]]
    if op is ops.ATOMIC_GROUP:
        return _text(value, rng, groups)
    if op is ops.BRANCH:
        return _text(rng.choice(value[1]), rng, groups)
    least, most, part = value
    return "".join(_text(part, rng, groups) for _ in range(min(most, max(least, 1))))


def _members(parts: Any) -> str:
    negated = parts[0][0] is ops.NEGATE
    members = ""
    for op, value in parts:
        if op is ops.LITERAL:
            members += chr(value)
        elif op is ops.RANGE:
            members += "".join(map(chr, range(value[0], min(value[1], value[0] + 200) + 1)))
        elif op is ops.CATEGORY:
            members += _CATEGORIES[value]
    return "".join(sorted(set(_PRINTABLE) - set(members))) if negated else members
