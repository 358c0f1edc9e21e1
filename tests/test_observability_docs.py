"""What docs/observability.md names is what is exported, and what it shows is what is read."""

import re
import shlex
import shutil
import subprocess
from dataclasses import fields
from itertools import pairwise
from pathlib import Path

import click
import pytest
from prometheus_client import CollectorRegistry, generate_latest

from mockbot.cli import cli
from mockbot.evidence.prompt_result import RESULTS
from mockbot.observability import alert_rules, crowd_metrics
from mockbot.observability import semantic_names as names
from mockbot.observability.phase_hook import PhaseMessage
from mockbot.runs.folder import RunFolder
from mockbot.scenario.library import find
from mockbot.scenario.load import load_scenario, read_scenario
from mockbot.scenario.timeline import Timeline
from tests.docs.pages import blocks
from tests.observability.test_trace_spans import SCENARIO

DOCS = Path(__file__).parents[1] / "docs"
PAGE = (DOCS / "observability.md").read_text("utf-8")


def test_every_attribute_and_metric_is_on_the_page() -> None:
    """And no other."""
    written = {
        value for name, value in vars(names).items() if name.isupper() and isinstance(value, str) and "." in value
    }
    about = {names.SERVICE, names.NAMESPACE, names.INSTANCE, names.VERSION}

    named = set(re.findall(r"`((?:gen_ai|mockbot|error|http)\.[a-z_.]+)`", PAGE))

    assert named - {"mockbot.speed"} == written - about


def test_every_metric_of_the_crowd_is_on_the_page(tmp_path: Path) -> None:
    """As Prometheus names it."""
    found = crowd_metrics.CrowdMetrics(RunFolder(tmp_path), Timeline(read_scenario(SCENARIO)))
    registry = CollectorRegistry(auto_describe=False)
    registry.register(found)
    exported = set(re.findall(r"^# TYPE (mockbot_\w+)", generate_latest(registry).decode(), re.MULTILINE))

    assert not {name for name in exported if f"`{name}`" not in PAGE}
    assert all(f"`{result}`" in PAGE for result in RESULTS)


def test_every_key_of_a_message_is_on_the_page() -> None:
    """And its variable."""
    for field in fields(PhaseMessage):
        assert f"`{field.name}`" in PAGE
        assert f"`MOCKBOT_{field.name.upper()}`" in PAGE


SHOWN = [line for block in blocks("sh", PAGE) for line in block.splitlines() if line.startswith("mockbot ")]


@pytest.mark.parametrize("line", SHOWN)
def test_a_command_of_the_page_has_the_options_that_it_shows(line: str) -> None:
    """Parsed, not run."""
    _, name, *arguments = shlex.split(line)
    command = cli.get_command(click.Context(cli), name)
    assert command is not None

    assert command.make_context(name, arguments, resilient_parsing=False).params["target"] == "unexpected-failure"


def test_the_rules_of_the_page_can_be_made(capsys: pytest.CaptureFixture[str]) -> None:
    """With the options that it shows."""
    (line,) = [each for block in blocks("sh", PAGE) for each in block.splitlines() if "alert_rules" in each]

    command, to = line.split(" > ")
    alert_rules.main(shlex.split(command)[3:])

    assert "--objective 99.5% --speed 20" in capsys.readouterr().out
    assert f"rule_files: [{to}]" in PAGE


def test_prometheus_scrapes_the_crowd_and_every_provider_of_the_run_of_the_page() -> None:
    """Their ports follow `--port`; and the speed of the run is that of the rules."""
    (line,) = [each for each in SHOWN if "--metrics-port" in each]
    said = dict(pairwise(shlex.split(line)))
    providers = load_scenario(find(line.split()[2])).providers
    ports = [int(said["--metrics-port"]), *(int(said["--port"]) + n for n in range(len(providers)))]
    (block,) = blocks("yaml", PAGE)

    assert re.findall(r"127\.0\.0\.1:(\d+)", block) == [str(port) for port in ports]
    assert f"--speed {said['--speed']} >" in PAGE


def test_prometheus_reads_the_configuration_of_the_page(tmp_path: Path) -> None:
    """With the committed rules beside it."""
    if shutil.which("promtool") is None:
        pytest.skip("NOT TESTED: no promtool on PATH")
    (block,) = blocks("yaml", PAGE)
    (tmp_path / "prometheus.yml").write_text(block, "utf-8")
    shutil.copy(DOCS / "prometheus" / "mockbot-rules.yaml", tmp_path)

    checked = subprocess.run(
        ["promtool", "check", "config", str(tmp_path / "prometheus.yml")], capture_output=True, text=True, check=False
    )

    assert checked.returncode == 0, checked.stdout + checked.stderr
