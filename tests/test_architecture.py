"""The import graph is the architecture: import-linter holds the contracts of pyproject.toml, this file the rest."""

import ast
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import mockbot
from mockbot.faults import KINDS

ROOT = Path(mockbot.__file__).parent
MODULES = sorted(path for path in ROOT.rglob("*.py") if "_library" not in path.parts)
LINTER = [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"]
SAME_MEANING = {
    "base.py",
    "chat.py",
    "completions.py",
    "embeddings.py",
    "endpoint.py",
    "engine.py",
    "error_bodies.py",
    "models.py",
    "responses.py",
}  # one per kind: of toxics, of simulators, of providers
SAME_MEANING |= {  # an endpoint of one provider and its like of another one
    "chat.py",
    "completions.py",
    "count_tokens.py",
    "embeddings.py",
    "endpoint.py",
    "responses.py",
}
SAME_MEANING |= {f"{kind}.py" for kind in KINDS}  # a fault, and the toxic or the part of the service that it is about


def test_every_package_imports_only_what_its_contract_allows() -> None:
    """Layers, circles, I/O in what decides, Locust and uvicorn: the contracts under [tool.importlinter]."""
    linted = subprocess.run(LINTER, cwd=ROOT.parent, capture_output=True, text=True, check=False)

    assert linted.returncode == 0, linted.stdout[linted.stdout.find("Contracts") :] + linted.stderr


def test_every_module_opens_with_its_sentence() -> None:
    """A module says what goes in, what comes out and the rule to keep."""
    silent = [str(path) for path in MODULES if not ast.get_docstring(ast.parse(path.read_text("utf-8")))]

    assert silent == []


def test_a_file_name_is_used_once_unless_it_means_the_same() -> None:
    """Whoever searches for a file by its name finds one."""
    places = defaultdict(list)
    for path in MODULES:
        if path.name not in {"__init__.py", "__main__.py"} | SAME_MEANING:
            places[path.name].append(path)

    assert {name: found for name, found in places.items() if len(found) > 1} == {}


def test_importing_mockbot_patches_nothing() -> None:
    """Neither gevent nor locust is loaded by anything that runs in the user's own process."""
    program = (
        "import sys, mockbot, mockbot.cli, mockbot.commands.run, mockbot.testbed.driver, mockbot.report.page\n"
        "print([name for name in ('gevent', 'locust', 'geventhttpclient') if name in sys.modules])"
    )

    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert result.stdout.strip() == "[]"
