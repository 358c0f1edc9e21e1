"""docs/deploy/helm/mockbot: every file of values renders to valid objects that keep what their page promises."""

import json
import re
import subprocess
import sys
from itertools import chain

import jsonschema
import kubernetes_validate
import pytest
from click import NoSuchOption

from mockbot.cli import cli
from mockbot.load.introduction import TOKEN
from mockbot.proxy.proxy_server import parse
from mockbot.scenario.load import read_scenario
from mockbot.service.__main__ import _parser as service_parser
from mockbot.version import __version__
from tests.deploy.chart import (
    CHART,
    RELEASE,
    ROOT,
    VALUES,
    command,
    containers,
    helm,
    one,
    operator_commands,
    pods,
    render,
)

VERSIONS = ("1.31", "1.34", "1.37")  # of Kubernetes: the oldest that the chart names, and later ones
every_values_file = pytest.mark.parametrize("values", VALUES)

STRINGS = {"type": "object", "additionalProperties": {"type": "string"}}
ROLE = {
    "type": "object",
    "additionalProperties": False,
    "properties": {"labels": STRINGS, "annotations": STRINGS, "resources": {"type": "object"}},
}
# Of https://docs.locust.io/en/stable/kubernetes-operator.html what the chart uses; Kubernetes drops unknown fields.
LOCUST_TEST = {
    "type": "object",
    "required": ["workers"],
    "additionalProperties": False,
    "properties": {
        "image": {"type": "string"},
        "imagePullPolicy": {"enum": ["IfNotPresent", "Always", "Never"]},
        "imagePullSecrets": {"type": "array"},
        "workers": {"type": "integer", "minimum": 1},
        "args": {"type": "string"},
        "locustfile": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "configMap": {"type": "object", "required": ["name"], "additionalProperties": {"type": "string"}}
            },
        },
        "master": ROLE,
        "worker": ROLE,
    },
}


@every_values_file
@pytest.mark.parametrize("version", VERSIONS)
def test_every_object_is_valid(values: str, version: str) -> None:
    """Strictly, so that an unknown field fails; LocustTest by the fields that Locust documents."""
    objects = render(values, kubernetes=version)

    for each in objects:
        if each["kind"] == "LocustTest":
            jsonschema.validate(each["spec"], LOCUST_TEST)
        else:
            kubernetes_validate.validate(each, version, strict=True)
    assert len(objects) >= 6


def test_what_is_wrong_is_found() -> None:
    """The schemas are strict: a misspelt field of the rendered Job is refused."""
    job = one(render(), "Job", "verdict")
    job["spec"]["template"]["spec"]["enableServiceLink"] = False

    with pytest.raises(kubernetes_validate.ValidationError, match="enableServiceLink"):
        kubernetes_validate.validate(job, VERSIONS[-1], strict=True)


def test_the_chart_is_small() -> None:
    """Eight templates at most, notes and helpers included."""
    assert len([*(CHART / "templates").iterdir()]) <= 8


def test_helm_finds_nothing_to_object_to() -> None:
    """`helm lint --strict`."""
    done = helm("lint", "--strict", str(CHART))

    assert done.returncode == 0, done.stdout


