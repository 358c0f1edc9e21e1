"""The ClientPolicy of one user: a Reaction, kept within the user's patience, through what its process shares. Pure.

    begin ──► hold? (status page) ──► depart: provider, breaker, throttle ──► Send now
    after ──► learn ──► the reaction's wait ──► provider, budget ──► Send later ──► due ──► hold? ──► depart ...

It alone turns waits into times, so no policy can send after the patience is over. A local refusal (open breaker,
throttle) counts as a failed attempt of the policy and costs no budget. A fail-over, the first attempt of a prompt at
another provider, costs none either, because the budget would forbid the one retry that helps; and it does not wait for
the Retry-After of the provider that it leaves.
"""

from dataclasses import dataclass
from random import Random

from mockbot.clients.policy import AttemptResult, Decision, GiveUp, Send
from mockbot.clients.reactions import SOFTWARE, Reaction, Stop
from mockbot.clients.route import Route
from mockbot.clients.status import StatusReader
from mockbot.scenario.timeline import StatusState


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """The settings of all users of a group. Seconds."""

    patience: float
    streams: bool = True
    hedge_after: float | None = None  # None: does not hedge
    hedges: int = 0  # extra attempts per prompt, at most
    comes_back: float | None = None  # mean; None: thinks as usual


class Client:
    """One user; all users of a client process share `route`."""

    def __init__(
        self, settings: ClientSettings, reaction: Reaction, route: Route, rng: Random, page: StatusReader | None = None
    ) -> None:
        self._settings = settings
        self._reaction = reaction
        self._route = route
        self._rng = rng
        self._page = page
        self._deadline = 0.0
        self._attempts = self._hedges = 0
        self._row = 0  # failures in a row of this prompt at one provider, `_where`
        self._where = ""
        self._tried: set[str] = set()

    def begin(self, now: float, status: StatusState | None = None) -> Decision:
        """The first attempt: at once, unless the status page or a guard forbids it."""
        self._deadline = now + self._settings.patience
        self._attempts = self._hedges = self._row = 0
        self._tried.clear()
        self._reaction.begin(now)
        provider = self._route.first(now, self._rng)
        return self._held(now, provider, status) or self._depart(now, provider)

    def due(self, now: float, send: Send, status: StatusState | None = None) -> Decision:
        """The attempt that was waited for, if the status page and the guards still allow it."""
        now = max(now, send.at)
        return self._held(now, send.provider, status) or self._depart(now, send.provider)

    def after(self, now: float, result: AttemptResult, status: StatusState | None = None) -> Decision:
        """Record the failure, then wait or give up as the reaction decides."""
        self.beside(now, result)
        self._row += 1
        if self._page is not None:
            self._page.failed(result.provider, status)
        if now >= self._deadline:
            return self._give_up(now, "patience")
        provider = self._route.usable(now, self._route.again(now, result.provider, self._row, self._rng))
        failure = result if provider == result.provider else result._replace(retry_after=None)
        if not self._settings.streams and result.status is not None and result.status < 400:
            failure = failure._replace(status=None)  # without streaming, an answer that breaks off is no answer at all
        wait = self._reaction.wait(now, failure, self._rng)
        if isinstance(wait, Stop):
            attempts = f"{self._attempts} attempt{'' if self._attempts == 1 else 's'}"
            return self._fall_back(now + wait.lag, result.provider, attempts)
        # A retry that the patience forbids is never sent, so it is not paid for.
        in_time = now + wait < self._deadline
        if in_time and provider in self._tried and not self._route.guards[provider].affords(now):
            return self._give_up(now, "retry budget")
        return self._later(now + wait, provider)

    def succeeded(self, now: float, result: AttemptResult) -> None:
        """Record a success."""
        self._route.guards[result.provider].record(now, result)

    def hedge(self, now: float, send: Send) -> Send | None:
        """Another attempt at the same provider, if the number, the budget and the breaker allow it."""
        guard = self._route.guards[send.provider]
        if self._hedges >= self._settings.hedges or now >= self._deadline or guard.is_open(now):
            return None
        if not guard.affords(now):
            return None
        self._hedges += 1
        twin = self._now(now, send.provider)
        return twin if guard.refuses(now, now + twin.timeout, self._rng) is None else None

    def beside(self, now: float, result: AttemptResult) -> None:
        """Record a failure or an abandoned attempt."""
        self._attempts += 1
        self._route.guards[result.provider].record(now, result)

    def _held(self, now: float, provider: str, status: StatusState | None) -> Decision | None:
        wait = 0.0 if self._page is None else self._page.hold(now, provider, status, self._rng)
        return self._later(now + wait, provider) if wait else None

    def _depart(self, now: float, provider: str) -> Decision:
        if now >= self._deadline:
            return self._give_up(now, "patience")
        send = self._now(now, self._route.usable(now, provider))
        guard = self._route.guards[send.provider]
        refusal = guard.refuses(now, now + send.timeout, self._rng)
        if refusal is not None:
            # Nothing is sent; the policy reacts as to a refused connection.
            wait = self._reaction.wait(now, AttemptResult("refused", send.provider, now), self._rng)
            if isinstance(wait, Stop):
                return self._fall_back(now + wait.lag, send.provider, refusal)
            return self._later(now + wait, send.provider)
        if send.provider != self._where:
            self._where, self._row = send.provider, 0
        if send.provider not in self._tried:
            self._tried.add(send.provider)
            guard.asked(now)
        return send

    def _fall_back(self, at: float, provider: str, why: str) -> Decision:
        resort = self._route.last_resort(at, provider, self._tried)
        if resort is None:
            return self._give_up(at, why)
        self._reaction.begin(at)
        return self._later(at + SOFTWARE, resort)

    def _now(self, now: float, provider: str) -> Send:
        timeout = min(self._reaction.timeout(self._rng), self._deadline - now)
        return Send(
            now, provider, timeout, self._settings.hedge_after if self._hedges < self._settings.hedges else None
        )

    def _later(self, at: float, provider: str) -> Decision:
        return self._give_up(self._deadline, "patience") if at >= self._deadline else self._now(at, provider)

    def _give_up(self, at: float, why: str) -> GiveUp:
        away = self._settings.comes_back
        if at > self._deadline:
            at, why = self._deadline, "patience"
        return GiveUp(at, why, None if away is None else self._rng.expovariate(1 / away))
