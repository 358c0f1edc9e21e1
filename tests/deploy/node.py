"""A cluster of one node on this machine: Kubernetes' own programs, containerd and runc, without a registry.

Everything runs in namespaces of its own: network (no bridge or firewall rule is left), mounts, and processes: when the
first of them ends, the kernel ends all the others, the containers included. Only control groups, and four settings that
the kubelet makes for the whole machine, are outside; they are put back.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from tests.deploy.programs import CNI, GROUPS, NO_NODE
from tests.proxy.wire import eventually

ADDRESS, NODE = "10.77.0.1", "node"
GROUP = "mockbot-node"
TUNED = ("vm/overcommit_memory", "vm/panic_on_oom", "kernel/panic", "kernel/panic_on_oops")
HIDDEN = ("/run", "/var/lib", "/var/log")  # where containerd, CNI and the kubelet keep what is not asked for elsewhere
# The first process takes in whatever loses its parent, and ends with the process that started it.
FIRST = """
import os, signal, sys
def reap(*_):
    try:
        while os.waitpid(-1, os.WNOHANG)[0]: pass
    except ChildProcessError: pass
signal.signal(signal.SIGCHLD, reap)
print("up", flush=True)
sys.stdin.read()
"""
SETUP = f"""
set -e
mount --make-rshared /
for place in {" ".join(HIDDEN)}; do mount -t tmpfs tmpfs $place; mount --make-rshared $place; done
ip link set lo up
ip link add node0 type veth peer name wire
ip address add {ADDRESS}/24 dev node0
ip link set wire up
ip link set node0 up
ip route add default via 10.77.0.254
echo 1 > /proc/sys/net/ipv4/ip_forward
exec "$@"
"""
TOKENS = f"admin,admin,admin,system:masters\nnode,system:node:{NODE},node,system:nodes\n"
CONTAINERD = """
version = 2
root = "{folder}/containerd"
[grpc]
  address = "{folder}/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "docker.io/mockbot/pause:1"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{cni}"
    conf_dir = "{folder}/cni"
