"""Read docker-compose.yml as Docker does, as far as the file goes: anchors, merges, `${NAME:-default}`."""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parent.parent.parent
FILE = ROOT / "docker-compose.yml"
NO_PARSER = "neither `docker compose` nor `docker-compose` is installed, so Docker's own parser saw nothing"
_VARIABLE = re.compile(r"\$\{(?P<name>\w+):-(?P<default>[^}]*)\}")


@dataclass(frozen=True, slots=True)
class Part:
    """One service of the file."""

    name: str
    raw: dict[str, Any]

    @property
    def command(self) -> list[str]:
        """Its arguments."""
        return [str(word) for word in self.raw["command"]]


def parts(**variables: str) -> dict[str, Part]:
    """The services, with these variables in the environment."""
    text = _VARIABLE.sub(lambda found: variables.get(found["name"], found["default"]), FILE.read_text("utf-8"))
    services = YAML(typ="safe", pure=True).load(text)["services"]
    return {name: Part(name, raw) for name, raw in services.items()}


def parser() -> list[str]:
    """Docker's own; skips where there is none."""
    if shutil.which("docker-compose"):
        return ["docker-compose"]
    folders = ("/usr/libexec/docker/cli-plugins", "/usr/lib/docker/cli-plugins", Path.home() / ".docker/cli-plugins")
    if shutil.which("docker") and any(Path(folder, "docker-compose").exists() for folder in folders):
        return ["docker", "compose"]
    pytest.skip(NO_PARSER)
