"""Which replica gets the next connection: each in turn, past those that are not up. Pure; live and simulated.

This is "round robin", with which HAProxy, Envoy and nginx begin, and their checks of health at their best: a replica
gets no connection from the moment on at which it has crashed.
"""


class Turns:
    """Replicas are counted from 0. While none is up, each has its turn all the same, and fails."""

    def __init__(self, replicas: int) -> None:
        self._up = [True] * replicas
        self._latest = -1

    @property
    def any_up(self) -> bool:
        """Whether a connection can reach any."""
        return any(self._up)

    def set_up(self, replica: int, *, up: bool) -> None:
        """From now on."""
        self._up[replica] = up

    def next(self) -> int:
        """The replica of the next connection."""
        count = len(self._up)
        after = [(self._latest + 1 + step) % count for step in range(count)]
        self._latest = next((each for each in after if self._up[each]), after[0])
        return self._latest
