"""What every fault says about itself; the base classes of the modules beside this one. Pure.

A fault's module holds its spec (the values behind its key, in the units of the language, and their validation) and its
class: `kind`, `plain` and `effect()`, and whatever differs from the defaults of its base class. Its place in the tuple
`FAULTS` of `mockbot.faults` is its rank among the others.
"""

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal, Self, cast

from pydantic import Field

from mockbot.faults.effects import Effect, Toxic, WireUnit
from mockbot.units.frozen_model import Model, Spec, Whole
from mockbot.units.quantities import Duration, Ramp, Rate, Share, ShareRamp

Layer = Literal["service", "wire", "tls", "system"]
SYSTEM: Literal["system"] = "system"  # what a fault of the system under test is `on`; no provider has this name
CountedBy = Literal["service", "proxy", "terminator", "client"]

# The types of a toxic's values: as the language writes them, and in which unit the toxic takes them.
Milliseconds = Annotated[Duration, WireUnit(lambda seconds, speed: seconds / speed * 1000, lambda ms: ms / 1000)]
Microseconds = Annotated[Duration, WireUnit(lambda seconds, speed: seconds / speed * 1e6, lambda us: us / 1e6)]
KilobytesPerSecond = Annotated[Rate, WireUnit(lambda rate, speed: rate * speed / 1000, lambda kb: kb * 1000)]
Bytes = Annotated[Whole, WireUnit(lambda size, _: size, lambda size: size)]


class OnSpec(Spec):
    """A fault that needs no value: `crash: true`."""

    main = "on"
    on: Literal[True] = True


class Flap(Model):
    """On for `duty` of every `period`, starting with on."""

    period: Duration = Field(ge=1.0)
    duty: Share = Field(0.5, gt=0, lt=1)


class FaultBase(Model):
    """Where and when a fault holds. Everything is optional: the whole phase, every request of the first provider."""

    kind: ClassVar[str]  # its key in a file, the name of its module and of the field that holds its spec
    layer: ClassVar[Layer]
    plain: ClassVar[str]  # for readers who do not know HTTP; {} is the provider
    counted_by: ClassVar[frozenset[CountedBy]]
    """Where it is counted that a fault was felt. `service`: each request that it changed. `proxy`: each connection that
    it changed; the original Toxiproxy counts nothing, and `evidence.exposure` infers it from the attempts.
    `terminator`: each TLS handshake that it changed, at the interceptor. `client`: each attempt that was refused or
    reset at the provider meanwhile, because nothing listens. Of two counts the greater is taken."""
    whole_provider: ClassVar[bool] = False  # cannot be narrowed to some requests or connections
    keeps_queue: ClassVar[bool] = False  # the requests that it affects wait in the provider's queue meanwhile

    only_on: ClassVar[str | None] = None  # SYSTEM, of what only befalls the system under test
    own_times: ClassVar[tuple[str, ...]] = ()  # fields of its spec that are a part of the outage's length

    on: str | None = Field(None, description="provider, or system; the first provider if not given")
    at: Duration = Field(0.0, description="starts this long after its phase")
    lasts: Duration | None = Field(
        None, gt=0, description="how long it holds; to the end of its phase if not given; may be longer than the phase"
    )
    flap: Flap | None = None
    share: ShareRamp = Field(Ramp(1.0, 1.0), description="share of requests (service) or connections (wire); may ramp")

    def effect(self) -> Effect:
        """What it does."""
        raise NotImplementedError

    @property
    def length(self) -> float | None:
        """How long it holds; None: to the end of its phase."""
        return self.lasts

    @property
    def spec(self) -> Spec:
        """The values behind its key."""
        return cast("Spec", getattr(self, self.kind))

    @classmethod
    def spec_type(cls) -> type[Spec]:
        """The type of its spec."""
        return cast("type[Spec]", cls.model_fields[cls.kind].annotation)

    def hits_replica(self, number: int) -> bool:  # noqa: ARG002 - the wire is before all of them
        """Whether this replica of its provider has it; they are counted from 1."""
        return True

    def text(self) -> str:
        """Its kind and main value, as reports write it: "http_error 503"."""
        value = self.spec.model_dump(mode="json").get(self.spec.main)
        return self.kind if value is True else f"{self.kind} {value}"

    def held(self, lasts: float) -> Self:  # noqa: ARG002 - for faults that depend on their end
        """The same fault in a phase that is held open and would have lasted so long."""
        return self


class ServiceFault(FaultBase):
    """A fault inside the chatbot service; hits requests, and can be narrowed to some of them."""

    layer: ClassVar[Layer] = "service"
    counted_by: ClassVar[frozenset[CountedBy]] = frozenset({"service"})

    tier: str | None = Field(None, description="only requests of this tier")
    keys: Share | None = Field(None, description="only this share of API keys, always the same ones")
    endpoint: str | None = Field(None, description="only paths that begin with this, for instance /v1/chat")

    replica: Whole | None = Field(None, ge=1, description="only this one of the provider's replicas, counted from 1")

    def hits_replica(self, number: int) -> bool:
        """All of them have a fault that names none."""
        return self.replica in {None, number}

    def tiers(self) -> Iterator[tuple[tuple[str, ...], str]]:
        """The tiers that it names, each with its path within the fault."""
        if self.tier is not None:
            yield ("tier",), self.tier


class WireFault(FaultBase):
    """A fault of the connection; hits whole connections (a keep-alive connection carries many requests)."""

    layer: ClassVar[Layer] = "wire"
    counted_by: ClassVar[frozenset[CountedBy]] = frozenset({"proxy"})

    stream: Literal["upstream", "downstream"] = "downstream"

    @classmethod
    def units(cls) -> dict[str, WireUnit]:
        """The attributes of its toxic, each with its unit."""
        fields = cls.spec_type().model_fields.items()
        return {name: unit for name, field in fields for unit in field.metadata if isinstance(unit, WireUnit)}


class ToxicFault(WireFault):
    """A toxic of the same name, whose attributes are the values of the spec."""

    in_toxiproxy: ClassVar[bool] = False  # whether the original Toxiproxy 2.12.0 knows it
    client_sees: ClassVar[Literal["reset", "closed", "timeout"] | None] = None  # how it ends a connection, if it does

    def effect(self) -> Toxic:
        """The toxic."""
        values = {name: (getattr(self.spec, name), unit) for name, unit in self.units().items()}
        return Toxic(self.kind, self.stream, values)
