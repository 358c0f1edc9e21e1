"""How well this process keeps up: once a wall second a Health record of schedule lag, event-loop lag and CPU.

A generator that falls behind its schedule measures itself; whether it did is for the verdict to say, and this is its
evidence.
"""

import time
from collections.abc import Callable, Sequence

import gevent
import psutil

from mockbot.evidence.records import Health
from mockbot.load.load_generator import LoadGenerator

BEAT = 0.05  # wall seconds; what a sleep of this length takes longer is the loop's lag
EVERY = 1.0  # wall seconds between two records


def p99(values: Sequence[float]) -> float:
    """Nearest rank; 0 of nothing."""
    ordered = sorted(values)
    return ordered[max(0, -(-99 * len(ordered) // 100) - 1)] if ordered else 0.0


def watch(node: LoadGenerator, name: str, users: Callable[[], int], sink: Callable[[Health], None]) -> None:
    """Runs as a greenlet until it is killed."""
    node.wait_until(0.0)
    process = psutil.Process()
    process.cpu_percent()
    psutil.cpu_percent()
    while True:
        loop_lags = _beats()
        sink(
            Health(
                t=round(node.clock.now(), 3),
                node=name,
                lag_p99=round(p99(node.collector.lags()), 5),
                loop_lag_p99=round(p99(loop_lags), 5),
                cpu=process.cpu_percent() / 100,
                machine_cpu=psutil.cpu_percent() / 100,
                users=users(),
            )
        )


def _beats() -> list[float]:
    until = time.perf_counter() + EVERY
    lags = []
    while (before := time.perf_counter()) < until:
        gevent.sleep(BEAT)
        lags.append(max(0.0, time.perf_counter() - before - BEAT))
    return lags
