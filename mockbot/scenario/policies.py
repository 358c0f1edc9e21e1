"""The closed union of client policies, written `policy: backoff` or `policy: {name: backoff, attempts: 6}`.

Only the words and their values; what they decide is in `mockbot.clients`.
"""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field

from mockbot.scenario.faults import Model
from mockbot.scenario.units import Duration


class PolicyBase(Model):
    """`timeout` is what one attempt may take, first byte to last, before the client gives that attempt up."""

    timeout: Duration = Field(30.0, gt=0)


class Once(PolicyBase):
    """One attempt, then an error is shown."""

    name: Literal["once"] = "once"


class Refresh(PolicyBase):
    """A person who presses reload, at once or every so often, as long as the patience lasts. Never reads Retry-After.

    An attempt that is still waiting after `every` is abandoned and sent anew.
    """

    name: Literal["refresh"] = "refresh"
    every: Duration = Field(0.0, description="0: as soon as an error shows, after a human reaction of about a second")


class Fixed(PolicyBase):
    """The same wait between a fixed number of attempts."""

    name: Literal["fixed"] = "fixed"
    attempts: int = Field(3, ge=1)
    wait: Duration = 1.0


class Backoff(PolicyBase):
    """Exponential back-off with full jitter; Retry-After is honoured as a lower bound, with the jitter on top.

    wait = U(0, min(cap, base * 2^n)): AWS Architecture Blog, "Exponential Backoff and Jitter".
    """

    name: Literal["backoff"] = "backoff"
    attempts: int = Field(8, ge=1)
    base: Duration = Field(1.0, gt=0)
    cap: Duration = Field(30.0, gt=0)
    retry_after: bool | Literal["exact"] = Field(
        True, description="as a lower bound with jitter on top; `exact`: to the moment, as SDKs do; false: never read"
    )
    spread: Duration = Field(
        30.0, description="the most jitter on top of Retry-After; never more than the Retry-After itself"
    )


class Sdk(PolicyBase):
    """openai-python's own formula: min(0.5 * 2^n, 8) s x U(0.75, 1), 2 retries, Retry-After honoured up to 120 s."""

    name: Literal["sdk"] = "sdk"
    retries: int = Field(2, ge=0)
    timeout: Duration = Field(600.0, gt=0)


def _by_name(value: Any) -> Any:
    return {"name": value} if isinstance(value, str) else value


Policy = Annotated[Annotated[Once | Refresh | Fixed | Backoff | Sdk, Discriminator("name")], BeforeValidator(_by_name)]
POLICY_NAMES = ("once", "refresh", "fixed", "backoff", "sdk")
