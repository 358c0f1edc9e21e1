"""The chart on a cluster with a node: scheduled, mounted, locked down and evicted by Kubernetes itself."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from mockbot.errors import ExitCode
from tests.compose.engine import engine, make_images
from tests.compose.scenario import BUSY
from tests.deploy.chart import CHART, RELEASE, ROOT, containers, pods, render
from tests.deploy.node import Node, node, throttled
from tests.deploy.programs import build
from tests.deploy.test_page import PAGE
from tests.docs.pages import blocks
from tests.proxy.wire import eventually

pytestmark = [pytest.mark.nightly, pytest.mark.timeout(3600)]
SMALL = """
name: small
title: A short outage for few users
speed: 4
seed: 7
providers:
  main: {slots: 40, answer: {first_token: 1s, tokens: {median: 20, p95: 40}}}
crowd:
  patient: {users: 100%, policy: backoff, think: 3s, patience: 60s}
phases:
  - {name: steady, lasts: 40s, users: 8}
  - {name: torn, lasts: 30s, faults: [{reset_peer: 0s, share: 50%}, {http_error: 503, share: 20%}]}
  - {name: after, lasts: 40s}
expect:
  - {phase: steady, availability: "EXPECTED"}
"""
# Kubernetes promises CPU that is there; this machine may have two cores.
PLACES = "resources.master.requests.cpu=200m,resources.worker.requests.cpu=100m,resources.toxiproxy.requests.cpu=100m"
VERDICT, READ = blocks("sh", PAGE)
CLAIM = """
apiVersion: v1
kind: PersistentVolume
metadata: {{name: disk}}
spec:
  capacity: {{storage: 1Gi}}
  accessModes: [ReadWriteOnce]
  storageClassName: ""
  local: {{path: {folder}}}
  nodeAffinity:
    required: {{nodeSelectorTerms: [{{matchExpressions: [{{key: kubernetes.io/os, operator: Exists}}]}}]}}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {{name: mockbot-runs}}
spec: {{accessModes: [ReadWriteOnce], storageClassName: "", resources: {{requests: {{storage: 1Gi}}}}}}
"""
LOOK = """
import os
print(os.getuid(), os.getgid(), [line.split()[1] for line in open("/proc/self/status")
      if line.startswith(("CapEff", "CapBnd", "NoNewPrivs", "Seccomp:"))], os.path.exists("/var/run/secrets"))
for place in ("/", "/work", "/tmp"):
    try: open(os.path.join(place, "file"), "w"); print(place, "is written")
    except OSError as error: print(place, error.strerror)
"""
LOCKED = """\
1000 1000 ['0000000000000000', '0000000000000000', '1', '2'] False
/ Read-only file system
/work Read-only file system
/tmp is written
"""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """One node that has the images; the namespace takes pods of the *restricted* standard only."""
    folder = tmp_path_factory.mktemp("cluster")
    programs = build(folder / "programs")
    images = folder / "images.tar"
    with engine() as docker:
        make_images(docker)
        names = {each["image"] for pod in pods(render()) for each in containers(pod)}
        [own] = (name for name in names if name.startswith("mockbot:"))
        docker("build", "--tag", own, str(ROOT))
        (programs / "Dockerfile").write_text('FROM scratch\nCOPY pause /pause\nENTRYPOINT ["/pause"]\n', "utf-8")
        docker("build", "--tag", "mockbot/pause:1", str(programs))
        docker("save", "--output", str(images), "mockbot/pause:1", *names)
    (folder / "node").mkdir()
    with node(programs, folder / "node") as running:
        running(*running.ctr("images", "import", str(images)))
        running("kubectl", "create", "namespace", "chaos")
        running("kubectl", "label", "namespace", "chaos", "pod-security.kubernetes.io/enforce=restricted")
        running("kubectl", "config", "set-context", "c", "--namespace=chaos")
        yield running


class Release:
    """An installation; `folder` takes its scenario."""

    def __init__(self, cluster: Node, folder: Path) -> None:
        self.cluster, self.folder = cluster, folder

    def install(self, values: str, expected: str, *settings: str) -> None:
        """With a scenario that expects this availability."""
        file = self.folder / "mine.yaml"
        file.write_text(SMALL.replace("EXPECTED", expected), "utf-8")
        self.cluster(
            "helm", "install", RELEASE, str(CHART), "--values", str(CHART / values),
            "--set", ",".join((PLACES, *settings)), "--set-file", f"scenarioFile={file}",
        )  # fmt: skip

    def verdict(self) -> tuple[int, str]:
        """The page's lines: their exit code, and what they print."""
        done = self.cluster.run("sh", "-c", VERDICT)
        return done.returncode, done.stdout

    def worker(self) -> str:
        """The name of a worker that runs."""
        assert eventually(lambda: len(self._workers()) == 2, 120), self.cluster("kubectl", "get", "events")
        return self._workers()[0]

    def _workers(self) -> list[str]:
        chosen = ("--selector=app.kubernetes.io/component=worker", "--field-selector=status.phase=Running")
        return self.cluster("kubectl", "get", "pods", *chosen, "--output=name").split()

    def said(self) -> str:
        """What the master has printed so far."""
        return self.cluster.run("kubectl", "logs", f"job/{RELEASE}-mockbot-verdict").stdout

    def why_failed(self, job: str) -> str:
        """What the Job's condition says, once it has failed."""
        path = '{.status.conditions[?(@.type=="Failed")].message}'
        name = f"job/{RELEASE}-mockbot-{job}"
        self.cluster("kubectl", "wait", name, "--for=condition=Failed", "--timeout=60s")
        return self.cluster("kubectl", "get", name, f"--output=jsonpath={path}")


