"""The reference engine from the outside: the crowd it makes, the clients it plays, and that a run can be repeated."""

from collections import Counter
from itertools import pairwise

import pytest

from mockbot.evidence.records import Attempt
from mockbot.runs.journal_files import to_line
from mockbot.scenario.timeline import Timeline
from mockbot.simulate.change_points import moments
from mockbot.simulate.engines import EngineName
from mockbot.simulate.simulation import Memory, simulate
from tests.simulate.build import NO_THINK, live_through, scenario


def _bytes(seed: int) -> bytes:
    memory = Memory()
    world = scenario([{"http_error": 503, "share": "30%"}, {"latency": "300ms", "share": "50%"}])
    simulate(world, seed=seed, sink=memory.take, engine="reference")
    return b"".join(map(to_line, [*memory.requests, *memory.seconds, *memory.actions]))


def test_the_same_seed_gives_the_same_bytes() -> None:
    """Twice the same journal for one seed, another one for another."""
    assert _bytes(1) == _bytes(1)
    assert _bytes(1) != _bytes(2)


def test_groups_have_exactly_the_users_of_the_timeline() -> None:
    """Never more names at once than users, and everybody of them asks."""
    lived = live_through(scenario())

    assert {prompt.user for prompt in lived.prompts} == {f"all-{number}" for number in range(1, 21)}


@pytest.mark.parametrize(("fault", "stepped"), [({"http_error": 503}, False), ({"latency": "300ms"}, True)])
def test_only_what_cannot_read_its_ramp_at_each_request_has_steps(fault: dict[str, object], stepped: bool) -> None:
    """A fault of the service reads it, however long it ramps; one of the wire is told every second."""
    timeline = Timeline(scenario([{**fault, "share": "10% -> 90%"}]))

    assert (len(tuple(moments(timeline))) > len(timeline.changes())) is stepped


def test_a_ramp_of_one_user_has_steps_too() -> None:
    """The 21st comes in the middle of the phase, where 20.5 are rounded up, and not at its end."""
    world = scenario(phases=[{"name": "calm", "lasts": "100s", "users": "20 -> 21"}], group={"think": "1s"})
    first = min(each.intended for each in live_through(world).prompts if each.user == "all-21")

    assert 50 <= first < 60


