"""A user's suite that sends a crowd through a system, whole runs: served here, started, judged, and nothing left."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.docs.pages import blocks, page
from tests.pytest_plugin.test_suites import INI

pytest_plugins = ["pytester"]
APP = '''
import asyncio
import json
import os
import sys
from contextlib import asynccontextmanager

import httpx
import pytest
from fastapi import FastAPI
from mockbot import Scenario

QUICK = {"slots": 50, "answer": {"first_token": 0.05, "tokens": {"median": 8, "p95": 12}, "pace": 100.0}}
SHORT = Scenario(
    name="short", title="Three seconds of 503", providers={"main": QUICK, "other": QUICK},
    crowd={"people": {"users": 1.0, "policy": {"name": "once", "timeout": 6.0}, "think": 0.3, "patience": 8.0}},
    phases=(
        {"name": "calm", "lasts": 3.0, "users": 6},
        {"name": "blackout", "lasts": 3.0, "faults": ({"http_error": 503},)},
        {"name": "after", "lasts": 3.0},
    ),
)
ASK = {"request": {"path": "/ask", "json": {"text": "{prompt}"}}, "answer": {"json": "$.answer"}}


def made(*urls):
    """An application that asks one provider after the other, and at the end launders the error."""
    @asynccontextmanager
    async def with_client(app):
        async with httpx.AsyncClient(trust_env=False) as app.state.client:
            yield

    app = FastAPI(lifespan=with_client)

    @app.post("/ask")
    async def ask(asked: dict[str, str]):
        question = {"model": "gpt-4o", "messages": [{"role": "user", "content": asked["text"]}]}
        for url in urls:
            answer = await app.state.client.post(f"{url}/v1/chat/completions", json=question)
            if answer.status_code == 200:
                return {"answer": answer.json()["choices"][0]["message"]["content"]}
        return {"answer": "Here is what I found."}

    return app
'''


@pytest.fixture
def suite(pytester: pytest.Pytester) -> pytest.Pytester:
    """A suite of a user's own, with an application."""
    pytester.makeini(INI)
    pytester.makepyfile(application=APP)
    return pytester


def left_behind(folder: Path) -> list[str]:
    """The processes that work in this folder, or were told of it."""
    found = []
    for process in psutil.process_iter(["cmdline", "cwd"]):
        told = [process.info["cwd"] or "", *(process.info["cmdline"] or [])]
        if process.pid != psutil.Process().pid and any(str(folder) in each for each in told):
            found.append(" ".join(told))
    return found


@pytest.mark.nightly
def test_an_application_is_judged_beside_a_loop_of_the_users_own_and_under_xdist(
    suite: pytest.Pytester, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a second provider it answers everybody, without one it launders; Locust stays out of the test's process."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    suite.makepyfile(
        """
from application import *

def test_two_providers(mockbot):
    mockbot.system(made(mockbot.url, mockbot.provider_url("other")), ask=ASK)
    run = mockbot.crowd(scenario=SHORT, users=8)
    assert "launders_errors" not in run.findings, run
    per_prompt = run.measure("upstream_per_prompt", phase="blackout")
    rows = {row.phase: row for row in run.judgement.system.phases}
    blackout, lines = rows["blackout"], (run.folder / "requests.jsonl").read_text("utf-8").splitlines()
    assert [*blackout.detours] == [2]  # one at each provider; a prompt at the edge of the phase needs one request only
    assert per_prompt == (blackout.prompts + blackout.detours[2]) / blackout.prompts
    failed = sum(json.loads(line)["status"] == 503 for line in lines)
    assert failed == sum(row.detours.get(2, 0) for row in rows.values()) > 0
    assert {"locust", "gevent"}.isdisjoint(sys.modules)

async def test_one_provider(mockbot):
    mockbot.system(made(mockbot.url), ask=ASK)
    ticks = 0
    running = asyncio.create_task(asyncio.to_thread(mockbot.crowd, scenario=SHORT, length="6s"))
    while not running.done():
        ticks += 1
        await asyncio.sleep(0.1)
    run = await running
    assert ticks > 30
    assert run.findings["launders_errors"].times > 5
    assert run.judgement.run.shortened == "shortened from 9s to 6s"
    assert run.verdict != "pass"
"""
    )
    result = suite.runpytest_subprocess("-q", "-n", "2", "--mockbot-report=kept", "--mockbot-inconclusive=xfail")

    outcomes = result.parseoutcomes()
    assert outcomes.get("passed", 0) + outcomes.get("xfailed", 0) == 2, result.stdout.str()
    assert {each.name for each in (suite.path / "kept").glob("*/*")} == {"crowd-1-short"}
    assert ([*tmp_path.iterdir()], left_behind(suite.path)) == ([], [])


