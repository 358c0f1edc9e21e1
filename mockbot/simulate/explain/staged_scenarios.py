"""A Setting in, small scenarios out in which one law can be seen alone: the scenario's provider, crowd and outage, with
one thing changed at a time. Pure.
"""

from collections.abc import Mapping, Sequence

from mockbot.scenario.scale import scale_by
from mockbot.scenario.schema import Provider, Scenario
from mockbot.simulate.explain.parameters import Setting

Spec = Mapping[str, object]
LONG = 86400.0  # seconds; the patience of users who wait whatever happens


def staged(
    setting: Setting, crowd: Mapping[str, Spec], phases: Sequence[Spec], *, times: float = 1.0, slo: float = LONG,
    others: Mapping[str, Provider] | None = None, **provider: object,
) -> Scenario:  # fmt: skip
    """On the setting's provider, less its rate limits; `provider` updates it, `times` scales users and slots."""
    spec = setting.spec.model_copy(update={"limits": {}, "token_limits": {}, "retry_after": None, **provider})
    providers = {setting.provider: spec, **(others or {})}
    whole = {"name": "staged", "title": "Staged", "slo": slo, "providers": providers, "crowd": crowd, "phases": phases}
    return scale_by(Scenario.model_validate(whole), times).scenario


def course(
    setting: Setting, fault: Spec, lasts: float, after: float, *, users: int | None = None, rate: float | None = None
) -> list[Spec]:
    """Calm, the fault, calm again, for the setting's users or for a rate of arrivals."""
    load = {"users": setting.users if users is None else users} if rate is None else {"arrivals": rate}
    return [
        {"name": "calm", "lasts": calm(setting), **load},
        {"name": "bad", "lasts": lasts, "faults": [fault]},
        {"name": "after", "lasts": after},
    ]


def calm(setting: Setting) -> float:
    """Whole seconds before anything is wrong."""
    return float(round(max(60.0, 2 * setting.think, 5 * setting.service)))


def closed(policy: Spec, think: float, share: float = 1.0) -> Spec:
    """A group of users."""
    return {"users": share, "policy": policy, "think": think, "patience": LONG}
