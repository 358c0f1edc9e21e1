"""Tells loudly what could not be checked."""

from _pytest.terminal import TerminalReporter

from tests.compose.compose_file import NO_PARSER
from tests.compose.engine import NO_ENGINE


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    skipped = [str(report.longrepr) for report in terminalreporter.stats.get("skipped", [])]
    for why in (NO_PARSER, NO_ENGINE):
        if missed := sum(why in text for text in skipped):
            terminalreporter.write_line(f"{missed} TESTS OF docker-compose.yml DID NOT RUN: {why}", red=True)
