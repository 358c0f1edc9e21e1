"""Tells loudly what could not be checked."""

from _pytest.terminal import TerminalReporter

from tests.deploy.chart import NO_HELM


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    skipped = [str(report.longrepr) for report in terminalreporter.stats.get("skipped", [])]
    if missed := sum(NO_HELM in text for text in skipped):
        terminalreporter.write_line(f"{missed} TESTS OF THE HELM CHART DID NOT RUN: {NO_HELM}", red=True)
