"""A Docker engine of our own, with base images of this machine's files: nothing is pulled, nobody else's is used.

The engine has its own data, socket and network namespace, so that it leaves no image, bridge or firewall rule behind.
Into the image that stands in for `python:3.12-slim` go this interpreter, what mockbot and its build need of this
environment, a shell with five programs, and the libraries that all of them link to (asked of `ldd`).
"""

import io
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import Distribution, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.compose.compose_file import ROOT
from tests.proxy.wire import eventually

NO_ENGINE = "no Docker engine can be started here (it takes root, dockerd, docker-compose, unshare, ip and go)"
PROGRAMS = ("dockerd", "docker", "docker-compose", "unshare", "ip", "go", "ldd")
SHELL = ("sh", "install", "rm", "sleep", "tar", "useradd")
SITE = Path(sysconfig.get_path("purelib"))
HOME = Path(sys.base_prefix)
VERSION = f"python{sys.version_info.major}.{sys.version_info.minor}"
ENVIRONMENT = {
    "PATH": f"/usr/local/bin:{HOME}/bin:/usr/sbin:/usr/bin",
    "PYTHONPATH": "/opt/site",
    "PIP_NO_INDEX": "1",
    "PIP_NO_BUILD_ISOLATION": "0",  # sic: the option that is read here is `build_isolation`
    "PIP_BREAK_SYSTEM_PACKAGES": "1",
}
ETC = {
    "passwd": "root:x:0:0:root:/root:/bin/sh\n",
    "group": "root:x:0:\n",
    "shadow": "root:*:19000:0:99999:7:::\n",
    "nsswitch.conf": "hosts: files dns\n",
}


@dataclass(frozen=True, slots=True)
class Docker:
    """A running engine."""

    socket: Path

    def __call__(self, *arguments: str, stdin: bytes | None = None) -> str:
        """`docker ARGUMENTS`; what it says."""
        return self.run(["docker", *arguments], stdin=stdin)

    def run(self, command: Sequence[str], *, stdin: bytes | None = None, **variables: str) -> str:
        """Any program that talks to an engine; AssertionError with its words when it fails."""
        environment = {**os.environ, "DOCKER_HOST": f"unix://{self.socket}", "DOCKER_BUILDKIT": "0", **variables}
        done = subprocess.run(command, input=stdin, capture_output=True, check=False, env=environment)
        assert done.returncode == 0, f"{command}: {(done.stdout + done.stderr).decode(errors='replace')[-4000:]}"
        return done.stdout.decode()


@contextmanager
def engine() -> Iterator[Docker]:
    """Start one; skips where that cannot be."""
    if os.geteuid() != 0 or not all(map(shutil.which, PROGRAMS)):
        pytest.skip(NO_ENGINE)
    with tempfile.TemporaryDirectory(prefix="mockbot-engine-", ignore_cleanup_errors=True) as folder:
        place = Path(folder)
        own = f"--data-root {place}/data --exec-root {place}/exec --host unix://{place}/s --pidfile {place}/pid"
        with (place / "log").open("wb") as log:
            process = subprocess.Popen(
                ["unshare", "--net", "sh", "-c", f"ip link set lo up && exec dockerd {own}"], stdout=log, stderr=log
            )
        docker = Docker(place / "s")
        try:
            if not eventually(lambda: process.poll() is not None or _answers(docker), 60) or process.poll() is not None:
                pytest.skip(f"{NO_ENGINE}: {(place / 'log').read_text('utf-8')[-500:]}")
            yield docker
        finally:
            process.terminate()
            process.wait(60)


def _answers(docker: Docker) -> bool:
    try:
        docker("version")
    except AssertionError:
        return False
    return True


def make_images(docker: Docker) -> None:
    """Both base images, under the names that the files of the repository mention."""
    variables = [word for name, value in ENVIRONMENT.items() for word in ("--change", f"ENV {name}={value}")]
    docker("import", *variables, "-", "python:3.12-slim", stdin=python_files())
    entry = ["--change", 'ENTRYPOINT ["/toxiproxy"]']
    docker("import", *entry, "-", "ghcr.io/shopify/toxiproxy:2.12.0", stdin=toxiproxy_files())


def toxiproxy_files() -> bytes:
    """The two programs of the original image, linked statically; it has nothing else."""
    with tempfile.TemporaryDirectory() as folder, _Archive() as archive:
        for program, name in (("server", "toxiproxy"), ("cli", "toxiproxy-cli")):
            package = f"github.com/Shopify/toxiproxy/v2/cmd/{program}@v2.12.0"
            environment = {**os.environ, "CGO_ENABLED": "0", "GOBIN": folder}
            subprocess.run(["go", "install", package], check=True, env=environment, capture_output=True)
            archive.add(Path(folder) / program, f"/{name}")
        return archive.content()


