"""Each preset does what its real client does, on every case: as many attempts, and every wait within its bounds.

The real client runs in a process of its own, against one server for each case; its waits are noted instead of waited
(programs/). The preset is played by our own client policy, in virtual time, once at each end of its jitter.
"""

import json
import os
import socket
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from random import Random
from typing import Any

import pytest

from mockbot.clients.presets import PRESETS
from tests.clients.play import answers, play, policies
from tests.clients.real.cases import CASES, HUNG, REFUSED, SAMPLE, STREAMED, seen
from tests.clients.scripted import Answer, Scripted, scripted
from tests.foreign_environment import environment_of

ROOT = Path(__file__).parents[3]
PROGRAMS = Path(__file__).parent / "programs"
INSTALLED = ROOT / ".clients"  # by .ci/clients, as pinned
NODE = ("openai-node", "anthropic-node", "vercel-ai")
OLDER = {"llama-index": "openai_2"}  # wants an openai of before 3
PAST = {"openai-python-1", "anthropic-python-0"}  # of versions that no longer change
CLIENT: Mapping[str, str] = {name: preset.client for name, preset in PRESETS.items()}
PAIR = {"litellm-router-pair"}  # not compared yet: its preset needs two providers, and a 401 differs (two attempts)
TODAY = sorted(set(CLIENT) - PAST - PAIR)
TIMEOUT = 0.4  # seconds of one attempt in the case that shows it
CLOSE = 1e-3  # relative: a date has whole seconds, and a later moment is nearer to it; 2 ms: software's least wait

# What a preset cannot say: our clients read no words and take a Retry-After of the past for 0, and the AI SDK's own
# timeout is that of the whole call.
NOT_SAID = {
    ("openai-node", "retry-after of words"),
    ("vercel-ai", "retry-after -3"),
    ("vercel-ai", "a date long past"),
    ("vercel-ai", "no answer in time"),
    ("llama-index", "both: milliseconds count"),  # not in its outer loop
    ("llama-index", "a date long past"),
    ("litellm-router", "retry-after-ms 1500"),  # it reads seconds only
    ("litellm-router", "both: milliseconds count"),
    ("litellm-router", STREAMED),  # its first event had no token; after one it would not be tried again
    ("langchain-with-retry", STREAMED),  # `.with_retry()` does not cover `stream`, only `invoke`
}

Found = Mapping[str, Any]


class Edge(Random):
    """Chance at one end of its range."""

    def __init__(self, value: float) -> None:
        super().__init__(0)
        self._value = value

    def random(self) -> float:
        """Always the same."""
        return self._value


def command(name: str, folder: Path) -> list[str]:
    """The client's command line with what is installed in `folder`; skips where nothing is."""
    if name in NODE:
        if not (folder / "node/node_modules").is_dir():
            pytest.skip(f"{name} NOT TESTED: no {folder}/node")
        program = folder / "node" / "presets.mjs"  # node looks for modules beside the program
        program.write_text((PROGRAMS / "node_clients.mjs").read_text())
        return ["node", str(program), name]
    python = folder / OLDER.get(name, "python") / "bin/python"
    if not python.exists():
        pytest.skip(f"{name} NOT TESTED: no {python}")
    return [str(python), str(PROGRAMS / "python_clients.py"), name]


def ask(name: str, folder: Path, cases: Sequence[str]) -> Found:
    """What the real client did in each case."""
    with ExitStack() as stack:
        servers: dict[str, Scripted] = {case: stack.enter_context(scripted(CASES[case])) for case in cases}
        silent = stack.enter_context(socket.socket())
        silent.bind(("127.0.0.1", 0))  # bound, but nobody listens
        asked = {
            case: {
                "url": f"http://127.0.0.1:{silent.getsockname()[1]}" if case == REFUSED else server.url,
                "timeout": TIMEOUT if CASES[case] == [HUNG] else 30.0,
                "stream": case == STREAMED,
            }
            for case, server in servers.items()
        }
        told = subprocess.run(
            command(name, folder), input=json.dumps(asked), capture_output=True, text=True, check=False, timeout=240,
            env={**os.environ, "NODE_NO_WARNINGS": "1"},
        )  # fmt: skip
    assert told.returncode == 0, told.stderr[-2000:]
    found: Found = json.loads(told.stdout)
    came = {case: len(server.came) for case, server in servers.items() if case != REFUSED}
    assert came == {case: found[case]["attempts"] for case in came}, found
    return found


def expected(name: str, case: str, edge: float) -> list[float]:
    """The waits after each attempt but the last, as our own client policy has them."""
    script: Sequence[Answer] = CASES[case]
    timeout = TIMEOUT if script == [HUNG] else 30.0
    client = policies({"name": name, "timeout": f"{timeout}s"}, patience="8000h", stream=case == STREAMED)
    told = play(client.new_client(Edge(edge)), answers(*(seen(case, answer) for answer in script)))
    return [gap - timeout * (script == [HUNG]) for gap in told.gaps]


def differences(name: str, found: Found) -> list[str]:
    """One line for each case in which the real client did not do as the preset."""
    compared = [case for case in found if case in CASES and (name, case) not in NOT_SAID]
    return [line for case in compared for line in _differences(name, case, found[case])]


def _differences(name: str, case: str, found: Mapping[str, Any]) -> list[str]:
    sides = [expected(name, case, edge) for edge in (0.0, 1 - 1e-9)]
    if len(sides[0]) + 1 != found["attempts"]:
        return [f"{case}: {found['attempts']} attempts, preset {len(sides[0]) + 1} ({found['error']})"]
    slept = [sum(s for after, s in found["waits"] if after == n) for n in range(1, found["attempts"])]
    bounds = [(min(both), max(both)) for both in zip(*sides, strict=True)]
    return [
        f"{case}: wait {n} of {wait:.3f} s, preset {least:.3f} to {most:.3f} s"
        for n, (wait, (least, most)) in enumerate(zip(slept, bounds, strict=True), 1)
        if not least * (1 - CLOSE) - 0.002 <= wait <= most * (1 + CLOSE) + 0.002
    ]


@pytest.mark.second
@pytest.mark.parametrize("name", TODAY)
def test_a_few_cases(name: str) -> None:
    """What most outages show."""
    assert differences(name, ask(name, INSTALLED, SAMPLE)) == []


NEWEST: Mapping[str, str] = {name: CLIENT[name].rsplit(" ", 1)[0] for name in TODAY if name not in NODE}


@pytest.fixture(scope="module")
def newest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The newest releases of Python's clients, in two environments as above."""
    folder = tmp_path_factory.mktemp("newest")
    environment_of(folder / "python", sorted({NEWEST[name] for name in NEWEST if name not in OLDER}))
    environment_of(folder / "openai_2", sorted({NEWEST[name] for name in OLDER}))
    return folder


@pytest.mark.nightly
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", NEWEST)
def test_no_new_release_differs(name: str, newest: Path) -> None:
    """All cases with what the registry has today; a difference is told with the release that has it."""
    found = ask(name, newest, list(CASES))

    assert [f"{NEWEST[name]} {found['version']}: {line}" for line in differences(name, found)] == []


@pytest.mark.nightly
@pytest.mark.parametrize("name", TODAY)
def test_every_case(name: str) -> None:
    """All of them, with the versions that are pinned, which are those beside the preset."""
    found = ask(name, INSTALLED, list(CASES))

    assert differences(name, found) == []
    assert CLIENT[name].endswith(f" {found['version']}")
