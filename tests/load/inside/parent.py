"""Start a testbed and run Locust on it, as `mockbot run` does; for being killed."""

import subprocess
import sys
from pathlib import Path

from mockbot.scenario.load import load_scenario
from mockbot.testbed.start import open_testbed


def main(scenario: Path, folder: Path, *arguments: str) -> None:
    """Never comes to its end in the tests."""
    (folder / "logs").mkdir(parents=True)
    loaded = load_scenario(scenario)
    (folder / "scenario.json").write_text(loaded.model_dump_json(), "utf-8")
    with open_testbed(loaded, loaded.speed, folder / "logs") as testbed:
        (folder / "testbed.json").write_text(testbed.to_json(), "utf-8")
        command = [sys.executable, "-m", "locust", "-f", "loadtests/chat.py", "--scenario", str(scenario)]
        command += ["--out", str(folder), "--testbed", str(folder / "testbed.json"), "--headless", *arguments]
        subprocess.run(command, start_new_session=True, check=False)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:])
