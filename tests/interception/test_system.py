"""A system under test without a base URL: the crowd asks it, and it asks api.openai.com."""

import json
from pathlib import Path

import pytest

from tests.commands.build import run, scenario_file
from tests.proxy.conftest import toxiproxy as toxiproxy  # noqa: PLC0414 - a fixture

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


def _assert_intercepted(tmp_path: Path, outage: str, *options: str) -> list[dict[str, object]]:
    """A run of this system is, and its faults are felt; the faults as judged."""
    (tmp_path / "unchanged.py").write_text(APP, "utf-8")
    system = tmp_path / "unchanged.yaml"
    system.write_text(SYSTEM.replace("FOLDER", str(tmp_path)), "utf-8")
    folder = tmp_path / "run"
    options = (*options, "--system", str(system), "--intercept")
    done = run("run", scenario_file(tmp_path, outage), "--out", folder, *options, timeout=180)

    summary = json.loads((folder / "summary.json").read_text("utf-8"))
    guards = {guard["name"]: guard["ok"] for guard in summary["guards"]}
    assert guards["intercepted"], done.stdout
    assert guards["system reached"]
    assert guards["felt"]
    assert {*summary["run"]["intercepted"]["connects"]} == {"api.openai.com"}
    faults: list[dict[str, object]] = summary["faults"]
    return faults


@pytest.mark.nightly
def test_a_system_is_intercepted_unchanged(tmp_path: Path) -> None:
    """Its answers and the provider's requests are joined as those of any system are."""
    _assert_intercepted(tmp_path, OUTAGE)


@pytest.mark.nightly
def test_a_system_is_intercepted_through_the_original_toxiproxy(tmp_path: Path, toxiproxy: Path) -> None:
    """Somebody else's proxy between ours and the TLS server: faults of the wire, and behind it of the handshake."""
    assert toxiproxy.exists()
    phases = "lasts: 8s, faults: [{reset_peer: 0s}]}\n  - {name: expired, lasts: 8s, faults: [{tls: expired}]}"
    wire = OUTAGE.replace("lasts: 10s, faults: [{http_error: 503}]}", phases)  # after the first no connection is left

    faults = _assert_intercepted(tmp_path, wire, "--proxy", "toxiproxy")

    assert {fault["kind"] for fault in faults if fault["felt"]} == {"reset_peer", "tls"}


def test_a_command_is_not_intercepted_through_the_original_toxiproxy(tmp_path: Path) -> None:
    """It is refused before anything starts: nobody would know which of the client's connections a fault has hit."""
    done = run("run", scenario_file(tmp_path, OUTAGE), "--intercept", "--proxy", "toxiproxy", "--", "true")

    assert done.returncode == 2
    assert "only the embedded proxy reports which connections a fault hit" in done.stderr


def test_a_system_that_runs_already_cannot_be_intercepted(tmp_path: Path) -> None:
    """It has its environment."""
    done = run("run", scenario_file(tmp_path, OUTAGE), "--system", "http://127.0.0.1:9", "--intercept")

    assert done.returncode == 2
    assert "the system runs already" in done.stderr
