"""What a fault does, as values: the closed set that the service, the testbed and the simulators carry out. Pure.

Faults may be added; the effects that they are made of are those below, in the order in which a request meets them.
Durations are scenario seconds.
"""

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

from mockbot.units.quantities import Ramp, WaitForm


class Crashed(NamedTuple):
    """The process is gone; after its restart its capacity rises from 0 to full over `warm_up`."""

    warm_up: float = 0.0


class EdgeAnswer(NamedTuple):
    """An error before the request is read. `code`: which of the dialect's bodies for this status.

    `headers` (names in lower case) replace those that the provider would send; `body` replaces its own.
    """

    status: int
    code: str | None = None
    retry_after: float | Literal["until_end"] | None = None  # "until_end": what is left of the fault
    html: bool = False  # a CDN's page instead of the provider's own body
    exempt: tuple[str, ...] = ()  # paths that begin so are answered as usual
    wait_form: WaitForm = "seconds"
    headers: tuple[tuple[str, str], ...] = ()
    body: str | None = None

    @property
    def should_retry(self) -> bool | None:
        """The word of x-should-retry among `headers`."""
        return {"true": True, "false": False}.get(dict(self.headers).get("x-should-retry", ""))


class Admission(NamedTuple):
    """Only a share of each tier's requests is let in; a tier that is not named is let in whole."""

    shares: Mapping[str, Ramp]


class SlotFactor(NamedTuple):
    """The provider's slots are multiplied."""

    factor: Ramp


class Slowdown(NamedTuple):
    """The time to the first token and between tokens is multiplied, then `first_token` is added to the first."""

    factor: float
    first_token: Ramp


class Silence(NamedTuple):
    """Nothing is sent; then what was due meanwhile is sent at once. None: for ever."""

    seconds: float | None
    keepalive: bool  # a stream sends comments meanwhile


class Garbled(NamedTuple):
    """A stream gets an event that is no JSON, and goes on; of a plain answer only half comes, and no error with it."""


class End(NamedTuple):
    """`outcome` is what the client of a stream makes of it."""

    outcome: Literal["ok", "reset", "closed", "truncated", "error_event", "blank"]
    code: str = "server_error"  # of an error event, and its shape
    shape: Literal["nested", "flat", "failed"] = "nested"
    not_before: int = 0  # a stream waits until this token is due


class StreamChange(NamedTuple):
    """What happens within the answer, after so many of its tokens."""

    after_tokens: int
    then: Silence | Garbled | End


class WireUnit(NamedTuple):
    """The unit of a toxic's attribute (Toxiproxy 2.12.0), and how a value of the language is turned into it and back.

    `speed` shortens every delay and widens the bandwidth; sizes stay.
    """

    to_wire: Callable[[float, float], float]  # (value, speed)
    from_wire: Callable[[float], float]


class Toxic(NamedTuple):
    """A toxic at the proxy; each attribute in the language's unit, with its unit on the wire."""

    type: str
    stream: Literal["upstream", "downstream"]
    values: Mapping[str, tuple[float, WireUnit]]

    def attributes(self, speed: float) -> dict[str, int]:
        """As the proxy's control API takes them. 0 often means "for ever": no other value becomes 0."""
        values = self.values.items()
        return {name: max(1, round(unit.to_wire(value, speed))) if value else 0 for name, (value, unit) in values}


class ClosedPort(NamedTuple):
    """The proxy's port is closed: connections are refused, existing ones are reset."""


class Handshake(NamedTuple):
    """TLS handshakes of new connections meet a certificate that no client may trust, a delay, or an alert."""

    how: Literal["expired", "wrong_host", "slow", "refused"]
    delay: float  # of slow


class Restarted(NamedTuple):
    """The system under test ends, after SIGTERM when it is planned, and is started at the end of the fault."""

    planned: bool


Effect = (
    Crashed | EdgeAnswer | Admission | SlotFactor | Slowdown | StreamChange | Toxic | ClosedPort | Handshake | Restarted
)
