"""What holds at second t: phases in a row, faults in their spans, a crowd that adds up."""

from itertools import pairwise
from math import nextafter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mockbot.scenario.schema import Scenario
from mockbot.scenario.timeline import Timeline, split
from tests.scenario.build import CROWD, scenario


def timeline(**changes: object) -> Timeline:
    """Of three phases of a minute each, unless changed."""
    return Timeline(scenario(**changes))


def one_fault(**fault: object) -> Timeline:
    """A fault in the second of three minutes."""
    values = {"http_error": 503, **fault}
    return timeline(phases=[minute("before", users=10), minute("during", faults=[values]), minute("after")])


def minute(name: str, **more: object) -> dict[str, object]:
    """A phase of 60 s."""
    return {"name": name, "lasts": 60.0, **more}


def held(line: Timeline) -> list[int]:
    """The whole seconds at which any fault holds."""
    return [t for t in range(int(line.end)) if line.at(t).faults]


def test_a_fault_without_times_holds_for_its_phase() -> None:
    """It begins with the phase and is over when the next one begins."""
    line = one_fault()

    assert held(line) == list(range(60, 120))


def test_a_fault_may_begin_inside_its_phase() -> None:
    """`at: 20s` is twenty seconds after the phase has begun."""
    line = one_fault(at=20.0)

    assert held(line) == list(range(80, 120))


def test_a_fault_may_outlast_its_phase() -> None:
    """`lasts` counts from the fault's own start, across phases."""
    line = one_fault(at=50.0, lasts=30.0)

    assert held(line) == list(range(110, 140))
    assert line.at(130).phase == "after"


def test_a_flapping_fault_is_on_for_its_duty_of_every_period() -> None:
    """It begins on; with a period of 20 s and a duty of 25 % it holds for 5 s out of 20."""
    line = one_fault(flap={"period": 20.0, "duty": 0.25})

    assert held(line) == [*range(60, 65), *range(80, 85), *range(100, 105)]


def test_a_share_ramps_over_the_fault_and_not_over_the_phase() -> None:
    """A ramp of 100 % to 0 % over a fault of 30 s is half way after 15 s."""
    line = one_fault(lasts=30.0, share="100% -> 0%")

    assert line.at(60).faults[0].share == 1.0
    assert line.at(75).faults[0].share == pytest.approx(0.5)


def test_overlapping_faults_of_different_kinds_hold_together_in_the_order_of_the_file() -> None:
    """A reset wire and an error answer are both true at once."""
    line = timeline(
        phases=[minute("all", users=5, faults=[{"reset_peer": 0.0, "lasts": 30.0}, {"http_error": 503, "at": 20.0}])]
    )

    assert [active.span.fault.kind for active in line.at(25).faults] == ["reset_peer", "http_error"]


def test_a_fault_without_a_provider_is_the_first_ones() -> None:
    """The first provider of the file is the one that is meant."""
    line = one_fault()

    conditions = line.at(90)

    assert [active.span.provider for active in conditions.faults] == ["main"]
    assert conditions.of("main") == conditions.faults
    assert conditions.of("other") == ()


def test_fault_ids_say_phase_index_and_kind() -> None:
    """The name that reports, the journal and error messages use."""
    line = timeline(phases=[minute("blackout", users=5, faults=[{"down": True, "lasts": 5.0}, {"http_error": 500}])])

    assert [span.id for span in line.faults] == ["blackout.0.down", "blackout.1.http_error"]


def test_users_go_on_when_a_phase_gives_none() -> None:
    """A phase that says nothing about users keeps those that the one before it ended with."""
    line = timeline(phases=[minute("grow", users="10 -> 20"), minute("stay"), minute("leave", users=5)])

    totals = [sum(line.at(t).users.values()) for t in (0, 30, 60, 119, 120)]

    assert totals == [10, 15, 20, 20, 5]


def test_a_mix_holds_on_into_later_phases_and_leaves_out_who_is_not_named() -> None:
    """`mix` says the shares of all users from its phase on."""
    line = timeline(phases=[minute("usual", users=10), minute("hasty", mix={"hasty": 1.0}), minute("later")])

    mixes = [dict(line.at(t).users) for t in (0, 60, 120)]

    assert mixes == [{"patient": 6, "hasty": 4}, {"patient": 0, "hasty": 10}, {"patient": 0, "hasty": 10}]


def test_arrivals_are_split_by_share_and_ramp() -> None:
    """Open groups share a rate that may be any number, so nothing is rounded."""
    crowd = {
        "open": {"arrivals": 0.75, "policy": "once"},
        "rest": {"arrivals": 0.25, "policy": "once"},
        "closed": {"users": 1.0, "policy": "once"},
    }
    line = timeline(crowd=crowd, phases=[minute("rise", users=3, arrivals="2/s -> 4/s"), minute("hold")])

    assert line.at(30).arrivals == pytest.approx({"open": 2.25, "rest": 0.75})
    assert line.at(90).arrivals == pytest.approx({"open": 3.0, "rest": 1.0})
    assert line.at(90).users == {"closed": 3}


def test_before_the_start_and_after_the_end_there_is_no_fault_that_the_edges_do_not_have() -> None:
    """Before 0 it is as at 0; after the end the last crowd goes on and nothing is wrong."""
    line = timeline(phases=[minute("all", users=10, faults=[{"http_error": 503}])])

    assert line.at(-5).faults == line.at(0).faults
    assert line.at(60).faults == ()
    assert sum(line.at(1000).users.values()) == 10


def test_phase_at_is_clamped() -> None:
    """Every moment belongs to a phase."""
    line = timeline()

    assert [line.phase_at(t).name for t in (-1, 0, 59.9, 60, 10_000)] == [
        "before",
        "before",
        "before",
        "during",
        "after",
    ]


