"""`mockbot explain`: theory and simulation stand side by side, and agree where they should."""

import json
import math
from collections.abc import Callable
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from rich.console import Console

from mockbot.cli import cli
from mockbot.commands import explain as command
from mockbot.commands.explain import ExplainOptions, explain_command
from mockbot.errors import ExitCode, UsageError
from mockbot.runs.folder import RunFolder
from mockbot.runs.journal_files import JournalWriter, write_run_info
from mockbot.scenario.library import find
from mockbot.scenario.load import load_scenario
from mockbot.scenario.schema import Scenario
from mockbot.simulate import theory
from mockbot.simulate.explain import duration, failing_over, paying, refreshing
from mockbot.simulate.explain import status_page_question as telling
from mockbot.simulate.explain.answer import Answer, Figure
from mockbot.simulate.explain.experiment import Experiments
from mockbot.simulate.explain.explanation_page import shares
from mockbot.simulate.explain.parameters import Setting, setting_of
from mockbot.simulate.seed_statistics import Interval
from mockbot.simulate.simulation import simulate

pytestmark = [pytest.mark.second, pytest.mark.usefixtures("fast_is_compiled")]

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


def tiny(**more: Any) -> Scenario:
    """An outage of two minutes on one provider, 40 users of one tier."""
    return Scenario.model_validate(TINY | more)


def asked(ask: command.Ask, scenario: Scenario, seeds: int = 1) -> Answer:
    """One question."""
    return ask(scenario, setting_of(scenario), Experiments(seeds, lambda: None), None)


def research_world() -> Setting:
    """The closed loop of the research: 7000 users who think for 99 s, C = 100/s, a crash of 120 s."""
    answer = {"first_token": 0, "tokens": {"median": 71, "p95": 279}, "pace": "993.7/s"}
    world = TINY | {
        "providers": {"main": {"slots": 10, "queue": {"limit": 7000}, "answer": answer}},
        "crowd": {"all": {"users": "100%", "policy": {"name": "refresh", "every": "11s"}, "think": "99s"}},
        "phases": [
            {"name": "calm", "lasts": "100s", "users": 7000},
            {"name": "bad", "lasts": "120s", "faults": [{"crash": True}]},
            {"name": "after", "lasts": "600s"},
        ],
    }
    return setting_of(Scenario.model_validate(world))


def test_the_numbers_of_a_scenario_are_those_of_its_longest_outage() -> None:
    """80 users, 60 s of thought, 8 slots of 3.1 s, 26 minutes; the last nine minutes' 10 % are no outage."""
    setting = setting_of(load_scenario(find("unexpected-failure")))

    assert (setting.provider, setting.users, setting.think, setting.outage) == ("main", 80, 60, 26 * 60)
    assert setting.places == 28
    assert setting.capacity == pytest.approx(8 / 3.12, rel=0.01)


@pytest.mark.parametrize("world", [research_world, lambda: setting_of(load_scenario(find("unexpected-failure")))])
def test_the_measured_threshold_is_that_of_the_closed_form(world: Callable[[], Setting]) -> None:
    """Does refreshing help the service: min(Ns/2, q)/C, and a bisection over simulations, within 15 % (target 28)."""
    setting = world()
    edge = refreshing.find_edge(setting, Experiments(2, lambda: None))

    assert edge.theory == theory.refresh_tips(
        theory.waiting_after(setting.users, setting.think, setting.outage), setting.places, 0, setting.capacity
    )
    assert edge.simulated is not None
    assert edge.simulated.known == 2
    assert edge.simulated.mean == pytest.approx(edge.theory, rel=0.15)


def test_a_surge_keeps_its_queue_and_has_another_threshold() -> None:
    """min(N, q)/C where nobody is turned away, within 15 %."""
    setting = setting_of(load_scenario(find("traffic-surge")))
    edge = refreshing.find_edge(setting, Experiments(1, lambda: None))

    assert setting.keeps_queue
    assert edge.simulated is not None
    assert edge.theory == pytest.approx(40 / setting.capacity)
    assert edge.simulated.mean == pytest.approx(edge.theory, rel=0.15)


