"""The three sentences that a manager reads."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from mockbot.evidence.records import Attempt, Prompt
from mockbot.evidence.verdict import judge
from mockbot.report.executive_summary import executive_summary
from tests.evidence.build import CALM, FELT, actions, evidence, prompt, scenario, sound_run, steady


def told(requests: Sequence[Attempt | Prompt], **how: Any) -> tuple[str, ...]:
    run = evidence(requests, FELT, **how)
    return executive_summary(judge(run))


HASTY = [prompt(n + 0.25, group="hasty", name=f"h{n}") for n in range(400)]


def test_what_was_wrong_how_users_fared_and_what_came_after() -> None:
    """A blackout of 100 s that one group did not notice."""
    assert told([*sound_run(), *HASTY]) == (
        (
            "Users were down for 2 minutes in group patient, and for 0 seconds in group hasty, and 1.3 requests were "
            "sent for each prompt."
        ),
        "For 2 minutes main answered with errors.",
        (
            "At worst, in the phase blackout, users got a good answer to 33.33% of their prompts, where it had been "
            "100% before; group hasty did best with 100%, group patient worst with 0%."
        ),
    )


def test_of_three_groups_the_longest_and_the_shortest_are_called_so() -> None:
    """The third lies in between, and is not told."""
    calls = [replace(each, group="sdk", id=f"s{n}", user=f"s{n}") for n, each in enumerate(HASTY)]
    three = scenario(
        crowd={
            name: {"users": share, "policy": "backoff"}
            for name, share in (("patient", 0.4), ("hasty", 0.3), ("sdk", 0.3))
        }
    )

    down = "Users were down for 2 minutes in group patient, the longest, and for 0 seconds in group hasty, the shortest"
    assert told([*sound_run(), *HASTY, *calls], of=three)[0].startswith(down)


def test_a_run_that_did_not_recover_says_so() -> None:
    """Never a number that looks like a recovery."""
    lost = [*steady(0, 100), *steady(100, 400, took=5.0, settled="gave_up")]

    assert told(lost)[0].startswith("Users were down for at least 5 minutes and still when the run ended")


def test_how_long_users_were_down_comes_first() -> None:
    """100 s of the fault, and 37 s until they were well again."""
    slow = [*steady(0, 100), *steady(100, 237, took=5.0, settled="gave_up"), *steady(237, 400)]

    assert told(slow)[0].startswith("Users were down for 2 minutes, and")


def test_a_surge_is_a_larger_crowd() -> None:
    """No fault, three times the users."""
    phases = [CALM, {"name": "surge", "lasts": "60s", "users": 150}, {"name": "after", "lasts": "200s", "users": 50}]

    assert (
        told(steady(0, 360), of=scenario(phases=phases), did=())[1] == "For 60 seconds the load was higher than usual."
    )


def test_a_plain_load_is_called_one() -> None:
    """Nothing went wrong."""
    sentences = told(steady(0, 100), of=scenario(phases=[CALM]), did=())

    assert sentences[0] == "Nothing went wrong in this run: it is a plain load."
    assert sentences[1].startswith("Users got a good answer to 100% of their prompts")


def test_many_faults_are_not_all_listed() -> None:
    """Four kinds are, the longest first; of five the last two are counted."""
    faults: list[dict[str, Any]] = [
        {"http_error": 503},
        {"latency": "1s", "lasts": "90s"},
        {"down": True, "lasts": "80s"},
    ]
    faults += [{"cut": "reset", "lasts": "70s"}, {"blank_answer": True, "lasts": "60s"}]
    said = []
    for count in (4, 5):
        blackout = {"name": "blackout", "lasts": "100s", "faults": faults[:count]}
        made = scenario(phases=[CALM, blackout, {"name": "x", "lasts": "9s"}])
        ids = [f"blackout.{n}.{next(iter(fault))}" for n, fault in enumerate(faults[:count])]
        did = [action for n, each in enumerate(ids) for action in actions(each, end=200.0 - 10 * n)]
        said.append(told(sound_run(), of=made, did=tuple(did))[1])

    start = "In an outage of 2 minutes main answered with errors for 2 minutes, the network path to main was slow for "
    start += "90 seconds, main could not be reached for 80 seconds"
    assert said == [f"{start} and answers of main were cut off for 70 seconds.", f"{start}, and 2 more faults held."]


def test_each_kind_of_fault_has_its_own_time_and_a_replica_is_not_its_provider() -> None:
    """Twice the same for 30 s each, then another one on one replica of three: 100 s of outage."""
    replicas = {"main": {"replicas": 3, "slots": 5}}
    faults = [
        {"latency": "1s", "lasts": "30s"},
        {"latency": "2s", "at": "30s", "lasts": "30s"},
        {"http_error": 500, "replica": 2, "at": "60s"},
    ]
    made = scenario(providers=replicas, phases=[CALM, {"name": "blackout", "lasts": "100s", "faults": faults}])
    did = (
        *actions("blackout.0.latency", end=130.0),
        *actions("blackout.1.latency", begin=130.0, end=160.0),
        *actions("blackout.2.http_error", begin=160.0, end=200.0),
    )

    assert told(sound_run(), of=made, did=did)[1] == (
        "In an outage of 2 minutes the network path to main was slow for 60 seconds and replica 2 of main answered "
        "with errors for 40 seconds."
    )


def test_a_run_without_data_tells_nothing() -> None:
    """No sentence is made from nothing."""
    assert told([]) == ("No prompt was issued, so there are no results.",)


def test_two_outages_are_not_one_long_one() -> None:
    """Two faults of 20 s with two minutes of calm between them; the group's worst one is its time down."""
    fault = {"http_error": 503}
    phases = [
        CALM,
        {"name": "first", "lasts": "20s", "faults": [fault]},
        {"name": "calm", "lasts": "120s"},
        {"name": "second", "lasts": "20s", "faults": [fault]},
        {"name": "after", "lasts": "140s"},
    ]
    did = (
        *actions("first.0.http_error", begin=100.0, end=120.0),
        *actions("second.0.http_error", begin=240.0, end=260.0),
    )
    journal = [
        *steady(0, 100),
        *steady(100, 120, took=5.0, settled="gave_up"),
        *steady(120, 240),
        *steady(240, 260, took=5.0, settled="gave_up"),
        *steady(260, 400),
    ]

    down, what, _ = told(journal, of=scenario(phases=phases), did=did)

    assert what == "In 2 outages, 40 seconds in all, main answered with errors."
    assert down.startswith("Users were down for 20 seconds")


def test_a_phase_in_which_all_was_well_is_not_called_the_worst() -> None:
    """As good as every other one, or the only one with prompts: "at worst 100%" under a failed run misleads."""
    only = steady(0, 99, took=1.0)

    assert told(steady(0, 400))[2] == "In every phase users got a good answer to 100% of their prompts."
    assert told(only)[2] == (
        "Only the phase steady has prompts enough to tell: there users got a good answer to 100% of their prompts."
    )