"""
NETWORK = """{
  "cniVersion": "1.0.0", "name": "pods", "plugins": [
    {"type": "bridge", "bridge": "cni0", "isGateway": true, "ipam": {
      "type": "host-local", "ranges": [[{"subnet": "10.78.0.0/24"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
    {"type": "portmap", "capabilities": {"portMappings": true}}]
}"""
KUBELET = """
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication: {{anonymous: {{enabled: true}}, webhook: {{enabled: false}}}}
authorization: {{mode: AlwaysAllow}}
cgroupDriver: cgroupfs
cgroupRoot: /{group}
containerRuntimeEndpoint: unix://{folder}/containerd.sock
clusterDNS: [{address}]
clusterDomain: cluster.local
resolvConf: ""
volumePluginDir: {folder}/plugins
failSwapOn: false
oomScoreAdj: 0
"""
KUBECONFIG = """
apiVersion: v1
kind: Config
clusters: [{{name: c, cluster: {{server: "https://{address}:6443", insecure-skip-tls-verify: true}}}}]
users: [{{name: u, user: {{token: {token}}}}}]
contexts: [{{name: c, context: {{cluster: c, user: u}}}}]
current-context: c
"""
NAMES = """cluster.local {{
  bind {address}
  errors
  kubernetes cluster.local {{
    kubeconfig {folder}/admin.conf
  }}
}}
"""


@dataclass(frozen=True, slots=True)
class Node:
    """A cluster that runs; commands see it by its KUBECONFIG."""

    folder: Path
    programs: Path
    first: int  # the process id of the first process, as seen from outside
    parts: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    def enter(self, *words: str) -> list[str]:
        """The command line that runs a program inside."""
        return ["nsenter", f"--target={self.first}", "--net", "--mount", "--pid", "--", *words]

    def start(self, name: str, *words: str) -> None:
        """Let a program run until the cluster's end; its output is in NAME.log."""
        with (self.folder / f"{name}.log").open("wb") as log:
            part = subprocess.Popen(
                self.enter(*words), stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=self.folder
            )
        self.parts.append(part)

    def ctr(self, *words: str) -> list[str]:
        """The command line that asks its containerd, about what the kubelet sees."""
        return ["ctr", f"--address={self.folder}/containerd.sock", "--namespace=k8s.io", *words]

    def run(self, *words: str, stdin: bytes | None = None) -> "subprocess.CompletedProcess[str]":
        """Run a program to its end, with both of its outputs in one."""
        path = f"{self.programs}:{os.environ['PATH']}"
        environment = {**os.environ, "PATH": path, "KUBECONFIG": str(self.folder / "admin.conf")}
        done = subprocess.run(
            self.enter(*words),
            input=stdin,
            env=environment,
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        return subprocess.CompletedProcess(words, done.returncode, done.stdout.decode(errors="replace"))

    def __call__(self, *words: str, stdin: bytes | None = None) -> str:
        """What a program says that succeeds; AssertionError with its words when it does not."""
        done = self.run(*words, stdin=stdin)
        assert done.returncode == 0, f"{' '.join(words)}: {done.stdout[-4000:]}"
        return done.stdout


@contextmanager
def node(programs: Path, folder: Path) -> Iterator[Node]:
    """A cluster whose one node is ready."""
    first = ("unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
    command = [*first, "sh", "-c", SETUP, "setup", sys.executable, "-c", FIRST]
    with (
        _groups(),
        _tuned(),
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as namespaces,
    ):
        assert namespaces.stdin is not None
        assert namespaces.stdout is not None
        if namespaces.stdout.readline() != "up\n":
            pytest.skip(NO_NODE)
        [child] = Path(f"/proc/{namespaces.pid}/task/{namespaces.pid}/children").read_text().split()
        running = Node(folder, programs, int(child))
        try:
            _begin(running)
            yield running
        finally:
            namespaces.stdin.close()
            for part in running.parts:
                part.wait(60)


def _begin(node: Node) -> None:
    """One part after the other, each when those it needs answer."""
    folder, programs, admin = node.folder, node.programs, f"--kubeconfig={node.folder}/admin.conf"
    _write_files(folder)
    key = folder / "accounts.key"
    node("openssl", "genrsa", "-out", str(key), "2048")
    node.start("etcd", "etcd", f"--data-dir={folder}/etcd")
    node.start(
        "kube-apiserver", f"{programs}/kube-apiserver",
        "--etcd-servers=http://127.0.0.1:2379",
        f"--advertise-address={ADDRESS}",
        f"--cert-dir={folder}/certificates",
        f"--token-auth-file={folder}/tokens.csv",
        "--authorization-mode=Node,RBAC",
        "--service-cluster-ip-range=10.96.0.0/16",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={key}",
        f"--service-account-signing-key-file={key}",
        "--kubelet-preferred-address-types=InternalIP",
    )  # fmt: skip
    _wait(node, "kube-apiserver", "kubectl", "get", "--raw=/readyz")
    node.start(
        "kube-controller-manager", f"{programs}/kube-controller-manager", admin, "--leader-elect=false",
        f"--service-account-private-key-file={key}", f"--root-ca-file={folder}/certificates/apiserver.crt",
        f"--flex-volume-plugin-dir={folder}/plugins",
    )  # fmt: skip
    node.start("kube-scheduler", f"{programs}/kube-scheduler", admin, "--leader-elect=false")
    node.start("coredns", f"{programs}/coredns", "-conf", f"{folder}/Corefile")
    node.start("containerd", "containerd", "--config", f"{folder}/containerd.toml")
    _wait(node, "containerd", *node.ctr("version"))
    node.start(
        "kubelet", f"{programs}/kubelet", f"--kubeconfig={folder}/node.conf", f"--config={folder}/kubelet.yaml",
        f"--root-dir={folder}/kubelet", f"--hostname-override={NODE}", f"--node-ip={ADDRESS}",
    )  # fmt: skip
    _wait(node, "kubelet", "kubectl", "wait", f"node/{NODE}", "--for=condition=Ready", "--timeout=1s")


def _write_files(folder: Path) -> None:
    where = {"folder": folder, "address": ADDRESS, "group": GROUP, "cni": CNI}
    (folder / "cni").mkdir()
    for name, text in {
        "tokens.csv": TOKENS,
        "containerd.toml": CONTAINERD.format(**where),
        "cni/pods.conflist": NETWORK,
        "kubelet.yaml": KUBELET.format(**where),
        "admin.conf": KUBECONFIG.format(token="admin", **where),
        "node.conf": KUBECONFIG.format(token="node", **where),
        "Corefile": NAMES.format(**where),
    }.items():
        (folder / name).write_text(text, "utf-8")


def _wait(node: Node, part: str, *words: str) -> None:
    if not eventually(lambda: node.run(*words).returncode == 0, 120):
        log = (node.folder / f"{part}.log").read_text("utf-8", errors="replace")
        raise AssertionError(f"{part} does not answer: {log[-3000:]}")


def throttled() -> set[int]:
    """How often the kernel has stopped the pods' control groups because of a CPU limit, each number once."""
    stats = [path.read_text() for path in (GROUPS / "cpu" / GROUP).rglob("pod*/*/cpu.stat")]
    return {int(line.split()[1]) for text in stats for line in text.splitlines() if line.startswith("nr_throttled")}


@contextmanager
def _groups() -> Iterator[None]:
    """A control group of the node's own in every hierarchy; none is left."""
    made = [each / GROUP for each in GROUPS.iterdir() if (each / "cgroup.procs").exists()]
    for group in made:
        group.mkdir(exist_ok=True)
        for setting in ("cpuset.cpus", "cpuset.mems"):
            if (group / setting).exists():
                (group / setting).write_text((group.parent / setting).read_text())
    try:
        yield
    finally:
        for group in made:
            assert eventually(partial(_removed, group), 30), f"{group} is in use"


def _removed(group: Path) -> bool:
    try:
        for place, *_ in [*os.walk(group, topdown=False)]:
            Path(place).rmdir()
    except OSError:
        return False
    return True


@contextmanager
def _tuned() -> Iterator[None]:
    """What the kubelet sets for the whole machine, put back."""
    before = {name: (Path("/proc/sys") / name).read_text() for name in TUNED}
    try:
        yield
    finally:
        for name, value in before.items():
            (Path("/proc/sys") / name).write_text(value)
