"""`mockbot explain`: theory and simulation stand side by side, and agree where they should."""

import json
import math
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from mockbot.cli import cli
from mockbot.commands import explain as command
from mockbot.commands.explain import ExplainOptions, explain_command
from mockbot.errors import ExitCode, UsageError
from mockbot.evidence.count_run import count_run
from mockbot.evidence.scope_counters import counters_of
from mockbot.measures.scope import Scope
from mockbot.measures.table import TABLE
from mockbot.measures.values import Beyond, Known
from mockbot.runs.folder import RunFolder
from mockbot.runs.journal_files import JournalWriter, write_run_info
from mockbot.scenario.library import find
from mockbot.scenario.load import load_scenario
from mockbot.scenario.schema import Scenario
from mockbot.simulate import theory
from mockbot.simulate.explain import duration, failing_over, paying, refreshing, telling
from mockbot.simulate.explain.answer import Answer, Figure, Law, Measure
from mockbot.simulate.explain.experiment import Experiments, RunResult, drained, peak, result_of
from mockbot.simulate.explain.explanation_page import shares
from mockbot.simulate.explain.question import Figures, Question
from mockbot.simulate.explain.setting import Setting, setting_of
from mockbot.simulate.simulation import Memory, simulate

pytestmark = pytest.mark.second

SHORT: dict[str, Any] = {"first_token": "1s", "tokens": {"median": 11, "p95": 11}, "pace": "10/s"}  # 2 s
TINY: dict[str, Any] = {
    "name": "tiny",
    "title": "A tiny outage",
    "providers": {"main": {"slots": 8, "queue": {"limit": 24}, "answer": SHORT}},
    "crowd": {
        "refreshers": {"users": "50%", "policy": {"name": "refresh", "every": "6s"}, "think": "20s"},
        "patient": {"users": "50%", "policy": "backoff", "think": "20s"},
    },
    "phases": [
        {"name": "calm", "lasts": "2m", "users": 40},
        {"name": "bad", "lasts": "2m", "faults": [{"http_error": 503}]},
        {"name": "after", "lasts": "3m"},
    ],
}
TIERS = {"crowd": {tier: TINY["crowd"]["patient"] | {"tier": tier} for tier in ("free", "plus")}}


def tiny(**more: Any) -> Scenario:
    """An outage of two minutes on one provider, 40 users of one tier."""
    return Scenario.model_validate(TINY | more)


QUESTIONS: tuple[Question, ...] = (
    refreshing.QUESTION, duration.QUESTION, failing_over.QUESTION, telling.QUESTION, paying.QUESTION,
)  # fmt: skip


def asked(scenario: Scenario, key: str, seeds: int = 2) -> Answer:
    """One question."""
    (question,) = (each for each in QUESTIONS if each.key == key)
    return question.answer(setting_of(scenario), Experiments(seeds, lambda: None), None)


def setting(scenario: Scenario) -> Setting:
    """The outage of a file that has one."""
    found = setting_of(scenario)
    assert isinstance(found, Setting)
    return found


def test_the_outage_is_the_files_own() -> None:
    """A partial fault at one of two providers stays that; the groups are those that ask this provider."""
    two = {"a": TINY["providers"]["main"], "b": TINY["providers"]["main"]}
    crowd = {
        "here": {"users": "50%", "uses": "b", "policy": "backoff"},
        "there": {"users": "50%", "uses": "a", "policy": "backoff"},
    }
    fault = {"http_error": 500, "share": "40%", "on": "b", "endpoint": "/v1/chat"}
    phases = [TINY["phases"][0], {**TINY["phases"][1], "faults": [fault]}, TINY["phases"][2]]
    found = setting(tiny(providers=two, crowd=crowd, phases=phases))

    assert (found.provider, found.begin, found.clear, list(found.groups)) == ("b", 120, 240, ["here"])
    assert "40%" in found.text()
    assert "hits every request" in found.unlike_blackout()