def test_both_groups_wait_as_long_as_theory_says() -> None:
    """Does refreshing help one user: median waits of refreshers and patient users, within 15 % (target 28)."""
    setting = setting_of(load_scenario(find("unexpected-failure")))
    waits = refreshing.pair_waits(setting, Experiments(2, lambda: None))

    for name, every in (("fast", setting.every), ("slow", refreshing.patient_every(setting))):
        assert waits[name].mean == pytest.approx(refreshing.expected_wait(setting, every), rel=0.15)
    assert waits["fast"].middle() < waits["slow"].middle()


def test_who_refreshes_faster_than_an_answer_comes_never_gets_one() -> None:
    """The median wait is infinite then, by theory."""
    setting = research_world()

    assert refreshing.expected_wait(setting, setting.service / 2) == float("inf")
    # The median prompt is asked 77.2 s before the end: seven refreshes are in vain, the eighth is after 88 s.
    assert refreshing.expected_wait(setting, 11.0) == pytest.approx(88 + setting.service)


@pytest.mark.parametrize("open_loop", [False, True])
def test_a_kept_queue_drains_as_the_formulas_say(open_loop: bool) -> None:
    """How long until it is normal: both loops within 15 %."""
    setting = setting_of(load_scenario(find("unexpected-failure")))
    expected = theory.drain_open(setting.outage, setting.load) if open_loop else duration.closed_drain(setting)
    simulated = duration.drained(setting, Experiments(2, lambda: None), open_loop=open_loop)

    assert simulated.mean == pytest.approx(expected, rel=0.15)


def test_a_second_provider_without_room_is_taken_down() -> None:
    """The inequality says no, and its regular users are worse off after fail-over on every retry than without."""
    pair = failing_over.pair_of(scenario := load_scenario(find("failover-2024-06-04")), setting_of(scenario))
    told = asked(failing_over.answer, scenario)
    figures = {figure.what: figure.simulated for figure in told.figures}
    alone, crowded = (figures[f"{way}: regular good, after"] for way in ("no fail-over", "on every retry"))

    assert pair is not None
    assert not pair.holds
    assert told.staged == ""
    assert alone is not None
    assert crowded is not None
    assert alone.middle() > 0.9
    assert crowded.middle() < 0.1


def test_a_question_that_does_not_apply_is_staged_and_says_so() -> None:
    """One provider, one tier: a second provider and paying users are added, in words."""
    assert "second one of the same size" in asked(failing_over.answer, tiny()).staged
    assert "are made to pay" in asked(paying.answer, tiny()).staged
    assert "Nothing goes wrong" in asked(duration.answer, tiny(phases=TINY["phases"][:1])).staged


def test_a_retry_after_that_is_obeyed_to_the_second_brings_everybody_at_once() -> None:
    """The herd's peak is within 25 % of the formula, and many times that of jitter."""
    figures = {figure.what: figure for figure in asked(telling.answer, tiny()).figures}
    exact, jitter = (figures[f"{words}: peak / C"] for words in ("Retry-After to the second", "Retry-After + jitter"))

    assert exact.simulated is not None
    assert jitter.simulated is not None
    assert exact.simulated.mean == pytest.approx(exact.theory, rel=0.25)
    assert exact.simulated.middle() > 5 * jitter.simulated.middle()


def test_paying_users_gain_only_when_free_ones_are_turned_away_first() -> None:
    """Half of the capacity: half for everybody, or all for those who pay (5 points)."""
    figures = {figure.what: figure for figure in asked(paying.answer, tiny()).figures}

    for what in ("half broken: plus answered", "half broken: free answered", "free turned away first: plus answered"):
        simulated = figures[what].simulated
        assert simulated is not None
        assert simulated.mean == pytest.approx(figures[what].theory, abs=0.06)


