"""The beginnings of a prompt that a provider may have cached: blocks of a request in, Prefixes out. Pure.

A prefix has 1024 tokens at least (docs.anthropic.com, prompt caching; platform.openai.com, prompt caching). Blocks are
compared without their marks `cache_control`, which clients move on from request to request.
"""

import json
from collections.abc import Iterable
from hashlib import blake2b
from typing import NamedTuple

from mockbot.dialects.dialect import Prefix
from mockbot.dialects.reading import count_tokens

LEAST = 1024  # tokens


class Block(NamedTuple):
    """A part of a prompt, `characters` long; the prompt up to its end is cached for `keep` seconds, 0: it is not."""

    content: object
    characters: int
    keep: float = 300.0


def prefixes(model: str, blocks: Iterable[Block]) -> tuple[Prefix, ...]:
    """One for each block at whose end the prompt is long enough."""
    digest, characters, found = blake2b(model.encode(), digest_size=16), 0, []
    for block in blocks:
        content = block.content
        if isinstance(content, dict):
            content = {name: value for name, value in content.items() if name != "cache_control"}
        digest.update(json.dumps(content, sort_keys=True).encode())
        characters += block.characters
        if (tokens := count_tokens(characters)) >= LEAST:
            found.append(Prefix(digest.digest(), tokens, block.keep))
    return tuple(found)
