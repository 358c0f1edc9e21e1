"""docker-compose.yml and the Dockerfile, read."""

import json
import os
import subprocess

import pytest
from ruamel.yaml import YAML

from tests.compose.compose_file import FILE, ROOT, parser, parts


def resolved(**variables: str) -> dict[str, dict[str, dict[str, object]]]:
    """What Docker's own parser makes of the file."""
    done = subprocess.run(
        [*parser(), "-f", str(FILE), "config"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **variables},
    )
    assert done.returncode == 0, done.stderr
    return dict(YAML(typ="safe", pure=True).load(done.stdout))


@pytest.mark.live
def test_docker_takes_the_file() -> None:
    """Its parser knows every key and finds every volume; there is nothing that it warns of."""
    assert set(resolved()["services"]) == {"service", "toxiproxy", "master", "worker"}


@pytest.mark.live
def test_we_read_the_file_as_docker_does() -> None:
    """The commands that the other tests start are those that Docker would."""
    theirs = resolved(MOCKBOT_SCENARIO="traffic-surge")["services"]

    ours = parts(MOCKBOT_SCENARIO="traffic-surge")
    assert {name: part.command for name, part in ours.items()} == {n: s["command"] for n, s in theirs.items()}


@pytest.mark.parametrize("name", ["service", "master"])
def test_one_variable_says_what_is_played(name: str) -> None:
    """The service and the master are told the same scenario."""
    assert any("traffic-surge" in word for word in parts(MOCKBOT_SCENARIO="traffic-surge")[name].command)


def test_only_the_web_ui_is_published_and_only_to_this_machine() -> None:
    """No control port can be reached from outside the compose network."""
    published = {name: part.raw["ports"] for name, part in parts().items() if "ports" in part.raw}

    assert published == {"master": ["127.0.0.1:8089:8089"]}


def test_every_part_with_a_port_says_whether_it_is_well() -> None:
    """What depends on it waits for that."""
    checked = {name for name, part in parts().items() if "test" in part.raw.get("healthcheck", {})}

    assert checked == {"service", "toxiproxy", "master"}


def test_toxiproxy_is_pinned() -> None:
    """To the version whose behaviour the tests know."""
    assert parts()["toxiproxy"].raw["image"] == "ghcr.io/shopify/toxiproxy:2.12.0"


def test_no_token_is_in_the_file() -> None:
    """The service makes one up, in a volume that only it and the master have."""
    holders = {name for name, part in parts().items() if "control:/run/mockbot" in json.dumps(part.raw)}

    assert holders == {"service", "master"}
    assert all("--token-file=/run/mockbot/token" in parts()[name].command for name in holders)


def test_the_image_does_not_run_as_root() -> None:
    """Its last word on users is ours."""
    lines = (ROOT / "Dockerfile").read_text("utf-8").splitlines()
    users = [line.split()[1] for line in lines if line.startswith("USER")]

    assert users[-1:] == ["mockbot"]