@pytest.mark.parametrize(
    ("changes", "key", "why"),
    [
        ({"phases": TINY["phases"][:1]}, "how-long", "nothing goes wrong in this file"),
        ({"phases": TINY["phases"][:2]}, "how-long", "the outage lasts until the file ends"),
        ({"phases": TINY["phases"][:2]}, "telling", "the outage lasts until the file ends"),
        ({}, "failing-over", "no other provider"),
        ({}, "paying", "of one tier (free)"),
        (TIERS | {"phases": [TINY["phases"][0] | {"users": 0}, *TINY["phases"][1:]]}, "paying", "nobody asks anything"),
    ],
)
def test_a_question_that_makes_no_sense_says_why(changes: dict[str, Any], key: str, why: str) -> None:
    """And there are no figures."""
    told = asked(tiny(**changes), key)

    assert why in told.sentence
    assert not told.makes_sense
    assert told.figures == ()


def test_a_law_whose_answers_have_a_tail_beyond_the_interval_is_not_told() -> None:
    """Half of the answers take longer than the reload interval: the reason stands where the law would."""
    tail = {"first_token": "1s", "tokens": {"median": 40, "p95": 200}, "pace": "10/s"}
    crowd = {"all": {"users": "100%", "policy": {"name": "refresh", "every": "5s"}, "think": "20s", "patience": "1h"}}
    world = tiny(providers={"main": {"slots": 8, "queue": {"limit": 24}, "answer": tail}}, crowd=crowd)
    law = refreshing.QUESTION.law(setting(world))

    assert "take longer than 5s by themselves" in law.why_not
    assert law.formula == ""


def test_one_formula_has_the_slots_in_it() -> None:
    """(q + slots) / C = 40 / 2.56 = 15.6 s at the provider of the surge that tips."""
    law = refreshing.QUESTION.law(setting(load_scenario(find("traffic-surge"))))

    assert theory.refresh_safe(50, 32, 8, 8 / 3.12) == pytest.approx(15.6)
    assert "15.6s" in law.says


def test_each_figure_of_a_sentence_has_its_interval() -> None:
    """Every percentage in the five sentences is followed by its interval, or says in how many seeds it was never."""
    for question in QUESTIONS:
        told = question.answer(setting_of(tiny()), Experiments(2, lambda: None), None)
        shares = re.findall(r"[\d.]+%(?! ±)", re.sub(r"± [\d.]+%", "±", told.sentence))

        assert not told.makes_sense or not shares, told.sentence


def test_variants_that_are_simulated_in_processes_give_the_same_answers() -> None:
    """A question finds its runs done, by two processes, and says of them what it says of its own."""
    setting = setting_of(tiny())
    assert isinstance(setting, Setting)
    with closing(Experiments(2, lambda: None)) as experiments:
        experiments.ahead([(each.scenario, True) for each in telling.QUESTION.variants(setting).values()], lambda _: 2)
        told = telling.QUESTION.answer(setting, experiments, None)

    assert told == asked(tiny(), telling.QUESTION.key)


def test_the_output_is_the_same_bytes_in_processes_as_in_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For one seed, all five answers with their figures and notes."""
    monkeypatch.chdir(tmp_path)
    two = {"main": TINY["providers"]["main"], "spare": TINY["providers"]["main"]}
    world, said = tiny(providers=two), []
    for workers in (1, 2):
        monkeypatch.setattr(command, "workers_for", lambda _, __, workers=workers: workers)
        out = console()
        explain_command(ExplainOptions(world, "tiny.yaml", seeds=1, as_json=True), out, out)
        said.append(out.export_text())

    assert said[0] == said[1]
    assert json.loads(said[0])["complete"]


def test_a_variant_that_is_the_file_gives_the_files_own_result() -> None:
    """Nobody falls over in it: without fail-over it is the file, which is said, and its figures stand there once."""
    two = {"main": TINY["providers"]["main"], "spare": TINY["providers"]["main"]}
    told = asked(tiny(providers=two), "failing-over")
    (own,) = (each for each in told.figures if each.what == f"as written: {failing_over.DIVERTED}")

    assert any(line.startswith("no fail-over: ") and line.endswith(", as in the file.") for line in told.variants)
    assert f"{own} without fail-over" in told.sentence
    assert not any(each.what.startswith("no fail-over: ") for each in told.figures)


def test_recovery_is_that_of_the_outage_that_is_explained() -> None:
    """Another provider's outage, whose few users never tell whether they are well again, has no part in it."""
    two = {"main": TINY["providers"]["main"], "other": TINY["providers"]["main"]}
    crowd = {
        "many": {"users": "95%", "policy": "backoff", "think": "20s", "uses": "main"},
        "few": {"users": "5%", "policy": "backoff", "think": "60s", "uses": "other"},
    }
    faults = [{"http_error": 503, "on": name} for name in two]
    phases = [TINY["phases"][0], {**TINY["phases"][1], "faults": faults}, TINY["phases"][2]]
    world, memory = tiny(providers=two, crowd=crowd, phases=phases), Memory()
    evidence = memory.evidence(world, simulate(world, sink=memory.take))
    told = asked(world, "how-long")
    well, settled = (each for each in told.figures if each.what.split(": ")[1] in {duration.WELL, duration.THROUGH})

    assert isinstance(TABLE["recovery_time"].value(counters_of(count_run(evidence), Scope())), Beyond)
    assert all(value is not None and value < 60 for value in (*well.values, *settled.values))
    assert "never" not in told.sentence
    assert setting(world).text().endswith("(one of 2 outages in this file)")


