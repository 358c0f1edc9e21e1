"""The programs of a cluster, built from Go modules: Kubernetes' own, CoreDNS, and the process that holds a pod."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

NO_NODE = (
    "no Kubernetes node can be started here (it takes root, control groups of version 1, go, helm, dockerd, "
    "containerd, runc, and of Debian etcd-server and containernetworking-plugins)"
)
KUBERNETES, STAGING, COREDNS = "v1.34.2", "v0.34.2", "v1.14.6"
PARTS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kubectl")
CNI, GROUPS = Path("/usr/lib/cni"), Path("/sys/fs/cgroup")
NEEDED = ("go", "helm", "etcd", "containerd", "ctr", "runc", "nsenter", "unshare", "openssl", "dockerd")
PLUGINS = ("bind", "errors", "kubernetes")
PAUSE = """package main

import "time"

func main() { time.Sleep(time.Hour) }
"""


def build(folder: Path) -> Path:
    """Build them all into a folder that may hold them already; where they are. Minutes, once."""
    there = all(map(shutil.which, NEEDED)) and (CNI / "bridge").exists() and (GROUPS / "cpu").is_dir()
    if os.geteuid() != 0 or not there:
        pytest.skip(NO_NODE)
    for name in (*PARTS, "coredns", "pause"):
        if not (folder / name).exists():
            _SOURCES.get(name, _kubernetes)(folder, name)
    return folder


def _kubernetes(folder: Path, name: str) -> None:
    """One of Kubernetes' own. Its module names its parts by folders that only its repository has."""
    module = _module(folder, "kubernetes")
    at = json.loads(_go(module, "mod", "download", "-json", f"k8s.io/kubernetes@{KUBERNETES}"))["Dir"]
    text = (Path(at) / "go.mod").read_text("utf-8")
    parts = re.findall(r"^\s*(k8s\.io/\S+) => \./staging", text, re.MULTILINE)
    replaced = "".join(f"replace {part} => {part} {STAGING}\n" for part in parts)
    needed = "\n".join(re.findall(r"^require \(.*?^\)", text, re.MULTILINE | re.DOTALL))
    (module / "go.mod").write_text(
        f"module node\n\ngo 1.24.0\n\nrequire k8s.io/kubernetes {KUBERNETES}\n\n{replaced}\n{needed}\n", "utf-8"
    )
    shutil.copyfile(Path(at) / "go.sum", module / "go.sum")
    version = f"-s -w -X k8s.io/component-base/version.gitVersion={KUBERNETES}"
    _go(module, "build", "-mod=mod", "-ldflags", version, "-o", str(folder / name), f"k8s.io/kubernetes/cmd/{name}")


def _coredns(folder: Path, name: str) -> None:
    module = _module(folder, name)
    path = "github.com/coredns/coredns"
    imports = "".join(f'\t_ "{path}/plugin/{each}"\n' for each in PLUGINS)
    main = f'package main\n\nimport (\n\t"{path}/coremain"\n{imports})\n\nfunc main() {{ coremain.Run() }}\n'
    (module / "main.go").write_text(main, "utf-8")
    (module / "go.mod").write_text("module dns\n\ngo 1.25.0\n", "utf-8")
    _go(module, "get", f"{path}@{COREDNS}")
    _go(module, "build", "-mod=mod", "-ldflags", "-s -w", "-o", str(folder / name), ".")


def _pause(folder: Path, name: str) -> None:
    module = _module(folder, name)
    (module / "main.go").write_text(PAUSE, "utf-8")
    _go(module, "build", "-o", str(folder / name), "main.go")


_SOURCES = {"coredns": _coredns, "pause": _pause}


def _module(folder: Path, name: str) -> Path:
    module = folder / f"{name}-module"
    module.mkdir(parents=True, exist_ok=True)
    return module


def _go(module: Path, *words: str) -> str:
    environment = {**os.environ, "CGO_ENABLED": "0", "GOWORK": "off", "GOFLAGS": ""}
    done = subprocess.run(["go", *words], cwd=module, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"go {' '.join(words)}: {done.stderr[-4000:]}"
    return done.stdout
