"""capacity: the provider has fewer slots than usual."""

from mockbot.faults.base import ServiceFault
from mockbot.faults.effects import SlotFactor
from mockbot.units.frozen_model import Spec
from mockbot.units.quantities import ShareRamp


class CapacitySpec(Spec):
    """The provider's slots, multiplied."""

    main = "factor"
    factor: ShareRamp


class Capacity(ServiceFault):
    kind = "capacity"
    plain = "{} had less capacity than usual"
    whole_provider = True
    keeps_queue = True

    capacity: CapacitySpec

    def effect(self) -> SlotFactor:
        return SlotFactor(self.capacity.factor)
