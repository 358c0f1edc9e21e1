"""The closed union of client policies, written `policy: backoff` or `policy: {name: backoff, attempts: 6}`.

Only names and values; what they decide is in `mockbot.clients`. Any other name may be a user's own policy: only then
the installed entry points of the group `mockbot.policies` are searched.
"""

from importlib.metadata import entry_points
from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from mockbot.scenario.resilience_specs import Breaker, Budget, FailOver, Hedge, Throttle, by_name
from mockbot.units.frozen_model import Model, Whole
from mockbot.units.quantities import Duration

ENTRY_POINT_GROUP = "mockbot.policies"


class PolicyBase(Model):
    """`timeout`: how long one attempt may take, to its last byte, before the client abandons it."""

    timeout: Duration = Field(30.0, gt=0)
    fail_over: FailOver | None = Field(None, description="default: on an open breaker if any, else on every retry")


class Guarded(PolicyBase):
    """A policy with optional guards, which all users of a client process share."""

    budget: Budget | None = Field(None, description="limits retries; a fail-over is not charged to it")
    breaker: Breaker | None = None
    throttle: Throttle | None = None
    hedge: Hedge | None = None
    processes: Whole = Field(1, ge=1, description="client processes over which the users are spread at random")

    @model_validator(mode="after")
    def _breaker_to_fail_over_on(self) -> "Guarded":
        if self.fail_over is not None and self.fail_over.when == "breaker" and self.breaker is None:
            raise ValueError("it falls over when its breaker opens, but has no breaker; add breaker: consecutive")
        return self


class Once(Guarded):
    """One attempt, then an error is shown."""

    name: Literal["once"] = "once"


class Refresh(PolicyBase):
    """A person who reloads, at each error or at an interval, until the patience is over. Never reads Retry-After.

    An attempt that still waits after `every` is abandoned and sent again.
    """

    name: Literal["refresh"] = "refresh"
    every: Duration = Field(0.0, description="0: as soon as an error shows, after a human reaction of about a second")


class Fixed(Guarded):
    """The same wait between a fixed number of attempts."""

    name: Literal["fixed"] = "fixed"
    attempts: Whole = Field(3, ge=1)
    wait: Duration = 1.0


class BackoffBase(Guarded):
    """Exponential back-off: v = min(cap, base * 2^n); full jitter U(0, v), equal v/2 + U(0, v/2), decorrelated
    min(cap, U(base, 3 x the wait before)), none v. AWS Architecture Blog, "Exponential Backoff and Jitter".
    """

    attempts: Whole = Field(8, ge=1)
    base: Duration = Field(1.0, gt=0)
    cap: Duration = Field(30.0, gt=0)
    jitter: Literal["full", "equal", "decorrelated", "none"] = "full"
    retry_after: bool | Literal["exact"] = Field(
        True, description="true: a lower bound with jitter on top; exact: to the moment, as SDKs do; false: never read"
    )
    spread: Duration = Field(30.0, description="the most jitter on top of Retry-After; at most the Retry-After itself")


class Backoff(BackoffBase):
    """Exponential back-off that honours Retry-After."""

    name: Literal["backoff"] = "backoff"


class Informed(BackoffBase):
    """Backs off; after a failure it reads the status page, and sends nothing while an incident is open there.

    It returns at the announced time (`back_in`), or looks again about every `look`; then spread over `return_within`.
    """

    name: Literal["informed"] = "informed"
    look: Duration = Field(60.0, gt=0)
    return_within: Duration = Field(60.0, description="jitter after the incident's end")


class Sdk(Guarded):
    """openai-python's own formula: min(0.5 * 2^n, 8) s x U(0.75, 1), 2 retries, Retry-After honoured up to 120 s."""

    name: Literal["sdk"] = "sdk"
    retries: Whole = Field(2, ge=0)
    timeout: Duration = Field(600.0, gt=0)


PresetName = Literal[
    "openai-python", "openai-python-1", "azure-openai", "anthropic-python", "anthropic-python-0",
    "openai-node", "anthropic-node", "vercel-ai",
    "litellm", "litellm-num-retries", "litellm-router", "litellm-router-pair",
    "langchain-openai", "langchain-anthropic", "langchain-with-retry", "llama-index",
    "google-genai", "google-genai-retrying", "boto3", "boto3-legacy", "boto3-standard", "boto3-adaptive",
]  # fmt: skip


class Preset(Model):
    """A real client with its defaults, to the letter (`mockbot.clients.presets`); only its timeout can be set."""

    name: PresetName
    timeout: Duration | None = Field(None, gt=0, description="the library's own when not given")


class CustomPolicy(Guarded):
    """A user's own policy, found by its entry point; `options` are keyword arguments for what the entry point names."""

    name: str
    options: dict[str, bool | int | float | str] = Field(default_factory=dict)


_PRESET, _CUSTOM = "a preset", "an own policy"  # tags that cannot be names, because they have spaces
_BUILT_IN = ("once", "refresh", "fixed", "backoff", "informed", "sdk")
POLICY_NAMES: tuple[str, ...] = (*_BUILT_IN, *get_args(PresetName))


def custom_policy_names() -> frozenset[str]:
    """The names of the policies that other packages have installed."""
    return frozenset(entry_points(group=ENTRY_POINT_GROUP).names)


def policy_kind(value: Any) -> str | None:
    """Which member of the union a mapping or a model is; its own name when there is no such policy."""
    name = value.get("name") if isinstance(value, dict) else getattr(value, "name", None)
    if not isinstance(name, str) or name in _BUILT_IN:
        return name if isinstance(name, str) else None
    if name in POLICY_NAMES:
        return _PRESET
    return _CUSTOM if name in custom_policy_names() else name


Policy = Annotated[
    Annotated[Once, Tag("once")]
    | Annotated[Refresh, Tag("refresh")]
    | Annotated[Fixed, Tag("fixed")]
    | Annotated[Backoff, Tag("backoff")]
    | Annotated[Informed, Tag("informed")]
    | Annotated[Sdk, Tag("sdk")]
    | Annotated[Preset, Tag(_PRESET)]
    | Annotated[CustomPolicy, Tag(_CUSTOM)],
    Discriminator(policy_kind),
    BeforeValidator(by_name),
]
