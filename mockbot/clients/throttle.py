"""Adaptive throttling as in the SRE book ("Handling Overload"): a client that is mostly refused sends less. Pure.

Refused locally with probability max(0, (requests - K accepts) / (requests + 1)) over the window, where locally refused
requests count as requests: the provider sees about K times what it accepts, and with nothing accepted about one probe.
"""

from random import Random

from mockbot.clients.window import Window


class AdaptiveThrottle:
    """The throttle of one client process for one provider. `k` >= 1; the book has K = 2 and two minutes."""

    def __init__(self, k: float, window: float) -> None:
        self._k = k
        self._window = Window(window)

    def admits(self, now: float, rng: Random) -> bool:
        """Count a request, and let it pass or refuse it."""
        self._window.forget(now)
        requests, accepts = self._window.asked, self._window.got
        refused = max(0.0, (requests - self._k * accepts) / (requests + 1))
        self._window.add(now, asked=1.0)
        return rng.random() >= refused

    def accepted(self, now: float) -> None:
        """The provider took a request on, whatever it answered."""
        self._window.add(now, got=1.0)
