"""Turn a group of a scenario into the clients of its users. The only module that maps policies to their parts. Pure."""

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import assert_never

from mockbot.clients.breaker import Breaker, CircuitBreaker, Consecutive, LitellmCooldown, Windowed
from mockbot.clients.budgets import FinagleBudget, GrpcThrottle, PerSuccessBudget, RetryBudget
from mockbot.clients.client import Client, ClientSettings
from mockbot.clients.custom_policies import custom_reactions
from mockbot.clients.failures import ANYTHING, SENSIBLE, AtLeast, Exactly, Never, Obeys
from mockbot.clients.policy import ClientPolicy
from mockbot.clients.presets import OPENAI, PRESETS
from mockbot.clients.provider_guard import ProviderGuard
from mockbot.clients.reactions import Loop, Loops, Reaction, Reloads
from mockbot.clients.route import Route
from mockbot.clients.status import StatusReader
from mockbot.clients.throttle import AdaptiveThrottle
from mockbot.clients.waits import AT_ONCE, Decorrelated, Exponential, Wait
from mockbot.scenario import policies
from mockbot.scenario import resilience_specs as specs
from mockbot.scenario.schema import Group

_LOW = {"full": 0.0, "equal": 0.5, "none": 1.0}  # of Exponential, by the kind of jitter


class PolicyFactory:
    """Makes the clients of one group, which start at provider `first`; holds what the users of one process share."""

    def __init__(self, group: Group, first: str) -> None:
        self._policy = group.policy
        self._providers = (first,) if group.falls_over_to is None else (first, group.falls_over_to)
        hedge = group.policy.hedge if isinstance(group.policy, policies.Guarded) else None
        self._settings = ClientSettings(
            patience=group.patience,
            streams=group.stream,
            hedge_after=None if hedge is None else hedge.after,
            hedges=0 if hedge is None else hedge.at_most,
            comes_back=group.comes_back,
        )
        self._reaction = reactions_of(group.policy)
        processes = group.policy.processes if isinstance(group.policy, policies.Guarded) else 1
        self._routes = [self._route() for _ in range(processes)]

    def new_client(self, rng: Random) -> ClientPolicy:
        """One more user, of a client process chosen by chance. `rng` may be shared with others or be the user's own."""
        page = None
        if isinstance(self._policy, policies.Informed):
            page = StatusReader(self._policy.look, self._policy.return_within)
        route = self._route() if isinstance(self._policy, policies.Refresh) else rng.choice(self._routes)
        return Client(self._settings, self._reaction(), route, rng, page)

    def _route(self) -> Route:
        policy, guards = self._policy, {name: _guard(self._policy, len(self._providers)) for name in self._providers}
        if isinstance(policy, policies.Preset):
            return Route(guards, PRESETS[policy.name].falls_over)
        if policy.fail_over is not None:
            return Route(guards, policy.fail_over.when, policy.fail_over.failures, policy.fail_over.stay)
        # The scenario only names the other provider.
        return Route(
            guards, "breaker" if isinstance(policy, policies.Guarded) and policy.breaker is not None else "retry"
        )


def reactions_of(policy: policies.Policy) -> Callable[[], Reaction]:
    """Makes the reaction of each user of this policy. Raises UsageError when a custom policy cannot be used."""
    match policy:
        case policies.Once():
            return lambda: Loops((Loop(1, AT_ONCE),), policy.timeout)
        case policies.Refresh():
            return lambda: Reloads(policy.every, policy.timeout)
        case policies.Fixed():
            fixed = Loop(policy.attempts, Exponential(policy.wait, policy.wait), ANYTHING)
            return lambda: Loops((fixed,), policy.timeout)
        case policies.Backoff() | policies.Informed():
            backoff = _backoff(policy)
            return lambda: Loops((backoff,), policy.timeout)
        case policies.Sdk():
            sdk = replace(OPENAI, attempts=policy.retries + 1)
            return lambda: Loops((sdk,), policy.timeout)
        case policies.Preset():
            real = PRESETS[policy.name]
            return lambda: Loops(real.loops, policy.timeout or real.timeout)
        case policies.CustomPolicy():
            return custom_reactions(policy)
    assert_never(policy)


def _backoff(policy: policies.BackoffBase) -> Loop:
    wait: Wait = Decorrelated(policy.base, policy.cap)
    if policy.jitter != "decorrelated":
        wait = Exponential(policy.base, policy.cap, low=_LOW[policy.jitter])
    obeys: Obeys = AtLeast(policy.spread) if policy.retry_after else Never()
    return Loop(policy.attempts, wait, SENSIBLE, Exactly() if policy.retry_after == "exact" else obeys)


def _guard(policy: policies.Policy, providers: int) -> ProviderGuard:
    if isinstance(policy, policies.Preset):
        cools_down = PRESETS[policy.name].falls_over == "balance" and providers > 1
        return ProviderGuard(breaker=LitellmCooldown() if cools_down else None)
    if not isinstance(policy, policies.Guarded):
        return ProviderGuard()
    throttle = None if policy.throttle is None else AdaptiveThrottle(policy.throttle.k, policy.throttle.window)
    return ProviderGuard(_budget(policy.budget), _breaker(policy.breaker), throttle)


def _budget(spec: specs.Budget | None) -> RetryBudget | None:
    match spec:
        case None:
            return None
        case specs.PerSuccess():
            return PerSuccessBudget(spec.earns, spec.burst)
        case specs.Grpc():
            return GrpcThrottle(spec.tokens, spec.ratio)
        case specs.Finagle():
            return FinagleBudget(spec.share, spec.rate, spec.window)
    assert_never(spec)


def _breaker(spec: specs.Breaker | None) -> Breaker | None:
    match spec:
        case None:
            return None
        case specs.ConsecutiveBreaker():
            return CircuitBreaker(Consecutive(spec.failures), spec.open_for, spec.probes)
        case specs.WindowedBreaker():
            trip = Windowed(spec.failures, spec.window, spec.at_least)
            return CircuitBreaker(trip, spec.open_for, spec.probes)
    assert_never(spec)
