"""docker-compose.yml brought up in a real Docker engine, and a scenario played from Locust's web UI through it."""

import json
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from mockbot.evidence.verdict import judge
from tests.compose.compose_file import FILE, ROOT
from tests.compose.engine import Docker, engine, make_images
from tests.compose.scenario import BUSY, SHORT
from tests.load.runs import rehearse
from tests.proxy.wire import eventually

pytestmark = [pytest.mark.nightly, pytest.mark.timeout(600)]
OVERRIDE = """
services:
  service: {volumes: ["FOLDER/short.yaml:/work/short.yaml:ro"]}
  master: {volumes: ["FOLDER/short.yaml:/work/short.yaml:ro"]}
"""
WORKERS = 4


class Composed:
    """The project, up; `name` of a container is that of its service and number."""

    def __init__(self, docker: Docker, files: list[str]) -> None:
        self._docker = docker
        self._files = files

    def compose(self, *arguments: str) -> str:
        command = ["docker-compose", "--project-name", "outage", "--project-directory", str(ROOT), *self._files]
        return self._docker.run([*command, *arguments], MOCKBOT_SCENARIO="short.yaml")

    def inspect(self, name: str, what: str) -> str:
        return self._docker("inspect", "--format", what, f"outage_{name}_1").strip()

    def python(self, code: str) -> str:
        """Run a program in the master's container."""
        return self._docker("exec", "outage_master_1", "python", "-c", textwrap.dedent(code)).strip()

    def stats(self) -> dict[str, object]:
        """What Locust's web UI shows."""
        return dict(json.loads(self.python("""
            import urllib.request as u
            print(u.urlopen("http://127.0.0.1:8089/stats/requests", timeout=5).read().decode())
        """)))  # fmt: skip

    def summary(self) -> str:
        """The newest run's, empty until there is one."""
        return self.python("""
            from pathlib import Path
            file = Path("runs/latest/summary.json")
            print(file.read_text() if file.exists() else "")
        """)


@pytest.fixture(scope="module")
def composed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Composed]:
    """Built and brought up with four workers."""
    folder: Path = tmp_path_factory.mktemp("compose")
    (folder / "short.yaml").write_text(SHORT, "utf-8")
    (folder / "override.yml").write_text(f"version: '3.9'\n{OVERRIDE.replace('FOLDER', str(folder))}", "utf-8")
    with engine() as docker:
        make_images(docker)
        project = Composed(docker, ["--file", str(FILE), "--file", str(folder / "override.yml")])
        project.compose("up", "--detach", "--build", "--scale", f"worker={WORKERS}")
        yield project
        project.compose("down", "--volumes")


@pytest.mark.parametrize("name", ["service", "toxiproxy", "master"])
def test_every_part_is_well(composed: Composed, name: str) -> None:
    """By its own health check; what depends on it has waited for that."""
    assert eventually(lambda: composed.inspect(name, "{{.State.Health.Status}}") == "healthy", 60)


@pytest.mark.parametrize("name", ["service", "master", "worker"])
def test_nothing_of_ours_runs_as_root(composed: Composed, name: str) -> None:
    """The image says so, and the file does not change it."""
    assert composed.inspect(name, "{{.Config.User}}") == "mockbot"


def test_start_in_the_web_ui_plays_the_outage(composed: Composed, tmp_path: Path) -> None:
    """All workers are there; what the start form sends begins load and faults; the verdict is in the volume.

    It is that of one process: of each expectation, and of the whole run where neither was disturbed.
    """
    assert eventually(lambda: len(workers(composed)) == WORKERS, 60)

    composed.python("""
        import urllib.request as u
        print(u.urlopen("http://127.0.0.1:8089/swarm", data=b"scenario=short.yaml", timeout=10).read().decode())
    """)

    assert eventually(lambda: composed.summary() != "", 120), composed.compose("logs", "master")
    summary = json.loads(composed.summary())
    broken = {guard["name"] for guard in summary["guards"] if not guard["ok"]}
    assert broken <= BUSY, summary["reasons"]
    assert (summary["run"]["engine"], summary["run"]["nodes"]) == ("toxiproxy", WORKERS)
    assert {fault["kind"] for fault in summary["faults"] if fault["felt"]} >= {"latency", "reset_peer", "http_error"}

    alone = judge(rehearse(tmp_path, SHORT).evidence)
    assert [each["result"] for each in summary["expectations"]] == [str(each.result) for each in alone.expectations]
    if not broken and all(check.ok for check in alone.checks):
        assert summary["verdict"] == alone.verdict


def workers(composed: Composed) -> list[object]:
    found = composed.stats()["workers"]
    assert isinstance(found, list)
    return found
