"""Work that shares the event loop."""

import asyncio
from collections.abc import Iterator

from mockbot.process.event_loop import in_turns


async def test_others_have_a_turn_between_two_items() -> None:
    """A stream beside an answer of many choices goes on while they are made; the order is that of the items."""
    happened: list[str] = []

    def items() -> Iterator[int]:
        for number in range(3):
            happened.append(f"item {number}")
            yield number

    async def other() -> None:
        for _ in range(3):
            happened.append("other")
            await asyncio.sleep(0)

    beside = asyncio.create_task(other())
    made = await in_turns(items())
    await beside

    assert made == (0, 1, 2)
    assert happened == ["item 0", "other", "item 1", "other", "item 2", "other"]
