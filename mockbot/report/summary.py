"""The model of `summary.json`: the whole result of a run as one versioned object. The other reports show its numbers.

A measure is a number (scenario seconds, a share of 1, events per second or a count); "never" when the event did not
come; {"more_than": x} when the run ended before it; null when it is not known, and then `unknown` has the reason.
`summary.schema.json` is its schema.
"""

import json
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict

from mockbot.evidence.verdict import Verdict


class _Frozen(BaseModel):
    """Immutable; `model_validate` also reads the attributes of a value of `evidence` with the same names."""

    model_config = ConfigDict(frozen=True, extra="forbid", from_attributes=True)


class MoreThan(_Frozen):
    """A lower bound: the run ended before the value was known."""

    more_than: float


Rounded = Annotated[float, AfterValidator(lambda number: round(number, 6))]
Number = float | Literal["never"] | MoreThan | None


class ScopeOut(_Frozen):
    """What a row covers: the whole run, narrowed by each name that is given."""

    phase: str | None = None
    group: str | None = None
    tier: str | None = None
    provider: str | None = None

    def __str__(self) -> str:
        named = self.model_dump(exclude_none=True).items()
        return ", ".join(f"{kind} {name}" for kind, name in named) or "whole run"


class Measures(_Frozen):
    """All measures of one scope; `unknown` has the reason of each null and each lower bound."""

    scope: ScopeOut
    values: dict[str, Number]
    unknown: dict[str, str]


class Expected(_Frozen):
    """One expectation: what was expected, what was seen, and where to look."""

    scope: ScopeOut
    measure: str
    expected: str
    seen: Number
    result: Verdict
    why: str
    where: str

    @property
    def hint(self) -> str:
        """Why it could not be decided and where to look; empty for an expectation that holds."""
        return "" if self.result == "pass" else "; ".join(filter(None, (self.why, self.where)))


class Guard(_Frozen):
    """One validity check: whether the run can be judged at all."""

    name: str
    ok: bool
    says: str


class PhaseOut(_Frozen):
    """A phase, in scenario seconds."""

    name: str
    start: float
    end: float


class FaultOut(_Frozen):
    """A fault: when it was planned, when it was measured to hold, and how many requests it hit."""

    id: str
    kind: str
    provider: str
    planned: tuple[float, float]
    measured: tuple[Rounded, Rounded]
    felt: int


class ActionOut(_Frozen):
    """One change of a fault: when it was due, sent and confirmed, in scenario seconds."""

    fault: str
    does: str
    due: Rounded
    sent: Rounded
    confirmed: Rounded | None
    error: str | None


class ProviderOut(_Frozen):
    """The requests of one provider in one phase (in the whole run when `phase` is null), and shares of slot time."""

    provider: str
    phase: str | None
    offered: int
    refused: int
    failed: int
    finished: int
    busy: Rounded | None
    wasted: Rounded | None


class FindingOut(_Frozen):
    """An anti-pattern of a group of clients, with the first prompts that show it."""

    name: str
    group: str
    times: int
    did: str
    evidence: tuple[str, ...]
    remedy: str


class Pending(_Frozen):
    """A prompt that was still waiting when the run ended."""

    id: str
    group: str
    intended: Rounded
    attempts: int


class Run(_Frozen):
    """How the run was made."""

    scenario: str
    title: str
    cause: str | None
    seed: int
    slo: float
    speed: float
    t0: float | None
    ended: str
    end: float
    engine: str
    nodes: int
    loop: str
    simulated: bool
    command: str
    versions: dict[str, str]


class Around(_Frozen):
    """When the run was disturbed, and the interval that serves as its baseline."""

    begin: Rounded | None
    clear: Rounded | None
    baseline: tuple[float, float] | None


class Summary(_Frozen):
    """All results of one run."""

    summary_version: Literal[1] = 1
    mockbot: str
    verdict: Verdict
    reasons: tuple[str, ...]
    run: Run
    phases: tuple[PhaseOut, ...]
    faults: tuple[FaultOut, ...]
    actions: tuple[ActionOut, ...]
    disturbance: Around
    expectations: tuple[Expected, ...]
    guards: tuple[Guard, ...]
    measures: tuple[Measures, ...]
    providers: tuple[ProviderOut, ...]
    findings: tuple[FindingOut, ...]
    outcomes: dict[str, int]
    pending_count: int
    pending: tuple[Pending, ...]

    def rows_by_phase(self) -> Iterator[Measures]:
        """Each phase with its groups, then the whole run with its groups; groups only where there are several."""
        for phase in (*(phase.name for phase in self.phases), None):
            rows = [row for row in self.measures if row.scope.phase == phase]
            rows = [row for row in rows if row.scope.tier is None and row.scope.provider is None]
            groups = [row for row in rows if row.scope.group is not None]
            yield from (row for row in rows if row.scope.group is None)
            yield from groups if len(groups) > 1 else ()


def summary_json(summary: Summary) -> str:
    """The text of `summary.json`: the same bytes for the same run."""
    return summary.model_dump_json(indent=1) + "\n"


def schema_json() -> str:
    """The text of `summary.schema.json`."""
    schema = Summary.model_json_schema(mode="serialization")
    return json.dumps({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}, indent=1) + "\n"
