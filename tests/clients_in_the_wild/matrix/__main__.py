"""`python -m tests.clients_in_the_wild.matrix [CLIENT ...]`: play all their cells, and write the page.

.ci/clients installs what it needs; a client that is not installed keeps its column.
"""

import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.clients_in_the_wild.matrix.cells import CLIENTS, Client, every
from tests.clients_in_the_wild.matrix.page import FILE, Seen, read, write
from tests.clients_in_the_wild.matrix.play import NotInstalledError, Urls, broken_providers, play


def seen(client: Client, urls: Urls) -> Seen | None:
    """The client's column; None, loudly, when it cannot be had here."""
    try:
        return Seen(*play(client, every(), urls))
    except NotInstalledError as error:
        print(f"*** {error}", file=sys.stderr)  # noqa: T201
        return None


def main() -> None:
    clients = [client for client in CLIENTS if client.name in sys.argv[1:] or not sys.argv[1:]]
    with (
        tempfile.TemporaryDirectory() as folder,
        broken_providers(Path(folder)) as urls,
        ThreadPoolExecutor(2) as pool,  # they mostly wait
    ):
        table = read() if FILE.exists() else {}
        for client, column in zip(clients, pool.map(lambda client: seen(client, urls), clients), strict=True):
            if column is not None:
                table[client.name] = column
                write(table)


if __name__ == "__main__":
    main()
