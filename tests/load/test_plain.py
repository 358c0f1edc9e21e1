"""`locust -f loadtests/chat.py` without a scenario: a plain load test that reports hangs."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from mockbot.errors import ExitCode
from tests.load.fault_server import FaultServer
from tests.load.runs import Ran, locust

pytestmark = pytest.mark.live


def _load(folder: Path, host: str, *arguments: str) -> Ran:
    return locust(folder, "--host", host, "-u", "5", "-r", "5", "--headless", "--only-summary", *arguments)


@pytest.mark.second
def test_a_plain_load_test_needs_only_a_host_and_says_who_it_is(tmp_path: Path, faults: FaultServer) -> None:
    """Any OpenAI-compatible base URL, /v1 included; exit code 0, a row of requests and one of first tokens.

    Model and key are those of the command line.
    """
    ran = _load(tmp_path, f"{faults.url}/healthy/v1", "-t", "3s", "--model", "gpt-x", "--api-key", "sk-mine")
    asked: list[tuple[Mapping[str, str], bytes]] = [
        (head, body) for name, head, body in faults.seen if name == "healthy"
    ]

    assert ran.code == 0, ran.output
    assert "users: /healthy/v1/chat/completions" in ran.output
    assert "users: first token" in ran.output
    assert {head["authorization"] for head, _ in asked} == {"Bearer sk-mine"}
    assert all(b'"model": "gpt-x"' in body for _, body in asked)


@pytest.mark.second
def test_streams_that_break_are_failures(tmp_path: Path, faults: FaultServer) -> None:
    """Each answer begins with 200 and is then cut: Locust's table says so; its own clients log a success."""
    ran = _load(tmp_path, f"{faults.url}/reset_mid_stream", "-t", "2s")

    assert "(100.00%)" in ran.output
    assert "reset" in ran.output
    assert ran.code == 1


@pytest.mark.second
@pytest.mark.parametrize("arguments", [(), ("--processes", "2")], ids=["local", "two-processes"])
def test_hung_requests_are_failures(tmp_path: Path, faults: FaultServer, arguments: tuple[str, ...]) -> None:
    """Users wait for answers that never come: all are failures, exit code 1; stock Locust says nothing, and 0."""
    ran = _load(tmp_path, f"{faults.url}/no_answer", "-t", "2s", "--stop-timeout", "1", *arguments)

    assert "unfinished" in ran.output
    assert "(100.00%)" in ran.output
    assert ran.code == 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--scenario", "nowhere.yaml"), "nowhere.yaml"),
        (("--scenario", "traffic-surge", "--host", "http://127.0.0.1:1"), "leave --host away"),
        (("--scenario", "traffic-surge", "--speed", "fast"), "--speed fast"),
    ],
)
def test_wrong_options_end_with_a_message(tmp_path: Path, arguments: tuple[str, ...], sentence: str) -> None:
    """Exit code 2 before anything starts, and no traceback."""
    ran = locust(tmp_path, *arguments, "--headless")

    assert ran.code == ExitCode.USAGE
    assert sentence in ran.output
    assert "Traceback" not in ran.output
