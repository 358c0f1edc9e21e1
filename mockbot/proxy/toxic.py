"""A toxic on a proxy: name, direction, toxicity and effect. The stages of all its connections share it."""

from dataclasses import dataclass
from enum import StrEnum

from mockbot.proxy.toxics.base import Effect


class Direction(StrEnum):
    """Where the bytes go; the order is the one in which Toxiproxy lists toxics."""

    UPSTREAM = "upstream"  # client to server
    DOWNSTREAM = "downstream"


@dataclass(slots=True, eq=False)
class Toxic:
    """`stream` is the direction as the client spelt it; an update replaces `effect` and `toxicity` in place."""

    name: str
    stream: str
    direction: Direction
    toxicity: float
    effect: Effect
