"""What the chart's pods would start, as plain processes: a verdict, an eviction, the way of the operator."""

import contextlib
import importlib.util
import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import ModuleType

import pytest

from mockbot.load.introduction import TOKEN
from tests.compose.scenario import BUSY, SHORT
from tests.compose.test_processes import answers, end, free_ports
from tests.deploy.chart import CHART, ROOT, Object, command, containers, one, operator_commands, pods, render
from tests.proxy.wire import eventually

pytestmark = [pytest.mark.second, pytest.mark.timeout(180)]
Process = subprocess.Popen[bytes]
WORKERS = 2


class Release:
    """The chart's parts as processes, in a folder that holds what its volumes would."""

    def __init__(self, folder: Path, stack: contextlib.ExitStack, values: str) -> None:
        self._stack, self._folder = stack, folder
        (folder / "mine.yaml").write_text(SHORT, "utf-8")
        mine = f"scenarioFile={folder / 'mine.yaml'}"
        self.objects = render(values, "--set-file", mine, "--set", f"workers={WORKERS},toxiproxy.enabled=false")
        self._token = str(one(self.objects, "Secret", "token")["stringData"]["token"])
        mounted = {"token": self._token, **one(self.objects, "ConfigMap", "inputs")["data"]}
        for name, text in mounted.items():
            (folder / name).write_text(text, "utf-8")

    def start(self, name: str, words: list[str], here: dict[str, str]) -> Process:
        """The command of a pod. `here`: what patterns become on this machine."""
        for program in ("locust", "mockbot", "python"):
            here[f"^{program}$"] = str(Path(sys.executable).with_name(program))
        here["(/etc/mockbot|/run/mockbot|/home/locust)/"] = f"{self._folder}/"
        for pattern, instead in here.items():
            words = [re.sub(pattern, instead, word) for word in words]
        log = self._stack.enter_context((self._folder / f"{name}.log").open("ab"))
        process = subprocess.Popen(
            words, cwd=self._folder, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
            env={**os.environ, TOKEN: self._token},
        )  # fmt: skip
        self._stack.callback(end, process)
        return process

    def said(self, name: str) -> str:
        """What processes of this name have printed."""
        return (self._folder / f"{name}.log").read_text("utf-8")

    def has_begun(self) -> bool:
        """Whether load was made."""
        return any(file.stat().st_size for file in self._folder.glob("runs/*/health.jsonl"))

    def told(self, file: str) -> Object:
        """A file of the one run's folder."""
        [folder] = (path for path in (self._folder / "runs").iterdir() if not path.is_symlink())
        return dict(json.loads((folder / file).read_text("utf-8")))


@pytest.fixture
def release(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Release]:
    """One with the values of the test's parameter; all of its processes are gone afterwards."""
    with contextlib.ExitStack() as stack:
        yield Release(tmp_path, stack, getattr(request, "param", "values-embedded.yaml"))


@pytest.fixture
def master(release: Release) -> Process:
    """Of the chart's own Job, which has workers; the pod's address is one of this machine's loopback."""
    address = f"127.{'.'.join(str(random.Random().randrange(2, 250)) for _ in range(3))}"
    return release.start("master", command(release.objects, "master"), {r"\$\(POD_IP\)": address})


@pytest.fixture
def workers(release: Release, master: Process) -> list[Process]:
    """All of them, once the master is there."""
    wanted = re.compile(r"mockbot worker (127\S+)")
    assert eventually(lambda: wanted.search(release.said("master")) is not None, 60), release.said("master")
    place = wanted.findall(release.said("master"))[0]
    words = command(release.objects, "worker")
    return [release.start("worker", words, {"^outage-mockbot-master:5557$": place}) for _ in range(WORKERS)]


def test_the_masters_exit_code_is_the_verdict(release: Release, master: Process, workers: list[Process]) -> None:
    """Its faults were felt by two workers, which leave with 0 whatever the verdict: theirs is no second one."""
    code = master.wait(120)

    summary = release.told("summary.json")
    broken = {guard["name"] for guard in summary["guards"] if not guard["ok"]}
    assert (code, broken) == (0, set()) or (code == 3 and broken <= BUSY), release.said("master")
    assert (summary["run"]["engine"], summary["run"]["nodes"]) == ("embedded", WORKERS)
    assert [worker.wait(20) for worker in workers] == [0, 0], release.said("worker")


@pytest.mark.parametrize("graceful", [True, False], ids=["SIGTERM, then SIGKILL", "SIGKILL"])
def test_an_evicted_worker_makes_the_run_inconclusive(
    release: Release, master: Process, workers: list[Process], *, graceful: bool
) -> None:
    """As the kubelet evicts: SIGTERM, a time of grace, SIGKILL; or none at all, when the node is out of memory."""
    assert eventually(release.has_begun, 60), release.said("master")
    evicted = workers[0]
    if graceful:
        evicted.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            evicted.wait(30)
    evicted.kill()
    code = master.wait(120)

    run = release.told("run.json")
    assert code == 3, release.said("master")
    assert (run["ended"], run["nodes"], run["lost_nodes"]) == ("lost_worker", WORKERS, 1)
    assert evicted.wait(10) != 0, "its Job would not fail"


