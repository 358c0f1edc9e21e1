"""Faults on the system under test, live, asked by a plain Locust HttpUser: each is felt, and its users are heard."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.conftest import Run
from tests.e2e.test_systems import HERE, run_through, system_file
from tests.load.test_web_ui import browser as browser  # noqa: PLC0414 - a fixture

Start = Callable[..., Run]

LOCUSTFILE = """\
from locust import HttpUser, constant, task


class Reader(HttpUser):
    wait_time = constant(0.5)

    @task
    def ask(self):
        question = {"role": "user", "content": "When will it be back?"}
        self.client.post("/v1/chat/completions", json={"model": "gpt-4o", "messages": [question], "stream": True})
"""


@pytest.mark.nightly
@pytest.mark.timeout(240)
def test_a_restart_and_a_slow_link_of_the_system_are_felt_and_judged(tmp_path: Path) -> None:
    """Users are refused while it is away, and wait longer while its link is slow; its own death is not what it is
    accused of, because it was staged.
    """
    (tmp_path / "mine.py").write_text(LOCUSTFILE, "utf-8")
    summary = run_through(tmp_path, "careful", HERE / "on_system.yaml", "--locustfile", str(tmp_path / "mine.py"))

    actions = [json.loads(line) for line in (tmp_path / "run" / "actions.jsonl").read_text("utf-8").splitlines()]
    done = [(each["fault"], each["does"]) for each in actions if each["confirmed"] is not None]
    rows = {row["phase"]: row for row in summary["system"]["phases"]}
    found = {each["name"]: each["times"] for each in summary["system"]["findings"]}
    assert [(fault, does) for fault, does in done if fault == "blackout.0.restart"] == [
        ("blackout.0.restart", "begin"), ("blackout.0.restart", "end"),
    ]  # fmt: skip
    assert all(fault["felt"] > 0 for fault in summary["faults"])
    assert rows["steady"]["kinds"].keys() == rows["after"]["kinds"].keys() == {"whole"}
    assert rows["blackout"]["kinds"]["failed"] > 0
    assert rows["slow-link"]["p50"] >= rows["steady"]["p50"] + 0.6
    assert (found["single_point_of_failure"], summary["system"]["joined"]) == (0, 1.0)


@pytest.mark.nightly
@pytest.mark.timeout(240)
def test_locusts_tab_shows_both_sides_of_each_phase(start: Start, tmp_path: Path, browser: Browser) -> None:
    """While the run goes on: what the users of the system saw beside what its providers saw."""
    run = start(HERE / "on_system.yaml", "--system", str(system_file(tmp_path, "careful")), "--ui")
    run.watch(run.load_has_begun)
    page = browser.new_page(viewport={"width": 1600, "height": 900})
    page.goto(run.output().partition("watch it at ")[2].split()[0])
    page.get_by_role("tab", name="Outage").click()
    steady = page.get_by_role("row").filter(has_text="1. steady")

    expect(steady).to_contain_text("100 % in full", timeout=60_000)
    expect(steady).to_contain_text("requests a prompt: main", timeout=60_000)
    for column in ("Users saw", "Providers saw"):
        expect(page.get_by_role("columnheader", name=column)).to_be_visible()
    page.close()
    run.watch(lambda: "the page stays open" in run.output())
    run.interrupt()
    run.finish()
