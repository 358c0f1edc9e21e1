"""Turn a group of a scenario into the clients of its users. The only module that maps policies to parts. Pure."""

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
from mockbot.clients.presets import Preset as RealClient
from mockbot.clients.provider_guard import ProviderGuard
from mockbot.clients.reactions import Loop, Loops, Reaction, Reloads
from mockbot.clients.route import Route, When
from mockbot.clients.status import StatusReader
from mockbot.clients.throttle import AdaptiveThrottle
from mockbot.clients.waits import AT_ONCE, Decorrelated, Exponential, Wait
from mockbot.scenario import resilience_specs as specs
from mockbot.scenario.policies import (
    Backoff,
    BackoffBase,
    CustomPolicy,
    Fixed,
    Guarded,
    Informed,
    Once,
    Policy,
    Preset,
    Refresh,
    Sdk,
)
from mockbot.scenario.schema import Group

_LOW = {"full": 0.0, "equal": 0.5, "none": 1.0}


class PolicyFactory:
    """Makes the clients of one group. Holds what a client process shares: make one per group and process."""

    def __init__(self, group: Group, home: str) -> None:
        self._policy = group.policy
        self._providers = (home,) if group.falls_over_to is None else (home, group.falls_over_to)
        self._settings = _settings(group)
        self._reaction = reactions_of(group.policy)
        processes = group.policy.processes if isinstance(group.policy, Guarded) else 1
        self._routes = [self._route() for _ in range(processes)]

    def new_client(self, rng: Random) -> ClientPolicy:
        """One more user, of a client process chosen by chance. `rng` may be shared with others or be the user's own."""
        page = None
        if isinstance(self._policy, Informed):
            page = StatusReader(self._policy.look, self._policy.return_within)
        route = self._route() if isinstance(self._policy, Refresh) else rng.choice(self._routes)
        return Client(self._settings, self._reaction(), route, rng, page)

    def _route(self) -> Route:
        guards = {provider: _guard(self._policy, len(self._providers)) for provider in self._providers}
        said = None if isinstance(self._policy, Preset) else self._policy.fail_over
        if said is None:
            return Route(guards, _when(self._policy))
        return Route(guards, said.when, said.failures, said.stay)


def client_policy(group: Group, home: str, rng: Random) -> ClientPolicy:
    """A user who shares nothing with others."""
    return PolicyFactory(group, home).new_client(rng)


def reactions_of(policy: Policy) -> Callable[[], Reaction]:
    """Makes, for each user, how a client of this policy reacts to failures. UsageError: an own policy is broken."""
    match policy:
        case Once():
            return lambda: Loops((Loop(1, AT_ONCE),), policy.timeout)
        case Refresh():
            return lambda: Reloads(policy.every, policy.timeout)
        case Fixed():
            fixed = Loop(policy.attempts, Exponential(policy.wait, policy.wait), ANYTHING)
            return lambda: Loops((fixed,), policy.timeout)
        case Backoff() | Informed():
            backoff = Loop(policy.attempts, _wait(policy), SENSIBLE, _obeys(policy))
            return lambda: Loops((backoff,), policy.timeout)
        case Sdk():
            sdk = replace(OPENAI, attempts=policy.retries + 1)
            return lambda: Loops((sdk,), policy.timeout)
        case Preset():
            real: RealClient = PRESETS[policy.name]
            return lambda: Loops(real.loops, policy.timeout or real.timeout)
        case CustomPolicy():
            return custom_reactions(policy)
    assert_never(policy)


def _settings(group: Group) -> ClientSettings:
    hedge = group.policy.hedge if isinstance(group.policy, Guarded) else None
    return ClientSettings(
        patience=group.patience,
        streams=group.stream,
        hedge_after=None if hedge is None else hedge.after,
        hedges=0 if hedge is None else hedge.at_most,
        comes_back=group.comes_back,
    )


def _when(policy: Policy) -> When:
    """How a client falls over when its file only says where to."""
    if isinstance(policy, Preset):
        return PRESETS[policy.name].falls_over
    return "breaker" if isinstance(policy, Guarded) and policy.breaker is not None else "retry"


def _guard(policy: Policy, providers: int) -> ProviderGuard:
    if isinstance(policy, Preset):
        cools_down = PRESETS[policy.name].falls_over == "balance" and providers > 1
        return ProviderGuard(breaker=LitellmCooldown() if cools_down else None)
    if not isinstance(policy, Guarded):
        return ProviderGuard()
    throttle = policy.throttle
    return ProviderGuard(
        None if policy.budget is None else _budget(policy.budget),
        None if policy.breaker is None else _breaker(policy.breaker),
        None if throttle is None else AdaptiveThrottle(throttle.k, throttle.window),
    )


def _budget(said: specs.Budget) -> RetryBudget:
    match said:
        case specs.PerSuccess():
            return PerSuccessBudget(said.earns, said.burst)
        case specs.Grpc():
            return GrpcThrottle(said.tokens, said.ratio)
        case specs.Finagle():
            return FinagleBudget(said.share, said.rate, said.window)
    assert_never(said)


def _breaker(said: specs.Breaker) -> Breaker:
    match said:
        case specs.ConsecutiveBreaker():
            return CircuitBreaker(Consecutive(said.failures), said.open_for, said.probes)
        case specs.WindowedBreaker():
            trip = Windowed(said.failures, said.window, said.at_least)
            return CircuitBreaker(trip, said.open_for, said.probes)
    assert_never(said)


def _wait(policy: BackoffBase) -> Wait:
    if policy.jitter == "decorrelated":
        return Decorrelated(policy.base, policy.cap)
    return Exponential(policy.base, policy.cap, low=_LOW[policy.jitter])


def _obeys(policy: BackoffBase) -> Obeys:
    if policy.retry_after == "exact":
        return Exactly()
    return AtLeast(policy.spread) if policy.retry_after else Never()
