"""What a worker on another machine says of itself before its master takes it, and why the master would refuse it.

Nothing here imports Locust: `mockbot run` and `mockbot worker` use it, too.
"""

import hmac
import platform
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from mockbot.version import __version__, digest_of, sources_digest

TOKEN = "MOCKBOT_TOKEN"  # noqa: S105 - the environment variable that holds it, on both machines
MASTER_PORT = 5557  # Locust's own
SHOWN = 8  # characters of a digest in a sentence


@dataclass(frozen=True, slots=True)
class WorkerEvent:
    """A line about one worker, for whoever waits for the run."""

    does: Literal["came", "refused"]
    says: str


@dataclass(frozen=True, slots=True)
class Introduction:
    """`sources`, `locustfile`: digests. `host`: the machine's name, for readers only."""

    host: str
    version: str
    sources: str
    locust: str
    locustfile: str
    token: str

    @classmethod
    def own(cls, locustfiles: Iterable[Path], token: str) -> "Introduction":
        """Of this process. OSError where a locustfile cannot be read."""
        return cls(platform.node(), __version__, sources_digest(), version("locust"), digest_of(locustfiles), token)

    def why_not(self, worker: "Introduction") -> str:
        """Why this master refuses the worker, and what to do; "" when it does not."""
        if not hmac.compare_digest(self.token.encode(), worker.token.encode()):
            return f"its {TOKEN} is not this run's; copy the line that `mockbot run --workers` prints"
        if (self.version, self.locust) != (worker.version, worker.locust):
            theirs = f"mockbot {worker.version} with Locust {worker.locust}"
            return f"it runs {theirs}, the master {self.version} with {self.locust}; install the same on both"
        if self.sources != worker.sources:
            digests = f"{worker.sources[:SHOWN]} there, {self.sources[:SHOWN]} at the master"
            return f"its mockbot says {self.version} as the master's does, but differs ({digests}); install the same"
        if self.locustfile != worker.locustfile:
            digests = f"{worker.locustfile[:SHOWN]} there, {self.locustfile[:SHOWN]} at the master"
            return f"its locustfile is another one (SHA-256 {digests}); pass a copy of the master's to --locustfile"
        return ""
