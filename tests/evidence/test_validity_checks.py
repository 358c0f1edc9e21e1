"""Every validity check failed once: it names what was wrong with the run and makes the verdict inconclusive."""

import ast
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import mockbot
from mockbot.evidence.journal import Broken, RunEvidence
from mockbot.evidence.judgement import Judgement
from mockbot.evidence.records import Action, Attempt, Health, Interception, Prompt, ServiceSecond
from mockbot.evidence.validity import Problem
from mockbot.evidence.verdict import judge
from tests.evidence.build import (
    AFTER,
    CALM,
    FAULT,
    FELT,
    actions,
    attempt,
    evidence,
    health,
    prompt,
    scenario,
    sound_run,
    steady,
)


def sound(requests: Sequence[Attempt | Prompt | Broken] | None = None, **how: Any) -> RunEvidence:
    """A run with nothing to complain about, less what a test changes."""
    return evidence(sound_run() if requests is None else requests, how.pop("seconds", FELT), **how)


def broken(judgement: Judgement) -> list[str]:
    return [check.name for check in judgement.checks if not check.ok]


def test_a_sound_run_passes() -> None:
    """All checks pass and the expectation holds."""
    judgement = judge(sound())

    assert (judgement.verdict, broken(judgement)) == ("pass", [])


def late_actions(late: float) -> tuple[Action, ...]:
    begin, end = actions()
    return (replace(begin, confirmed=100.0 + late), end)


def busy(**how: Any) -> tuple[Health, ...]:
    return tuple(replace(sample, **how) for sample in health())


