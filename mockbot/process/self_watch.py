"""What a server process notices about itself, for the driver to ask: it stood still, or ran out of file descriptors.

A client cannot tell either from an outage, so a run in which one happened says nothing about the client.
"""

import asyncio
import errno
import logging
import os
import resource
from contextlib import suppress

EVERY = 0.1  # wall seconds between two looks at itself
HUNG = 2.0  # wall seconds
KEPT = 1000  # troubles
EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
log = logging.getLogger("mockbot")


def raise_descriptor_limit() -> None:
    """Raise the soft limit of file descriptors to the hard one; a system that refuses keeps its own."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):  # macOS reports "unlimited" and refuses it
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def descriptor_limit() -> int:
    """How many descriptors a process of mockbot's may have."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[1]


class SelfWatch:
    """`troubles`: one sentence for each, in the order of time."""

    def __init__(self) -> None:
        self.troubles: list[str] = []
        self._exhausted = False

    async def run(self) -> None:
        """Watch until cancelled, on the loop that serves."""
        loop = asyncio.get_running_loop()
        while True:
            before = loop.time()
            await asyncio.sleep(EVERY)
            if (still := loop.time() - before) >= HUNG:
                self.note(f"stood still for {still:.1f} s: run again on a machine with less other work")
            try:
                os.close(os.dup(2))  # libuv drops connections without a word when it has no descriptor for them
            except OSError as error:
                self.failed(error)
            else:
                self._exhausted = False

    def failed(self, error: OSError) -> None:
        """Something failed; a trouble when the process lacks the means for it, noted once until it has them again."""
        if error.errno is not None and error.errno in EXHAUSTED and not self._exhausted:
            self._exhausted = True
            soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
            what = os.strerror(error.errno)
            self.note(f"ran out of resources ({what}; {soft} descriptors): raise ulimit -n, or use fewer users")

    def note(self, trouble: str) -> None:
        """Keep a sentence that goes on after "this process"."""
        log.error("this process %s", trouble)
        if len(self.troubles) < KEPT:
            self.troubles.append(trouble)
