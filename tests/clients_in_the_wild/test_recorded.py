"""What real clients put on the wire, judged from recorded.json: each client polite, hammering and giving up."""

import json

import pytest

from tests.clients_in_the_wild.cells import CLIENTS, KINDS, Client, Kind, check
from tests.clients_in_the_wild.record import FILE, replay


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
async def test_what_is_said_of_a_client(client: Client, kind: Kind) -> None:
    """Nobody who waited as told is accused, nobody who hammered is acquitted, and what cannot be told is undecided."""
    check(client, kind, await replay(client, kind))


def test_every_client_is_recorded() -> None:
    """At least twenty, each with its version."""
    file = json.loads(FILE.read_text("utf-8"))

    assert set(file) == {client.name for client in CLIENTS}
    assert len(file) >= 20
    assert all(entry["version"] for entry in file.values())
