"""The public names of `mockbot`: what documents and locustfiles import, loaded when used, known to type checkers."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import mockbot

ROOT = Path(__file__).parents[1]
HEAVY = ("gevent", "locust", "pydantic", "fastapi", "httpx", "numpy")
DOCUMENTS = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "scenarios/*.md", "loadtests/**/*.md", "loadtests/**/*.py")
    for path in ROOT.glob(pattern)
)


def loaded_by(statement: str) -> list[str]:
    """Which heavy packages a fresh interpreter has loaded after this statement."""
    program = f"import sys\n{statement}\nprint(*(name for name in {HEAVY} if name in sys.modules))"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return result.stdout.split()


def test_importing_mockbot_loads_nothing_heavy() -> None:
    """Not even pydantic: a test suite that has mockbot installed pays nothing until it uses it."""
    assert loaded_by("import mockbot; dir(mockbot); mockbot.__version__") == []


def test_a_scenario_needs_neither_gevent_nor_locust() -> None:
    """The names of the language bring pydantic and no patched sockets."""
    names = loaded_by("from mockbot import Scenario, load_scenario, scenario_yaml, AttemptResult, Mockbot, Outage")

    assert "pydantic" in names
    assert not {"gevent", "locust"} & {*names}


def test_whoever_walks_over_all_modules_loads_nothing() -> None:
    """freezegun does, at each freeze: Locust must not patch the process of a test suite that stops its clock."""
    assert loaded_by("import inspect, mockbot; inspect.getmembers(mockbot)") == []


@pytest.mark.second
def test_each_public_name_loads() -> None:
    """In a process of its own, since some of them bring Locust, which patches the sockets of its process."""
    program = "import mockbot\nprint(*(name for name in mockbot.__all__ if getattr(mockbot, name) is not None))"

    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert result.stdout.split() == mockbot.__all__, result.stderr


def test_a_mistyped_name_is_told_the_nearest() -> None:
    """An AttributeError, as of any module, with a suggestion."""
    with pytest.raises(AttributeError, match=r"no attribute 'Scenaro'; did you mean 'Scenario'"):
        getattr(mockbot, "Scenaro")  # noqa: B009 - a type checker would refuse the plain form

    assert not hasattr(mockbot, "zzz")


def test_type_checkers_see_the_same_names() -> None:
    """The imports under TYPE_CHECKING, the table of modules and `__all__` agree."""
    tree = ast.parse(Path(mockbot.__file__).read_text("utf-8"))
    (guarded,) = (node for node in tree.body if isinstance(node, ast.If) and isinstance(node.test, ast.Name))
    imported = {
        alias.asname or alias.name: f"{node.module}:{alias.name}"
        for node in guarded.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }

    assert imported == mockbot._DEFINED_IN
    assert {*imported, "__version__"} == {*mockbot.__all__}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_document_imports_from_deeper(path: Path) -> None:
    """Users copy what they read: every import that is shown is one that will still work after a move inside."""
    text = path.read_text("utf-8")
    imports = re.findall(r"^\s*(?:from (mockbot[\w.]*) import|import (mockbot[\w.]*))", text, re.MULTILINE)

    assert {name for pair in imports for name in pair if name} <= {"mockbot"}


def test_every_name_that_a_document_imports_is_public() -> None:
    """Nothing is shown that `mockbot` does not export."""
    shown = {
        name.strip()
        for path in DOCUMENTS
        for names in re.findall(r"^\s*from mockbot import ([\w, ]+)$", path.read_text("utf-8"), re.MULTILINE)
        for name in names.split(",")
    }

    assert {"ChatUser", "Scenario", "install", "scenario_yaml"} <= shown <= {*mockbot.__all__}
