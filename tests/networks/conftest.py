"""Tells loudly what could not be checked."""

from _pytest.terminal import TerminalReporter

from tests.networks.machines import why_none


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    skipped = [str(report.longrepr) for report in terminalreporter.stats.get("skipped", [])]
    if missed := sum("WORKERS ELSEWHERE NOT TESTED" in text for text in skipped):
        terminalreporter.write_line(f"{missed} TESTS OF WORKERS ELSEWHERE DID NOT RUN: {why_none()}", red=True)
