"""WHAT CAN GO WRONG: one module per fault, and the tuple of them. Pure.

In a file a fault is a mapping: one key names the kind of fault, the others say where and when it holds:
`{on: main, http_error: 503, share: 10% -> 0%}`. The kind key takes either its main value or a mapping with all of them:
`latency: 300ms` or `latency: {latency: 300ms, jitter: 50ms}`.
"""

from typing import TYPE_CHECKING, Annotated, Any, Union

from pydantic import Discriminator, Tag

from mockbot.faults.bandwidth import Bandwidth
from mockbot.faults.base import FaultBase
from mockbot.faults.blank_answer import BlankAnswer
from mockbot.faults.capacity import Capacity
from mockbot.faults.crash import Crash
from mockbot.faults.cut import Cut
from mockbot.faults.down import Down
from mockbot.faults.error_event import ErrorEvent
from mockbot.faults.http_error import HttpError
from mockbot.faults.latency import Latency
from mockbot.faults.limit_data import LimitData
from mockbot.faults.maintenance import Maintenance
from mockbot.faults.malformed_event import MalformedEvent
from mockbot.faults.rate_limited import RateLimited
from mockbot.faults.reset_peer import ResetPeer
from mockbot.faults.restart import Restart
from mockbot.faults.shed import Shed
from mockbot.faults.slicer import Slicer
from mockbot.faults.slow import Slow
from mockbot.faults.slow_close import SlowClose
from mockbot.faults.stall import Stall
from mockbot.faults.timeout import Timeout
from mockbot.faults.tls import Tls

FAULTS: tuple[type[FaultBase], ...] = (
    # The service: a request meets its faults in this order, and the first that answers it is the last.
    Crash, Maintenance, HttpError, RateLimited,  # before it is read; the provider's own limits come next
    Shed, Capacity,  # before it gets a slot
    Slow,  # all that hit it add up
    Stall, Cut, ErrorEvent, MalformedEvent, BlankAnswer,  # within its answer; in this order at the same token
    # The connection: data passes the toxics in the order in which they began.
    Down, Latency, Bandwidth, SlowClose, Timeout, ResetPeer, Slicer, LimitData,
    Tls,  # before any data passes
    # The system under test.
    Restart,
)  # fmt: skip
KINDS = {fault.kind: fault for fault in FAULTS}


def rank(fault: FaultBase) -> int:
    """Its place in the order."""
    return FAULTS.index(type(fault))


# A callable discriminator, because the members have no common key: the kind is itself the key.
def kind_of(value: Any) -> str | None:
    """Which kind of fault a mapping or a model is; None when no kind key is there (or more than one)."""
    if isinstance(value, FaultBase):
        return value.kind
    kinds = [key for key in value if key in KINDS] if isinstance(value, dict) else []
    return kinds[0] if len(kinds) == 1 else None


if TYPE_CHECKING:
    Fault = FaultBase
else:  # a union made from a tuple, which a type checker cannot read
    _MEMBERS = tuple(Annotated[fault, Tag(fault.kind)] for fault in FAULTS)
    Fault = Annotated[Union[_MEMBERS], Discriminator(kind_of)]  # noqa: UP007
