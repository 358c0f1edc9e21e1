"""The rules file: the report's own thresholds, accepted by Prometheus' tool, and going off when they should."""

import shutil
import subprocess
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from mockbot.measures.objective import DAYS_3, PAGES
from mockbot.observability.alert_rules import main, rules, window

COMMITTED = Path(__file__).parents[2] / "docs" / "prometheus" / "mockbot-rules.yaml"
# 10 prompts a second; from minute 120 on 2 % of them are bad, which is 20 times what 99.9 % allows, until minute 180.
UNIT = """\
rule_files: [{rules}]
evaluation_interval: 15s
tests:
  - interval: 15s
    input_series:
      - series: mockbot_crowd_prompts_total{{group="people",tier="free",result="good"}}
        values: 0+150x479 71850+147x240 107130+150x480
      - series: mockbot_crowd_prompts_total{{group="people",tier="free",result="late"}}
        values: 0x479 0+3x240 720x480
      - series: mockbot_crowd_prompts_total{{group="people",tier="free",result="unfinished"}}
        values: 0+9x1200
    alert_rule_test:
{expected}
"""
FIRING = """\
      - alertname: {name}
        eval_time: {at}
        exp_alerts: [{alerts}]
"""


@pytest.fixture
def promtool() -> str:
    """Prometheus' tool."""
    if shutil.which("promtool") is None:
        pytest.skip("NOT TESTED: no promtool on PATH")
    return "promtool"


def test_the_committed_file_is_the_one_that_is_made(capsys: pytest.CaptureFixture[str]) -> None:
    """python -m mockbot.observability.alert_rules > docs/prometheus/mockbot-rules.yaml"""
    main([])

    assert capsys.readouterr().out == COMMITTED.read_text("utf-8")


@pytest.mark.parametrize(
    ("option", "value", "says"),
    [
        ("--objective", "much", "is no share below 100%; write it like 99.9%"),
        ("--objective", "200%", "is no share below 100%"),
        ("--objective", "1/0", "is no share below 100%"),
        ("--speed", "0", "is no speed; write a number above 0, like 20"),
        ("--speed", "nan", "is no speed"),
        ("--speed", "fast", "is no speed"),
    ],
)
def test_bad_input_is_a_usage_error(capsys: pytest.CaptureFixture[str], option: str, value: str, says: str) -> None:
    """Exit code 2 and a sentence; 200% would have made alerts that always fire."""
    with pytest.raises(SystemExit) as left:
        main([option, value])

    assert left.value.code == 2
    assert f"{value} {says}" in capsys.readouterr().err


def test_thresholds_are_the_reports() -> None:
    """Each alert has the two windows and the rate of the measure."""
    [group] = YAML(typ="safe").load(rules("99.5%", 1.0))["groups"]
    alerts = [rule["expr"] for rule in group["rules"] if "alert" in rule]

    assert alerts == [
        f"mockbot:prompts_bad:ratio_rate{window(alert.long, 1)} >= {alert.rate:g} * 0.005 and "
        f"mockbot:prompts_bad:ratio_rate{window(alert.short, 1)} >= {alert.rate:g} * 0.005"
        for alert in (*PAGES, DAYS_3)
    ]


def test_windows_shrink_with_the_speed_of_the_run() -> None:
    """Prometheus has the clock on the wall; the names stay, so the dashboard does too."""
    fast = rules("99.9%", 20.0)

    assert "[15s]" in fast
    assert "[3m]" in fast
    assert "record: mockbot:prompts_bad:ratio_rate5m" in fast
    assert "interval: 3s" in fast


@pytest.mark.parametrize("speed", [1.0, 20.0, 115.0])
def test_promtool_accepts_the_rules(promtool: str, tmp_path: Path, speed: float) -> None:
    """At any speed."""
    (tmp_path / "rules.yaml").write_text(rules("99.9%", speed), "utf-8")

    checked = subprocess.run(
        [promtool, "check", "rules", str(tmp_path / "rules.yaml")], capture_output=True, text=True, check=False
    )

    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "8 rules found" in checked.stdout


def _alerts(name: str, at: str, severity: str | None) -> str:
    times = {"MockbotPage1h": "14.4", "MockbotPage6h": "6"}[name]
    summary = f"The error budget of 99.9% burns {times} times too fast"
    annotations = f'{{summary: "{summary}", description: "1.992% of the prompts are bad"}}'
    firing = f"{{exp_labels: {{severity: {severity}}}, exp_annotations: {annotations}}}"
    return FIRING.format(name=name, at=at, alerts=firing if severity else "")


def test_the_page_goes_off_in_the_outage_and_ends_after_it(promtool: str, tmp_path: Path) -> None:
    """At 20 times the allowed rate it fires after 43 minutes; 6 minutes after the end its short window is clean."""
    expected = "".join(
        _alerts("MockbotPage1h", at, severity)
        for at, severity in (("119m", None), ("130m", None), ("179m30s", "page"), ("190m", None))
    )
    (tmp_path / "unit.yaml").write_text(UNIT.format(rules=COMMITTED, expected=expected), "utf-8")

    tested = subprocess.run(
        [promtool, "test", "rules", str(tmp_path / "unit.yaml")], capture_output=True, text=True, check=False
    )

    assert tested.returncode == 0, tested.stdout + tested.stderr
