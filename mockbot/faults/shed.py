"""shed: the provider refuses a share of some tiers' requests to serve the others."""

from collections.abc import Iterator

from mockbot.faults.base import ServiceFault
from mockbot.faults.effects import Admission
from mockbot.units.frozen_model import Spec
from mockbot.units.quantities import ShareRamp


class ShedSpec(Spec):
    """Admission by tier: this share of the tier's requests is let in, the rest is refused with 503."""

    main = "admit"
    admit: dict[str, ShareRamp]


class Shed(ServiceFault):
    kind = "shed"
    plain = "{} rejected the requests of some users"

    shed: ShedSpec

    def effect(self) -> Admission:
        return Admission(self.shed.admit)

    def tiers(self) -> Iterator[tuple[tuple[str, ...], str]]:
        """The scope's and each that it admits a share of."""
        yield from super().tiers()
        yield from ((("shed", "admit", tier), tier) for tier in self.shed.admit)

    def text(self) -> str:
        """ "shed free 0%, plus 60% -> 100%"."""
        admit = self.shed.model_dump(mode="json")["admit"]
        return "shed " + ", ".join(f"{tier} {share}" for tier, share in admit.items())
