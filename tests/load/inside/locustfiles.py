"""Load each locustfile of a folder for a system, and print its mistakes by the file's name, as JSON."""

import json
import sys
from pathlib import Path

from mockbot.load.locustfile_check import LoadedFor, mistakes


def main(folder: str, system: str) -> None:
    """`system`: its URL."""
    found = {}
    for path in sorted(Path(folder).glob("*.py")):
        arriving = ("visitors",) if path.stem == "arrives" else ()
        found[path.stem] = [*mistakes(path, LoadedFor(True, system, ("people", "visitors"), arriving))]
    print(json.dumps(found))  # noqa: T201


if __name__ == "__main__":
    main(*sys.argv[1:])
