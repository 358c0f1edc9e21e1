"""The plugin in a user's own suite, run as a whole: verdicts, options, environment, workers, and what it costs."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from mockbot.scenario.library import names

pytestmark = pytest.mark.second
pytest_plugins = ["pytester"]
INI = """
[pytest]
addopts = -p no:locust
asyncio_mode = auto
asyncio_default_fixture_loop_scope = function
filterwarnings = error
"""
ASK = """
import os
import pytest
import requests

def ask(text="hi"):
    headers = {"Authorization": "Bearer " + os.environ["OPENAI_API_KEY"]}
    question = {"model": "gpt-4o", "messages": [{"role": "user", "content": text}]}
    return requests.post(os.environ["OPENAI_BASE_URL"] + "/chat/completions", headers=headers, json=question, timeout=5)
"""


@pytest.fixture
def suite(pytester: pytest.Pytester) -> pytest.Pytester:
    """An empty suite of a user's own."""
    pytester.makeini(INI)
    return pytester


def test_a_test_whose_client_met_no_fault_has_not_passed(suite: pytest.Pytester) -> None:
    """A fault that was never met, an outage in which nothing was asked, a marker over a test without a client."""
    suite.makepyfile(
        ASK
        + """
def test_fault(mockbot):
    mockbot.fault(http_error=503)

def test_outage(mockbot):
    with mockbot.outage("unexpected-failure", speed=1000, start_at="blackout"):
        pass

@pytest.mark.outage("unexpected-failure", speed=1000, start_at="blackout")
def test_marked():
    pass

def test_that_fails_by_itself(mockbot):
    mockbot.fault(http_error=503)
    assert 1 == 2

def test_felt(mockbot):
    mockbot.fault(http_error=503)
    assert ask().status_code == 503

def test_of_two_faults_one_is_not_felt(mockbot):
    with mockbot.fault(http_error=503):
        ask()
    with mockbot.fault(http_error=500):
        pass

def test_outage_that_is_not_played(mockbot):
    mockbot.outage("unexpected-failure")
    ask()

def test_port_is_closed_and_nobody_calls(mockbot):
    with mockbot.wire.down():
        pass

def test_only_the_models_are_listed(mockbot):
    mockbot.fault(http_error=503)
    requests.get(os.environ["OPENAI_BASE_URL"] + "/models", timeout=5)

def test_only_the_models_are_listed_in_an_outage(mockbot):
    with mockbot.outage("openai-2023-11-08", speed=60, start_at="collapse"):
        requests.get(os.environ["OPENAI_BASE_URL"] + "/models", timeout=5)

def test_port_is_closed_and_a_client_asks_afterwards(mockbot):
    with mockbot.wire.down(), pytest.raises(requests.ConnectionError):
        ask()
    assert ask().ok
"""
    )
    result = suite.runpytest_subprocess("-q")

    result.assert_outcomes(failed=9, passed=2)
    result.stdout.fnmatch_lines(
        [
            "INCONCLUSIVE: no request felt the faults put in place by hand (0.http_error), so *; ask a model while *",
            "INCONCLUSIVE: no request felt unexpected-failure: the client asked no model, so the test shows nothing*",
            "INCONCLUSIVE: no request felt unexpected-failure: the client asked no model, so the test shows nothing*",
            "*assert 1 == 2",
            "INCONCLUSIVE: no request felt * by hand (1.http_error), so the test shows nothing there; ask a model *",
            "INCONCLUSIVE: unexpected-failure was made and never played, so *: play it in a `with` block",
            "INCONCLUSIVE: no request felt * (0.down), *; nothing counts what a closed port refuses, so ask before *",
            "INCONCLUSIVE: no request felt * (0.http_error), so the test shows nothing there; ask a model *",
            "INCONCLUSIVE: no request felt openai-2023-11-08: the client asked no model, so the test shows nothing*",
        ]
    )


