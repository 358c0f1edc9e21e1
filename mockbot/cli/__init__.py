"""The command line: options in, one frozen value of them, one call, its exit code out."""

from mockbot.cli import playing, rehearsing, scenarios, simulating
from mockbot.cli.group import cli as cli

__all__ = ["cli", "playing", "rehearsing", "scenarios", "simulating"]
