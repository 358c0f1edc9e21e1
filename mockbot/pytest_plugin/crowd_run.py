"""Users of a system under test, from inside a test: `mockbot.system` describes it, `mockbot.crowd` sends them.

The run is that of `mockbot run --system`, in a child process (Locust patches its own), on the fixture's testbed: the
providers stay where the test's system has found them.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from mockbot.errors import TestbedError, UsageError
from mockbot.evidence.judgement import Judgement
from mockbot.measures.scope import Scope
from mockbot.measures.table import TABLE
from mockbot.measures.text import format_value
from mockbot.measures.values import Known
from mockbot.process.managed_process import ManagedProcess
from mockbot.pytest_plugin.session_testbed import RunningService
from mockbot.runs.folder import RunFile
from mockbot.scenario.problems import nearest
from mockbot.testbed.system.system_file import System, read_system

if TYPE_CHECKING:
    from mockbot.evidence.system_findings import Finding
    from mockbot.pytest_plugin.outage import Inconclusive


class CrowdRun:
    """A judged run. `folder` has its journals and reports; it is pytest's temporary one without `--mockbot-report`."""

    def __init__(self, judgement: Judgement, folder: Path, inconclusive: "Inconclusive") -> None:
        self.judgement, self.folder, self._inconclusive = judgement, folder, inconclusive

    @property
    def verdict(self) -> str:
        """pass, fail or inconclusive."""
        return self.judgement.verdict

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why, in sentences."""
        return self.judgement.reasons

    @property
    def findings(self) -> "dict[str, Finding]":
        """What the system did wrong, by name; what it did not do is not in it."""
        system = self.judgement.system
        return {} if system is None else {each.name: each for each in system.findings if each.times}

    def measure(
        self, name: str, *, phase: str | None = None, group: str | None = None, tier: str | None = None,
        provider: str | None = None,
    ) -> float:  # fmt: skip
        """A measure of the whole run or of a part: seconds, a share of 1, a rate or a count; infinite for "never".

        Raises UsageError for a measure or a part that there is not. The test is inconclusive where it is not known.
        """
        __tracebackhide__ = True
        if name not in TABLE:
            raise UsageError(f"{name!r} is not a measure{nearest(name, TABLE)}")
        scope = Scope(phase, group, tier, provider)
        row = next((row for row in self.judgement.measures if row.scope == scope), None)
        if row is None:
            scopes = "; ".join(str(row.scope) for row in self.judgement.measures)
            raise UsageError(f"{self.judgement.run.scenario} has no measures of {scope}; there are {scopes}")
        value = row.values[name]
        if not isinstance(value, Known):
            self._inconclusive(f"{name} of {scope}: {format_value(name, value)} ({value.why})")
        return float(value.number)

    def assert_resilient(self) -> None:
        """Raise AssertionError with every reason when the run failed; inconclusive, which is no pass, ends the test."""
        __tracebackhide__ = True  # the reader needs the reasons and the line of the test, not this frame
        if self.verdict == "fail":
            raise AssertionError(self._told("is not resilient"))
        if self.verdict == "inconclusive":
            self._inconclusive(self._told("gave too little evidence"))

    def invalid(self) -> str | None:
        """Why nothing of this run shows anything; None when every check of the run holds."""
        broken = [check.says for check in self.judgement.checks if not check.ok]
        return f"{self.judgement.run.scenario}: {'; '.join(broken)}" if broken else None

    def _told(self, what: str) -> str:
        reasons = "".join(f"\n  - {reason}" for reason in self.reasons)
        return f"system {self.judgement.run.system} {what} in {self.judgement.run.scenario}:{reasons}"

    def __repr__(self) -> str:
        """With the reasons, because pytest shows it below a failed assert."""
        return f"<{self.verdict}: {'; '.join(self.reasons)}>"


def described(target: str, more: Mapping[str, Any]) -> System:
    """The system that a test names. `more`: keys of a system file. Raises UsageError."""
    given = read_system(target).model_dump(exclude_unset=True)
    if "ask" in more:
        given.pop("speaks", None)  # of a short form
    try:
        return System.model_validate({**given, **more})
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        raise UsageError(f"mockbot.system({target!r}): {problems}") from None


def run_crowd(running: RunningService, system: System, folder: Path, shortened: str, allow: Iterable[str]) -> Judgement:
    """Send the crowd of the scenario through the system, for as long as the outage lasts.

    Raises TestbedError when there is no verdict: the system does not start, the scenario has no such provider, ...
    """
    handed = {
        "scenario": running.scenario.model_dump(mode="json"),
        "testbed": asdict(running.addresses),
        "system": system.model_dump(mode="json"),
        "out": str(folder),
        "shortened": shortened,
        "allowed": [*allow],
    }
    with ManagedProcess(["mockbot.commands.handed_run"], told=json.dumps(handed)) as child:
        if error := child.hear()["error"]:
            raise TestbedError(str(error))
    return Judgement.model_validate_json((folder / RunFile.SUMMARY).read_text("utf-8"))
