"""A dialect is one module and its line in `families.py`: a copy of the package with a toy one, used in every way."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.load.conftest import ROOT

pytestmark = [pytest.mark.live, pytest.mark.second]

TUPLE = "(OPENAI, ANTHROPIC, BEDROCK, GEMINI, AZURE, *COMPATIBLE)"
SCENARIO = """
name: toy
title: A provider with an API of its own
speed: 1
providers:
  toys: {dialect: toy, answer: {first_token: 50ms, tokens: {median: 4, p95: 4}, pace: 100/s}}
crowd:
  streaming: {users: 50%, policy: {name: fixed, attempts: 9, wait: 500ms}, think: 1s, patience: 10s}
  whole: {users: 50%, policy: {name: fixed, attempts: 9, wait: 500ms}, think: 1s, patience: 10s, stream: false}
phases:
  - {name: calm, lasts: 2s, users: 4}
  - {name: failing, lasts: 2s, faults: [{http_error: 503}]}
  - {name: after, lasts: 2s}
"""
# Asks twice, the second time during the outage: each attempt has another number in its body and asks the same.
CLIENT = """
import itertools, json, os, time, urllib.error, urllib.request

def ask(text):
    for number in itertools.count():
        body = json.dumps({"number": number, "say": text, "pieces": True}).encode()
        url = f"{os.environ['TOY_URL']}?key={os.environ['TOY_KEY']}"
        try:
            return urllib.request.urlopen(urllib.request.Request(url, body)).read()
        except urllib.error.HTTPError as error:
            assert json.loads(error.read()) == {"problem": 503}
            time.sleep(0.5)

assert b'{"over": true}' in ask("first")
time.sleep(2)
assert b'{"over": true}' in ask("second")
time.sleep(3)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package with the toy in it: one file more, and two lines of another one changed."""
    folder = tmp_path_factory.mktemp("copy")
    shutil.copytree(ROOT / "mockbot", folder / "mockbot", ignore=shutil.ignore_patterns("__pycache__", "_library"))
    for name in ("scenarios", "loadtests"):
        (folder / name).symlink_to(ROOT / name)
    shutil.copy(ROOT / "tests/dialects/toy.py", folder / "mockbot/dialects/toy.py")
    families = folder / "mockbot/dialects/families.py"
    text = families.read_text("utf-8")
    assert TUPLE in text
    imported = "from mockbot.dialects.openai import OPENAI\n"
    text = text.replace(TUPLE, TUPLE.replace(")", ", TOY)")).replace(
        imported, f"{imported}from mockbot.dialects.toy import TOY\n"
    )
    families.write_text(text, "utf-8")
    (folder / "toy.yaml").write_text(SCENARIO, "utf-8")
    (folder / "client.py").write_text(CLIENT, "utf-8")
    return folder


def records(folder: Path, *arguments: str) -> list[dict[str, Any]]:
    """The journal of one `mockbot` command."""
    command = [sys.executable, "-m", "mockbot", arguments[0], "toy.yaml", "--out", arguments[0], *arguments[1:]]
    environment = {**os.environ, "PYTHONPATH": str(folder), "NO_COLOR": "1"}
    shutil.rmtree(folder / arguments[0], ignore_errors=True)
    ran = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=100, check=False)
    journal = folder / arguments[0] / "journal.jsonl"
    assert journal.exists(), ran.stdout + ran.stderr
    return [json.loads(line) for line in journal.read_text("utf-8").splitlines()]


@pytest.mark.parametrize("command", [("simulate", "--engine", "reference"), ("run",)], ids=lambda command: command[0])
def test_the_crowd_asks_and_reads_it(folder: Path, command: tuple[str, ...]) -> None:
    """Simulated and live, streamed and whole: attempts fail for two seconds, and every prompt is answered."""
    found = records(folder, *command)
    attempts = [each for each in found if each["kind"] == "attempt"]

    assert {(each["group"], each["outcome"]) for each in attempts} == {
        (group, outcome) for group in ("streaming", "whole") for outcome in ("ok", "http_error")
    }
    assert all(each["first_token"] for each in attempts if (each["group"], each["outcome"]) == ("streaming", "ok"))
    assert {each["settled"] for each in found if each["kind"] == "prompt"} == {"answered"}


def test_another_program_finds_it_and_its_prompts_are_recognised(folder: Path) -> None:
    """The environment leads it there with a key, here in the query; attempts with the same `say` are one prompt."""
    found = records(folder, "run", "--", sys.executable, "client.py")
    first, second = (each for each in found if each["kind"] == "prompt")

    assert (first["settled"], first["attempts"], first["user"]) == ("answered", 1, "sk-free-1")
    assert second["settled"] == "answered"
    assert second["attempts"] > 1
