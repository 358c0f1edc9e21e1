"""What can go wrong with a control port, seen from its client. All of them mean that the testbed cannot run."""

from mockbot.errors import TestbedError


class ControlError(TestbedError):
    """The control port refused. `status` is HTTP's, `message` the server's own words."""

    def __init__(self, doing: str, status: int, message: str) -> None:
        super().__init__(f"the proxy's control port refused to {doing}: {message} (HTTP {status})")
        self.status, self.message = status, message


class ControlUnreachable(TestbedError):  # noqa: N818  a state, like the next one
    """Nothing answers at the control port's address."""


class ControlPlaneHung(TestbedError):  # noqa: N818
    """The control port accepted a request and did not answer in time: Toxiproxy 2.12.0 has deadlocked (issue #558)."""
