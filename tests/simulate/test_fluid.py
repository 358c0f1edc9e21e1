"""The fluid engine is the limit of the exact ones, says what theory says, and refuses by name what it is not."""

import math
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("numba")

from rich.console import Console

from mockbot.errors import ExitCode, UsageError
from mockbot.scenario.schema import Scenario
from mockbot.simulate import theory
from mockbot.simulate.command import SimulateOptions, simulate_command
from mockbot.simulate.engines import choose
from mockbot.simulate.fast import layout as at
from mockbot.simulate.fast.run import Fast
from mockbot.simulate.fluid import layout as to
from mockbot.simulate.fluid.run import Fluid
from mockbot.simulate.play import Memory, simulate
from tests.simulate.build import scenario
from tests.simulate.laws import NOBODY
from tests.simulate.worlds import open_loop, surge

pytestmark = pytest.mark.usefixtures("fluid_is_compiled")

SECOND: dict[str, Any] = {"first_token": 0, "tokens": {"median": 71, "p95": 279}, "pace": "99.37/s"}  # mean 1 s
BACKOFF: dict[str, Any] = {"name": "backoff", "attempts": 8, "timeout": "20s"}


def _crowd(users: int, policy: dict[str, Any], fault: Any, *, patience: str = "60s") -> Scenario:
    """So many users on users/70 slots: rho = 0.7; the fault holds from 60 to 120 s."""
    return scenario(
        provider={"slots": users // 70, "queue": {"limit": users}, "answer": SECOND},
        group={"policy": policy, "think": "99s", "patience": patience},
        phases=[
            {"name": "calm", "lasts": 60, "users": users},
            {"name": "bad", "lasts": 60, "faults": [fault]},
            {"name": "after", "lasts": 120},
        ],
    )


def _exact(world: Scenario, seed: int) -> at.Ints:
    run = Fast(world, seed, lambda _: None, stride=NOBODY)
    while run.play(run.now + 60):
        pass
    return run.totals()


@pytest.mark.parametrize("fault", [{"http_error": 503}, {"down": True}, {"crash": True}, {"capacity": "20%"}], ids=str)
def test_nobody_is_lost_or_made(fault: dict[str, Any]) -> None:
    """Those who think, ask and stay away are as many as there are users, and a prompt ends at most once."""
    run = Fluid(_crowd(700, BACKOFF, fault)).to_end()
    flow = run.shapes[0].flow
    cohort = flow.cohort[0].sum(axis=0)

    assert flow.crowd[:, 0, at.ISSUED].sum() == pytest.approx(cohort[to.ISSUED])
    assert cohort[to.ANSWERED] + cohort[to.GAVE_UP] == pytest.approx(cohort[to.ISSUED], rel=2e-3)
    assert cohort[to.GOOD] <= cohort[to.ANSWERED] * (1 + 1e-9)
    assert flow.crowd[:, 0, at.SETTLED].sum() == pytest.approx(cohort[to.ANSWERED], rel=2e-3)


@pytest.mark.second
def test_fluid_and_fast_agree() -> None:
    """At 70,000 users successes and attempts differ by less than 0.5 % (target 23)."""
    world = _crowd(70_000, BACKOFF, {"http_error": 503})
    fluid = Fluid(world).to_end().totals().sum(axis=0)
    fast = sum(_exact(world, seed).sum(axis=0) for seed in range(3)) / 3

    assert fluid[at.SETTLED] == pytest.approx(fast[at.SETTLED], rel=0.005)
    assert fluid[at.SENT] == pytest.approx(fast[at.SENT], rel=0.005)


@pytest.mark.second
def test_the_difference_fades_with_the_root_of_the_crowd() -> None:
    """The error of a window's goodput falls as N^-0.5, slope -0.5 +- 0.12 from 700 to 70,000 users (target 23)."""
    errors = []
    for users in (700, 7_000, 70_000):
        world = _crowd(users, {"name": "once", "timeout": "30s"}, {"http_error": 503, "share": "30%"})
        fluid = Fluid(world).to_end().totals()[:240, at.SETTLED].reshape(-1, 10).sum(axis=1)
        seen = [_exact(world, seed)[:240, at.SETTLED].reshape(-1, 10).sum(axis=1) for seed in range(6)]
        mean = float(fluid.mean())
        errors.append(math.sqrt(sum(float(((each - fluid) ** 2).mean()) for each in seen) / len(seen)) / mean)
    slope = math.log(errors[-1] / errors[0]) / math.log(100)

    assert slope == pytest.approx(-0.5, abs=0.12)


@pytest.mark.second
@pytest.mark.parametrize("lasts", [60, 300])
def test_an_open_queue_drains_as_theory_says(lasts: int) -> None:
    """An outage that keeps its queue is over D rho / (1 - rho) later (target 19, 3 %)."""
    phases = [
        {"name": "calm", "lasts": 60, "arrivals": 70.0},
        {"name": "bad", "lasts": lasts, "faults": [{"capacity": 0.0}]},
        {"name": "after", "lasts": lasts * 3},
    ]
    world = open_loop(phases, {"name": "once", "timeout": "2h"}, queue=1_000_000, answer=SECOND)
    run = Fluid(world).to_end()
    queue = run.shapes[0].flow.seen[60 + lasts + 2 :, at.QUEUED_AT]

    assert 2 + int((queue < 1).argmax()) == pytest.approx(theory.drain_open(lasts, 0.7), rel=0.03)


@pytest.mark.second
@pytest.mark.parametrize("lasts", [60, 600])
def test_a_closed_queue_drains_as_theory_says(lasts: int) -> None:
    """For N users who wait it is over Z ln((1/rho - e^(-D/Z)) / (1/rho - 1)) later (target 19, 5 %)."""
    world = scenario(
        provider={"slots": 100, "queue": {"limit": 10_000}, "answer": SECOND},
        group={"policy": {"name": "once", "timeout": "2h"}, "think": "99s", "patience": "2h"},
        phases=[
            {"name": "calm", "lasts": 60, "users": 7000},
            {"name": "bad", "lasts": lasts, "faults": [{"capacity": 0.0}]},
            {"name": "after", "lasts": 300},
        ],
    )
    queue = Fluid(world).to_end().shapes[0].flow.seen[60 + lasts + 2 :, at.QUEUED_AT]

    assert 2 + int((queue < 1).argmax()) == pytest.approx(theory.drain_closed(lasts, 0.7, 99), rel=0.05)


@pytest.mark.second
@pytest.mark.parametrize(("lasts", "stuck"), [(9.0, False), (10.0, True)])
def test_the_tipping_point(lasts: float, stuck: bool) -> None:
    """C T / (lam1 - C) = 9.09 s: a surge of 9 s passes, one of 10 s sticks (target 13)."""
    answer = {"first_token": 0, "tokens": {"median": 71, "p95": 279}, "pace": "993.7/s"}
    policy = {"name": "fixed", "attempts": 4, "wait": 0, "timeout": "10s"}
    world = open_loop(surge(70.0, 3, lasts), policy, slots=10, answer=answer)
    answered = Fluid(world).to_end().totals()[180:220, at.SETTLED].mean()

    assert bool(answered < 35) is stuck


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"group": {"policy": "informed"}}, "informed"),
        ({"group": {"policy": {"name": "backoff", "budget": "per_success"}}}, "budget"),
        ({"group": {"policy": {"name": "refresh", "every": "1s"}}}, "refresh every 1 s"),
        ({"faults": [{"reset_peer": "0s"}]}, "reset_peer"),
        ({"faults": [{"http_error": 500, "keys": "60%"}]}, "keys"),
        ({"provider": {"queue": {"order": "lifo"}}}, "lifo"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_a_fluid_is_not_is_refused_by_name(change: dict[str, Any], named: str) -> None:
    """The policy, fault or key that it cannot express is in the message."""
    with pytest.raises(UsageError, match=named):
        choose("fluid", scenario(**change))


def test_a_fluid_writes_no_journal() -> None:
    """Who asks for records is told to take another engine."""
    with pytest.raises(UsageError, match="no journal"):
        simulate(scenario(), sink=Memory().take, engine="fluid")


def test_a_fluid_run_is_judged_like_any_other(tmp_path: Path) -> None:
    """`--engine fluid` leaves a report and a verdict, and says that it is a fluid."""
    world = scenario([{"http_error": 503}], expect=[{"phase": "bad", "availability": "<= 5%"}])
    console = Console(record=True, width=120)
    code = simulate_command(SimulateOptions(world, engine="fluid", out=tmp_path / "run"), console)
    text = console.export_text()

    assert code == ExitCode.PASS
    assert "simulated (fluid)" in text
    assert (tmp_path / "run" / "report.html").exists()
    assert (tmp_path / "run" / "seconds.csv").read_text().startswith("second,all.issued")
