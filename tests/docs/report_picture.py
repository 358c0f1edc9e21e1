"""The picture of README: a live run of `unexpected-failure` in, the top of its page out as WebP.

    python -m tests.docs.report_picture docs/report.webp

It takes a minute and a half, and Debian's chromium. The run must pass: a picture shows what README says of it.
"""

import base64
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.chromium import chromium

WIDTH, HEIGHT = 1280, 1440  # CSS pixels: from the verdict to the end of the first chart
QUALITY = 80  # of WebP: letters are sharp, and the file is below 200 kB


def picture_of(report: Path) -> bytes:
    """The top of a report as WebP, which Playwright itself does not write but the browser does."""
    with chromium() as browser:
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
        page.goto(report.as_uri())
        page.wait_for_selector("html[data-drawn=yes]")
        taken = page.context.new_cdp_session(page).send(
            "Page.captureScreenshot", {"format": "webp", "quality": QUALITY}
        )
    return base64.b64decode(taken["data"])


def main(target: Path) -> None:
    """Play the outage in a folder of its own, and keep only the picture."""
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        command = [sys.executable, "-m", "mockbot", "run", "unexpected-failure", "--out", str(run)]
        if code := subprocess.run(command, cwd=folder, check=False).returncode:
            raise SystemExit(f"no picture: the run above ended with {code}; play it again on a machine that is idle")
        target.write_bytes(picture_of(run / "report.html"))


if __name__ == "__main__":
    main(Path(sys.argv[1]).absolute())
