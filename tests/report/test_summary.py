"""summary.json: complete, versioned, as its published schema says, the same bytes for the same run."""

import json
from pathlib import Path

import mockbot.report
from mockbot.evidence.judgement import Judgement, schema_json
from mockbot.evidence.verdict import judge
from tests.evidence.build import FELT, evidence, prompt, scenario, sound_run, steady

SCHEMA = Path(mockbot.report.__file__).with_name("summary.schema.json")


def summary(*more: object, **how: object) -> Judgement:
    run = evidence(sound_run(), FELT, **how)  # type: ignore[arg-type]
    return judge(run)


def test_the_published_schema_is_the_models() -> None:
    """`summary.schema.json` in the package describes what is written; regenerate it with `schema_json()`."""
    assert SCHEMA.read_text("utf-8") == schema_json()


def test_it_reads_back() -> None:
    """What was written validates as what it is."""
    text = summary().json_text()

    assert Judgement.model_validate_json(text).json_text() == text


def test_it_is_the_same_to_the_byte() -> None:
    """No clock and no order of sets gets into it."""
    assert summary().json_text() == summary().json_text()


def test_a_measure_is_a_number_never_a_bound_or_null_with_a_reason() -> None:
    """The four things that a measure may come out as."""
    run = evidence([*steady(0, 100), *steady(100, 400, took=5.0, settled="gave_up")], FELT)
    whole = json.loads(judge(run).json_text())["measures"][0]

    found = {name: whole["values"][name] for name in ("availability", "latency_p95", "recovery_time", "overshoot")}

    assert found == {
        "availability": 0.25,
        "latency_p95": "never",
        "recovery_time": {"more_than": 191.0},
        "overshoot": None,
    }
    assert set(whole["unknown"]) >= {"recovery_time", "overshoot"}


def test_it_says_what_was_wrong_and_when() -> None:
    """Faults as planned and as measured, and how many requests each hit."""
    (fault,) = summary().faults

    assert (fault.id, fault.provider, fault.felt) == ("blackout.0.http_error", "main", 9)
    assert (fault.planned, fault.measured) == ((100.0, 200.0), (100.0, 200.0))


def test_pending_prompts_are_listed() -> None:
    """By name, with their group and when they were asked."""
    run = evidence([*sound_run(), prompt(399.0, 1.0, "unfinished", name="young")], FELT)

    told = judge(run)

    assert (told.pending_count, told.pending[0].id, told.pending[0].intended) == (1, "young", 399.0)


def test_an_inconclusive_run_has_its_reasons() -> None:
    """The broken guard is there with its words."""
    told = summary(of=scenario(expect=[]))

    assert (told.verdict, len(told.reasons)) == ("inconclusive", 1)