@pytest.mark.nightly
def test_a_suite_that_is_killed_leaves_nothing(
    suite: pytest.Pytester, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither Locust nor the system outlives pytest, whatever ends it; the system was started by a command."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    suite.makepyfile(
        """
from application import *

def test_it(mockbot):
    mockbot.system(f"{sys.executable} -m uvicorn --port {{port}} server:app", ask=ASK)
    mockbot.crowd(scenario=SHORT)
"""
    )
    suite.makepyfile(server="from application import *\n\napp = made(os.environ['MOCKBOT_MAIN_URL'])\n")
    command = [sys.executable, "-m", "pytest", "-q", "--mockbot-report=kept"]
    with subprocess.Popen(command, cwd=suite.path, stdout=subprocess.DEVNULL) as process:
        while not [*suite.path.glob("kept/*/*/answers.jsonl")]:
            assert process.poll() is None
            time.sleep(0.1)
        process.send_signal(signal.SIGKILL)

    until = time.monotonic() + 60
    while (left := left_behind(suite.path)) and time.monotonic() < until:
        time.sleep(0.2)
    assert left == []


@pytest.mark.nightly
def test_a_bundled_system_is_judged_by_its_name(suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is started for each crowd, with what its file says of providers."""
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    suite.makepyfile(
        """
from application import *

def test_it(mockbot):
    mockbot.system("openai-sdk-app")
    run = mockbot.crowd(scenario=SHORT)
    assert run.measure("upstream_per_prompt", phase="blackout") > 1
"""
    )
    result = suite.runpytest_subprocess("-q", "--mockbot-inconclusive=xfail")

    outcomes = result.parseoutcomes()
    assert outcomes.get("passed", 0) + outcomes.get("xfailed", 0) == 1, result.stdout.str()


OUTAGE = """
name: two-providers
title: Nine seconds of 503 at one of two providers
providers: {main: &quick {slots: 50, answer: {first_token: 50ms, pace: 200/s}}, other: *quick}
crowd: {people: {users: 100%, policy: once, think: 1s}}
phases:
  - {name: calm, lasts: 12s, users: 40}
  - {name: blackout, lasts: 10s, faults: [{http_error: 503}]}
  - {name: after, lasts: 12s}
"""


@pytest.mark.nightly
def test_what_the_page_shows_happens(suite: pytest.Pytester) -> None:
    """The test of docs/system.md, with an application that asks its second provider when the first fails."""
    (shown,) = [block for block in blocks("python", page("docs/system.md")) if "create_app" in block]
    suite.makepyfile(
        my_app="from application import made\n\n\ndef create_app(main, spare):\n    return made(main, spare)\n"
    )
    suite.makepyfile(test_shown=shown)
    (suite.mkdir("tests") / "outage.yaml").write_text(OUTAGE, "utf-8")

    result = suite.runpytest_subprocess("-q", "--mockbot-inconclusive=xfail", "test_shown.py")

    outcomes = result.parseoutcomes()
    assert outcomes.get("passed", 0) + outcomes.get("xfailed", 0) == 1, result.stdout.str()