BEGIN, END = actions()
CASES: dict[str, tuple[Callable[[], RunEvidence], str, str]] = {
    "interrupted": (lambda: sound(ended="interrupted", why="Ctrl-C"), "ended", "was interrupted: Ctrl-C"),
    "failed": (lambda: sound(ended="failed"), "ended", "it failed: no reason was given"),
    "a lost worker": (lambda: sound(nodes=4, lost_nodes=1), "ended", "1 of 4 load processes were lost"),
    "lost a worker": (lambda: sound(ended="lost_worker", why="worker 2"), "ended", "lost a worker: worker 2"),
    "stopped early": (lambda: sound(end=350.0), "ended", "stopped at 5:50"),
    "an intercepted client that went past the proxy": (
        lambda: sound(intercepted=Interception(passed={"llm.example": 3})),
        "intercepted",
        "no provider's host (it was asked for llm.example), so the client went past it or asked nobody; aiohttp needs",
    ),
    "an intercepted client with CAs of its own": (
        lambda: sound(intercepted=Interception({"api.openai.com": 4}, distrusted=2)),
        "intercepted",
        "2 connections ended because the client does not trust the run's CA",
    ),
    "an intercepted client of another user": (
        lambda: sound(intercepted=Interception(strangers=2)),
        "intercepted",
        "the proxy refused 2 requests of another user of this machine; run the client as your own user",
    ),
    "no data": (lambda: sound([]), "data", "no data is no success"),
    "a damaged journal": (
        lambda: sound([*sound_run(), Broken("journal.jsonl", 7, "Invalid JSON")]),
        "journal",
        "journal.jsonl:7: Invalid JSON",
    ),
    "a torn line in a run that completed": (
        lambda: sound([*sound_run(), Broken("journal.jsonl", 901, "EOF", last=True)]),
        "journal",
        "the last line of journal.jsonl is torn, though the run completed: the files were changed",
    ),
    "fewer records than were written": (
        lambda: sound(records={"prompts": 1000, "actions": 2, "health samples": 20, "service seconds": 1}),
        "journal",
        "1000 prompts were written, and 800 are on record: the files were changed or damaged",
    ),
    "more health samples than were written": (
        lambda: sound(records={"prompts": 800, "actions": 2, "health samples": 19, "service seconds": 1}),
        "journal",
        "19 health samples were written, and 20 are on record",
    ),
    "a run that was not signed off": (
        lambda: sound(records=None),
        "journal",
        "run.json does not say how many records were written",
    ),
    "a prompt twice": (
        lambda: sound([*sound_run(), prompt(7.0)]),
        "journal",
        "prompt p7 is on record twice",
    ),
    "an attempt twice": (
        lambda: sound([*sound_run(), attempt(7.0), attempt(7.0, 2.0)]),
        "journal",
        "attempt 0 of prompt p7 is on record twice",
    ),
    "a second twice": (
        lambda: sound(seconds=[*FELT, *FELT]),
        "journal",
        "second 150 of provider main is on record twice",
    ),
    "a record that ends before it starts": (
        lambda: sound([*sound_run(), prompt(7.5, -0.001, name="back")]),
        "journal",
        "prompt back ends before it starts",
    ),
    "a run.json of another scenario": (
        lambda: sound(scenario="pepper"),
        "journal",
        "run.json is of the scenario pepper, scenario.json of paper",
    ),
    "requests that the network lost": (
        lambda: sound(
            [*sound_run(), *(attempt(250.0 + n, outcome="timeout") for n in range(3))],
            seconds=[*FELT, *(ServiceSecond(250 + n, "main") for n in range(3))],
        ),
        "requests arrived",
        "3 requests never reached main, from 4:10 on, though no fault kept them away",
    ),
    "too little data in a phase": (
        lambda: sound([*steady(0, 199), *steady(200, 209)]),
        "data in after",
        "phase after has too little data: 18 prompts where 20 are needed",
    ),
    "prompts that hang": (
        lambda: sound([*sound_run(), prompt(150.0, 250.0, "unfinished", name="hung")]),
        "pending",
        "1 of them past their group's patience: hung since 2:30",
    ),
    "a fault that nobody felt": (
        lambda: sound(seconds=()),
        f"felt {FAULT}",
        f"no request felt {FAULT}, so nothing was tested there",
    ),
    "a fault that never began": (lambda: sound(did=(END,)), f"applied {FAULT}", "its begin was never confirmed"),
    "a fault that never ended": (lambda: sound(did=(BEGIN,)), f"applied {FAULT}", "its end was never confirmed"),
    "a change in error": (
        lambda: sound(did=(replace(BEGIN, confirmed=None, error="no such proxy"), BEGIN, END)),
        f"applied {FAULT}",
        "its begin due at 1:40.0 was not confirmed: no such proxy",
    ),
    "a change without an answer": (
        lambda: sound(did=(BEGIN, replace(END, confirmed=None))),
        f"applied {FAULT}",
        "its end due at 3:20.0 was not confirmed: no answer",
    ),
    "a change that came late": (
        lambda: sound(did=late_actions(1.5)),
        f"applied {FAULT}",
        "its begin due at 1:40.0 was confirmed 1.5s late",
    ),
    "a status page that did not change": (
        lambda: sound(did=(BEGIN, END, Action("status_page", "change", 120.0, 120.0, None, "gone"))),
        "other actions",
        "status_page could not be changed at 2:00.0: gone",
    ),
    "prompts sent late": (
        lambda: sound([*sound_run(), *(replace(each, id=f"late-{each.id}") for each in steady(0, 10, late=0.2))]),
        "generator lag",
        "fell behind its schedule by more than 50 ms: 2.4 % of the prompts were sent late",
    ),
    "a late generator": (lambda: sound(kept_up=busy(lag_p99=0.06)), "generator lag", "in 100 % of its samples"),
    "a generator that says nothing": (lambda: sound(kept_up=()), "generator lag", "no load-generator health samples"),
    "a full core": (lambda: sound(kept_up=busy(cpu=0.99)), "machine", "core was full in 100 % of the samples"),
    "a full machine that was felt": (
        lambda: sound(kept_up=busy(machine_cpu=1.0, loop_lag_p99=0.08)),
        "machine",
        "the machine in 100 %; use more --processes or --workers, a lower speed or fewer users",
    ),
    "a service that died": (
        lambda: sound(did=(BEGIN, END, Action("service", "look", 209.0, 209.0, None, "does not answer"))),
        "testbed",
        "the service failed at 3:29.0: does not answer; see the logs in the run folder, and run again",
    ),
    "a proxy that stood still": (
        lambda: sound(did=(BEGIN, END, Action("proxy", "look", 209.0, 209.0, 211.0))),
        "testbed",
        "the proxy failed at 3:29.0: took 2 s to answer",
    ),
    "a load process that stood still": (
        lambda: sound(kept_up=(*health(), Health(9.0, "worker-1", 0.0, 2.1, 0.1, 0.1))),
        "testbed",
        "the load process worker-1 stood still for 2.1 s before 0:09.0",
    ),
}


def test_a_look_that_took_a_second_is_on_record_and_no_failure() -> None:
    """Honesty is not nervousness: the limit is two wall seconds."""
    assert broken(judge(sound(did=(BEGIN, END, Action("proxy", "look", 209.0, 209.0, 210.5))))) == []


@pytest.mark.parametrize("name", CASES)
def test_a_failed_check_makes_the_run_inconclusive(name: str) -> None:
    """The check for it fails, and its reason is the verdict's."""
    make, check, says = CASES[name]

    judgement = judge(make())

    assert judgement.verdict == "inconclusive"
    assert check in broken(judgement)
    assert any(says in reason for reason in judgement.reasons), judgement.reasons
    assert all("; " in reason for reason in judgement.reasons), "a reason ends with what to do"


@pytest.mark.parametrize("name", sorted(CASES.keys() - {"no data", "stopped early"}))
def test_one_cause_fails_one_check(name: str) -> None:
    """One cause, one reason."""
    make, check, _ = CASES[name]

    assert broken(judge(make())) == [check]


def test_every_check_failed_once() -> None:
    """Each check has a test in which it fails."""
    names = {check.name for check in judge(sound(intercepted=Interception({"api.openai.com": 1}))).checks}

    assert {check for _, check, _ in CASES.values()} | {"data in steady", "data in blackout"} == names


