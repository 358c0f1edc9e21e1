"""Play a policy against scripted answers in virtual time: in go the answers, out come the moves."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from mockbot.clients.policy import AttemptResult, ClientPolicy, Decision, GiveUp, Send
from mockbot.clients.policy_factory import PolicyFactory
from mockbot.scenario.schema import Group
from mockbot.scenario.timeline import StatusState

Words = str | Mapping[str, Any]
Server = Callable[[Send], AttemptResult]
Page = Callable[[float], StatusState | None]

OK = AttemptResult("ok", "main", 0.0, status=200)
DOWN = AttemptResult("http_error", "main", 0.0, status=503)
LIMITED = AttemptResult("rate_limited", "main", 0.0, status=429)
HUNG = AttemptResult("timeout", "main", 0.0)


def status(code: int, **facts: Any) -> AttemptResult:
    """What a client sees of an answer with this status."""
    return (LIMITED if code == 429 else DOWN)._replace(status=code, **facts)


def group(policy: Words, **facts: Any) -> Group:
    """A group of everyone, patient for an hour unless told otherwise."""
    return Group.model_validate({"users": "100%", "policy": policy, "patience": "1h", **facts})


def policies(policy: Words, **facts: Any) -> PolicyFactory:
    """The users of such a group, at home at `main`."""
    return PolicyFactory(group(policy, **facts), "main")


@dataclass
class Told:
    """One prompt: what was sent, how it ended, and when."""

    sends: list[Send] = field(default_factory=list)
    ended: float = 0.0
    gave_up: GiveUp | None = None

    @property
    def gaps(self) -> list[float]:
        """Time from the end of an attempt to the next one; attempts that end at once."""
        return [later.at - sooner.at for sooner, later in zip(self.sends, self.sends[1:], strict=False)]

    @property
    def providers(self) -> list[str]:
        """Who was asked, in order."""
        return [send.provider for send in self.sends]


def answers(*seen: AttemptResult, takes: float = 0.0) -> Server:
    """A server that answers so, one after the other, and goes on with the last; `takes` is not modelled by it."""
    left = list(seen)

    def serve(send: Send) -> AttemptResult:
        answer = left.pop(0) if len(left) > 1 else left[0]
        return answer._replace(provider=send.provider, started=send.at)

    return serve


def always(policy: Words, seen: AttemptResult, *, seed: int = 1, **facts: Any) -> Told:
    """One prompt of a fresh user against a server that always answers `seen`, in no time."""
    return play(policies(policy, **facts).new_client(Random(seed)), answers(seen))


def play(
    policy: ClientPolicy, server: Server, now: float = 0.0, *, takes: float = 0.0, page: Page = lambda _: None
) -> Told:
    """One prompt, as the contract of `mockbot.clients.policy` says; an attempt is over after `takes` or its timeout."""
    told = Told()
    move: Decision = policy.begin(now, page(now))
    while isinstance(move, Send):
        if move.at > now:
            now = move.at
            move = policy.due(now, move, page(now))
            continue
        told.sends.append(move)
        seen = server(move)
        now += min(takes, move.timeout) if seen.outcome != "timeout" else move.timeout
        if seen.outcome == "ok":
            policy.succeeded(now, seen)
            told.ended = now
            return told
        move = policy.after(now, seen, page(now))
    told.gave_up = move
    told.ended = move.at
    return told
