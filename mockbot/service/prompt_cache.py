"""Which beginnings of prompts a provider has in its cache: a prompt's prefixes in, tokens read and written out. Pure.

A prefix is kept so long after its last use as its request asks for (five minutes or an hour, in scenario seconds). It
tells in `usage` only: a cached prompt is answered no sooner.
"""

from collections import OrderedDict

from mockbot.dialects.dialect import CacheUse, Prefix

KEPT = 20_000  # prefixes of a provider; the one unused for longest goes first
_USUAL = 300.0  # seconds


class PromptCache:
    """The cache of one provider."""

    def __init__(self) -> None:
        self._until: OrderedDict[bytes, float] = OrderedDict()

    def use(self, prefixes: tuple[Prefix, ...], now: float) -> CacheUse:
        """Read the longest prefix that is there, and keep those that ask for it."""
        read = max([each.tokens for each in prefixes if self._until.get(each.name, now) > now], default=0)
        kept = [each for each in prefixes if each.keep]
        for each in kept:
            self._until[each.name] = now + each.keep
            self._until.move_to_end(each.name)
        while len(self._until) > KEPT:
            self._until.popitem(last=False)
        written = max(0, kept[-1].tokens - read) if kept else 0
        return CacheUse(read, 0, written) if kept and kept[-1].keep > _USUAL else CacheUse(read, written)
