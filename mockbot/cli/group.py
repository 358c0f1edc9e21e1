"""The command line's root: version, help, and the rule of all its commands.

A command imports what it calls in its own body, so that `mockbot --help` does not wait for plotting, numba or Locust.
"""

import click

from mockbot.cli.options import EXIT_CODES
from mockbot.version import __version__


class _Commands(click.Group):
    """A sweep is an option of `simulate`; who takes it for a command is told so."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click's."""
        if args[:1] == ["sweep"]:
            ctx.fail("No such command 'sweep'; use: mockbot simulate NAME --sweep AXIS=FROM..TO")
        return super().resolve_command(ctx, args)


@click.group(
    cls=_Commands, epilog=EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, prog_name="mockbot")
def cli() -> None:
    """Rehearse the outage of a chatbot API before your users live through it.

    A scenario file says what fails and when. mockbot produces that outage on real sockets, sends a crowd of clients
    through it, and measures how well they cope. Start with: mockbot run unexpected-failure
    """
