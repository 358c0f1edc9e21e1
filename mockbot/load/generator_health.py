"""How well this process keeps up: once per wall second a Health record of schedule lag, event-loop lag and CPU.

A load generator that falls behind measures itself instead of the service. The verdict's validity checks read these
records to distinguish the two.
"""

import time
from collections.abc import Callable, Sequence

import gevent
import psutil

from mockbot.evidence.records import Health
from mockbot.load.load_generator import LoadGenerator
from mockbot.units.rank import nearest_rank

SLEEP = 0.05  # wall seconds; by how much longer such a sleep takes is the event loop's lag
EVERY = 1.0  # wall seconds between two records


def p99(values: Sequence[float]) -> float:
    """The 99th percentile; 0 of nothing."""
    return nearest_rank(sorted(values), 0.99) or 0.0


def watch(generator: LoadGenerator, name: str, users: Callable[[], int], sink: Callable[[Health], None]) -> None:
    """Write records to `sink` from t0 on; runs as a greenlet until it is killed."""
    generator.wait_until(0.0)
    process = psutil.Process()
    # psutil reports CPU since its previous call; the first call returns 0 and only sets the mark.
    process.cpu_percent()
    psutil.cpu_percent()
    while True:
        until, loop_lags = time.perf_counter() + EVERY, list[float]()
        while (before := time.perf_counter()) < until:
            gevent.sleep(SLEEP)
            loop_lags.append(max(0.0, time.perf_counter() - before - SLEEP))
        sink(
            Health(
                t=round(generator.clock.now(), 3),
                node=name,
                lag_p99=round(p99(generator.collector.take_lags()), 5),
                loop_lag_p99=round(p99(loop_lags), 5),
                cpu=process.cpu_percent() / 100,
                machine_cpu=psutil.cpu_percent() / 100,
                users=users(),
            )
        )
