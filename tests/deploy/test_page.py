"""docs/kubernetes.md is right about the chart."""

import re
from functools import reduce

import kubernetes_validate
import pytest
from ruamel.yaml import YAML

from mockbot.errors import ExitCode
from mockbot.version import __version__
from tests.deploy.chart import CHART, RELEASE, ROOT, VALUES, one, render
from tests.docs.pages import blocks

PAGE = (ROOT / "docs/kubernetes.md").read_text("utf-8")
SETTINGS = set(re.findall(r"--set(?:-file)? ([\w.]+)=", PAGE)) | {"deadlineSeconds", "networkPolicy"}
yaml = YAML(typ="safe", pure=True)


def test_every_file_of_values_is_named() -> None:
    """And no other."""
    assert set(re.findall(r"\bvalues[\w-]*\.yaml", PAGE)) == set(VALUES)


@pytest.mark.parametrize("setting", sorted(SETTINGS))
def test_what_can_be_set_can_be_set(setting: str) -> None:
    """Every value that the page mentions is one of values.yaml."""
    values = yaml.load((CHART / "values.yaml").read_text("utf-8"))

    reduce(lambda inner, key: inner[key], setting.split("."), values)


def test_the_reader_is_a_valid_pod() -> None:
    """The manifest of the page; it mounts the claim that the page's option names."""
    [text] = blocks("yaml", PAGE)
    pod = yaml.load(text)

    kubernetes_validate.validate(pod, "1.34", strict=True)
    assert f"runsClaim={pod['spec']['volumes'][0]['persistentVolumeClaim']['claimName']}" in PAGE


def test_names_and_numbers_are_the_charts() -> None:
    """The Job's name, the image's tag, the exit codes, and the container whose state is asked for."""
    job = one(render(), "Job", "verdict")

    assert f"job/{job['metadata']['name']}" in PAGE
    assert f"helm install {RELEASE} " in PAGE
    assert set(re.findall(r"mockbot(?:-locust)?:(\d[\d.]*\d)", PAGE)) == {__version__}
    assert f"{ExitCode.PASS} pass, {ExitCode.FAIL} fail, {ExitCode.INCONCLUSIVE} inconclusive" in PAGE
    assert job["spec"]["template"]["spec"]["containers"][0]["name"] == "master"


def test_logs_are_asked_for_when_there_are_some() -> None:
    """`kubectl logs` gives up on a container that is still created: the lines of page and notes wait for it."""
    for text in (blocks("sh", PAGE)[0], (CHART / "templates/NOTES.txt").read_text("utf-8")):
        assert 0 < text.find("containerStatuses[0].containerID") < text.find(" logs -f job/")
