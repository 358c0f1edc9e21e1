"""down: the port is closed; nothing listens between client and provider."""

from pydantic import Field

from mockbot.faults.base import OnSpec, WireFault
from mockbot.faults.effects import ClosedPort


class Down(WireFault):
    kind = "down"
    plain = "{} could not be reached"
    counted_by = frozenset({"client"})  # a refused connection never reaches the proxy
    whole_provider = True

    down: OnSpec = Field(description="nothing listens: connections are refused, existing ones are reset")

    def effect(self) -> ClosedPort:
        return ClosedPort()
