"""The import graph is the architecture: what each box may know of the others, held against the code."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import mockbot

ROOT = Path(mockbot.__file__).parent
MAY_IMPORT = {  # box -> the parts of mockbot that it may import besides itself
    "errors": set(),
    "version": set(),
    "clock": set(),
    "units": {"errors"},
    "measures": {"errors", "units"},
    "faults": {"errors", "units"},
    "scenario": {"errors", "units", "measures", "faults"},
    "evidence": {"errors", "units", "measures", "faults", "scenario"},
    "clients": {"errors", "units", "scenario", "evidence"},
    "leased": set(),
    "keyfile": {"errors"},
    "service": {"errors", "clock", "leased", "keyfile", "units", "faults", "scenario", "evidence"},
    "proxy": {"errors", "clock", "leased", "child", "scenario", "evidence"},
    "report": {"errors", "units", "measures", "faults", "scenario", "evidence"},
    "wire": {"clock", "faults", "scenario", "proxy"},
    "child": {"errors"},
    "leash": set(),
    "remote": {"errors", "service", "serving"},
    "stage": {"errors", "child", "scenario", "proxy", "service"},
    "driver": {"errors", "clock", "faults", "scenario", "evidence", "stage", "wire", "proxy", "service"},
    "load": {"errors", "clock", "keyfile", "scenario", "evidence", "clients", "stage", "driver", "runner"},
}
KNOWS_EVERY_BOX = {
    "cli",
    "runner",
    "serving",
    "command",
    "guest",
    "simulate",
    "pytest_plugin",
    "__main__",
    "__init__",
}
PURE = ("units", "measures", "faults", "scenario", "clients", "evidence")
IO_MODULES = {
    "socket",
    "asyncio",
    "threading",
    "subprocess",
    "httpx",
    "requests",
    "gevent",
    "locust",
    "fastapi",
    "uvicorn",
}


def _box(path: Path) -> str:
    relative = path.relative_to(ROOT)
    return relative.parts[0] if len(relative.parts) > 1 else relative.stem


def _imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


MODULES = sorted(path for path in ROOT.rglob("*.py") if "_library" not in path.parts)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_box_imports_only_what_it_may_know(path: Path) -> None:
    """A module imports only the boxes that the table grants to its box."""
    box = _box(path)

    known = {name.split(".")[1] for name in _imports(path) if name.startswith("mockbot.")} - {box, "version"}

    assert box in KNOWS_EVERY_BOX or known <= MAY_IMPORT[box]


@pytest.mark.parametrize(
    "path", [path for path in MODULES if _box(path) in PURE], ids=lambda path: str(path.relative_to(ROOT))
)
def test_what_decides_does_no_io(path: Path) -> None:
    """The pure boxes import nothing that opens a socket, starts a process or waits."""
    assert {name.split(".")[0] for name in _imports(path)} & IO_MODULES == set()


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_only_load_imports_locust(path: Path) -> None:
    """Locust patches the process it happens in, so only the code that runs in its own process imports it."""
    patching = {name.split(".")[0] for name in _imports(path)} & {"locust", "gevent", "geventhttpclient"}

    assert not patching or _box(path) == "load"


@pytest.mark.parametrize("box", PURE)
def test_a_pure_box_has_no_import_circle(box: str) -> None:
    """Modules of one box can be put in an order, imports under TYPE_CHECKING included."""
    names = {f"mockbot.{box}.{path.stem}": path for path in MODULES if _box(path) == box}
    waiting = {
        name: {each for each in names if any(_is_in(found, each) for found in _imports(path))} - {name}
        for name, path in names.items()
    }

    while ready := {name for name, needed in waiting.items() if not needed & waiting.keys()}:
        waiting = {name: needed for name, needed in waiting.items() if name not in ready}

    assert waiting == {}


def _is_in(found: str, module: str) -> bool:
    return found == module or found.startswith(f"{module}.")


def test_every_module_opens_with_its_sentence() -> None:
    """A module says what goes in, what comes out and the rule to keep."""
    silent = [str(path) for path in MODULES if not ast.get_docstring(ast.parse(path.read_text("utf-8")))]

    assert silent == []


def test_importing_mockbot_patches_nothing() -> None:
    """Neither gevent nor locust is loaded by anything that runs in the user's own process."""
    program = (
        "import sys, mockbot, mockbot.cli, mockbot.runner, mockbot.stage, mockbot.driver, mockbot.report\n"
        "print([name for name in ('gevent', 'locust', 'geventhttpclient') if name in sys.modules])"
    )

    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert result.stdout.strip() == "[]"
