"""Programs without a base URL meet an outage by `mockbot run X --intercept`; those that escape are named."""

import json
import shutil
import sys
from pathlib import Path

import pytest

from tests.commands.build import run
from tests.interception.clients import CURL, NODE, program

pytestmark = pytest.mark.live
OUTAGE = """
name: intercepted
title: Ten seconds in which a client is sure to have started, and better times
providers:
  main: {answer: {first_token: 20ms, tokens: {median: 10, p95: 10}, pace: 1000/s}}
crowd:
  all: {users: 100%, policy: once}
phases:
  - {name: blackout, lasts: 10s, users: 1, faults: [FAULT]}
  - {name: after, lasts: 10s}
"""
UNAVAILABLE = "http_error: {status: 503, retry_after: 1s}"
LITELLM = Path(__file__).parents[2] / ".litellm" / "bin" / "python"


def played(tmp_path: Path, *command: str, fault: str = UNAVAILABLE, options: tuple[str, ...] = ()) -> tuple[int, str]:
    """A run with this client; its exit code and what it printed."""
    file = tmp_path / "outage.yaml"
    file.write_text(OUTAGE.replace("FAULT", f"{{{fault}}}"), "utf-8")
    done = run("run", file, "--out", tmp_path / "run", "--intercept", *options, "--", *command)
    return done.returncode, done.stdout + done.stderr


def failed_checks(tmp_path: Path) -> list[str]:
    """The names of those that make a run inconclusive."""
    summary = json.loads((tmp_path / "run" / "summary.json").read_text("utf-8"))
    return [guard["name"] for guard in summary["guards"] if not guard["ok"]]


def seen(tmp_path: Path) -> tuple[dict[str, int], set[str]]:
    """CONNECT requests by host, and how attempts ended."""
    info = json.loads((tmp_path / "run" / "run.json").read_text("utf-8"))
    lines = map(json.loads, (tmp_path / "run" / "journal.jsonl").read_text("utf-8").splitlines())
    return info["intercepted"]["connects"], {line["outcome"] for line in lines if line["kind"] == "attempt"}


NIGHTLY = [
    ("openai async", "api.openai.com"),
    ("anthropic", "api.anthropic.com"),
    ("google-genai", "generativelanguage.googleapis.com"),
    ("boto3", "bedrock-runtime.us-east-1.amazonaws.com"),
    ("litellm", "api.openai.com"),
    ("aiohttp trust_env", "api.openai.com"),
    ("httpx", "api.openai.com"),
    ("requests", "api.openai.com"),
    ("urllib", "api.openai.com"),
]


def assert_meets_the_outage(tmp_path: Path, name: str, host: str) -> None:
    python = str(LITELLM) if name == "litellm" else sys.executable
    _, says = played(tmp_path, python, "-c", program(name), "30")

    assert failed_checks(tmp_path) == [], says
    connects, outcomes = seen(tmp_path)
    assert {*connects} == {host}
    assert {"ok", "http_error"} <= outcomes


@pytest.mark.second
def test_a_client_meets_the_outage_unchanged(tmp_path: Path) -> None:
    """No base URL, no line of code: its answers are good, fail with 503, and are good again."""
    assert_meets_the_outage(tmp_path, "openai", "api.openai.com")


@pytest.mark.nightly
@pytest.mark.parametrize(("name", "host"), NIGHTLY)
def test_every_known_form_of_client_meets_the_outage(tmp_path: Path, name: str, host: str) -> None:
    """The table of the manual."""
    if name == "litellm" and not LITELLM.exists():
        pytest.skip("LITELLM NOT TESTED: .ci/nightly installs it")
    assert_meets_the_outage(tmp_path, name, host)


@pytest.mark.second
@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_curl_meets_a_reset_on_its_own_connection(tmp_path: Path) -> None:
    """A fault of the wire hits the handshake: no request arrives, the proxy counts the connection, curl says 35."""
    _, says = played(tmp_path, "sh", "-c", CURL, "sh", "13", fault="reset_peer: 0s")

    assert failed_checks(tmp_path) == [], says
    assert "curl 35" in says  # CURLE_SSL_CONNECT_ERROR, for which a connection has to be there
    assert "curl 0" in says
    assert seen(tmp_path)[1] == {"ok"}


ELSEWHERE = "https://llm.invalid/v1/chat/completions"  # nobody is there, so that whoever escapes asks nobody


@pytest.mark.second
def test_a_client_that_goes_past_is_inconclusive_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """aiohttp reads no HTTPS_PROXY unless it is told to."""
    monkeypatch.setenv("LLM_URL", ELSEWHERE)
    options = ("--intercept-host", "llm.invalid=main")

    code, says = played(tmp_path, sys.executable, "-c", program("aiohttp"), "1", options=options)

    assert code == 3
    assert "trust_env=True" in says
    assert seen(tmp_path) == ({}, set())


@pytest.mark.nightly
@pytest.mark.skipif(shutil.which("node") is None, reason="Node is not installed")
def test_nodes_fetch_is_intercepted_or_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From 22.21 and 24 on it reads NODE_USE_ENV_PROXY, which is set; an older one goes past."""
    monkeypatch.setenv("LLM_URL", ELSEWHERE)
    options = ("--intercept-host", "llm.invalid=main")

    code, says = played(tmp_path, "node", "--input-type=module", "-e", NODE, "", "12", options=options)

    if seen(tmp_path)[0]:
        assert failed_checks(tmp_path) == [], says
    else:
        assert code == 3
        assert "EnvHttpProxyAgent" in says


@pytest.mark.second
def test_a_client_with_its_own_cas_is_inconclusive_with_the_remedy(tmp_path: Path) -> None:
    """It is intercepted, and refuses: nothing of the outage reached it."""
    pinned = (
        "import ssl, httpx, certifi; client = httpx.Client(verify=ssl.create_default_context(cafile=certifi.where()))"
    )
    text = program("httpx").replace("import httpx; client = httpx.Client()", pinned)

    code, says = played(tmp_path, sys.executable, "-c", text, "1")

    assert code == 3
    assert "does not trust the run's CA" in says