def test_what_recovers_only_after_the_next_outage_has_not_recovered() -> None:
    """Reloaders who are stuck after a crash until hardly anybody is let in are not well again by themselves."""
    crowd = {"all": {"users": "100%", "policy": {"name": "refresh", "every": "6s"}, "think": "20s", "patience": "1h"}}
    times = {"calm": "2m", "bad": "2m", "stuck": "5m", "let-in": "2m", "after": "3m"}
    phases: list[dict[str, Any]] = [{"name": name, "lasts": lasts} for name, lasts in times.items()]
    phases[0]["users"] = 60
    phases[1]["faults"], phases[3]["faults"] = [{"crash": True}], [{"shed": {"admit": {"free": "0% -> 100%"}}}]
    world = tiny(crowd=crowd, phases=phases)
    told = asked(world, "how-long")

    assert setting(world).clear == 240
    assert {each.what: each.values for each in told.figures}[f"as written: {duration.WELL}"] == (math.inf, math.inf)
    assert "are well and stay so for 30s: never (2/2)" in told.sentence
    assert "nobody queues" not in told.sentence, "the crash has emptied the queue, and it fills after it"


def test_recovery_is_what_the_measures_of_the_run_say() -> None:
    """Of a file with one outage, the same numbers as every report of its run."""
    memory = Memory()
    evidence = memory.evidence(tiny(), simulate(tiny(), sink=memory.take))
    counted, found = counters_of(count_run(evidence), Scope()), result_of(evidence).recovered
    expected = [TABLE[name].value(counted) for name in ("recovery_time", "affected_recovery")]
    times = [[each.well or 0.0 for each in found], [each.settled or 0.0 for each in found]]

    assert {each.group for each in found} == {"refreshers", "patient"}
    assert expected == [Known(max(each)) for each in times]


def test_what_is_sent_at_once_is_counted_over_the_time_of_an_answer() -> None:
    """Twelve requests in three seconds where one a second can be answered: 4 times as many."""
    seconds = {"main": [(t, 12 * (t == 5), 3 * (t == 10)) for t in range(20)]}
    run = RunResult([], seconds)

    assert peak(0, 20, "main", 1.0, 3.0)(run) == pytest.approx(4)
    assert [drained(clear, 20, "main")(run) for clear in (8, 10, 11)] == [1, 2, 1]
    assert peak(30, 40, "main", 1.0, 3.0)(run) is None


def test_a_difference_too_small_to_matter_is_none() -> None:
    """Certain, and less than a percentage point."""
    few = Figure("", "availability", (0.011, 0.0105, 0.0101))
    none, some = (Figure("", "availability", (share,) * 3) for share in (0.004, 0.0))

    assert few.against(none) == "same"
    assert few.against(some) == "more"


def told_by(well: dict[str, float], good: dict[str, float]) -> str:
    """What the question about telling says of these figures, of three seeds that agree."""
    values: tuple[tuple[str, Measure, dict[str, float]], ...] = (
        (telling.WELL, "recovery_time", well),
        (telling.GOOD, "availability", good),
    )
    figures = Figures(
        {
            f"{way}: {what}": Figure(f"{way}: {what}", measure, (value,) * 3)
            for what, measure, each in values
            for way, value in each.items()
        }
    )
    return telling.QUESTION.sentence(setting(tiny()), figures, Law())