def test_a_torn_last_line_is_told_and_breaks_nothing() -> None:
    """A killed writer leaves one; the run says itself whether it was killed."""
    judgement = judge(sound([*sound_run(), Broken("journal.jsonl", 901, "EOF", last=True)], ended="failed"))

    journal = next(check for check in judgement.checks if check.name == "journal")
    assert (journal.ok, journal.says) == (True, "the last line of journal.jsonl was torn when its writer was killed")


def test_what_is_pending_within_its_patience_is_listed_and_breaks_nothing() -> None:
    """A prompt of the last seconds has not hung."""
    judgement = judge(sound([*sound_run(), prompt(399.0, 1.0, "unfinished", name="young")]))

    assert (judgement.verdict, [waiting.id for waiting in judgement.pending]) == ("pass", ["young"])


DOWN = scenario(phases=[CALM, {"name": "cut", "lasts": "100s", "faults": [{"down": True}]}, AFTER])
CUT = actions("cut.0.down")


def test_where_nothing_listens_the_clients_feel_it() -> None:
    """A refused attempt at the provider during `down` is its hit; no service can count it."""
    refused = attempt(150.0, 0.01, "refused", of="p150")

    assert broken(judge(sound([*sound_run(), refused], of=DOWN, did=CUT))) == []


@pytest.mark.parametrize(
    "other",
    [
        attempt(150.0, 0.01, "refused", provider="other"),
        attempt(50.0, 0.01, "refused"),
        attempt(150.0, 0.01, "timeout"),
    ],
    ids=["another provider", "before it", "another outcome"],
)
def test_a_refusal_elsewhere_is_no_hit(other: Attempt) -> None:
    """Another provider, another time, another outcome."""
    assert broken(judge(sound([*sound_run(), other], of=DOWN, did=CUT))) == ["felt cut.0.down"]


def test_lateness_is_wall_time() -> None:
    """At speed 20, 15 scenario seconds are 0.75 s; a quarter of the fault's length is the other limit."""
    assert broken(judge(sound(did=late_actions(15.0), speed=20.0))) == []
    assert broken(judge(sound(did=late_actions(26.0), speed=100.0))) == [f"applied {FAULT}"]


@pytest.mark.parametrize(
    ("asked", "late", "checks"),
    [
        (150.0, (30.0, 30.0), []),
        (240.0, (0.0, 30.0), []),
        (210.0, (0.0, 0.5), []),
        (210.0, (0.0, 30.0), [f"applied {FAULT}"]),
    ],
    ids=["while it should hold", "when it was over", "late by half a second", "when it should have been over"],
)
def test_one_client_minds_what_is_late_only_when_it_asks_meanwhile(
    asked: float, late: tuple[float, float], checks: list[str]
) -> None:
    """A test waits until a phase's faults are in place; only what an earlier phase left behind is not its fault."""
    begin, end = (replace(act, confirmed=act.due + by) for act, by in zip(actions(), late, strict=True))
    felt = (attempt(150.0, 0.1, "http_error", status=503), prompt(150.0, 0.1, "gave_up"))
    run = sound(
        [*felt, attempt(asked, 0.1, of="later"), prompt(asked, 0.1, name="later")], did=(begin, end), client="command"
    )

    assert broken(judge(run)) == checks


def test_one_hiccup_of_the_generator_is_forgiven() -> None:
    """One sample in twenty."""
    hiccup = (replace(health()[0], lag_p99=0.5), *health()[1:])

    assert broken(judge(sound(kept_up=hiccup))) == []


def test_a_full_machine_that_nobody_felt_is_no_reason() -> None:
    """Others may use what the run leaves."""
    assert broken(judge(sound(kept_up=busy(machine_cpu=1.0)))) == []


def test_a_simulated_run_has_no_load_generator_and_no_driver() -> None:
    """Virtual time cannot be late, but a fault must be felt there too."""
    judgement = judge(sound(simulated=True, kept_up=(), did=(), seconds=()))

    assert broken(judgement) == [f"felt {FAULT}"]


def test_wire_faults_are_felt_as_the_provider_reports_them() -> None:
    """The driver writes the proxy's counts into the provider's seconds."""
    told = scenario(phases=[CALM, {"name": "cut", "lasts": "100s", "faults": [{"latency": "300ms"}]}, AFTER])
    felt = (ServiceSecond(150, "main", felt={"cut.0.latency": 3}),)

    assert broken(judge(sound(of=told, did=actions("cut.0.latency"), seconds=felt))) == []


def test_no_check_fails_without_saying_what_to_do() -> None:
    """`checked` takes a Problem, whose remedy has no default; no module goes past it."""
    made = {
        path.name
        for path in Path(mockbot.__file__).parent.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "ValidityCheck"
    }

    assert made == {"validity.py"}
    assert Problem._field_defaults == {}
