"""What Helm makes of the chart."""

import shlex
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parent.parent.parent
CHART = ROOT / "docs/deploy/helm/mockbot"
NO_HELM = "helm is not installed (go install helm.sh/helm/v3/cmd/helm@v3.19.0)"
KUBERNETES = "1.34"  # what a helm made by `go install` believes to talk to is older than the chart allows
RELEASE = "outage"
VALUES = sorted(file.name for file in CHART.glob("values*.yaml"))
Object = dict[str, Any]


@cache
def helm(verb: str, *arguments: str, kubernetes: str = KUBERNETES) -> "subprocess.CompletedProcess[str]":
    """Run it; skips where there is none."""
    if shutil.which("helm") is None:
        pytest.skip(NO_HELM)
    command = ["helm", verb, "--kube-version", kubernetes, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def render(values: str = "values.yaml", *more: str, kubernetes: str = KUBERNETES) -> list[Object]:
    """The objects that an installation creates, with one of the chart's own files of values."""
    done = helm("template", RELEASE, str(CHART), "--values", str(CHART / values), *more, kubernetes=kubernetes)
    assert done.returncode == 0, done.stderr
    return [each for each in YAML(typ="safe", pure=True).load_all(done.stdout) if each]


def one(objects: list[Object], kind: str, name: str) -> Object:
    """The object of a kind whose name ends so."""
    [found] = (each for each in objects if each["kind"] == kind and each["metadata"]["name"].endswith(name))
    return found


def pods(objects: list[Object]) -> Iterator[Object]:
    """The pod templates, with metadata and spec."""
    return (each["spec"]["template"] for each in objects if each["kind"] in {"Deployment", "Job"})


def containers(pod: Object) -> list[Object]:
    """All of a pod's, those that run first included."""
    return [*pod["spec"].get("initContainers", ()), *pod["spec"]["containers"]]


def command(objects: list[Object], name: str) -> list[str]:
    """The words with which the container of this name is started."""
    [found] = (each for pod in pods(objects) for each in containers(pod) if each["name"] == name)
    return [str(word) for word in (*found.get("command", ()), *found.get("args", ()))]


def operator_commands(objects: list[Object]) -> tuple[list[str], list[str]]:
    """With which the operator starts the master and each worker: it adds their roles to the LocustTest's arguments."""
    test = one(objects, "LocustTest", "load")
    arguments, host = shlex.split(test["spec"]["args"]), f"{test['metadata']['name']}-master"
    return ["locust", "--master", *arguments], ["locust", "--worker", "--master-host", host, *arguments]