def test_telling_that_makes_it_longer_is_said_to() -> None:
    """As a status page that still says "investigating" when all is well."""
    silent, page = telling.SILENT, telling.PAGE
    later = told_by({silent: 0.0, page: 500.0}, {silent: 0.9, page: 0.1})
    sooner = told_by({silent: 500.0, page: 0.0}, {silent: 0.1, page: 0.9})
    same = told_by({silent: 1.0, page: 1.0}, {silent: 0.9, page: 0.9})

    assert "well again later with status page read; less of what is asked in it is good" in later
    assert "well again sooner with status page read; more of what is asked in it is good" in sooner
    assert "no difference is shown in when it is well again" in same


NO_GROUP = st.sampled_from(["once", "backoff", "sdk", "informed", "litellm", {"name": "refresh", "every": "5s"}])
FAULTS: st.SearchStrategy[dict[str, Any]] = st.sampled_from([
    {"http_error": 503}, {"http_error": 500, "share": "40%", "keys": "50%"}, {"rate_limited": {"retry_after": "5s"}},
    {"capacity": 0.0}, {"capacity": "50% -> 100%"}, {"crash": True}, {"down": True}, {"cut": "reset", "share": "20%"},
    {"timeout": "5s"}, {"latency": "2s"}, {"stall": "nothing"}, {"slow": 3}, {"maintenance": True},
    {"shed": {"admit": {"free": "20%"}}}, {"http_error": 503, "flap": {"period": "10s"}}, {"slicer": 20},
])  # fmt: skip


@st.composite
def files(draw: st.DrawFn) -> Scenario:
    """Small files of every kind: one or two providers, any policy and fault, closed and open groups, no think time."""
    small = {"slots": draw(st.integers(1, 4)), "queue": {"limit": draw(st.integers(0, 4))}, "answer": SHORT}
    names = ["a", "b"][: draw(st.integers(1, 2))]
    crowd: dict[str, Any] = {}
    for name in ("one", "two"):
        size = {"users": "50%"} if name == "one" or draw(st.booleans()) else {"arrivals": "100%"}
        group = {"policy": draw(NO_GROUP), "think": draw(st.sampled_from(["0s", "2s", "5s", "20s"])), "patience": "20s"}
        crowd[name] = (
            size | group | {"uses": draw(st.sampled_from(names)), "tier": draw(st.sampled_from(["free", "plus"]))}
        )
    if "arrivals" in crowd["two"]:
        crowd["one"]["users"] = "100%"
    several = st.lists(FAULTS, max_size=3, unique_by=lambda fault: next(iter(fault)))
    faults = [fault | {"on": draw(st.sampled_from(names))} for fault in draw(several)]
    load: dict[str, Any] = {"users": draw(st.integers(0, 6))}
    if "arrivals" in crowd["two"]:
        load["arrivals"] = "1/s"
    phases: list[dict[str, Any]] = [
        {"name": "calm", "lasts": "20s", **load},
        {"name": "bad", "lasts": "20s", "faults": faults},
    ]
    if draw(st.booleans()):
        phases.append({"name": "after", "lasts": "20s"})
    return tiny(providers=dict.fromkeys(names, small), crowd=crowd, phases=phases)


@given(files())
@settings(max_examples=25, deadline=None)
def test_no_file_that_is_valid_makes_it_fail(scenario: Scenario) -> None:
    """Whatever the file, each question has an answer, or the reason why it makes no sense or has none."""
    experiments, reasons = (
        Experiments(1, lambda: None, most=20_000),
        ("It makes no sense here: ", "It is not answered: "),
    )

    for question in QUESTIONS:
        told = question.answer(setting_of(scenario), experiments, None)
        assert told.figures if told.makes_sense else told.sentence.startswith(reasons)


def test_a_run_that_is_too_large_is_given_up_and_the_answer_says_so() -> None:
    """Of the file as written, there is no answer; of a variant, its figures are not there."""
    endless = tiny(crowd={"all": {"users": "100%", "policy": "once", "think": "0s"}})  # a refusal takes no time
    none = telling.QUESTION.answer(setting_of(endless), Experiments(1, lambda: None, most=5000), None)
    few = {"users": "10%", "policy": {"name": "refresh", "every": "1s"}, "think": "20s"}
    mixed = tiny(crowd={"few": few, "rest": {"users": "90%", "policy": "once", "think": "20s"}})
    some = refreshing.QUESTION.answer(setting_of(mixed), Experiments(1, lambda: None, most=8000), None)

    assert none.sentence.startswith("It is not answered: a run has more than 5,000 records")
    assert not none.makes_sense
    assert any("not simulated: a run has more than 8,000 records" in line for line in some.variants)
    assert not any(figure.what.startswith(refreshing.EVERYBODY) for figure in some.figures)
    assert any(figure.what.startswith(refreshing.NOBODY) for figure in some.figures)


