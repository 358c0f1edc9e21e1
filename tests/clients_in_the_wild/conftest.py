"""Tells loudly which clients could not be tested."""

from _pytest.terminal import TerminalReporter


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    for report in terminalreporter.stats.get("skipped", []):
        if "clients_in_the_wild" in report.nodeid:
            terminalreporter.write_line(str(report.longrepr[2]), red=True)
