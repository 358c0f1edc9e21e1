"""Real clients, each a process of its own, against the real service: what mockbot says of them.

With MOCKBOT_RECORD=1 a relay listens in, and each cell is written to recorded.json, from which test_recorded.py judges
all of them at once.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest

from mockbot.pytest_plugin.fixture import Mockbot
from tests.clients_in_the_wild.cells import CLIENTS, FAULTS, KINDS, PROGRAMS, RUNTIMES, Client, Kind, check
from tests.clients_in_the_wild.record import rows_of, write
from tests.clients_in_the_wild.relay import relay
from tests.foreign_environment import environment_of

pytestmark = pytest.mark.timeout(1800)
RECORD = bool(os.environ.get("MOCKBOT_RECORD"))
SAMPLE = {  # of the second tier; all others at night
    ("openai_loop", "hammering"),
    ("openai_tenacity", "polite"),
    ("anthropic_loop", "gives_up"),
    ("httpx_timestamp", "hammering"),
    ("httpx_new_words", "hammering"),
    ("urllib_loop", "polite"),
    ("fetch", "polite"),
    ("curl", "gives_up"),
    ("net_http", "hammering"),
    ("http_client", "gives_up"),
}
CELLS = [
    pytest.param(
        client,
        kind,
        marks=pytest.mark.second if (client.name, kind) in SAMPLE else pytest.mark.nightly,
        id=f"{client.name}-{kind}",
    )
    for client in CLIENTS
    for kind in KINDS
]
VERSIONS = {"node": "--version", "curl": "--version", "go": "version", "java": "--version"}
Program = Callable[[Client], list[str]]


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Program:
    """The beginning of a client's command line; skips where its runtime is not installed."""
    folder = tmp_path_factory.mktemp("programs")

    @cache
    def foreign() -> str:
        """A Python for all clients whose packages are not installed here."""
        lacking = [client for client in CLIENTS if not _installed(client)]
        return str(environment_of(folder / "own", sorted({name for client in lacking for name in client.needs})))

    @cache
    def binary(source: Path) -> str:
        go = ["go", "build", "-o", str(folder / source.stem), str(source)]
        subprocess.run(go, check=True, env={**os.environ, "GO111MODULE": "off"})
        return str(folder / source.stem)

    def made(client: Client) -> list[str]:
        source = PROGRAMS / client.program
        if source.suffix == ".py":
            return [sys.executable if _installed(client) else foreign(), str(source)]
        runtime = RUNTIMES[source.suffix]
        if shutil.which(runtime) is None:
            pytest.skip(f"{client.name} NOT TESTED: {runtime} is not installed")
        return {"go": lambda: [binary(source)], "curl": lambda: ["sh", str(source)]}.get(
            runtime, lambda: [runtime, str(source)]
        )()

    return made


def _installed(client: Client) -> bool:
    return all(find_spec(name.replace("-", "_")) for name in client.needs)


def _versions(client: Client, argv: list[str]) -> str:
    """What was recorded, and when."""
    if (runtime := RUNTIMES.get(Path(client.program).suffix)) is not None:
        says = subprocess.run([runtime, VERSIONS[runtime]], capture_output=True, text=True, check=True).stdout
        said = [f"{runtime}: {says.splitlines()[0].partition('(')[0].strip()}"]
    else:
        ask = f"import importlib.metadata as m; print(*[n + ' ' + m.version(n) for n in {[*client.needs]}], sep=', ')"
        says = subprocess.run([argv[0], "-c", ask], capture_output=True, text=True, check=True).stdout.strip()
        said = [*filter(None, [says]), f"Python {sys.version.split()[0]}"]
    return f"{', '.join(said)}; {datetime.now(UTC):%Y-%m-%d}"


@pytest.mark.parametrize(("client", "kind"), CELLS)
def test_what_is_said_of_a_client(mockbot: Mockbot, client: Client, kind: Kind, program: Program) -> None:
    """Nobody who waited as told is accused, nobody who hammered is acquitted, and what cannot be told is undecided."""
    argv = program(client)
    mockbot.fault(**FAULTS[kind])
    with relay(mockbot.url) as between:
        env = {**os.environ, **mockbot.env, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
        if RECORD:
            env = {name: value.replace(mockbot.url, between.url) for name, value in env.items()}
        ended = subprocess.run(
            [*argv, client.name, kind], env=env, capture_output=True, text=True, timeout=300, check=False
        )
        assert ended.returncode == 0, ended.stderr
        journal = mockbot.journal()
    if RECORD:
        write(client, kind, rows_of(between.sent, mockbot.requests), _versions(client, argv))

    check(client, kind, journal)
