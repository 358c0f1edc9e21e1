"""What is imported is declared, and what is declared is used: pyproject.toml against every import statement."""

import ast
import re
import sys
import tomllib
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import mockbot

PACKAGE = Path(mockbot.__file__).parent
ROOT = PACKAGE.parent
EXTRAS = {  # module -> the extra that users of it install
    "load/sdk.py": "sdk",
    **{f"interception/{path.name}": "intercept" for path in (PACKAGE / "interception").glob("*.py")},
    **{f"simulate/{path.name}": "fast" for path in (PACKAGE / "simulate").glob("*.py")},
    **{f"simulate/fast/{path.name}": "fast" for path in (PACKAGE / "simulate" / "fast").glob("*.py")},
    **{f"simulate/fluid/{path.name}": "fast" for path in (PACKAGE / "simulate" / "fluid").glob("*.py")},
}
NOT_IMPORTED = {"plotly"}  # its script file is read as data


@cache
def _declared() -> dict[str, set[str]]:
    """Extra ("" for everybody) -> distributions, by their normalized names."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    lists = {"": project["dependencies"], **project["optional-dependencies"]}
    return {
        extra: {_normalized(re.split(r"[\[<>=;! ]", each)[0]) for each in listed} for extra, listed in lists.items()
    }


def _normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@cache
def _distributions() -> dict[str, set[str]]:
    return {module: {*map(_normalized, names)} for module, names in packages_distributions().items()}


def _imported(path: Path) -> set[str]:
    """The top-level names of other projects that a file imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found - sys.stdlib_module_names - {"mockbot"}


MODULES = {path.relative_to(PACKAGE).as_posix(): path for path in PACKAGE.rglob("*.py") if "_library" not in path.parts}


def test_every_imported_package_is_declared() -> None:
    """For everybody; or in the extra, where only users of an extra need it. pytest is the plugin's host."""
    undeclared = {
        f"{module}: {name}"
        for module, path in MODULES.items()
        for name in _imported(path)
        if name not in ("pytest", "_pytest")
        and not _distributions().get(name, set()) & (_declared()[""] | _declared().get(EXTRAS.get(module, ""), set()))
    }

    assert undeclared == set()


def test_every_declared_package_is_imported() -> None:
    """A dependency that nothing imports any more is deleted."""
    used = {
        name for path in MODULES.values() for module in _imported(path) for name in _distributions().get(module, ())
    }
    ours = set().union(*(_declared()[extra] for extra in ("", "charts", "sdk", "fast", "intercept")))

    unused = ours - used - NOT_IMPORTED

    assert unused == set()
