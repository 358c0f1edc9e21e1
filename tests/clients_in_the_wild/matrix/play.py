"""Play cells: start a service with a provider for each fault, run a client's program, read what it printed."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from mockbot.faults import Fault
from mockbot.process.managed_process import ManagedProcess
from mockbot.service.control_client import ServiceControl
from tests.clients_in_the_wild.matrix.cells import (
    BODIES,
    FAULTS,
    PATIENCE,
    PROVIDER,
    SCHEMA,
    SPEED,
    Cell,
    Client,
)
from tests.clients_in_the_wild.matrix.outcomes import shown
from tests.service.values import active, scenario_of

ROOT = Path(__file__).parents[3]
PROGRAMS = Path(__file__).parent / "programs"
INSTALLED = ROOT / ".clients"  # by .ci/clients
Urls = Mapping[str, str]  # of each fault's provider


class NotInstalledError(Exception):
    """A client's runtime or packages are not here."""


@contextmanager
def broken_providers(folder: Path, dialect: str = "openai") -> Iterator[Urls]:
    """One service; each of its providers has one of the faults, for an hour."""
    names = {fault: f"p{number}" for number, fault in enumerate(FAULTS)}
    file = folder / "scenario.json"
    providers_with = {name: {**PROVIDER, "dialect": dialect} for name in names.values()}
    file.write_text(scenario_of(providers_with).model_dump_json(), "utf-8")
    arguments = ["mockbot.service", str(file), "--speed", str(SPEED), "--lease-stdin"]
    with ManagedProcess(arguments, folder / "service.log") as service:
        control = ServiceControl(service.url)
        providers: Any = service.ready["providers"]
        for fault, values in FAULTS.items():
            if values is not None:
                held = TypeAdapter(Fault).validate_python(values)
                control.set_faults(names[fault], [active(held, end=3600 * SPEED)])
        yield {fault: providers[name] for fault, name in names.items()}


def command(client: Client) -> list[str]:
    """How its program is started; NotInstalledError when that cannot be done here."""
    source = PROGRAMS / client.program
    started = {
        ".py": [str(INSTALLED / client.environment / "bin" / "python"), str(source)],
        ".mjs": ["node", str(source)],
        ".java": ["java", str(source)],
        ".sh": ["sh", str(source)],
        "": [str(INSTALLED / "go")],
    }[source.suffix]
    needs = [started[0], *(["curl"] if source.suffix == ".sh" else [])]
    lacking = [name for name in needs if shutil.which(name) is None]
    if source.suffix == ".mjs" and not (INSTALLED / "node" / "node_modules").is_dir():
        lacking.append("node_modules")
    if lacking:
        raise NotInstalledError(f"{client.title} NOT TESTED: {lacking[0]} is not there; .ci/clients installs it")
    return [*started, client.name]


def play(client: Client, cells: Sequence[Cell], urls: Urls) -> tuple[list[str], dict[Cell, tuple[str, str]]]:
    """The client's versions, and what it made of each cell."""
    environment = {
        **os.environ,
        **{f"BODY_{kind.upper()}": json.dumps(body) for kind, body in BODIES.items()},
        "SCHEMA": json.dumps(SCHEMA),
        "PATIENCE": str(PATIENCE),
        "CLIENTS_JS": str(INSTALLED / "node"),
        "NO_PROXY": "127.0.0.1",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    }
    asked = [f"{kind}={urls[fault]}" for kind, fault in cells]
    ran = subprocess.run(
        [*command(client), *asked], env=environment, capture_output=True, text=True, check=False, timeout=900
    )
    lines = [json.loads(line) for line in ran.stdout.splitlines() if line.startswith('{"')]
    assert len(lines) == 1 + len(cells), ran.stderr or ran.stdout
    outcomes = zip(cells, lines[1:], strict=True)
    return lines[0]["versions"], {cell: shown(seen, cell[0]) for cell, seen in outcomes}