@pytest.mark.parametrize(
    ("at", "second"),
    [("90s", 90), ("during", 60), ("during+12s", 72), ("during - 12s", 48), ("back-up", 180), ("back-up-5s", 175)],
)
def test_a_status_update_may_be_placed_by_time_or_by_phase(at: str, second: float) -> None:
    """An offset from the start, a phase, or an offset from a phase, also one whose name has a hyphen."""
    phases = [minute("before", users=5), minute("during"), minute("after"), minute("back-up")]
    line = timeline(phases=phases, status_page=[{"at": at, "state": "investigating"}])

    assert line.at(second - 0.1).status is None
    state = line.at(second).status
    assert state is not None
    assert state.since == second


def test_the_newest_status_update_holds() -> None:
    """Updates hold until the next one, in the order of time and not of the file."""
    updates = [{"at": "after", "state": "resolved"}, {"at": "during+12s", "state": "investigating"}]
    line = timeline(status_page=updates)

    states = [state.update.state for t in (80, 130) if (state := line.at(t).status)]

    assert states == ["investigating", "resolved"]


def test_changes_are_the_moments_at_which_something_else_holds() -> None:
    """Phases, faults, flaps and the status page; not the steps of a ramp."""
    line = timeline(
        phases=[
            minute("before", users="10 -> 20"),
            minute("during", faults=[{"http_error": 503, "at": 10.0, "lasts": 20.0, "flap": {"period": 10.0}}]),
            minute("after"),
        ],
        status_page=[{"at": "during+45s", "state": "investigating"}],
    )

    assert line.changes() == (0, 60, 70, 75, 80, 85, 90, 105, 120, 180)


def test_max_users_is_what_must_be_ready() -> None:
    """The most of each group in any phase, ramps and mixes included."""
    line = timeline(phases=[minute("a", users="10 -> 40"), minute("b", users=20, mix={"hasty": 0.9, "patient": 0.1})])

    assert line.max_users() == {"patient": 24, "hasty": 18}


QUICK = settings(deadline=None, max_examples=25)  # a shared machine may pause anywhere
SHARES = st.lists(st.integers(1, 100), min_size=1, max_size=6).map(
    lambda parts: {f"g{index}": part / sum(parts) for index, part in enumerate(parts)}
)


@QUICK
@given(total=st.integers(0, 3000), shares=SHARES)
def test_a_split_adds_up_and_is_fair(total: int, shares: dict[str, float]) -> None:
    """Nobody is lost, nobody is invented, and no group is more than one person a group away from its share."""
    people = split(total, shares)

    assert sum(people.values()) == total
    assert all(abs(people[group] - total * share) <= len(shares) for group, share in shares.items())


@QUICK
@given(total=st.integers(0, 500), shares=SHARES)
def test_nobody_leaves_a_group_while_the_crowd_grows(total: int, shares: dict[str, float]) -> None:
    """One more user is one more in one group, and none less in any other."""
    now, then = split(total, shares), split(total + 1, shares)

    assert all(now[group] <= then[group] for group in shares)


@QUICK
@given(users=st.integers(0, 100_000))
def test_whole_shares_are_met_exactly(users: int) -> None:
    """60 % of ten times a number is six times the number."""
    people = split(users * 10, {"a": 0.6, "b": 0.3, "c": 0.1})

    assert people == {"a": 6 * users, "b": 3 * users, "c": users}


DURATIONS = st.floats(0.1, 300, allow_nan=False)


@st.composite
def any_scenario(draw: st.DrawFn) -> Scenario:
    """Up to five phases, each with up to one fault of a kind of its own."""
    kinds: list[dict[str, object]] = [
        {"http_error": 503},
        {"latency": 0.2},
        {"slow": 2.0},
        {"rate_limited": True},
        {"reset_peer": 0.0},
    ]
    phases = []
    for index, kind in enumerate(kinds[: draw(st.integers(1, 5))]):
        lasts = draw(DURATIONS)
        fault = {**kind, "at": draw(st.floats(0, 0.9)) * lasts}
        if draw(st.booleans()):
            fault["flap"] = {"period": draw(st.floats(5, 100)), "duty": draw(st.floats(0.05, 0.95))}
        if draw(st.booleans()):
            fault["share"] = "100% -> 20%"
        ends = "->".join(str(draw(st.integers(0, 200))) for _ in range(2))
        phases.append(
            {"name": f"p{index}", "lasts": lasts, "users": ends, "faults": [fault] if draw(st.booleans()) else []}
        )
    return scenario(phases=phases, crowd=CROWD, status_page=[])


@QUICK
@given(made=any_scenario(), where=st.floats(0, 1))
def test_between_two_changes_the_same_faults_hold(made: Scenario, where: float) -> None:
    """`changes()` misses nothing: what holds at a change holds until just before the next one."""
    line = Timeline(made)

    for first, last in pairwise(line.changes()):
        here, later = line.at(first), line.at(min(first + (last - first) * where, nextafter(last, first)))
        assert [active.span.id for active in here.faults] == [active.span.id for active in later.faults]
        assert here.phase == later.phase


@QUICK
@given(made=any_scenario(), t=st.floats(-10, 30_000, allow_nan=False))
def test_every_moment_has_whole_users_and_shares_within_bounds(made: Scenario, t: float) -> None:
    """No group is ever larger than `max_users` said, and no share leaves 0..1."""
    line = Timeline(made)
    conditions = line.at(t)

    most = line.max_users()
    assert all(0 <= count <= most[group] for group, count in conditions.users.items())
    assert all(0 <= active.share <= 1 for active in conditions.faults)
    assert line.at(t) == conditions
