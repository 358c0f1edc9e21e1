"""The text of an answer, made and recognised: which provider wrote it, for which request, is it whole? Pure.

A system under test may drop every header and rewrite every event, but it passes the text on. So the first word of an
answer names its provider, its request and its length, and all others follow from that name:

    [main:7f3k2m9q:60] Three things matter here: the order, the size and ...          60 words, the first one included
     |    |        '- words of the whole answer
     |    '- 40 bits of the request's fingerprint: equal requests have equal names
     '- the provider

From a name like [main:7f3k2m9q:=60] no words follow: the scenario words that answer, and its words are only counted.

Whoever reads a text can write the same words again and compare. White space does not count: systems re-wrap text.
"""

import re
from dataclasses import dataclass
from itertools import zip_longest

from mockbot.dialects.prompt_identity import DIGITS, base32
from mockbot.dialects.sentences import SENTENCES

_MIX = 6364136223846793005  # Knuth's 64-bit LCG multiplier (MMIX)
_MASK = (1 << 64) - 1
_HEAD = re.compile(rf"\[([a-z0-9][a-z0-9_-]{{0,59}}):([{DIGITS}]{{8}}):(=?)(\d{{1,6}})\]")
_LONGEST = 100_000  # words that are written again for a comparison; no answer has as many


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text that one provider wrote. `words` of its `of` words are there, in order, the first included."""

    provider: str
    request: str  # of `request_name`
    words: int
    of: int

    @property
    def whole(self) -> bool:
        """Whether nothing is missing."""
        return self.words == self.of


def request_name(fingerprint: int) -> str:
    """The name of a request in the text of its answer: 40 bits of its 64-bit fingerprint."""
    return base32(fingerprint >> 24, 8)


def words(provider: str, fingerprint: int, tokens: int) -> tuple[str, ...]:
    """So many tokens of prose, each a word with its leading space; plain ASCII without quotes or backslashes."""
    return _words(f"[{provider}:{request_name(fingerprint)}:{tokens}]", fingerprint >> 24, tokens)


def own_words(provider: str, fingerprint: int, text: str) -> tuple[str, ...]:
    """A text of the scenario's own after the name of its answer, as tokens: words with the space before them."""
    own = re.findall(r"\s*\S+|\s+\Z", f" {text}")
    return (f"[{provider}:{request_name(fingerprint)}:={1 + len(text.split())}]", *own)


def thoughts(fingerprint: int, tokens: int) -> tuple[str, ...]:
    """So many tokens of a model's thoughts: prose without a name, which is nobody's answer."""
    return _words("Let", fingerprint >> 20, tokens)


def recognise(text: str) -> tuple[Piece, ...]:
    """The pieces of a text that providers wrote, in order; none when no provider did, or nothing of it is left."""
    heads = [*_HEAD.finditer(text)]
    pieces = []
    for head, after in zip_longest(heads, heads[1:]):
        own = text[head.end() : after.start() if after else len(text)]
        provider, request, of = head[1], head[2], int(head[4])
        if head[3]:
            pieces.append(Piece(provider, request, min(of, 1 + len(own.split())), of))
            continue
        number = 0
        for digit in request:
            number = number << 5 | DIGITS.index(digit)
        written = _words(head[0], number, min(of, _LONGEST))[1:]
        same = 1
        # No strict: text of the system's own may follow.
        for ours, theirs in zip(written, own.split(), strict=False):
            if ours.strip() != theirs:
                break
            same += 1
        pieces.append(Piece(provider, request, same, of))
    return tuple(pieces)


def _words(head: str, number: int, tokens: int) -> tuple[str, ...]:
    out = [head] if tokens else []
    state = number | 1
    while len(out) < tokens:
        state = (state * _MIX + 1442695040888963407) & _MASK
        out += SENTENCES[(state >> 33) % len(SENTENCES)]
    return tuple(out[:tokens])
