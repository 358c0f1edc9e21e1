"""What a provider says that it has read from its cache of prompts, and written to it."""

from mockbot.dialects.dialect import UNCACHED, CacheUse, Prefix
from mockbot.dialects.prompt_prefixes import Block, prefixes
from mockbot.service.prompt_cache import PromptCache

FIRST, SECOND = Prefix(b"1", 2000, 300.0), Prefix(b"2", 3000, 300.0)


def test_a_prefix_is_written_once_and_read_until_it_is_unused_for_five_minutes() -> None:
    """Each use keeps it for another five."""
    cache = PromptCache()

    assert cache.use((FIRST,), 0.0) == CacheUse(0, 2000)
    assert cache.use((FIRST,), 299.0) == CacheUse(2000, 0)
    assert cache.use((FIRST,), 598.0) == CacheUse(2000, 0)
    assert cache.use((FIRST,), 898.0) == CacheUse(0, 2000)


def test_the_longest_prefix_that_is_there_is_read_and_the_rest_written() -> None:
    """A conversation grows by a turn with each request."""
    cache = PromptCache()
    cache.use((FIRST,), 0.0)

    assert cache.use((FIRST, SECOND), 1.0) == CacheUse(2000, 1000)


def test_a_prefix_without_a_breakpoint_is_read_but_not_kept() -> None:
    """Anthropic's clients say what is to be cached."""
    cache, passing = PromptCache(), FIRST._replace(keep=0.0)

    assert cache.use((passing,), 0.0) == UNCACHED
    assert cache.use((passing,), 1.0) == UNCACHED
    cache.use((FIRST,), 2.0)
    assert cache.use((passing,), 3.0) == CacheUse(2000)


def test_an_hour_is_told_apart() -> None:
    """It has a price of its own."""
    assert PromptCache().use((FIRST._replace(keep=3600.0),), 0.0) == CacheUse(0, 0, 2000)


def test_prefixes_are_equal_without_their_marks_and_differ_by_model() -> None:
    """A client moves its mark on with the conversation."""
    said = Block({"type": "text", "text": "x" * 5000, "cache_control": {"type": "ephemeral"}}, 5000)
    unmarked = Block({"type": "text", "text": "x" * 5000}, 5000)

    assert prefixes("m", [said])[0].name == prefixes("m", [unmarked])[0].name
    assert prefixes("m", [said])[0].name != prefixes("n", [said])[0].name
    assert prefixes("m", [Block("short", 5)]) == ()