@pytest.mark.parametrize("engine", ["reference", pytest.param("fast", marks=pytest.mark.second)])
@pytest.mark.parametrize(
    "fault", [{"http_error": 503, "share": "0% -> 100%"}, {"shed": {"admit": {"free": "100% -> 0%"}}}]
)
def test_the_share_that_is_hit_follows_a_straight_line(
    fault: dict[str, object], engine: EngineName, request: pytest.FixtureRequest
) -> None:
    """As the manual has it: in each tenth of the fault, the share of the ramp at its middle, but for chance."""
    if engine == "fast":
        pytest.importorskip("numba")
        request.getfixturevalue("fast_is_compiled")
    memory, hit = Memory(), [[0, 0] for _ in range(10)]
    world = scenario([fault], group={"think": "1s"}, phases=[
        {"name": "calm", "lasts": "100s", "users": 100}, {"name": "bad", "lasts": "100s", "faults": [fault]},
    ])  # fmt: skip
    simulate(world, sink=memory.take, engine=engine)
    for each in memory.requests:
        if isinstance(each, Attempt) and 100 <= each.start < 200:
            hit[int(each.start - 100) // 10][each.status == 503] += 1

    for tenth, (spared, failed) in enumerate(hit):
        assert failed / (spared + failed) == pytest.approx(tenth / 10 + 0.05, abs=0.08)


def test_an_added_delay_follows_a_straight_line() -> None:
    """Each answer begins as much later as the ramp has it at the moment of its request."""
    lived = live_through(scenario([{"slow": {"first_token": "0s -> 5s"}}]))
    slowed = [each for each in lived.during(100, 200) if each.first_token is not None]

    assert len(slowed) > 50
    for each in slowed:
        assert each.first_token == pytest.approx(1 + 5 * (each.start - 100) / 100, abs=1e-3)


def test_who_leaves_is_chance() -> None:
    """Of the first 20 and the 60 of a rush, about as many of either kind stay: 20 stay in all."""
    phases = [
        {"name": "calm", "lasts": "100s", "users": 20},
        {"name": "rush", "lasts": "100s", "users": 80},
        {"name": "ebb", "lasts": "100s", "users": 20},
    ]
    lived = live_through(scenario(phases=phases, group={"think": "2s"}))
    stayed = {int(prompt.user.split("-")[1]) for prompt in lived.prompts if prompt.intended > 240}

    assert len(stayed) == 20
    assert len([number for number in stayed if number <= 20]) in range(1, 12)


def test_no_attempt_outlasts_the_patience() -> None:
    """A retrying client whose user has 15 s is never heard of later."""
    lived = live_through(
        scenario(
            [{"timeout": 0}], group={"policy": {"name": "fixed", "attempts": 99, "timeout": "4s"}, "patience": "15s"}
        )
    )

    assert max(prompt.end - prompt.intended for prompt in lived.prompts) <= 15.0 + 1e-3


def test_who_does_not_think_asks_again_a_millisecond_after_a_refusal() -> None:
    """Else all prompts of the outage would be asked at its first moment, without an end."""
    lived = live_through(scenario(phases=NO_THINK, group={"think": "0s"}))
    asked = [prompt.intended for prompt in lived.prompts if 4 <= prompt.intended < 5]

    assert [b - a for a, b in pairwise(asked)] == pytest.approx([0.001] * (len(asked) - 1), abs=1e-4)


def test_retry_after_is_honoured() -> None:
    """A client told to wait 30 s sends nothing for 30 s."""
    group = {"policy": {"name": "backoff", "attempts": 4}, "patience": "10m"}
    lived = live_through(scenario([{"http_error": {"status": 503, "retry_after": "30s"}}], group=group))
    sent: dict[str, list[float]] = {}
    for attempt in lived.during(100, 200):
        sent.setdefault(attempt.prompt, []).append(attempt.start)
    gaps = [later - earlier for times in sent.values() for earlier, later in pairwise(times)]

    assert min(gaps) >= 30.0


def test_a_hedge_runs_beside_and_the_first_answer_wins() -> None:
    """With a twin after 500 ms, before the first token at 1 s, each prompt has two attempts and one answer."""
    group = {"policy": {"name": "once", "timeout": "20s", "hedge": "500ms"}}
    lived = live_through(scenario(group=group))

    assert {prompt.attempts for prompt in lived.prompts} == {2}
    assert Counter(attempt.outcome for attempt in lived.attempts)["ok"] == len(lived.prompts)


def test_requests_are_conserved() -> None:
    """Every attempt that reached the provider is in its seconds, admitted, refused or failed."""
    lived = live_through(scenario([{"http_error": 500, "share": "20%"}], provider={"slots": 3, "queue": {"limit": 2}}))
    total = {
        name: sum(getattr(second, name) for second in lived.seconds)
        for name in ("offered", "admitted", "refused", "failed")
    }

    assert total["offered"] == len([a for a in lived.attempts if a.start < int(lived.end)])
    assert total["offered"] == total["admitted"] + total["refused"] + total["failed"]


def test_what_is_under_way_at_the_end_is_on_record() -> None:
    """A hung attempt is an attempt: nothing that began is missing."""
    world = scenario(
        [{"timeout": 0, "lasts": "200s"}], group={"policy": {"name": "once", "timeout": "10m"}, "patience": "10m"}
    )
    lived = live_through(world)

    assert {prompt.settled for prompt in lived.prompts if prompt.end >= lived.end} <= {
        "unfinished",
        "gave_up",
        "answered",
    }
    assert {attempt.prompt for attempt in lived.attempts} == {prompt.id for prompt in lived.prompts}


def test_the_word_of_a_shaped_error_is_heard() -> None:
    """x-should-retry decides for the SDK that reads it, and milliseconds are not rounded to a second."""
    error = {"status": 429, "headers": {"x-should-retry": "false"}, "retry_after": {"ms": "700ms"}}
    group = {"policy": "openai-python"}
    silenced = live_through(scenario([{"http_error": error}], group=group)).during(110, 190)
    retried = live_through(scenario([{"http_error": error | {"headers": {}}}], group=group)).during(110, 190)

    assert {attempt.n for attempt in silenced} == {0}
    assert {attempt.n for attempt in retried} == {0, 1, 2}
    assert {attempt.retry_after for attempt in retried} == {0.7}
