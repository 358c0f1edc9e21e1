"""Which faults one provider has, layer by layer, and what has to change for it to have others. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from mockbot.scenario.timeline import ActiveFault
from mockbot.testbed.wire_changes import Change

Faults = Mapping[str, ActiveFault]  # by their ids


@dataclass(slots=True)
class AppliedFaults:
    """Those that a provider's service, interceptor and proxy have, or the system under test, as far as is confirmed."""

    service: Faults = field(default_factory=dict)
    system: Faults = field(default_factory=dict)
    handshakes: Faults = field(default_factory=dict)
    wire: dict[str, ActiveFault] = field(default_factory=dict)

    @property
    def any_between(self) -> bool:
        """Whether one stands between the provider and its clients."""
        return bool(self.service or self.handshakes or self.wire)


def of_layer(faults: tuple[ActiveFault, ...], layer: str) -> Faults:
    """Those faults that this layer of the testbed carries out."""
    return {active.span.id: active for active in faults if active.span.fault.layer == layer}


def changes(before: Faults, after: Faults) -> Iterator[tuple[str, Change]]:
    """Ends come first: a fault may only begin once the one that it replaces has ended."""
    yield from ((fault, "end") for fault in before if fault not in after)
    for fault, active in after.items():
        if fault not in before:
            yield fault, "begin"
        elif active.share != before[fault].share:
            yield fault, "change"
