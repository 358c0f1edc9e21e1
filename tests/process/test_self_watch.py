"""A server process notices that it stood still or ran out of descriptors, and says each once."""

import asyncio
import errno
import os
import resource
import time
from collections.abc import Callable
from typing import NoReturn

import pytest

from mockbot.process import self_watch
from mockbot.process.self_watch import SelfWatch, raise_descriptor_limit


def watched(what: Callable[[], object], watch: SelfWatch) -> list[str]:
    """The troubles after `what` has happened on a loop that watches itself."""

    async def run() -> None:
        task = asyncio.create_task(watch.run())
        await asyncio.sleep(0)
        what()
        while not watch.troubles:
            await asyncio.sleep(0)
        task.cancel()

    asyncio.run(run())
    return watch.troubles


def test_a_loop_that_stood_still_says_for_how_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole stop lies between two of its looks."""
    monkeypatch.setattr(self_watch, "HUNG", 0.2)
    monkeypatch.setattr(self_watch, "EVERY", 0.01)

    (trouble,) = watched(lambda: time.sleep(0.2), SelfWatch())

    assert trouble.startswith("stood still for 0.")


def test_a_process_without_descriptors_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """libuv would accept and drop connections without a word."""

    def exhausted(_: int) -> NoReturn:
        raise OSError(errno.EMFILE, "no more")

    monkeypatch.setattr(os, "dup", exhausted)

    (trouble,) = watched(lambda: None, SelfWatch())

    assert "ulimit -n" in trouble


def test_other_failures_are_no_lack_of_means() -> None:
    """A provider that refuses is part of an outage; the process is fine."""
    watch = SelfWatch()
    watch.failed(ConnectionRefusedError(errno.ECONNREFUSED, "refused"))
    watch.failed(TimeoutError())
    assert watch.troubles == []

    for _ in range(3):
        watch.failed(OSError(errno.EMFILE, "no more"))
    assert len(watch.troubles) == 1


def test_the_soft_limit_becomes_the_hard_one() -> None:
    """A server may have as many connections as the system allows."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(256, before[1]), before[1]))
    try:
        raise_descriptor_limit()
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (before[1], before[1])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
