"""Find the scenarios and locustfiles that come with mockbot, in the wheel (`mockbot/_library`) or in a checkout.

In: a name, or the path of a user's own file. Out: a path, or a ScenarioError with the nearest names.
"""

from difflib import get_close_matches
from pathlib import Path

from mockbot.errors import ScenarioError

PACKAGE = Path(__file__).parent.parent


def folder(kind: str) -> Path:
    """Where the bundled files of a kind ("scenarios", "loadtests") are."""
    bundled = PACKAGE / "_library" / kind
    return bundled if bundled.is_dir() else PACKAGE.parent / kind


def names() -> tuple[str, ...]:
    """The bundled scenarios, in alphabetical order."""
    return tuple(sorted(path.stem for path in folder("scenarios").glob("*.yaml")))


def find(name_or_path: str) -> Path:
    """The file that the user means: a bundled name first, then a path. Raises ScenarioError."""
    if name_or_path in names():
        return folder("scenarios") / f"{name_or_path}.yaml"
    try:
        exists = bool(name_or_path) and Path(name_or_path).exists()
    except (OSError, ValueError):  # too long, or with a NUL: no name that a file could have
        exists = False
    if not exists:
        raise not_found(name_or_path)
    return Path(name_or_path)


def name_of(path: Path) -> str:
    """What `find` takes for it: the name of a bundled scenario, the path of any other."""
    return path.stem if path.parent == folder("scenarios") else str(path)


def loadtest(name: str) -> Path:
    """A bundled locustfile, for instance "chat"."""
    known = tuple(sorted(path.stem for path in folder("loadtests").glob("*.py") if not path.stem.startswith("_")))
    if name not in known:
        raise ScenarioError(f"{name!r} is not a load test of mockbot{_nearest(name, known)}")
    return folder("loadtests") / f"{name}.py"


def not_found(name_or_path: str) -> ScenarioError:
    """The error when there is neither such a file nor such a bundled scenario."""
    near = _nearest(Path(name_or_path).stem, names())
    return ScenarioError(
        f"{name_or_path}: no such file, and no such bundled scenario{near} (`mockbot list` has all of them)"
    )


def _nearest(name: str, known: tuple[str, ...]) -> str:
    """The one word that is meant by a slip, or else the three nearest."""
    near = get_close_matches(name, known, n=1, cutoff=0.8) or get_close_matches(name, known, n=3, cutoff=0.0)
    return f"; did you mean {' or '.join(map(repr, near))}?" if near else ""
