"""Programs without a base URL meet an outage by `mockbot run X --intercept`; those that escape are named."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.commands.build import run
from tests.commands.test_serve import Served, served
from tests.interception.clients import CURL, NODE, QUESTIONS, program

pytestmark = pytest.mark.live
OUTAGE = """
name: intercepted
title: Fifteen seconds in which a client is sure to have started, and better times
providers:
  main: {answer: {first_token: 20ms, tokens: {median: 10, p95: 10}, pace: 1000/s}}
crowd:
  all: {users: 100%, policy: once}
phases:
  - {name: blackout, lasts: 15s, users: 1, faults: [FAULT]}
  - {name: after, lasts: 10s}
"""
UNAVAILABLE = "http_error: {status: 503, retry_after: 1s}"
LIGHT = ("httpx", "requests", "urllib", "aiohttp trust_env")  # imported in a moment
ROOT = Path(__file__).parents[2]
LITELLM = ROOT / ".litellm" / "bin" / "python"
PROGRAMS = Path(__file__).with_name("programs")
NODE_24 = ROOT / ".clients" / "node24" / "node_modules" / ".bin" / "node"
# Those in other languages: what has to be there, and the command in front of the number of seconds.
FOREIGN = {
    "Go's net/http": ("go", ["go", "run", str(PROGRAMS / "forms.go")]),
    "Java's HttpClient": ("java", ["java", str(PROGRAMS / "Forms.java"), "http_client"]),
    "Java's HttpURLConnection": ("java", ["java", str(PROGRAMS / "Forms.java"), "url_connection"]),
    "Node 24's fetch": (str(NODE_24), [str(NODE_24), str(PROGRAMS / "forms.mjs"), "fetch"]),
    "undici": (str(NODE_24), ["node", str(PROGRAMS / "forms.mjs"), "undici"]),
}


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


@pytest.mark.second
def test_a_client_meets_the_outage_unchanged(tmp_path: Path) -> None:
    """No base URL, no line of code: its answers fail with 503, and are good again."""
    _, says = played(tmp_path, sys.executable, "-c", program("openai"), "60")

    assert failed_checks(tmp_path) == [], says
    connects, outcomes = seen(tmp_path)
    assert {*connects} == {"api.openai.com"}
    assert {"ok", "http_error"} <= outcomes


@pytest.fixture(scope="module")
def blackout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """`mockbot serve --intercept`, to be held in its blackout, in which every client's provider answers with 503."""
    to_main = ("--intercept-host", "api.anthropic.com=main")
    with served(tmp_path_factory.mktemp("served"), "--intercept", *to_main, "--hold", "blackout") as play:
        play.until("^blackout")
        yield play


@pytest.mark.second
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=() if name in LIGHT else pytest.mark.nightly)
        for name in QUESTIONS
        if name != "aiohttp"  # which goes past: below
    ],
)
def test_every_known_form_of_client_is_intercepted(blackout: Served, name: str) -> None:
    """The table of the manual: each fails while the provider does, and works as soon as the provider does."""
    if name == "litellm" and not LITELLM.exists():
        pytest.skip("LITELLM NOT TESTED: .ci/nightly installs it")
    python = str(LITELLM) if name == "litellm" else sys.executable
    assert_meets_the_blackout(blackout, [python, "-c", program(name)])


@pytest.mark.second
@pytest.mark.parametrize("name", FOREIGN)
def test_every_known_form_in_another_language_is_intercepted(blackout: Served, name: str) -> None:
    """As above: of Java by its own options, of undici where the program asks for its EnvHttpProxyAgent."""
    needs, command = FOREIGN[name]
    if shutil.which(needs) is None or shutil.which(command[0]) is None:
        pytest.skip(f"{name} NOT TESTED: {Path(needs).name} is not there (.ci/clients installs Node 24)")
    assert_meets_the_blackout(blackout, command)


def assert_meets_the_blackout(blackout: Served, command: list[str]) -> None:
    """This client's answers fail with 503 until the blackout is over."""
    httpx.post(f"{blackout.control()}/phase/blackout", trust_env=False).raise_for_status()
    with subprocess.Popen(
        [*command, "90"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env={**os.environ, **blackout.variables, "UNDICI": str(NODE_24.parents[1] / "undici" / "index.js")},
    ) as client:  # fmt: skip
        assert client.stdout is not None
        first = next(line for line in client.stdout if line.startswith("FAILED"))
        httpx.post(f"{blackout.control()}/next", trust_env=False).raise_for_status()
        last = client.stdout.read()

    assert re.search("503|Unavailable", first)
    assert "it works again" in last


@pytest.mark.second
@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_curl_meets_a_reset_on_its_own_connection(tmp_path: Path) -> None:
    """A fault of the wire hits the handshake: no request arrives, the proxy counts the connection, curl says 35."""
    _, says = played(tmp_path, "sh", "-c", CURL, "sh", "18", fault="reset_peer: 0s")

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


@pytest.mark.second
@pytest.mark.skipif(shutil.which("node") is None, reason="Node is not installed")
def test_nodes_fetch_is_intercepted_or_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From 22.21 and 24 on it reads NODE_USE_ENV_PROXY, which is set; an older one goes past."""
    monkeypatch.setenv("LLM_URL", ELSEWHERE)
    options = ("--intercept-host", "llm.invalid=main")

    code, says = played(tmp_path, "node", "--input-type=module", "-e", NODE, "", "1", options=options)

    if seen(tmp_path)[0]:
        assert "intercepted" not in failed_checks(tmp_path), says
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