def test_a_client_that_does_nothing_passes_in_no_outage(suite: pytest.Pytester) -> None:
    """Every bundled outage, those without a single fault included: played without a question, it is no success."""
    suite.makepyfile(
        """
import pytest
from mockbot.scenario.library import names

@pytest.mark.parametrize("name", names())
def test_silence(mockbot, name):
    with mockbot.outage(name, speed=60):
        pass

@pytest.mark.parametrize("name", names())
def test_silence_is_judged(mockbot, name):
    with mockbot.outage(name, speed=60) as outage:
        pass
    outage.assert_resilient()
"""
    )

    suite.runpytest_subprocess("-q", "--tb=no").assert_outcomes(failed=2 * len(names()))


def test_what_is_not_served_is_told_at_the_end(suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a test that passes below the results, by an undecided one in its reason; variables that lead away as well."""
    suite.makepyfile(
        ASK
        + """
def test_passes(mockbot):
    with mockbot.fault(http_error=503):
        ask()
    requests.get(os.environ["OPENAI_BASE_URL"] + "/files")

def test_asked_elsewhere(mockbot):
    with mockbot.outage("unexpected-failure", speed=1000):
        requests.post(os.environ["OPENAI_BASE_URL"] + "/audio/speech")
"""
    )
    monkeypatch.setenv("CO_API_KEY", "x")

    result = suite.runpytest_subprocess("-q")

    result.assert_outcomes(failed=1, passed=1)
    result.stdout.fnmatch_lines(
        [
            "INCONCLUSIVE: * environment has *CO_API_KEY*; 1 request to POST /v1/audio/speech, which mockbot *",
            "* mockbot *",
            "*::test_passes: 1 request to GET /v1/files, which mockbot does not serve; it serves /v1/chat/completions*",
        ]
    )


def test_undecided_may_be_an_expected_failure(suite: pytest.Pytester) -> None:
    """--mockbot-inconclusive=xfail: not green, and not red either."""
    suite.makepyfile("def test_fault(mockbot):\n    mockbot.fault(http_error=503)\n")

    suite.runpytest_subprocess("-q", "--mockbot-inconclusive=xfail").assert_outcomes(xfailed=1)


def test_the_environment_is_what_it_was_before(suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Inside it leads to the service, outside the user's own key and address are back."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-my-very-own")
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    suite.makepyfile(
        """
import os

def test_before():
    assert os.environ["OPENAI_API_KEY"] == "sk-my-very-own"

def test_inside(mockbot):
    assert os.environ["OPENAI_API_KEY"] == "sk-free-1"
    assert os.environ["OPENAI_BASE_URL"] == mockbot.url + "/v1"

def test_after():
    assert os.environ["OPENAI_API_KEY"] == "sk-my-very-own"
    assert "OPENAI_BASE_URL" not in os.environ
"""
    )

    suite.runpytest_subprocess("-q").assert_outcomes(passed=3)


def test_xdist_workers_do_not_share_a_service(suite: pytest.Pytester) -> None:
    """Under xdist every test has a service and ports of its own."""
    suite.makepyfile(
        ASK
        + """
@pytest.mark.parametrize("times", range(1, 9))
def test_own_faults(mockbot, times):
    fault = mockbot.fault(http_error=500, times=times)
    while not ask().ok:
        pass
    assert fault.hits == times
"""
    )

    suite.runpytest_subprocess("-q", "-n", "2").assert_outcomes(passed=8)


def test_a_report_has_the_journal_and_the_verdict(suite: pytest.Pytester) -> None:
    """--mockbot-report: a run folder for each outage, with its journal and its verdict."""
    suite.makepyfile(
        ASK
        + """
def test_blackout(mockbot):
    with mockbot.outage("unexpected-failure", speed=1000, start_at="blackout") as outage:
        try:
            ask()
        except requests.RequestException:
            pass
        outage.wait_for("after")
        ask()
"""
    )
    suite.runpytest_subprocess("-q", "--mockbot-report=kept").assert_outcomes(passed=1)

    (folder,) = (suite.path / "kept").glob("*/*")
    assert folder.name == "1-unexpected-failure"
    journal = [json.loads(line) for line in (folder / "journal.jsonl").read_text("utf-8").splitlines()]
    assert [line["settled"] for line in journal if line["kind"] == "prompt"][-1] == "answered"
    assert json.loads((folder / "summary.json").read_text("utf-8"))["verdict"] == "pass"
    assert (folder / "junit.xml").exists()


@pytest.mark.nightly
def test_a_report_is_not_mixed_with_an_earlier_one(suite: pytest.Pytester) -> None:
    """The same --mockbot-report again: the second report lies beside the first, which stays as it is."""
    suite.makepyfile("""
def test_it(mockbot):
    with mockbot.outage("unexpected-failure", speed=1000, start_at="after"):
        pass
""")
    suite.runpytest_subprocess("-q", "--mockbot-report=kept")
    (folder,) = (suite.path / "kept").glob("*/*")
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    suite.runpytest_subprocess("-q", "--mockbot-report=kept")

    names = {f"{each.parent.name}/{each.name}" for each in (suite.path / "kept").glob("*/*")}
    test = folder.parent.name
    assert names == {f"{test}/1-unexpected-failure", f"{test}-2/1-unexpected-failure"}
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_wrong_use_is_an_error_with_a_way_out(suite: pytest.Pytester) -> None:
    """An outage that is not there is named with its neighbours."""
    suite.makepyfile('def test_it(mockbot):\n    mockbot.outage("unexpected-failur")\n')
    result = suite.runpytest_subprocess("-q")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*did you mean 'unexpected-failure'*"])


def test_marker_and_options_explain_themselves(suite: pytest.Pytester) -> None:
    """pytest --markers and --help know them, so that --strict-markers is no obstacle."""
    markers, options = suite.runpytest_subprocess("--markers"), suite.runpytest_subprocess("--help")

    markers.stdout.fnmatch_lines(["@pytest.mark.outage(scenario, *"])
    options.stdout.fnmatch_lines(["*--mockbot-report=DIR*", "*--mockbot-inconclusive=*"])


def test_a_suite_without_the_fixture_imports_nothing_more(tmp_path: Path) -> None:
    """A suite without the fixture imports the entry point and nothing else of mockbot, nor what that would need."""
    test = tmp_path / "test_nothing.py"
    test.write_text(
        "import sys\n\ndef test_nothing():\n"
        "    mine = {name for name in sys.modules if name.split('.')[0] == 'mockbot'}\n"
        "    assert mine == {'mockbot', 'mockbot.version', 'mockbot.pytest_plugin', 'mockbot.pytest_plugin.hooks'}\n"
        "    assert not {'fastapi', 'uvicorn', 'pydantic', 'ruamel', 'gevent', 'locust'} & set(sys.modules)\n",
        "utf-8",
    )
    others = ["-p", "no:locust", "-p", "no:schemathesis", "-p", "no:hypothesispytest", "-p", "no:cacheprovider"]
    command = [sys.executable, "-m", "pytest", "-q", "-c", "/dev/null", "--rootdir", str(tmp_path), *others, str(test)]

    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)

    assert done.returncode == 0, done.stdout


def test_the_fixture_imports_no_load_generator_and_no_reports(tmp_path: Path) -> None:
    """Nor what serves, draws, simulates or reads a system file: its tests would wait for all of it."""
    program = "import sys, mockbot.pytest_plugin.fixture; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=tmp_path)
    loaded = {name.partition(".")[0] for name in done.stdout.split()}

    heavy = {
        *("locust", "gevent", "flask", "zmq", "geventhttpclient"),
        *("fastapi", "starlette", "uvicorn", "uvloop", "prometheus_client"),
        *("rich", "jinja2", "plotly", "numpy", "numba", "jsonpath", "psutil", "cryptography"),
    }
    assert "pydantic" in loaded
    assert heavy & loaded == set()
