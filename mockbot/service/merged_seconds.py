"""The seconds of a provider's replicas as those of the one provider: counts, work, slots and hits are sums. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from typing import Any

from mockbot.evidence.records import ServiceSecond

_SUMS = [each.name for each in fields(ServiceSecond) if each.name not in {"t", "provider", "felt", "unserved"}]


def merged(replicas: Sequence[Iterable[ServiceSecond]]) -> Iterator[ServiceSecond]:
    """The seconds that all of them have, oldest first. Each replica's must be consecutive, oldest first."""
    found = [list(seconds) for seconds in replicas]
    begin = max((seconds[0].t if seconds else 0 for seconds in found), default=0)
    yield from map(_sum, zip(*([each for each in seconds if each.t >= begin] for seconds in found), strict=False))


def _sum(seconds: tuple[ServiceSecond, ...]) -> ServiceSecond:
    sums: dict[str, Any] = {name: sum(getattr(each, name) for each in seconds) for name in _SUMS}
    felt, unserved = Counter[str](), Counter[str]()
    for each in seconds:
        felt.update(each.felt)
        unserved.update(each.unserved)
    sums |= {"felt": dict(felt), "unserved": dict(unserved)}  # plain ones: `asdict` cannot copy a Counter
    return ServiceSecond(t=seconds[0].t, provider=seconds[0].provider, **sums)
