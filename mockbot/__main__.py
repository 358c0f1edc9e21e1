"""`python -m mockbot` is `mockbot`; quiet about a Ctrl-C that comes while it still imports."""

import sys


def start() -> None:
    """The entry point of both."""
    try:
        from mockbot.cli import main  # noqa: PLC0415 - half a second, in which people change their minds
    except KeyboardInterrupt:
        sys.exit(130)
    main()


if __name__ == "__main__":
    start()
