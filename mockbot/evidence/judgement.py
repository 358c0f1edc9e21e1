"""The judgement of a run: all its results as one frozen value. `summary.json` is its JSON, and every report shows it.

In JSON a measure is a number (scenario seconds, a share of 1, events per second or a count); "never" when the event did
not come; {"more_than": x} when the run ended before it; null when it is not known, and then `unknown` has the reason.
Floats have six digits after the point. Pure.
"""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal, assert_never

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, computed_field, model_validator

from mockbot.evidence.detection import Finding
from mockbot.evidence.records import Action, RunInfo
from mockbot.evidence.run_counters import Pending
from mockbot.evidence.system_result import SystemResult
from mockbot.evidence.validity import ValidityCheck
from mockbot.measures.counter_protocols import Disturbance
from mockbot.measures.scope import Scope
from mockbot.measures.table import TABLE
from mockbot.measures.text import format_against, format_in_unit, format_value
from mockbot.measures.threshold import parse_threshold
from mockbot.measures.values import Beyond, Known, Undefined, Value
from mockbot.scenario.spans import PhaseSpan
from mockbot.version import __version__

Verdict = Literal["pass", "fail", "inconclusive"]


@dataclass(frozen=True, slots=True)
class MoreThan:
    """A lower bound: the run ended before the value was known."""

    more_than: float


Number = float | Literal["never"] | MoreThan | None


def _number(value: Value) -> Number:
    match value:
        case Known(number):
            return "never" if math.isinf(number) else float(number)
        case Beyond(bound):
            return MoreThan(bound)
        case Undefined():
            return None
        case _:
            assert_never(value)


def _value(number: Any, why: str = "") -> Any:
    """The value that became this number in JSON; anything else is left to pydantic."""
    match number:
        case float() | int():
            return Known(number)
        case "never":
            return Known(math.inf)
        case {"more_than": bound}:
            return Beyond(bound, why)
        case None:
            return Undefined(why)
        case _:
            return number