def test_the_verdict_names_the_workers_that_left(release: Release, master: Process, workers: list[Process]) -> None:
    """The Job of a worker that is evicted fails, and a Job that fails ends its other pods: the run ends there."""
    assert eventually(release.has_begun, 60), release.said("master")
    for worker in workers:
        worker.terminate()
    code = master.wait(60)

    run = release.told("run.json")
    assert code == 3, release.said("master")
    assert (run["ended"], run["nodes"], run["lost_nodes"]) == ("lost_worker", WORKERS, WORKERS)
    assert all(f"worker-{number}, whose records end at" in run["why"] for number in range(WORKERS))


def test_an_evicted_master_has_no_verdict(release: Release, master: Process, workers: list[Process]) -> None:
    """130, which is none of the verdict's codes; its workers leave by themselves."""
    assert eventually(release.has_begun, 60), release.said("master")
    master.terminate()

    assert master.wait(30) == 130, release.said("master")
    assert release.told("run.json")["ended"] == "interrupted"
    assert all(worker.wait(60) is not None for worker in workers)


@pytest.mark.parametrize("release", ["values-operator.yaml"], indirect=True)
def test_with_the_operator_a_follower_exits_with_the_verdict(release: Release) -> None:
    """The operator gives one list of arguments to master and workers, and deletes its Job when that ends."""
    base, objects = free_ports(), release.objects
    here = {
        "=loadtests/": f"={ROOT}/loadtests/",
        "outage-mockbot-service:8000": f"127.0.0.1:{base}",
        "outage-mockbot-proxy:8474": f"127.0.0.1:{base + 8}",
        "outage-mockbot-load-webui:8089": f"127.0.0.1:{base + 12}",
        "^outage-mockbot-load-master$": "127.0.0.1",
        "port-base=8000": f"port-base={base}",
        "proxy-ports=8666": f"proxy-ports={base + 10}",
        r"^(-+host)=0\.0\.0\.0": r"\1=127.0.0.1",
        "^--autoquit=60$": "--autoquit=10",
    }
    release.start("service", command(objects, "service"), here)
    release.start("proxy", [*command(objects, "proxy"), f"-port={base + 8}"], here)
    assert eventually(answers(f"http://127.0.0.1:{base}"), 60), release.said("service")
    assert eventually(answers(f"http://127.0.0.1:{base + 8}/version"), 60), release.said("proxy")
    master, worker = operator_commands(objects)
    follower = release.start("follower", command(objects, "follower"), here)
    started = release.start("master", [*master, f"--master-bind-port={base + 9}", f"--web-port={base + 12}"], here)
    for _ in range(WORKERS):
        release.start("worker", [*worker, f"--master-port={base + 9}"], here)

    code = follower.wait(150)
    assert code == started.wait(60), release.said("master")
    assert code in {0, 3}, release.said("follower")
    verdict, *rest = release.said("follower").splitlines()
    assert verdict == release.told("summary.json")["verdict"] == {0: "pass", 3: "inconclusive"}[code]
    assert sum("availability" in line for line in rest) == 2, "its expectations"


@pytest.fixture
def follow(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The follower's program, which waits for nothing."""
    spec = importlib.util.spec_from_file_location("follow", CHART / "files/follow.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "GONE_AFTER", 0.2)
    monkeypatch.setattr(module, "PAUSE", 0.01)
    return module


@pytest.mark.parametrize(
    ("told", "code", "said"),
    [
        ([{}, {"verdict": None}], 3, "gone without a verdict"),
        ([{"error": "no service"}], 4, "no service"),
        ([{"verdict": {"verdict": "fail", "reasons": ["it failed"], "expectations": []}}], 1, "it failed"),
    ],
)
def test_a_follower_tells_every_end(
    follow: ModuleType, capsys: pytest.CaptureFixture[str], told: list[Object], code: int, said: str
) -> None:
    """A master that has gone was evicted, so the run is inconclusive; one that could not begin says why."""
    rest = iter(told)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = next(rest, None)
            if answer is not None:
                self.send_response(200)
                self.end_headers()
                self.wfile.write(json.dumps(answer).encode())

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        assert follow.main(f"http://127.0.0.1:{server.server_port}") == code
        server.shutdown()

    assert said in capsys.readouterr().out


@pytest.mark.parametrize("program", ["wait.py", "follow.py"])
def test_a_pod_that_waits_leaves_when_it_is_told_to(program: str) -> None:
    """In a container it is the first process, which has no default for SIGTERM: its exit code is one of its own."""
    closed = f"127.0.0.1:{free_ports()}"
    place = closed if program == "wait.py" else f"http://{closed}"
    words = [sys.executable, "-u", str(CHART / "files" / program), place]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL) as process:
        assert eventually(lambda: _handles(process.pid, signal.SIGTERM), 20)
        process.terminate()

        assert process.wait(20) == 143


def _handles(process: int, signum: signal.Signals) -> bool:
    """Whether it has a handler for the signal (proc(5), SigCgt)."""
    status = Path(f"/proc/{process}/status").read_text("utf-8")
    [caught] = re.findall(r"^SigCgt:\s+(\w+)$", status, re.MULTILINE)
    return bool(int(caught, 16) >> (signum - 1) & 1)


def test_the_programs_of_the_chart_are_in_its_pods() -> None:
    """They reach the pods through Helm unchanged."""
    texts = {name: (CHART / "files" / name).read_text("utf-8").strip() for name in ("wait.py", "follow.py")}
    embedded = {
        each["command"][2].strip()
        for values in ("values.yaml", "values-operator.yaml")
        for pod in pods(render(values))
        for each in containers(pod)
        if each.get("command", ["", ""])[:2] == ["python", "-c"]
    }

    assert embedded == {*texts.values()}
