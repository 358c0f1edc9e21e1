"""The test suites of Toxiproxy's own clients, as their registries serve them, against the embedded engine.

Of the clients' suites only Go's and Rust's come with the package; those for Ruby, PHP, Node, Java and R are in their
repositories alone.
"""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from mockbot.process.managed_process import ManagedProcess
from tests.ports import free_ports
from tests.proxy.wire import request

pytestmark = [pytest.mark.live, pytest.mark.nightly, pytest.mark.timeout(1800)]

GO = "github.com/Shopify/toxiproxy/v2@v2.12.0"
RUST = "toxiproxy_rust"
RUST_VERSION = "0.1.6"


@pytest.fixture
def port() -> Iterator[int]:
    """Where an embedded engine answers as a Toxiproxy that was built from its module."""
    [port] = free_ports(1)
    options = ["-host", "127.0.0.1", "-port", str(port), "-answer-version", "git", "-lease-stdin"]
    with ManagedProcess(["mockbot.proxy", *options]):
        yield port


def need(program: str) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"no {program}")


def run(command: Sequence[str], folder: Path, **environment: str) -> str:
    """What it prints; the test fails when it does."""
    env: Mapping[str, str] = os.environ | environment
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr)[-5000:]
    return done.stdout


def test_toxiproxy_s_own_api_tests(tmp_path: Path, port: int) -> None:
    """Each of api_test.go on its own. Its own server finds the port taken, so its client asks ours."""
    need("go")
    module = Path(json.loads(run(["go", "mod", "download", "-json", GO], tmp_path))["Dir"])
    source = shutil.copytree(module, tmp_path / "toxiproxy", copy_function=shutil.copyfile)
    tests = source / "api_test.go"
    names = re.findall(r"^func (Test\w+)", tests.read_text(), re.MULTILINE)
    tests.write_text(tests.read_text().replace(":8475", f":{port}"))
    run(["go", "test", "-c", "-o", "api.test", "."], source)
    failed = []
    for name in names:
        done = subprocess.run(
            [source / "api.test", "-test.run", f"^{name}$"], cwd=source, capture_output=True, text=True, check=False
        )
        if done.returncode:
            failed.append((name, done.stdout))
        for proxy in request(f"http://127.0.0.1:{port}", "GET", "/proxies").json:
            request(f"http://127.0.0.1:{port}", "DELETE", f"/proxies/{proxy}")

    assert len(names) == 34
    assert not failed, "\n".join(said for _, said in failed)


def test_the_rust_client_s_tests(tmp_path: Path, port: int) -> None:
    """All of them, one after another: they share a server."""
    need("cargo")
    (tmp_path / "src").mkdir()
    (tmp_path / "src/lib.rs").touch()
    dependency = f'[dependencies]\n{RUST} = "={RUST_VERSION}"\n'
    (tmp_path / "Cargo.toml").write_text('[package]\nname = "vendored"\nversion = "0.1.0"\n' + dependency)
    run(["cargo", "vendor", "-q"], tmp_path)
    crate = shutil.copytree(tmp_path / "vendor" / RUST, tmp_path / "crate")
    for file in crate.rglob("*.rs"):
        file.write_text(file.read_text().replace("127.0.0.1:8474", f"127.0.0.1:{port}"))
    (crate / "Cargo.toml").write_text((crate / "Cargo.toml").read_text() + "\n[workspace]\n")
    said = run(["cargo", "test", "-q", "--", "--test-threads=1"], crate, RUST_TEST_THREADS="1")

    assert sum(map(int, re.findall(r"test result: ok. (\d+) passed", said))) == 37
