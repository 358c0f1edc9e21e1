"""What a replica is told by the service that starts it: a line of JSON on its stdin, after the scenario's."""

from dataclasses import dataclass

from mockbot.clock import Clock


@dataclass(frozen=True, slots=True)
class ReplicaPlace:
    """Which provider's replica it is, `number` from 1; the descriptor of the `channel` on which it is handed
    connections; the `clock` of the run; the `salt` in hexadecimal of the names of clients; the service's own `control`
    port, which answers for all replicas, and its `token`.
    """

    provider: str
    clock: Clock
    salt: str
    control: str
    token: str | None
    number: int = 0
    channel: int = -1
