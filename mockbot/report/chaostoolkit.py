"""A summary in, a Chaos Toolkit journal out, so that dashboards which read those can read a run of ours.

Faults and their ends are its actions, the expectations its hypothesis: those of the baseline's phase are what held
before, all others what was to hold after. Times are wall time. Its format: chaostoolkit.org/reference/api/journal.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime

from mockbot.report.summary import ActionOut, Expected, Summary
from mockbot.report.words import scope_words

Json = dict[str, object]
SPEAKS = "1.44.0"  # the chaostoolkit-lib whose journal this is like


def chaostoolkit_json(summary: Summary) -> str:
    """The text of the journal."""
    before = [case for case in summary.expectations if _of_the_baseline(summary, case)]
    after = [case for case in summary.expectations if case not in before]
    journal = {
        "chaoslib-version": SPEAKS,
        "platform": summary.run.versions.get("platform", "unknown"),
        "node": f"mockbot {summary.mockbot}",
        "experiment": _experiment(summary),
        "start": _wall(summary, 0.0),
        "status": _status(summary),
        "deviated": summary.verdict == "fail",
        "steady_states": {"before": _state(before), "after": _state(after), "during": []},
        "run": [_run(summary, action) for action in summary.actions],
        "rollbacks": [],
        "end": _wall(summary, summary.run.end),
        "duration": summary.run.end / summary.run.speed,
    }
    return json.dumps(journal, indent=1) + "\n"


def _experiment(summary: Summary) -> Json:
    return {
        "title": summary.run.title,
        "description": f"{' '.join(summary.reasons)}",
        "tags": ["mockbot", summary.run.scenario],
        "steady-state-hypothesis": {
            "title": "what the scenario expects",
            "probes": [_probe(case) for case in summary.expectations],
        },
        "method": [_activity(action) for action in summary.actions],
        "rollbacks": [],
    }


def _of_the_baseline(summary: Summary, case: Expected) -> bool:
    baseline = summary.disturbance.baseline
    phase = next((phase for phase in summary.phases if phase.name == case.scope.phase), None)
    return baseline is not None and phase is not None and phase.end == baseline[1]


def _status(summary: Summary) -> str:
    if summary.run.ended == "interrupted":
        return "interrupted"
    return {"pass": "completed", "fail": "failed", "inconclusive": "aborted"}[summary.verdict]


def _state(cases: Sequence[Expected]) -> Json | None:
    if not cases:
        return None
    met = all(case.result == "pass" for case in cases)
    return {"steady_state_met": met, "probes": [_probed(case) for case in cases]}


def _probed(case: Expected) -> Json:
    seen = case.seen if isinstance(case.seen, float | int | str) else None
    return {
        "activity": _probe(case),
        "output": seen,
        "status": "failed" if case.result == "inconclusive" else "succeeded",
        "tolerance_met": case.result == "pass",
    }


def _probe(case: Expected) -> Json:
    name = f"{case.measure} ({scope_words(case.scope)})"
    return {"type": "probe", "name": name, "tolerance": case.expected, "provider": _provider(case.measure)}


def _activity(action: ActionOut) -> Json:
    return {"type": "action", "name": f"{action.does} {action.fault}", "provider": _provider(action.fault)}


def _provider(name: str) -> Json:
    """It was mockbot who did it; of the kinds that a journal knows, a call by URL comes closest."""
    return {"type": "http", "url": f"urn:mockbot:{name}"}


def _run(summary: Summary, action: ActionOut) -> Json:
    end = action.sent if action.confirmed is None else action.confirmed
    return {
        "activity": _activity(action),
        "output": action.error,
        "status": "failed" if action.error or action.confirmed is None else "succeeded",
        "start": _wall(summary, action.sent),
        "end": _wall(summary, end),
        "duration": (end - action.sent) / summary.run.speed,
    }


def _wall(summary: Summary, t: float) -> str:
    return datetime.fromtimestamp((summary.run.t0 or 0.0) + t / summary.run.speed, UTC).isoformat()
