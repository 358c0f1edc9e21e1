"""Orders to `mockbot serve` that come too late are an error in words, and are not carried out later."""

import pytest

from mockbot.commands import phase_controller
from mockbot.commands.phase_controller import PhaseController
from mockbot.errors import TestbedError
from mockbot.evidence.records import Action
from mockbot.testbed.start import Addresses
from tests.evidence.build import scenario

ADDRESSES = Addresses("http://service", "http://proxy", {"main": ""}, {}, {"main": "main"}, 1.0)


def controller(printed: list[str]) -> PhaseController:
    return PhaseController(scenario(), ADDRESSES, loop=False, echo=printed.append)


def test_an_order_that_nobody_carries_out_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """The caller is told so; the order is cancelled, so that no phase begins minutes later."""
    monkeypatch.setattr(phase_controller, "ANSWERS_WITHIN", 0.01)
    late = controller([])

    with pytest.raises(TestbedError, match=r"was not carried out within 0\.01 s; try again"):
        late.order("after", stay=True)
    order = late._orders.get_nowait()
    assert order is not None
    assert not order.done.set_running_or_notify_cancel()


def test_a_stop_during_the_start_ends_it_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the start was doing is done; then `run` returns, without an interrupt."""
    stopped = controller([])
    begun: list[str] = []

    def begin(phase: str, _hold: str | None) -> None:
        stopped.stop()
        begun.append(phase)

    monkeypatch.setattr(stopped, "_begin", begin)
    stopped.run("calm", None)

    assert begun == ["calm"]


def test_a_service_that_is_gone_is_named_once() -> None:
    """It fails at every look; the terminal says so at the first one."""
    printed: list[str] = []
    serving = controller(printed)
    for t in range(3):
        serving._take(Action("service", "look", t, t, None, "does not answer"))

    assert printed == ["  service failed: does not answer"]