@every_values_file
def test_every_pod_is_locked_down(values: str) -> None:
    """As the restricted Pod Security Standard asks, and with a root file system that nobody can write."""
    for pod in pods(render(values)):
        spec, of_pod = pod["spec"], pod["spec"]["securityContext"]
        assert (of_pod["runAsNonRoot"], of_pod["runAsUser"]) == (True, 1000)
        assert of_pod["seccompProfile"] == {"type": "RuntimeDefault"}
        assert (spec["automountServiceAccountToken"], spec["enableServiceLinks"]) == (False, False)
        for each in containers(pod):
            assert each["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }


def test_the_pods_user_is_the_images() -> None:
    """Which can write to its home and to /work/runs."""
    assert "useradd --uid 1000 " in (ROOT / "Dockerfile").read_text("utf-8")


@every_values_file
def test_nothing_is_throttled(values: str) -> None:
    """Every container has a memory limit and a CPU request, and none has a CPU limit: those of the operator neither."""
    objects = render(values)
    resources = [each["resources"] for pod in pods(objects) for each in containers(pod)]
    tests = [each["spec"] for each in objects if each["kind"] == "LocustTest"]
    resources += chain.from_iterable((spec["master"]["resources"], spec["worker"]["resources"]) for spec in tests)

    assert all([*each["limits"]] == ["memory"] for each in resources)
    assert all({*each["requests"]} == {"cpu", "memory"} for each in resources)
    assert len(resources) >= 3


@every_values_file
def test_the_image_is_this_version(values: str) -> None:
    """The tag of every image of ours is mockbot's version, unless `image.tag` says otherwise."""
    images = set(re.findall(r'"(mockbot[^"]*:[^"]*)"', json.dumps([*_images(values)])))

    assert images
    assert {image.partition(":")[2] for image in images} == {__version__}
    assert {image.partition(":")[2] for image in _images(values, "--set", "image.tag=x") if "mockbot" in image} == {"x"}


def _images(values: str, *more: str) -> list[str]:
    objects = render(values, *more)
    tests = [each["spec"]["image"] for each in objects if each["kind"] == "LocustTest"]
    return tests + [each["image"] for pod in pods(objects) for each in containers(pod)]


@every_values_file
def test_a_job_ends_once_and_says_with_which_code(values: str) -> None:
    """No second try, which would hide the first; an eviction and every exit code but 0 fail the Job by name."""
    jobs = [each for each in render(values) if each["kind"] == "Job"]

    assert f"{RELEASE}-mockbot-verdict" in {job["metadata"]["name"] for job in jobs}
    for job in jobs:
        spec = job["spec"]
        [main] = spec["template"]["spec"]["containers"]  # what else there is must not keep the pod from ending
        evicted, failed = spec["podFailurePolicy"]["rules"]
        assert (spec["backoffLimit"], spec["template"]["spec"]["restartPolicy"]) == (0, "Never")
        assert spec["activeDeadlineSeconds"] > 0
        assert (evicted["action"], evicted["onPodConditions"][0]["type"]) == ("FailJob", "DisruptionTarget")
        assert failed == {
            "action": "FailJob",
            "onExitCodes": {"containerName": main["name"], "operator": "NotIn", "values": [0]},
        }


@every_values_file
def test_nothing_is_reachable_from_outside(values: str) -> None:
    """No ingress, no node port; the policy holds every pod, those of the operator included."""
    objects = render(values)
    policy = one(objects, "NetworkPolicy", "release-only")["spec"]
    chosen = policy["podSelector"]["matchLabels"]
    tests = [each["spec"] for each in objects if each["kind"] == "LocustTest"]
    labels = [pod["metadata"]["labels"] for pod in pods(objects)]
    labels += chain.from_iterable((spec["master"]["labels"], spec["worker"]["labels"]) for spec in tests)

    assert {each["kind"] for each in objects} <= {
        "ConfigMap", "Deployment", "Job", "LocustTest", "NetworkPolicy", "Secret", "Service",
    }  # fmt: skip
    assert all(each["spec"]["clusterIP"] == "None" for each in objects if each["kind"] == "Service")
    assert all(chosen.items() <= each.items() for each in labels)
    assert policy["ingress"] == [{"from": [{"podSelector": {"matchLabels": chosen}}]}]
    assert policy["policyTypes"] == ["Ingress", "Egress"]


@every_values_file
def test_services_select_their_pods(values: str) -> None:
    """Each finds one pod template of the release, and no other service finds the same."""
    objects = render(values)
    selectors = [each["spec"]["selector"] for each in objects if each["kind"] == "Service"]

    for selector in selectors:
        assert sum(selector.items() <= pod["metadata"]["labels"].items() for pod in pods(objects)) == 1
    assert len({json.dumps(each) for each in selectors}) == len(selectors)


@every_values_file
def test_every_command_of_mockbot_is_understood(values: str) -> None:
    """By the parser of the program itself: a misspelt option fails here."""
    objects = render(values)
    commands = [[*each.get("command", ())] for pod in pods(objects) for each in containers(pod)]

    for program, *arguments in filter(None, commands):
        if program == "mockbot":
            parsed = cli.commands[arguments[0]].make_context(arguments[0], arguments[1:])
            assert not parsed.args or arguments[0] == "proxy"
        if arguments[:2] == ["-m", "mockbot.service"]:
            service_parser().parse_args(arguments[2:])
        if arguments[:1] == ["proxy"]:
            parse(arguments[1:])
    assert {program for program, *_ in filter(None, commands)} <= {"mockbot", "python"}
    assert any(commands)


@every_values_file
def test_every_variable_is_read(values: str) -> None:
    """By `mockbot run` and `mockbot worker`, or by the command line itself."""
    for pod in pods(render(values)):
        for each in containers(pod):
            names = {variable["name"] for variable in each.get("env", ())}
            assert all(name == TOKEN or f"$({name})" in " ".join(each["command"]) for name in names)


def test_an_unknown_option_is_found() -> None:
    """The check above can fail."""
    with pytest.raises(NoSuchOption, match="--wokers"):
        cli.commands["run"].make_context("run", ["traffic-surge", "--wokers=2"])


def test_every_command_of_the_operator_is_understood() -> None:
    """By Locust's parser, with mockbot's options, as master and as worker. One that is wrong is found."""
    commands = [words[1:] for words in operator_commands(render("values-operator.yaml"))]

    *fine, wrong = _objections([*commands, ["--scenery=x"]])
    assert fine == [""] * len(commands)
    assert "--scenery" in wrong


def _objections(commands: list[list[str]]) -> list[str]:
    """What Locust says against each. In a process of its own, because Locust patches its process."""
    program = """
import contextlib, io, json, sys
from locust import events
from locust.argument_parser import parse_options
from mockbot import install
install(events)
said = []
for arguments in json.load(sys.stdin):
    with contextlib.redirect_stderr(io.StringIO()) as heard, contextlib.suppress(SystemExit):
        parse_options(arguments)
    said.append(heard.getvalue())
print("\\n" + json.dumps(said))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], input=json.dumps(commands), capture_output=True, text=True, check=True
    )
    return [str(each) for each in json.loads(done.stdout.splitlines()[-1])]


def test_the_scenario_of_ones_own_is_loaded() -> None:
    """The text reaches the ConfigMap whole, both programs read it there, and the example's is a good one."""
    objects = render("values-own-scenario.yaml")

    text = one(objects, "ConfigMap", "inputs")["data"]["scenario.yaml"]
    assert read_scenario(text, "scenario.yaml").name == "my-outage"
    assert command(objects, "master")[:3] == ["mockbot", "run", "/etc/mockbot/scenario.yaml"]
    operated = render("values-operator.yaml", "--set-string", f"scenarioFile={text.replace(',', chr(92) + ',')}")
    assert "--scenario=/home/locust/scenario.yaml" in operator_commands(operated)[0]
    assert "/etc/mockbot/scenario.yaml" in command(operated, "service")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--set", "wrokers=3"], "wrokers"),
        (["--set", "workers=0"], "workers"),
        (["--set", "load=daemon"], "load"),
        (["--is-upgrade"], "a release is one run: helm uninstall outage"),
        (["--set", "load=operator,runsClaim=mine"], "leave runsClaim empty"),
    ],
)
def test_wrong_values_are_refused(more: list[str], said: str) -> None:
    """By name, before anything reaches the cluster."""
    done = helm("template", RELEASE, str(CHART), *more)

    assert done.returncode == 1
    assert said in done.stderr


def test_a_release_that_would_set_locusts_variables_is_refused() -> None:
    """The operator's Service NAME-master would make LOCUST_..._MASTER_PORT of a release named `locust`."""
    done = helm("template", "locust", str(CHART), "--values", str(CHART / "values-operator.yaml"))

    assert done.returncode == 1
    assert "choose a release name" in done.stderr
