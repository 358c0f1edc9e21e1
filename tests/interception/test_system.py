"""A system under test without a base URL: the crowd asks it, and it asks api.openai.com."""

import json
from pathlib import Path

import pytest

from tests.commands.build import run, scenario_file

pytestmark = pytest.mark.live
APP = """
from fastapi import FastAPI, Request
from openai import AsyncOpenAI, OpenAIError
app, client = FastAPI(), AsyncOpenAI(timeout=10.0)

@app.get("/health")
async def health():
    return {}

@app.post("/ask")
async def ask(request: Request):
    question = {"role": "user", "content": (await request.json())["text"]}
    try:
        answer = await client.chat.completions.create(model="gpt-4o-mini", messages=[question])
    except OpenAIError:
        return {"answer": "The assistant is temporarily unavailable."}
    return {"answer": answer.choices[0].message.content}
"""
SYSTEM = """
name: unchanged
start: "{python} -m uvicorn --app-dir FOLDER unchanged:app --host 127.0.0.1 --port {port} --log-level warning"
ready: {path: /health, within: 60s}
ask:
  request: {path: /ask, json: {text: "{prompt}"}}
  answer: {json: $.answer}
  degraded_when: {text: temporarily unavailable}
"""
OUTAGE = """
name: short
title: Ten seconds of 503
providers:
  main: {answer: {first_token: 20ms, tokens: {median: 10, p95: 10}, pace: 1000/s}}
crowd:
  all: {users: 100%, policy: once}
phases:
  - {name: calm, lasts: 5s, users: 30}
  - {name: blackout, lasts: 10s, faults: [{http_error: 503}]}
  - {name: after, lasts: 5s}
"""


@pytest.mark.nightly
def test_a_system_is_intercepted_unchanged(tmp_path: Path) -> None:
    """Its answers and the provider's requests are joined as those of any system are."""
    (tmp_path / "unchanged.py").write_text(APP, "utf-8")
    system = tmp_path / "unchanged.yaml"
    system.write_text(SYSTEM.replace("FOLDER", str(tmp_path)), "utf-8")
    folder = tmp_path / "run"
    outage = scenario_file(tmp_path, OUTAGE)
    done = run("run", outage, "--out", folder, "--system", system, "--intercept", timeout=180)

    summary = json.loads((folder / "summary.json").read_text("utf-8"))
    guards = {guard["name"]: guard["ok"] for guard in summary["guards"]}
    assert guards["intercepted"], done.stdout
    assert guards["system reached"]
    assert guards["felt"]
    assert {*summary["run"]["intercepted"]["connects"]} == {"api.openai.com"}


def test_a_system_that_runs_already_cannot_be_intercepted(tmp_path: Path) -> None:
    """It has its environment."""
    done = run("run", scenario_file(tmp_path, OUTAGE), "--system", "http://127.0.0.1:9", "--intercept")

    assert done.returncode == 2
    assert "the system runs already" in done.stderr
