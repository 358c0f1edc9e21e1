"""The worlds of research/metastability.md as scenarios: C = 100/s on 100 exponential slots, unless said otherwise."""

import math
from typing import Any

from mockbot.scenario.schema import Scenario


def exponential(u: float) -> float:
    """Mean 1 s."""
    return -math.log(1.0 - u)


def open_loop(
    phases: list[dict[str, Any]],
    policy: dict[str, Any],
    *,
    slots: int = 100,
    queue: int = 2000,
    groups: dict[str, Any] | None = None,
    **provider: Any,
) -> Scenario:
    """Arrivals at the phases' rates, one provider A, an idle one B of the same size."""
    whole = {
        "name": "world",
        "title": "A world",
        "slo": "10s",
        "providers": {
            "a": {"slots": slots, "queue": {"limit": queue}} | provider,
            "b": {"slots": slots, "queue": {"limit": 500}},
        },
        "crowd": groups or {"all": {"arrivals": "100%", "policy": policy, "patience": "2h"}},
        "phases": phases,
    }
    return Scenario.model_validate(whole)


def surge(rate: float, times: float, lasts: float, calm: float = 40, after: float = 180) -> list[dict[str, Any]]:
    """Calm, then so many times the rate, then calm again."""
    return [
        {"name": "calm", "lasts": calm, "arrivals": rate},
        {"name": "bad", "lasts": lasts, "arrivals": rate * times},
        {"name": "after", "lasts": after, "arrivals": rate},
    ]


def outage(
    rate: float, fault: dict[str, Any], lasts: float, calm: float = 40, after: float = 180
) -> list[dict[str, Any]]:
    """Calm, then a fault, then calm again, at the same rate throughout."""
    return [
        {"name": "calm", "lasts": calm, "arrivals": rate},
        {"name": "bad", "lasts": lasts, "faults": [fault]},
        {"name": "after", "lasts": after},
    ]
