"""Small values that the service's tests are made of."""

from collections.abc import Mapping
from typing import Any

from mockbot.faults.base import FaultBase
from mockbot.scenario.schema import Provider, Scenario
from mockbot.scenario.timeline import ActiveFault, FaultSpan


def provider_of(**values: Any) -> Provider:
    """A provider as a file would write it."""
    return Provider.model_validate(values)


def scenario_of(providers: Mapping[str, Any]) -> Scenario:
    """The smallest scenario with these providers."""
    return Scenario.model_validate(
        {
            "name": "test",
            "title": "A test",
            "seed": 7,
            "providers": providers,
            "crowd": {"all": {"users": "100%", "policy": "once"}},
            "phases": [{"name": "only", "lasts": "1h", "users": 1}],
        }
    )


def active(fault: FaultBase, *, id: str | None = None, start: float = 0.0, end: float = 3600.0) -> ActiveFault:  # noqa: A002
    """A fault that holds now."""
    span = FaultSpan(id or fault.kind, fault, "main", "only", start, end)
    return ActiveFault(span, fault.share.at(span.progress(start)))