def test_a_large_crowd_is_played_smaller_and_the_answer_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unless `--users` asks for it; small ones are played as they are."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(command, "QUESTIONS", ())
    large = {"slots": 80_000, "queue": {"limit": 240_000}, "answer": SHORT}
    phases = [TINY["phases"][0] | {"users": 400_000}, *TINY["phases"][1:]]
    world = tiny(providers={"main": large}, phases=phases)
    says: list[str] = []
    for options in (
        ExplainOptions(world, "tiny.yaml"), ExplainOptions(world, "tiny.yaml", users=400_000),
        ExplainOptions(tiny(), "tiny.yaml"),
    ):  # fmt: skip
        out = console()
        explain_command(replace(options, as_json=True), out, out)
        says.append(json.loads(out.export_text())["scaled"])

    assert says[0].startswith("to about 50,000 prompts")
    assert "80000 slots" in says[0]
    assert says[1:] == ["", ""]


FAST: dict[str, Any] = {"first_token": "100ms", "tokens": {"median": 10, "p95": 20}, "pace": "40/s"}
FEW: dict[str, dict[str, Any]] = {  # a handful of users before a provider that could serve hundreds; seconds of outage
    "quick": {"main": {}, "fault": {"http_error": {"status": 503, "retry_after": "1s"}}, "lasts": ("1s", "3s", "2s")},
    "serve": {"main": {"slots": 10, "answer": FAST}, "fault": {"latency": "20ms"}, "lasts": ("40s", "40s", "1s")},
    "tg": {
        "main": {"slots": 20, "answer": FAST},
        "fault": {"latency": "20ms"},
        "lasts": ("4s", "4s", "12s"),
        "users": 10,
    },
    "one_user": {"main": {"slots": 40}, "fault": {"http_error": 503, "share": "50%"}, "lasts": ("10m", "10m", "10m")},
}


def few(name: str) -> Scenario:
    """A scenario whose load is next to nothing: to be staged its slots are multiplied by thousands."""
    spec = FEW[name]
    names = zip(("calm", "bad", "after"), spec["lasts"], strict=True)
    phases: list[dict[str, Any]] = [{"name": phase, "lasts": lasts} for phase, lasts in names]
    phases[0]["users"], phases[1]["faults"] = spec.get("users", 1), [spec["fault"]]
    crowd = {"people": {"users": "100%", "policy": "backoff"}}
    return tiny(name=name.replace("_", "-"), providers={"main": spec["main"]}, crowd=crowd, phases=phases)


