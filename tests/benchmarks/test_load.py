"""One Locust process with all measuring on: its cost beside a bare FastHttpUser, its time-keeping, its memory.

Figures are printed and only ratios asserted. The server is the cheapest there can be, in a process of its own.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import pytest

pytestmark = [pytest.mark.benchmark, pytest.mark.live, pytest.mark.timeout(300)]

ROOT = Path(__file__).parents[2]


@contextmanager
def _server(tokens: int, pace: int) -> Iterator[str]:
    command = [sys.executable, "-m", "tests.load.inside.fast_server", str(tokens), str(pace)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        yield f"http://127.0.0.1:{server.stdout.readline().strip()}"
        server.communicate()


def _figures(what: str, seconds: float, users: int, tokens: int = 1, pace: int = 1) -> Any:
    with _server(tokens, pace) as url:
        command = [sys.executable, "-m", "tests.load.inside.figures", what, url, str(seconds), str(users)]
        result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return json.loads(result.stdout)


def test_measuring_costs_little(tell: Callable[[str], None]) -> None:
    """Prompts per CPU second: at least 0.85 of what a FastHttpUser posts that measures nothing.

    The median over pairs of turns, one after the other, so that what else the machine does hits both of a pair.
    """
    found = _figures("plain", 2, 40)
    rate = {who: median(rate for rate, _ in turns) for who, turns in found.items()}
    cpu = {who: median(cpu for _, cpu in turns) for who, turns in found.items()}

    for what, by in (("second", rate), ("CPU second", cpu)):
        tell(f"plain prompts per {what}: ours {by['ours']:.0f}, bare {by['bare']:.0f}, {by['ours'] / by['bare']:.2f}")
    pairs = [ours / bare for (_, ours), (_, bare) in zip(found["ours"], found["bare"], strict=True)]
    tell(f"per CPU second, pair by pair: {', '.join(f'{pair:.2f}' for pair in pairs)}")
    assert median(pairs) >= 0.85


def test_a_trace_costs_the_crowd_one_header(tell: Callable[[str], None]) -> None:
    """With --otel a prompt takes at most 5 % more of the crowd's CPU: for a header; the parent does the rest."""
    found = _figures("traced", 40, 40)
    cost = {which: 1e6 * median(each) for which, each in found.items()}
    ratio = median(with_ / without for with_, without in zip(found["with"], found["without"], strict=True))

    tell(f"a prompt with a traceparent: {cost['with']:.0f} us of CPU, without {cost['without']:.0f} us: {ratio:.3f}")
    assert ratio <= 1.05


def test_streams_keep_their_time(tell: Callable[[str], None]) -> None:
    """250 streams of 50 tokens/s at a time: the p99 of all gaps between tokens is at most 40 ms (sent: 20 ms).

    The turn of three in which the machine gave it most, since what else it does can only make this worse.
    """
    turns = [_figures("streams", 8, 250, tokens=100, pace=50) for _ in range(3)]
    found = max(turns, key=lambda turn: float(turn["tokens"]))
    gaps = [f"{1000 * found[name]:.0f} ms" for name in ("gap_p50", "gap_p99")]

    tell(f"250 streams: {found['tokens']:.0f} tokens/s, gaps (sent: 20 ms) p50 {gaps[0]}, p99 {gaps[1]}")
    tell(f"loop lag p99 {1000 * median(found['loop_lag_p99']):.1f} ms, {median(found['cpu']):.0%} of a core")
    assert set(found["outcomes"]) <= {"ok", "unfinished"}
    assert found["tokens"] >= 0.5 * 250 * 50
    assert found["gap_p99"] <= 0.040


def test_thinking_users_are_light(tell: Callable[[str], None]) -> None:
    """2,000 users who think for 2 s (aim: on 60 % of a core) cost at most twice what 40 busy ones do, each prompt."""
    found = _figures("thinking", 10, 2000)
    busy = median(per_cpu for _, per_cpu in _figures("plain", 1, 40)["ours"])
    thinking = found["rate"] / median(found["cpu"])

    tell(f"2,000 users: {found['rate']:.0f} prompts/s on {median(found['cpu']):.0%} of a core")
    tell(f"prompts per CPU second: {thinking:.0f} of thinking users, {busy:.0f} of busy ones")
    tell(f"{found['kilobytes_per_user']:.0f} kB each; late by p99 {1000 * median(found['lag_p99']):.1f} ms")
    assert found["rate"] >= 0.5 * 2000 / 2
    assert thinking > 0.5 * busy
