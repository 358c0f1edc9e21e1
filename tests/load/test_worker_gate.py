"""The gate by itself, without sockets: Locust hears only of workers that were taken."""

import pytest

from tests.load.conftest import Inside


@pytest.mark.second
def test_locust_hears_of_nobody_who_was_refused(inside: Inside) -> None:
    """Two workers are taken; without a token, without a word, from the future, one too many, too late: none.

    Who gets no answer says so early, and for how long it goes on.
    """
    found = inside("gate")

    heard = ["client_ready", "client_ready", "mockbot.here"]
    silent = "mockbot: 10.0.0.1:5557 does not answer; is `mockbot run --workers --bind` running there?"
    assert found["silent"] == {
        "3": f"{silent} It is tried for 5 minutes\n",
        "60": f"{silent} It was tried for 5 minutes\n",
    }
    assert found["heard"] == [*(f"a {kind}" for kind in heard), "b client_ready", "b mockbot.here"]
    remedy = "start the others, give --wait more time, or ask for fewer --workers"
    assert found["wait"] == [f"1 of 2 workers came within 0 s (worker-a on host-a); {remedy}"]
    reasons = {
        "stranger": "the worker on host-stranger is refused: its MOCKBOT_TOKEN is not this run's; copy the line that "
        "`mockbot run --workers` prints",
        "plain": "a worker is refused: it did not say who it is; start it with `mockbot worker`",
        "future": "a worker is refused: it is of another version of mockbot; install the same on both machines",
        "c": "the worker on host-c is refused: 2 workers have come already; ask for more with --workers",
        "d": "the worker on host-d is refused: the run has begun without it: it came too late",
    }
    assert found["refused"] == [f"{id_}: {says}" for id_, says in reasons.items()]
    known = "its clock is known to 0.002 s"
    came = [f"worker-{id_} on host-{id_} has come, {n} of 2; {known}" for n, id_ in ((1, "a"), (2, "b"))]
    assert found["events"] == [
        ["came", came[0]],
        *(["refused", reasons[id_]] for id_ in ("stranger", "plain", "future")),
        ["came", came[1]],
        *(["refused", reasons[id_]] for id_ in ("c", "d")),
    ]


@pytest.mark.second
def test_of_workers_that_come_at_once_no_more_are_taken_than_are_expected(inside: Inside) -> None:
    """A third comes before two have measured their clocks; a fourth, when one of the two has not come in time."""
    full = "2 workers have come already; ask for more with --workers"

    assert inside("gate")["at once"] == [f"g: the worker on host-g is refused: {full}"]