def python_files() -> bytes:
    """A root file system with this interpreter and what mockbot needs."""
    with _Archive() as archive:
        for name in ("bin", "sbin", "lib", "lib64"):
            archive.link(f"/{name}", f"usr/{name}")
        for folder in ("/home", "/root", "/run", "/var/tmp", "/usr/lib64"):  # noqa: S108 - of the image
            archive.folder(folder)
        archive.folder("/tmp", 0o1777)  # noqa: S108 - of the image
        for name, text in ETC.items():
            archive.text(f"/etc/{name}", text)
        interpreter, site = [*_interpreter()], [*_site()]
        programs = [Path(shutil.which(name) or name) for name in SHELL]
        for path in {*interpreter, *programs, *_libraries([*programs, *interpreter, *site])}:
            archive.add(path, _place(path))
        for path in site:
            archive.add(path, f"/opt/site/{path.relative_to(SITE)}")
        archive.link("/usr/local/bin/python", f"{HOME}/bin/{VERSION}")
        for name in ("pip", "locust"):
            archive.text(f"/usr/local/bin/{name}", f'#!/bin/sh\nexec python -m {name} "$@"\n', 0o755)
        return archive.content()


def _place(path: Path) -> str:
    """Where a file is once /bin and the like are links."""
    return str(path.parent.resolve() / path.name)


def _interpreter() -> Iterator[Path]:
    yield HOME / "bin" / VERSION
    library = HOME / "lib" / VERSION
    unwanted = {"site-packages", "dist-packages", "test", "idlelib", "tkinter", "turtledemo"}
    for path in library.rglob("*"):
        if path.is_file() and not unwanted & set(path.relative_to(library).parts):
            yield path


def _site() -> Iterator[Path]:
    """The files of every distribution that mockbot or its build needs."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    found: dict[str, Distribution] = {}
    _collect([*project["dependencies"], "pip", "hatchling"], found)
    for each in found.values():
        for file in each.files or ():
            path = SITE / file
            if ".." not in file.parts and path.is_file():
                yield path


def _collect(requirements: Iterable[str], found: dict[str, Distribution]) -> None:
    for text in requirements:
        wanted = Requirement(text)
        key = f"{wanted.name.lower()}[{','.join(sorted(wanted.extras))}]"
        if key in found:
            continue
        each = found[key] = distribution(wanted.name)
        _collect(_needs(each, wanted.extras), found)


def _needs(each: Distribution, extras: Iterable[str]) -> Iterator[str]:
    for text in each.requires or ():
        marker = Requirement(text).marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            yield text.partition(";")[0]


def _libraries(files: Iterable[Path]) -> set[Path]:
    """What they link to, outside their own packages."""
    linked = [str(path) for path in files if path.suffix == ".so" or ".so." in path.name or os.access(path, os.X_OK)]
    said = subprocess.run(["ldd", *linked], capture_output=True, text=True, check=False).stdout
    paths = {Path(path) for path in re.findall(r"(?:=> |^\s+)(/\S+) \(0x", said, re.MULTILINE)}
    return {path for path in paths if not path.is_relative_to(SITE)}


class _Archive:
    """A tar of a root file system."""

    def __init__(self) -> None:
        self._names: set[str] = set()
        self._buffer = io.BytesIO()
        self._tar = tarfile.open(fileobj=self._buffer, mode="w", dereference=True)  # noqa: SIM115 - closed in __exit__

    def __enter__(self) -> "_Archive":
        return self

    def __exit__(self, *_: object) -> None:
        self._tar.close()

    def add(self, path: Path, name: str) -> None:
        if name in self._names:
            return
        self._names.add(name)
        self._tar.add(path, name, recursive=False, filter=_of_root)

    def text(self, name: str, text: str, mode: int = 0o644) -> None:
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode = len(text), mode
        self._tar.addfile(entry, io.BytesIO(text.encode()))

    def folder(self, name: str, mode: int = 0o755) -> None:
        entry = tarfile.TarInfo(name)
        entry.type, entry.mode = tarfile.DIRTYPE, mode
        self._tar.addfile(entry)

    def link(self, name: str, to: str) -> None:
        entry = tarfile.TarInfo(name)
        entry.type, entry.linkname = tarfile.SYMTYPE, to
        self._tar.addfile(entry)

    def content(self) -> bytes:
        self._tar.close()
        return self._buffer.getvalue()


def _of_root(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = "root"
    return entry
