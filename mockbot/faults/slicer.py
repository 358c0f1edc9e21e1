"""slicer: data comes in small pieces."""

from pydantic import Field, model_validator

from mockbot.faults.base import Bytes, Microseconds, ToxicFault
from mockbot.units.frozen_model import Spec


class SlicerSpec(Spec):
    """Data comes in small pieces with a pause after each."""

    main = "average_size"
    average_size: Bytes = Field(ge=1, description="bytes")
    size_variation: Bytes = Field(0, ge=0, description="bytes, at most average_size")
    delay: Microseconds = 0.0

    @model_validator(mode="after")
    def _splittable(self) -> "SlicerSpec":
        if self.size_variation > self.average_size:
            raise ValueError(f"size_variation {self.size_variation} must be at most average_size {self.average_size}")
        return self


class Slicer(ToxicFault):
    kind = "slicer"
    plain = "answers of {} came in small pieces"
    in_toxiproxy = True

    slicer: SlicerSpec
