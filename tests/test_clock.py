"""Scenario time goes on whatever happens to the wall clock, and all processes of a machine share its origin."""

import time
from dataclasses import replace

import pytest

from mockbot import clock as clock_module
from mockbot.clock import Clock, machine
from mockbot.service.control_messages import SharedClock


def test_a_wall_clock_that_is_set_or_frozen_moves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set back by an hour, and every clock of the module `time` frozen: scenario time goes on, and its dates stay."""
    clock = Clock.start(speed=1000.0)
    before, date = clock.now(), clock.at(60.0)
    for name in ("time", "monotonic", "perf_counter"):
        monkeypatch.setattr(time, name, lambda: 1.0)
    while clock.now() == before:
        pass

    assert clock.now() > before
    assert clock.at(60.0) == date


def test_a_clock_begins_after_its_delay() -> None:
    """Until then its seconds are negative, and a second of it takes 1/speed wall seconds."""
    clock = Clock.start(speed=10.0, delay=100.0)

    assert -1000.0 < clock.now() < 0.0
    assert (clock.wall(5.0), clock.scenario(0.5)) == (0.5, 5.0)


def test_processes_of_one_machine_read_the_same_second() -> None:
    """The document that goes to the service has the origin itself, so no difference of wall clocks can enter."""
    clock = Clock.start(speed=20.0)

    assert SharedClock.of(clock).here() == clock


def test_another_machine_finds_second_0_by_its_wall_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its monotonic clock counts from another moment: 40 s after t0 by the wall, 40 s have passed."""
    monkeypatch.setattr(time, "time", lambda: 1_700_000_040.0)
    monkeypatch.setattr(clock_module, "monotonic", lambda: 5.0)
    started = Clock(origin=9_999.0, speed=2.0, t0=1_700_000_000.0)

    assert started.on("elsewhere").now() == 80.0
    assert started.on(machine()) is started
    assert started.on("elsewhere", offset=10_000.0).now() == 12.0  # 5.0 here is 10,005.0 there, 6 s after second 0
    assert replace(started, origin=4.0).on(machine()).now() == 2.0