@pytest.mark.parametrize("name", FEW)
def test_a_few_users_get_all_five_answers(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the scenario, `explain` ends with its page."""
    monkeypatch.chdir(tmp_path)

    assert explain_command(ExplainOptions(few(name), "few.yaml", seeds=1), console(), console()) == ExitCode.PASS
    assert list(tmp_path.glob("runs/*/explain.html"))


# -- the command -----------------------------------------------------------------------------------------------------


def console() -> Console:
    """80 columns into a string."""
    return Console(width=80, record=True, file=StringIO())


def live_run(folder: Path, scenario: Scenario) -> Path:
    """A folder as a live run leaves it, from a simulated one."""
    folder.mkdir(parents=True)
    (folder / "scenario.json").write_text(scenario.model_dump_json(), "utf-8")
    with JournalWriter(RunFolder(folder)) as journal:
        info = simulate(scenario, sink=journal.write)
    write_run_info(RunFolder(folder), replace(info, simulated=False, t0=1.0, records=journal.written))
    return folder


def test_five_answers_on_the_terminal_as_json_and_as_a_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside the newest live run of the scenario, whose folder gets the page; nothing is wider than 80 columns."""
    monkeypatch.chdir(tmp_path)
    folder = live_run(tmp_path / "runs" / "20260101-000000-tiny", tiny())
    out = console()
    code = explain_command(ExplainOptions(tiny(), "tiny.yaml", seeds=1), out, out)
    text = out.export_text()
    whole = json.loads((folder / "explain.json").read_text("utf-8"))
    page = (folder / "explain.html").read_text("utf-8")

    assert code is ExitCode.PASS
    assert [answer["key"] for answer in whole["answers"]] == [
        "refreshing",
        "how-long",
        "failing-over",
        "telling",
        "paying",
    ]
    assert all(answer["sentence"] for answer in whole["answers"])
    assert any(figure["live"] is not None for figure in whole["answers"][1]["figures"])
    assert all(answer["question"] in text and answer["question"] in page for answer in whole["answers"])
    assert max(map(len, text.splitlines()[:-1])) <= 80


def test_ctrl_c_keeps_the_answers_that_are_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit 130, and the page has what there is."""

    def interrupted(_: Setting) -> str:
        raise KeyboardInterrupt

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(command, "QUESTIONS", (duration.QUESTION, replace(refreshing.QUESTION, senseless=interrupted)))
    out = console()
    code = explain_command(ExplainOptions(tiny(), "tiny.yaml", seeds=1), out, out)
    (file,) = tmp_path.glob("runs/*/explain.json")

    assert code is ExitCode.INTERRUPTED
    assert [answer["key"] for answer in json.loads(file.read_text("utf-8"))["answers"]] == ["how-long"]


def lives(group: int) -> bool:
    """Whether a process of this group is left."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def test_ctrl_c_ends_the_processes_that_simulate(tmp_path: Path) -> None:
    """Of the whole terminal, after the first answer: the command says what is done, exits with 130 and leaves none."""
    command = [sys.executable, "-m", "mockbot", "explain", "traffic-surge"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True, start_new_session=True)
    with process:
        assert process.stdout is not None
        first = next(line for line in process.stdout if line.startswith("1. "))
        os.killpg(process.pid, signal.SIGINT)
        said, _ = process.communicate(timeout=20)  # a loaded machine takes longer to end a process

    assert first == "1. Does refreshing help?\n"
    assert process.returncode == ExitCode.INTERRUPTED
    assert re.search(r"^interrupted: [1-4] of 5 questions answered$", said, re.MULTILINE)
    while lives(process.pid):  # the timeout of a test bounds it
        time.sleep(0.05)


def test_bad_input_is_a_sentence_and_exit_code_2(tmp_path: Path) -> None:
    """No seeds, too many, no users, a folder that is no run, and a run of something else."""
    other = live_run(tmp_path / "other", tiny(name="other"))
    out = console()

    for options in (
        ExplainOptions(tiny(), "tiny.yaml", seeds=0),
        ExplainOptions(tiny(), "tiny.yaml", seeds=101),
        ExplainOptions(tiny(), "tiny.yaml", users=1e12),
        ExplainOptions(tiny(), "tiny.yaml", run=tmp_path),
        ExplainOptions(tiny(), "tiny.yaml", run=other),
    ):
        with pytest.raises(UsageError):
            explain_command(options, out, out)
    assert CliRunner().invoke(cli, ["explain", "traffic-surge", "--run", str(tmp_path / "none")]).exit_code == 2


def test_shares_are_drawn_and_nothing_is_where_there_are_none() -> None:
    """A bar for each that was simulated, with its interval, and the live one on it."""
    told = Figure("free good", "availability", (0.25, 0.3, 0.35), None, 0.4)
    wait = Figure("wait", "recovery_time", (5.0, 6.0), 5.0)
    (chart,) = shares([Answer("paying", "?", "", (told, wait))])

    bars, live = chart.figure["data"]  # type: ignore[misc]

    assert (bars["x"], bars["y"]) == ([pytest.approx(0.3)], ["free good"])  # type: ignore[has-type]
    assert bars["error_x"]["array"] == [pytest.approx(0.124, abs=0.001)]  # type: ignore[has-type]
    assert live["x"] == [0.4]  # type: ignore[has-type]
    assert shares([Answer("paying", "?", "", (wait,))]) == ()


def test_what_several_answers_tell_is_one_bar() -> None:
    """Two of the same name would lie end to end, and end behind 100 %."""
    written = Figure("as written", "availability", (0.9, 0.8))

    (chart,) = shares([Answer("refreshing", "?", "", (written,)), Answer("telling", "?", "", (written,))])

    [bars] = chart.figure["data"]  # type: ignore[misc]
    assert bars["y"] == ["as written"]  # type: ignore[has-type]
