"""The chart's pods as containers of a Docker engine: its images, users, mounts, memory limits and read-only root."""

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.compose.engine import Docker, engine, make_images
from tests.compose.scenario import SHORT
from tests.deploy.chart import RELEASE, ROOT, Object, one, pods, render
from tests.proxy.wire import eventually

pytestmark = [pytest.mark.nightly, pytest.mark.timeout(600)]
UNITS = {"Mi": "m", "Gi": "g"}  # of Kubernetes, and of Docker
HOLDER = ["python", "-c", "import time; time.sleep(600)"]  # keeps a pod's address, as Kubernetes' pause does


class Kubelet:
    """Starts pods of one release; `folder` holds the files of its ConfigMap."""

    def __init__(self, docker: Docker, folder: Path, objects: list[Object]) -> None:
        self._docker, self._pods = docker, [*pods(objects)]
        self._token = one(objects, "Secret", "token")["stringData"]["token"]
        self._folder = folder / "inputs"
        self._folder.mkdir()
        for place in folder.parents[:3]:  # pytest keeps its folders to their owner
            place.chmod(0o755)
        folder.chmod(0o755)
        for name, text in one(objects, "ConfigMap", "inputs")["data"].items():
            file = self._folder / name
            file.write_text(text, "utf-8")
            os.chown(file, 0, 1000)  # as the pod's fsGroup makes it
            file.chmod(0o440)
        docker("network", "create", "cluster")

    def start(self, component: str, name: str) -> None:
        """Its init containers to their end, its sidecars, then its one container under this name."""
        [pod] = (each for each in self._pods if each["metadata"]["labels"]["app.kubernetes.io/component"] == component)
        main = pod["spec"]["containers"][0]
        host = ["--network", "cluster", "--network-alias", f"{RELEASE}-mockbot-{component}"]
        self._docker("run", "--detach", "--name", f"{name}-pod", *host, main["image"], *HOLDER)
        address = self._docker(
            "inspect", "--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", f"{name}-pod"
        ).strip()
        for each in pod["spec"].get("initContainers", ()):
            sidecar = each.get("restartPolicy") == "Always"
            how = ["--detach", "--name", f"{name}-{each['name']}"] if sidecar else ["--rm"]
            self._docker("run", *how, *self._options(pod, each, name, address))
            if sidecar:
                probe = ("exec", f"{name}-{each['name']}", *each["startupProbe"]["exec"]["command"])
                assert eventually(partial(self._works, *probe), 30)
        self._docker("run", "--detach", "--name", name, *self._options(pod, main, name, address))

    def _works(self, *words: str) -> bool:
        try:
            self._docker(*words)
        except AssertionError:
            return False
        return True

    def _options(self, pod: Object, container: Object, name: str, address: str) -> list[str]:
        user, locked = pod["spec"]["securityContext"], container["securityContext"]
        limit = container["resources"]["limits"]["memory"]
        options = ["--network", f"container:{name}-pod", "--user", f"{user['runAsUser']}:{user['runAsGroup']}"]
        options += ["--memory", limit[:-2] + UNITS[limit[-2:]]]
        options += ["--read-only"] if locked["readOnlyRootFilesystem"] else []
        options += [] if locked["allowPrivilegeEscalation"] else ["--security-opt", "no-new-privileges"]
        options += [word for drop in locked["capabilities"]["drop"] for word in ("--cap-drop", drop)]
        values = {"MOCKBOT_TOKEN": self._token, "POD_IP": address}
        options += [
            word for each in container.get("env", ()) for word in ("--env", f"{each['name']}={values[each['name']]}")
        ]
        volumes = {each["name"]: each for each in pod["spec"].get("volumes", ())}
        for mount in container.get("volumeMounts", ()):
            inputs = "configMap" in volumes[mount["name"]]
            where = mount["mountPath"]
            options += ["--volume", f"{self._folder}:{where}:ro"] if inputs else ["--tmpfs", f"{where}:uid=1000"]
        words = map(str, (*container.get("command", ()), *container.get("args", ())))
        return [*options, container["image"], *(word.replace("$(POD_IP)", address) for word in words)]


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
    kubelet = Kubelet(docker, tmp_path, render(values, "--set-file", f"scenarioFile={tmp_path / 'mine.yaml'}"))
    try:
        kubelet.start("master", "master")
        assert eventually(lambda: "mockbot worker" in _said(docker, "master"), 60), _said(docker, "master")
        for name in ("worker-1", "worker-2"):
            kubelet.start("worker", name)

        code, said = int(docker("wait", "master")), _said(docker, "master")
        assert code in {0, 3}, said
        assert {0: "verdict: pass", 3: "verdict: inconclusive"}[code] in said
        assert [docker("wait", name).strip() for name in ("worker-1", "worker-2")] == ["0", "0"]
    finally:
        docker("rm", "--force", *docker("ps", "--all", "--quiet").split())
        docker("network", "rm", "cluster")


def _said(docker: Docker, name: str) -> str:
    """What a container has written, errors included."""
    return docker.run(["sh", "-c", 'docker logs "$0" 2>&1', name])


def test_the_operators_image_starts_locust(docker: Docker) -> None:
    """It is given arguments only; its user is the other image's."""
    told = docker("inspect", "--format", "{{.Config.Entrypoint}} {{.Config.User}}", "mockbot-locust")

    assert told.strip() == "[locust] mockbot"
    assert docker("run", "--rm", "mockbot-locust", "--version").startswith("locust ")
