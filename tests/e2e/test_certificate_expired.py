"""An outage of the TLS handshake, live with the crowd, and as simulated. At full length: tests/e2e/test_twin.py."""

import json
from collections import Counter
from collections.abc import Callable

import pytest

from mockbot.evidence.verdict import judge
from mockbot.measures.values import Known
from mockbot.runs.folder import RunFolder
from mockbot.runs.journal_files import read_run
from mockbot.simulate.simulation import Memory, simulate
from tests.e2e.conftest import Run

pytestmark = [pytest.mark.live, pytest.mark.second, pytest.mark.timeout(300)]


def test_an_expired_certificate_is_survived_by_going_elsewhere_only(start: Callable[..., Run]) -> None:
    """What fails, fails in the handshake; live and simulated clients try as often."""
    run = start("certificate-expired", "--length", "15m", "--speed", "25")

    assert run.finish() == 0, run.output()
    assert run.left() == ([], [])
    lines = map(json.loads, (run.folder / "journal.jsonl").read_text("utf-8").splitlines())
    failed = Counter(line["outcome"] for line in lines if line["kind"] == "attempt" and line["outcome"] != "ok")
    assert failed["tls_error"] > 0.99 * failed.total()

    live, memory = read_run(RunFolder(run.folder)), Memory()
    simulated = memory.evidence(live.scenario, simulate(live.scenario, sink=memory.take))
    for group in ("sdk", "refreshers", "careful"):
        tries = []
        for judgement in (judge(live), judge(simulated)):
            rows = (row.values for row in judgement.measures if str(row.scope) == f"phase expired, group {group}")
            value = next(rows)["attempts_per_prompt"]
            assert isinstance(value, Known)
            tries.append(value.number)
        assert tries[0] == pytest.approx(tries[1], rel=0.1)