Measured = Annotated[Value, BeforeValidator(_value), PlainSerializer(_number, return_type=Number)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _WithValues(_Frozen):
    """Values of measures by name; `unknown` has the reason of each null and each lower bound."""

    values: dict[str, Measured]

    @computed_field  # type: ignore[prop-decorator]
    @property
    def unknown(self) -> dict[str, str]:
        """Why a value is not known."""
        return {name: value.why for name, value in self.values.items() if not isinstance(value, Known)}

    @model_validator(mode="before")
    @classmethod
    def _with_reasons(cls, read: dict[str, Any]) -> dict[str, Any]:
        unknown = read.get("unknown", {})
        values = {name: _value(number, unknown.get(name, "")) for name, number in read["values"].items()}
        return {**{name: value for name, value in read.items() if name != "unknown"}, "values": values}


class Row(_WithValues):
    """All measures of one scope."""

    scope: Scope


class OutageResult(_WithValues):
    """One outage as one group lived through it; the worst of them is the value of a measure."""

    group: str
    begin: float
    clear: float
    causes: tuple[str, ...]  # ids of faults, and phases with a larger crowd

    @property
    def phases(self) -> list[str]:
        """The phases in which its causes began."""
        return list(dict.fromkeys(cause.partition(".")[0] for cause in self.causes))


@dataclass(frozen=True, slots=True)
class ExpectationResult:
    """One measure of one expectation: the threshold, the measured value, and the records to look at."""

    scope: Scope
    measure: str
    expected: str
    limit: float | None  # the threshold in the measure's unit; None where the phase that it is relative to has none
    seen: Measured
    result: Verdict
    why: str  # it is undecided, or why an external client failed
    where: str

    @property
    def seen_text(self) -> str:
        """The measured value with its unit; what is no measure (an anti-pattern, an exit code) is a count."""
        known = self.measure in TABLE or not isinstance(self.seen, Known)
        measure = self.measure if known else "prompts"
        if self.result == "fail" and self.limit is not None:  # with the digits that decided
            return format_against(measure, self.seen, self.limit)
        return format_value(measure, self.seen)

    @property
    def expected_text(self) -> str:
        """ ">= 99%"; of a multiple also what it came to: "<= 3x steady (4.5s)"."""
        is_multiple = self.measure in TABLE and parse_threshold(self.measure, self.expected).phase
        if not is_multiple or self.limit is None:
            return self.expected
        return f"{self.expected} ({format_in_unit(self.measure, self.limit)})"

    @property
    def outcome(self) -> str:
        """ "expected >= 99%, saw 33.33%"."""
        return f"expected {self.expected_text}, saw {self.seen_text}"

    @property
    def hint(self) -> str:
        """Why it could not be decided and where to look; empty for an expectation that holds."""
        return (
            ""
            if self.result == "pass"
            else "; ".join(filter(None, (self.why.removesuffix("."), f"look at {self.where}")))
        )

    def __str__(self) -> str:
        text = f"{self.measure} of {self.scope}: {self.outcome}"
        return f"{text} ({self.why})" if self.why else text


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary(RunInfo):
    """How the run was made, and what its scenario says of itself."""

    title: str
    cause: str | None
    slo: float


@dataclass(frozen=True, slots=True)
class FaultResult:
    """A fault: when it was planned, when it was measured to hold, and how many requests it hit.

    `replica` counts from 1; null is all of the provider.
    """

    id: str
    kind: str
    provider: str
    replica: int | None
    planned: tuple[float, float]
    measured: tuple[float, float]
    felt: int


@dataclass(frozen=True, slots=True)
class ProviderResult:
    """The requests of one provider in one phase (in the whole run when `phase` is null), and shares of slot time."""

    provider: str
    phase: str | None
    offered: int
    refused: int
    failed: int
    finished: int
    busy: float | None
    wasted: float | None


class Judgement(_Frozen):
    """All results of one run. `measures`: the whole run, then by phase, group, phase and group, tier, provider."""

    summary_version: Literal[1] = 1
    mockbot: str = __version__
    verdict: Verdict
    reasons: tuple[str, ...]
    run: RunSummary
    sampled: str = ""  # in words: of how many users all figures are, and how far chance takes them; empty: of all
    testbed: str = ""  # in words: what it adds to the latencies, and to which p50 too much; empty: no live crowd
    phases: tuple[PhaseSpan, ...]
    faults: tuple[FaultResult, ...]
    actions: tuple[Action, ...]
    disturbance: Disturbance
    outages: tuple[OutageResult, ...]
    expectations: tuple[ExpectationResult, ...]
    checks: tuple[ValidityCheck, ...] = Field(alias="guards")
    measures: tuple[Row, ...]
    providers: tuple[ProviderResult, ...]
    system: SystemResult | None = None  # the one under test between crowd and providers
    findings: tuple[Finding, ...]
    outcomes: dict[str, int]  # attempts that started within the phases
    pending_count: int
    pending: tuple[Pending, ...]

    def rows_by_phase(self) -> Iterator[Row]:
        """Each phase with its groups, then the whole run with its groups; groups only where there are several."""
        for phase in (*(phase.name for phase in self.phases), None):
            rows = [row for row in self.measures if row.scope.phase == phase]
            rows = [row for row in rows if row.scope.tier is None and row.scope.provider is None]
            groups = [row for row in rows if row.scope.group is not None]
            yield from (row for row in rows if row.scope.group is None)
            yield from groups if len(groups) > 1 else ()

    def data(self) -> Any:
        """The content of `summary.json` as plain JSON values."""
        return _rounded(self.model_dump(mode="json", by_alias=True))

    def json_text(self) -> str:
        """The text of `summary.json`: the same bytes for the same run."""
        return json.dumps(self.data(), indent=1, ensure_ascii=False) + "\n"


def _rounded(data: Any) -> Any:
    match data:
        case dict():
            return {key: _rounded(value) for key, value in data.items()}
        case list():
            return [_rounded(value) for value in data]
        case float():
            return round(data, 6)
        case _:
            return data


def schema_json() -> str:
    """The text of `summary.schema.json`."""
    schema = Judgement.model_json_schema(mode="serialization")
    return json.dumps({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}, indent=1) + "\n"