def test_a_provider_that_is_overloaded_when_all_is_well_is_staged_with_less_load() -> None:
    """Half of what is asked would be more than it has; the stage asks for what leaves that half to its usual slots."""
    crowded = tiny(phases=[{"name": "calm", "lasts": "1m", "users": 400}, {"name": "after", "lasts": "1m"}])

    figures = {figure.what: figure for figure in asked(paying.answer, crowded).figures}

    assert setting_of(crowded).load > 2
    simulated = figures["half broken: free answered"].simulated
    assert simulated is not None
    assert simulated.mean == pytest.approx(0.5, abs=0.06)


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
def test_a_few_users_before_a_large_provider_are_staged_within_the_memory_of_a_laptop(name: str) -> None:
    """The queue that is kept in the staged outage drains within some seconds: the formulas say so as well."""
    figures = asked(duration.answer, few(name)).figures[:2]

    for figure in figures:
        assert figure.simulated is not None
        assert figure.simulated.mean is not None
        assert math.isfinite(figure.simulated.mean)


@pytest.mark.nightly
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("name", FEW)
def test_a_few_users_get_all_five_answers(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the scenario, `explain` ends with its page."""
    monkeypatch.chdir(tmp_path)

    assert explain_command(ExplainOptions(few(name), seeds=1), console(), console()) == ExitCode.PASS
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


@pytest.mark.nightly
def test_five_answers_on_the_terminal_as_json_and_as_a_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside the newest live run of the scenario, whose folder gets the page; nothing is wider than 80 columns."""
    monkeypatch.chdir(tmp_path)
    folder = live_run(tmp_path / "runs" / "20260101-000000-tiny", tiny())
    out = console()
    code = explain_command(ExplainOptions(tiny(), seeds=1), out, out)
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
    assert all(answer["sentence"] and answer["formula"] and answer["source"] for answer in whole["answers"])
    assert any(figure["live"] is not None for figure in whole["answers"][1]["figures"])
    assert all(answer["question"] in text and answer["question"] in page for answer in whole["answers"])
    assert max(map(len, text.splitlines()[:-1])) <= 80


def test_ctrl_c_keeps_the_answers_that_are_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit 130, and the page has what there is."""

    def interrupted(*_: object) -> Answer:
        raise KeyboardInterrupt

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(command, "QUESTIONS", {"how long": (duration.answer, 3), "refreshing": (interrupted, 1)})
    out = console()
    code = explain_command(ExplainOptions(tiny(), seeds=1), out, out)
    (file,) = tmp_path.glob("runs/*/explain.json")

    assert code is ExitCode.INTERRUPTED
    assert [answer["key"] for answer in json.loads(file.read_text("utf-8"))["answers"]] == ["how-long"]


def test_bad_input_is_a_sentence_and_exit_code_2(tmp_path: Path) -> None:
    """No seeds, too many, no users, a folder that is no run, and a run of something else."""
    other = live_run(tmp_path / "other", tiny(name="other"))
    out = console()

    for options in (
        ExplainOptions(tiny(), seeds=0),
        ExplainOptions(tiny(), seeds=101),
        ExplainOptions(tiny(), users=1e12),
        ExplainOptions(tiny(), run=tmp_path),
        ExplainOptions(tiny(), run=other),
    ):
        with pytest.raises(UsageError):
            explain_command(options, out, out)
    assert CliRunner().invoke(cli, ["explain", "traffic-surge", "--run", str(tmp_path / "none")]).exit_code == 2


def test_shares_are_drawn_and_nothing_is_where_there_are_none() -> None:
    """A bar for each that was simulated, with its interval, and the live one on it."""
    told = Figure("free good", "availability", None, Interval(0.3, 0.05, 3, 3), 0.4)
    wait = Figure("wait", "recovery_time", 5.0, Interval(6.0, 1.0, 3, 3))
    (chart,) = shares([Answer("paying", "?", "", "", "", (), (told, wait))])

    bars, live = chart.figure["data"]  # type: ignore[misc]

    assert (bars["x"], bars["y"], bars["error_x"]["array"]) == ([0.3], ["free good"], [0.05])  # type: ignore[has-type]
    assert live["x"] == [0.4]  # type: ignore[has-type]
    assert shares([Answer("paying", "?", "", "", "", (), (wait,))]) == ()
