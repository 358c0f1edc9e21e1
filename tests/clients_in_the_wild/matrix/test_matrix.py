"""docs/clients.md holds: each client is played again, a cell of each kind in the second tier, and all at night."""

import re
from collections.abc import Iterator, Sequence

import pytest

from mockbot.faults import FAULTS as ALL
from tests.clients_in_the_wild.matrix.cells import CLIENTS, FAULTS, Cell, Client, every, sample
from tests.clients_in_the_wild.matrix.page import PAGE, page, read
from tests.clients_in_the_wild.matrix.play import NotInstalledError, Urls, broken_providers, play

COMMITTED = read()


@pytest.fixture(scope="module")
def urls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Urls]:
    """The base URL of each fault's provider."""
    with broken_providers(tmp_path_factory.mktemp("service")) as urls:
        yield urls


def majors(versions: Sequence[str]) -> list[str]:
    """Name and major version of each."""
    return [re.sub(r"(\d+)\..*", r"\1", each) for each in versions]


@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    ("client", "cells"),
    [
        *(pytest.param(each, sample(each), marks=pytest.mark.second, id=f"{each.name}-sample") for each in CLIENTS),
        *(pytest.param(each, every(), marks=pytest.mark.nightly, id=f"{each.name}-all") for each in CLIENTS),
    ],
)
def test_a_client_meets_a_fault_as_the_page_says(urls: Urls, client: Client, cells: Sequence[Cell]) -> None:
    """The same exception with the same status, or the same part of an answer taken for all of it."""
    committed = COMMITTED[client.name]
    try:
        versions, found = play(client, cells, urls)
    except NotInstalledError as error:
        pytest.skip(str(error))
    if majors(versions) != majors(committed.versions):
        pytest.skip(f"{client.title} NOT TESTED: the page is about {committed.versions}, and here is {versions}")

    assert found == {cell: committed.cells[cell] for cell in cells}


def test_the_page_shows_what_was_seen() -> None:
    """All clients, in the words of seen.json."""
    assert PAGE.read_text("utf-8") == page(COMMITTED)
    assert [*COMMITTED] == [client.name for client in CLIENTS]


def test_every_fault_of_the_service_is_a_row() -> None:
    """A new one is played, too; and the second tier meets all that end soon."""
    rows = {next(iter(values)) for values in FAULTS.values() if values is not None}
    soon = {fault for fault in FAULTS if not fault.startswith("stall")}

    assert rows == {fault.kind for fault in ALL if fault.layer == "service"}
    assert {fault for client in CLIENTS for _, fault in sample(client)} == soon
