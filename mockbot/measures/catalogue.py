"""The table of measures: name, unit, which direction is better, and whether it applies to a single client. Pure.

The language (`expect:`), the formatting, the comparison and every report read it; an unknown name raises KeyError. The
order is that of the language. The formulas are in `mockbot.evidence.formulas`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Unit = Literal["share", "duration", "rate", "number", "count"]


@dataclass(frozen=True, slots=True)
class Measure:
    """`better`: the better direction, if there is one. `expected`: a scenario's `expect` may name it.

    `one_client`: it means something for a single client too; the others need a crowd, or belong to the provider.
    """

    unit: Unit
    better: Literal["low", "high"] | None
    one_client: bool = False
    expected: bool = True


_ANTIPATTERN = Measure("count", "low", one_client=True, expected=False)  # how often it occurred

CATALOGUE: Mapping[str, Measure] = {
    "answered": Measure("share", "high", one_client=True),
    "availability": Measure("share", "high", one_client=True),
    "user_uptime": Measure("share", "high", one_client=True),
    "goodput": Measure("rate", "high"),
    "efficiency": Measure("share", "high"),
    "attempts_per_prompt": Measure("number", "low", one_client=True),
    "amplification": Measure("number", "low"),
    "latency_p50": Measure("duration", "low", one_client=True),
    "latency_p95": Measure("duration", "low", one_client=True),
    "latency_p99": Measure("duration", "low", one_client=True),
    "latency_p999": Measure("duration", "low", one_client=True),
    "answered_p50": Measure("duration", "low", one_client=True),
    "answered_p95": Measure("duration", "low", one_client=True),
    "failed_p50": Measure("duration", "low", one_client=True),
    "first_token_p50": Measure("duration", "low", one_client=True),
    "first_token_p95": Measure("duration", "low", one_client=True),
    "time_to_detect": Measure("duration", "low"),
    "first_success": Measure("duration", "low", one_client=True),
    "recovery_time": Measure("duration", "low", one_client=True),
    "affected_recovery": Measure("duration", "low", one_client=True),
    "wasted_work": Measure("share", "low"),
    "overshoot": Measure("number", "low"),
    "fairness": Measure("number", "high"),
    "apdex": Measure("number", "high", one_client=True),
    "burn_rate": Measure("number", "low"),
    "budget_spent": Measure("share", "low"),
    "burn_1h": Measure("number", "low"),
    "burn_6h": Measure("number", "low"),
    "burn_3d": Measure("number", "low"),
    "time_to_page": Measure("duration", "low"),
    "hysteresis": Measure("number", "low"),
    "failed_users": Measure("share", "low", one_client=True),
    "longest_outage_p95": Measure("duration", "low", one_client=True),
    "prompts": Measure("count", None, expected=False),
    "exit_code": Measure("count", "low", one_client=True, expected=False),
    "ignores_retry_after": _ANTIPATTERN,
    "retries_what_cannot_succeed": _ANTIPATTERN,
    "retries_without_end": _ANTIPATTERN,
    "does_not_back_off": _ANTIPATTERN,
    "takes_broken_answers": _ANTIPATTERN,
    "hangs": _ANTIPATTERN,
    "never_retries": _ANTIPATTERN,
}
MEASURES = tuple(name for name, measure in CATALOGUE.items() if measure.expected)
