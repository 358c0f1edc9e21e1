"""Which fault changes the driver has confirmed, and a way to wait until second t is in place."""

import threading

from mockbot.clock import monotonic
from mockbot.errors import TestbedError
from mockbot.evidence.records import Action
from mockbot.scenario.timeline import Timeline

IN_PLACE_WITHIN = 10.0  # wall seconds


class FaultConfirmations:
    """Takes the driver's actions from its thread; `wait` blocks another thread until they are complete."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._changed = threading.Condition()
        self.actions: list[Action] = []

    def take(self, action: Action) -> None:
        """Add one action; called in the driver's thread."""
        with self._changed:
            self.actions.append(action)
            self._changed.notify_all()

    def wait(self, t: float) -> None:
        """Block until every fault of second t is in place. TestbedError when that takes longer than IN_PLACE_WITHIN."""
        until = monotonic() + IN_PLACE_WITHIN
        with self._changed:
            # Condition.wait_for would ask time.monotonic, which a test suite may have stopped.
            while not self._in_place(t):
                if not self._changed.wait(max(0.0, until - monotonic())):
                    errors = [action.error for action in self.actions if action.error]
                    why = f": {errors[-1]}" if errors else ""
                    late = f"the faults of second {t:g} were not in place after {IN_PLACE_WITHIN:g} s{why}"
                    raise TestbedError(f"{late}; load this machine less")

    def _in_place(self, t: float) -> bool:
        confirmed = [action for action in self.actions if action.confirmed is not None]
        begun = {action.fault for action in confirmed if action.does == "begin"}
        ended = {action.fault for action in confirmed if action.does == "end"}
        begins = {active.span.id for active in self._timeline.at(t).faults}
        over = {fault.id for fault in self._timeline.faults if fault.end <= t} & begun
        return begins <= begun and over <= ended
