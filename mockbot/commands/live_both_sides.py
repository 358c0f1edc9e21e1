"""What users and providers saw so far, phase by phase, for Locust's tab: a run's records in, a file of texts out.

Computed here and not in Locust's process: that one makes the load and must not stand still.
"""

import json
import time

from mockbot.evidence.records import Attempt, Prompt, Request
from mockbot.evidence.system_join import join
from mockbot.evidence.system_records import SystemAnswer
from mockbot.evidence.system_table import phase_rows
from mockbot.report.both_sides import providers_text, users_text
from mockbot.runs.folder import RunFile, RunFolder
from mockbot.runs.journal_files import Follower
from mockbot.scenario.schema import Scenario
from mockbot.scenario.timeline import Timeline

EVERY = 2.0  # wall seconds


class LiveBothSides:
    """`requests`: every request that has ended, which the caller adds to."""

    def __init__(self, folder: RunFolder, scenario: Scenario) -> None:
        self._folder, self._phases, self._providers = folder, Timeline(scenario).phases, [*scenario.providers]
        self._prompts = Follower(folder / RunFile.JOURNAL, Prompt), list[Prompt]()
        self._attempts = Follower(folder / RunFile.JOURNAL, Attempt), list[Attempt]()
        self._answers = Follower(folder / RunFile.ANSWERS, SystemAnswer), list[SystemAnswer]()
        self.requests: list[Request] = []
        self._next = 0.0

    def write(self, *, now: bool = False) -> None:
        """Write the file, at most once in EVERY seconds, or `now`."""
        if time.monotonic() < self._next and not now:
            return
        self._next = time.monotonic() + EVERY
        self._prompts[1].extend(self._prompts[0].new())
        self._attempts[1].extend(self._attempts[0].new())
        self._answers[1].extend(self._answers[0].new())
        joined = join(self._prompts[1], self._attempts[1], self._answers[1], self.requests)
        rows = phase_rows(joined, self._phases, self._providers)
        path = self._folder / RunFile.BOTH_SIDES
        new = path.with_suffix(".new")
        new.write_text(json.dumps({row.phase: [users_text(row), providers_text(row)] for row in rows}), "utf-8")
        new.replace(path)  # so that no reader sees a half
