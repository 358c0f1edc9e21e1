"""The chart's pods as containers of a Docker engine: its images, users, mounts, memory limits and read-only root."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.compose.engine import Docker, engine, make_images
from tests.compose.scenario import SHORT
from tests.deploy.chart import RELEASE, ROOT, Object, one, pods, render

pytestmark = [pytest.mark.nightly, pytest.mark.timeout(600)]
UNITS = {"Mi": "m", "Gi": "g"}  # of Kubernetes, and of Docker


class Kubelet:
    """Starts pods of one release; `folder` holds the files of its Secret and its ConfigMap."""

    def __init__(self, docker: Docker, folder: Path, objects: list[Object]) -> None:
        self._docker, self._pods = docker, [*pods(objects)]
        folder.chmod(0o755)
        files = {
            "secret": one(objects, "Secret", "token")["stringData"],
            "configMap": one(objects, "ConfigMap", "inputs")["data"],
        }
        self._folders = {kind: folder / kind for kind in files}
        for kind, texts in files.items():
            self._folders[kind].mkdir()
            for name, text in texts.items():
                file = self._folders[kind] / name
                file.write_text(text, "utf-8")
                os.chown(file, 0, 1000)  # as the pod's fsGroup and defaultMode make it
                file.chmod(0o440)
        docker("network", "create", "cluster")

    def start(self, component: str, name: str) -> None:
        """Its init containers to their end, then its one container under this name, to be reached as its Service is."""
        [pod] = (each for each in self._pods if each["metadata"]["labels"]["app.kubernetes.io/component"] == component)
        volumes = {each["name"]: each for each in pod["spec"].get("volumes", ())}
        for each in pod["spec"].get("initContainers", ()):
            self._docker("run", "--rm", *self._options(pod, each, volumes))
        [main] = pod["spec"]["containers"]
        host = ["--name", name, "--network-alias", f"{RELEASE}-mockbot-{component}"]
        self._docker("run", "--detach", *host, *self._options(pod, main, volumes))

    def _options(self, pod: Object, container: Object, volumes: Object) -> list[str]:
        user, locked = pod["spec"]["securityContext"], container["securityContext"]
        limit = container["resources"]["limits"]["memory"]
        options = ["--network", "cluster", "--user", f"{user['runAsUser']}:{user['runAsGroup']}"]
        options += ["--memory", limit[:-2] + UNITS[limit[-2:]]]
        options += ["--read-only"] if locked["readOnlyRootFilesystem"] else []
        options += [] if locked["allowPrivilegeEscalation"] else ["--security-opt", "no-new-privileges"]
        options += [word for name in locked["capabilities"]["drop"] for word in ("--cap-drop", name)]
        for mount in container.get("volumeMounts", ()):
            [kind] = volumes[mount["name"]].keys() & {"secret", "configMap", "emptyDir"}
            where = mount["mountPath"]
            if kind == "emptyDir":
                options += ["--tmpfs", where]
            else:
                options += ["--volume", f"{self._folders[kind]}:{where}:ro"]
        return [*options, container["image"], *map(str, (*container.get("command", ()), *container.get("args", ())))]


@pytest.fixture(scope="module")
def docker() -> Iterator[Docker]:
    """An engine with both of mockbot's images."""
    with engine() as running:
        make_images(running)
        [image] = {each["spec"]["containers"][0]["image"] for each in pods(render("values-embedded.yaml"))}
        running("build", "--tag", image, str(ROOT))
        running("build", "--target", "locust", "--tag", "mockbot-locust", str(ROOT))
        yield running


@pytest.mark.parametrize("values", ["values.yaml", "values-embedded.yaml"])
def test_a_locked_down_release_comes_to_its_verdict(docker: Docker, tmp_path: Path, values: str) -> None:
    """With nothing writable but its mounts: a verdict, told, and workers that leave in order."""
    (tmp_path / "mine.yaml").write_text(SHORT, "utf-8")
    objects = render(values, "--set-file", f"scenarioFile={tmp_path / 'mine.yaml'}")
    kubelet = Kubelet(docker, tmp_path, objects)
    names = {"service": "service", "proxy": "proxy", "master": "master", "worker 1": "worker", "worker 2": "worker"}
    try:
        for name, component in names.items():
            kubelet.start(component, name.replace(" ", "-"))

        code = int(docker("wait", "master"))
        said = docker("logs", "master")
        assert code in {0, 3}, said
        assert {0: "PASS", 3: "INCONCLUSIVE"}[code] in said.upper()
        assert [docker("wait", f"worker-{number}").strip() for number in (1, 2)] == ["0", "0"]
    finally:
        docker("rm", "--force", *(name.replace(" ", "-") for name in names))
        docker("network", "rm", "cluster")


def test_the_operators_image_starts_locust(docker: Docker) -> None:
    """It is given arguments only; its user is the other image's."""
    told = docker("inspect", "--format", "{{.Config.Entrypoint}} {{.Config.User}}", "mockbot-locust")

    assert told.strip() == "[locust] mockbot"
    assert docker("run", "--rm", "mockbot-locust", "--version").startswith("locust ")
