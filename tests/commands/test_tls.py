"""Clients in several languages over TLS: what each raises when the handshake fails, and how they are led there."""

import json
import os
import re
import shutil
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from mockbot.interception.interceptor_control import InterceptorControl
from mockbot.scenario.load import read_scenario
from mockbot.scenario.timeline import Timeline
from mockbot.testbed.client_environment import environment
from mockbot.testbed.start import Addresses, open_testbed
from tests.commands.build import run
from tests.commands.test_serve import served

pytestmark = [pytest.mark.live, pytest.mark.second]
WITHIN = 1  # seconds that each client waits, less than the delay of `slow`
OPENAI = f"""
import openai, sys, time
question = {{"model": "gpt-4o", "messages": [{{"role": "user", "content": "hi"}}]}}
for _ in range(int(sys.argv[1])):
    try:
        openai.OpenAI(max_retries=0, timeout={WITHIN}).chat.completions.create(**question)
        print("ok")
    except openai.APIConnectionError as error:
        below = error
        while below.__cause__ or below.__context__:
            below = below.__cause__ or below.__context__
        print(type(error).__name__, repr(below))
    time.sleep(0.3)
"""
REQUESTS = f"""
import os, requests
try:
    print(requests.get(os.environ["MOCKBOT_URL"] + "/v1/models", timeout={WITHIN}).reason.lower())
except requests.RequestException as error:
    print(type(error).__name__, error)
"""
NODE = f"""
fetch(process.env.MOCKBOT_URL + "/v1/models", {{ signal: AbortSignal.timeout({WITHIN}000) }})
  .then(answer => console.log(answer.statusText.toLowerCase()), error => console.log(error.name, error.cause?.code))
"""
CURL = f'curl -sS -o /dev/null --max-time {WITHIN} "$MOCKBOT_URL/v1/models" 2>&1 ; echo "exit $?"'
CLIENTS = {
    "openai": [sys.executable, "-c", OPENAI, "1"],
    "requests": [sys.executable, "-c", REQUESTS],
    "node": ["node", "-e", NODE],
    "curl": ["sh", "-c", CURL],
}
OUTAGE = """
name: handshakes
title: Every fault of the handshake
providers:
  main: {answer: {first_token: 20ms, tokens: {median: 10, p95: 10}, pace: 1000/s}}
crowd:
  all: {users: 100%, policy: once}
phases:
  - {name: calm, lasts: 3s, users: 1}
  - {name: expired, lasts: 3s, faults: [{tls: expired}]}
  - {name: wrong-host, lasts: 3s, faults: [{tls: wrong_host}]}
  - {name: slow, lasts: 3s, faults: [{tls: slow}]}
  - {name: refused, lasts: 3s, faults: [{tls: refused}]}
  - {name: after, lasts: 3s}
"""
SCENARIO = read_scenario(OUTAGE)
SEEN = {  # in upper case, with underscores for blanks, as OpenSSL's releases differ in that
    "": {"openai": "OK", "requests": "OK", "node": "OK", "curl": "EXIT_0"},
    "expired": {
        "openai": "APICONNECTIONERROR_.*CERTIFICATE_HAS_EXPIRED",
        "requests": "SSLERROR_.*CERTIFICATE_HAS_EXPIRED",
        "node": "TYPEERROR_CERT_HAS_EXPIRED",
        "curl": "CERTIFICATE_HAS_EXPIRED.*EXIT_60",
    },
    "wrong_host": {
        "openai": "APICONNECTIONERROR_.*IP_ADDRESS_MISMATCH",
        "requests": "SSLERROR_.*IP_ADDRESS_MISMATCH",
        "node": "TYPEERROR_ERR_TLS_CERT_ALTNAME_INVALID",
        "curl": "NO_ALTERNATIVE_CERTIFICATE_SUBJECT_NAME.*EXIT_60",
    },
    "slow": {
        "openai": "APITIMEOUTERROR_.*HANDSHAKE_OPERATION_TIMED_OUT",
        "requests": "READTIMEOUT_",
        "node": "TIMEOUTERROR_",
        "curl": "TIMED_OUT.*EXIT_28",
    },
    "refused": {
        "openai": "APICONNECTIONERROR_.*ALERT_HANDSHAKE_FAILURE",
        "requests": "SSLERROR_.*ALERT_HANDSHAKE_FAILURE",
        "node": "TYPEERROR_ERR_SSL_.*ALERT_HANDSHAKE_FAILURE",
        "curl": "ALERT_HANDSHAKE_FAILURE.*EXIT_35",
    },
}


@pytest.fixture(scope="module")
def testbed() -> Iterator[Addresses]:
    with open_testbed(SCENARIO, 1.0, None) as addresses:
        yield addresses


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("how", SEEN)
def test_what_a_client_raises(testbed: Addresses, client: str, how: str) -> None:
    """Connection errors to an SDK, but for `slow`, which is a timeout; each names the reason."""
    if shutil.which(CLIENTS[client][0]) is None:
        pytest.skip(f"{client} is not installed")
    faults = Timeline(SCENARIO).at(3.0 * [*SEEN].index(how)).faults
    InterceptorControl(testbed.interceptor).set_faults("main", faults, 1.0)
    variables = {"PATH": os.environ["PATH"], **environment(SCENARIO, testbed, {})}

    done = subprocess.run(CLIENTS[client], env=variables, capture_output=True, text=True, check=True, timeout=60)

    said = "_".join(done.stdout.upper().split())
    assert re.fullmatch(f".*{SEEN[how][client]}.*", said), said


def test_a_scenario_needs_no_flag(tmp_path: Path) -> None:
    """With the fault in it, COMMAND finds https URLs and what to trust; all four are felt; the run is conclusive."""
    file = tmp_path / "outage.yaml"
    file.write_text(OUTAGE, "utf-8")

    done = run("run", file, "--out", tmp_path / "run", "--", sys.executable, "-c", OPENAI, "45")

    summary = json.loads((tmp_path / "run" / "summary.json").read_text("utf-8"))
    assert [guard["name"] for guard in summary["guards"] if not guard["ok"]] == [], done.stdout
    reasons = ("certificate has expired", "mismatch", "timed out", "handshake failure")
    assert [reason for reason in reasons if reason not in done.stdout] == []


def test_any_scenario_is_served_over_tls(tmp_path: Path) -> None:
    """The URLs and the certificate are printed; who trusts it asks as usual, by address or by name."""
    with served(tmp_path, "--tls", "--hold", "calm") as play:
        play.until("where it is")
        trusts = ssl.create_default_context(cafile=play.variables["SSL_CERT_FILE"])
        url = play.variables["MOCKBOT_URL"]
        statuses = [
            httpx.get(f"{each}/v1/models", verify=trusts, trust_env=False).status_code
            for each in (url, url.replace("127.0.0.1", "localhost"))
        ]

    assert url.startswith("https://")
    assert statuses == [200, 200]
    assert not Path(play.variables["SSL_CERT_FILE"]).exists()