@pytest.fixture
def release(cluster: Node, tmp_path: Path) -> Iterator[Release]:
    """One that is uninstalled, and has left nothing then."""
    yield Release(cluster, tmp_path)
    cluster("helm", "uninstall", RELEASE, "--wait", "--ignore-not-found")
    kinds = "all,configmaps,secrets,networkpolicies"
    mine = ("kubectl", "get", kinds, f"--selector=app.kubernetes.io/instance={RELEASE}", "--output=name")
    assert eventually(lambda: not cluster(*mine), 60), cluster(*mine)


@pytest.fixture
def disk(cluster: Node, tmp_path: Path) -> Iterator[None]:
    """The page's claim, with a disk that the kubelet gives to the pods' group."""
    folder = tmp_path / "disk"
    folder.mkdir()
    cluster("kubectl", "apply", "--filename=-", stdin=CLAIM.format(folder=folder).encode())
    yield
    cluster("kubectl", "delete", "pvc/mockbot-runs", "pv/disk")


@pytest.mark.usefixtures("disk")
@pytest.mark.parametrize(
    ("values", "expected", "code"), [("values.yaml", ">= 50%", 0), ("values-embedded.yaml", "<= 1%", 1)]
)
def test_the_pages_lines_exit_with_the_verdict(
    cluster: Node, release: Release, tmp_path: Path, values: str, expected: str, code: int
) -> None:
    """Pasted before anything has started. The Job says the same, and so does the run folder that is read afterwards."""
    release.install(values, expected, "runsClaim=mockbot-runs")
    exited, said = release.verdict()
    cluster("kubectl", "apply", "--filename=-", stdin=_reader().encode())
    try:
        cluster("sh", "-c", f"set -e\ncd {tmp_path}\n{READ}")
    finally:
        cluster("kubectl", "delete", "--grace-period=1", "pod/reader")

    latest = tmp_path / "runs/latest"
    summary = json.loads((latest / "summary.json").read_text("utf-8"))
    broken = {guard["name"] for guard in summary["guards"] if not guard["ok"]}
    assert exited == code or (exited == ExitCode.INCONCLUSIVE and broken <= BUSY), said
    assert f"verdict: {ExitCode(exited).name.lower()}" in said
    assert (latest / "report.html").stat().st_size > 0
    if exited:
        assert f"failed with exit code {exited} " in release.why_failed("verdict")
    else:
        cluster("kubectl", "wait", f"job/{RELEASE}-mockbot-verdict", "--for=condition=Complete", "--timeout=60s")


def _reader() -> str:
    """The page's pod, of the image that this cluster has."""
    [text] = blocks("yaml", PAGE)
    return text.replace("registry.example/", "")


def test_an_evicted_worker_is_named_and_there_is_no_verdict(release: Release) -> None:
    """By the eviction API, as `kubectl drain` does; before that the pods are seen to be what the page says."""
    release.install("values.yaml", ">= 50%")
    worker = release.worker()
    assert release.cluster("kubectl", "exec", worker, "--container=worker", "--", "python", "-c", LOOK) == LOCKED
    assert throttled() == {0}
    assert eventually(lambda: "steady:" in release.said(), 120), release.said()
    name = worker.removeprefix("pod/")
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}}
    where = f"/api/v1/namespaces/chaos/pods/{name}/eviction"
    release.cluster("kubectl", "create", "--raw", where, "--filename=-", stdin=json.dumps(eviction).encode())
    code, said = release.verdict()

    assert code == ExitCode.INCONCLUSIVE, said
    assert "workers left before the end" in " ".join(said.split())
    assert f"{name} has condition DisruptionTarget" in release.why_failed("workers")
    assert "failed with exit code 3 " in release.why_failed("verdict")
