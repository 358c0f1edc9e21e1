"""Tells loudly what could not be checked."""

from _pytest.terminal import TerminalReporter

from tests.deploy.chart import NO_HELM
from tests.deploy.programs import NO_NODE


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    skipped = [str(report.longrepr) for report in terminalreporter.stats.get("skipped", [])]
    for why in (NO_HELM, NO_NODE):
        if missed := sum(why in text for text in skipped):
            terminalreporter.write_line(f"{missed} TESTS OF THE HELM CHART DID NOT RUN: {why}", red=True)
