"""seen.json, which holds what each client made of each cell, and docs/clients.md, which is written from it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from tests.clients_in_the_wild.matrix.cells import CLIENTS, FAULTS, KINDS, PATIENCE, Cell, Client

FILE = Path(__file__).parent / "seen.json"
PAGE = Path(__file__).parents[3] / "docs" / "clients.md"
Outcome = tuple[str, str]  # the word, and the class of what was raised


class Seen(NamedTuple):
    """One client's column."""

    versions: list[str]
    cells: Mapping[Cell, Outcome]


def read() -> dict[str, Seen]:
    """The committed outcomes, by client."""
    table = json.loads(FILE.read_text("utf-8"))
    return {
        name: Seen(
            each["versions"],
            {(kind, fault): (*cell, "")[:2] for kind, row in each["cells"].items() for fault, cell in row.items()},
        )
        for name, each in table.items()
    }


def write(table: Mapping[str, Seen]) -> None:
    """Both files."""
    entries = [_entry(client.name, table[client.name]) for client in CLIENTS if client.name in table]
    FILE.write_text("{\n" + ",\n".join(entries) + "\n}\n", "utf-8")
    PAGE.write_text(page(table), "utf-8")


def _entry(name: str, seen: Seen) -> str:
    """A cell in a line."""
    rows = ",\n".join(
        f'   "{kind}": {{\n'
        + ",\n".join(
            f"    {json.dumps(fault)}: {json.dumps([each for each in seen.cells[kind, fault] if each])}"
            for fault in FAULTS
        )
        + "\n   }"
        for kind in KINDS
    )
    return f' "{name}": {{\n  "versions": {json.dumps(seen.versions)},\n  "cells": {{\n{rows}\n  }}\n }}'


_HEAD = f"""# What real clients make of each fault

Every service fault of mockbot, met by {len(CLIENTS)} clients in four kinds of request. `python -m \
tests.clients_in_the_wild.matrix` plays all cells and writes this page (`.ci/clients` installs the clients first); \
`.ci/nightly` checks every cell, `.ci/run` one for each client and kind.

Retries are switched off in all clients, so that a cell shows what one attempt meets; each has a timeout \
of {PATIENCE:g} s.
A client's own retries and what they cost are in [scenarios/README.md](../scenarios/README.md#policies).

| cell | the client |
| --- | --- |
| `503` (or another status) | raises an error that has this status; curl, Go and Java return the answer with it |
| timeout | raises that it waited too long |
| lost | raises that the connection was refused or ended |
| garbled | raises that it could not read the answer |
| error | raises something else |
| **hangs** | does neither within three times its timeout |
| whole | returns the whole answer |
| **part** | returns a part of the answer (or what cannot be parsed) as if it were whole, and raises nothing |
| **empty** | returns an answer without content, and raises nothing |

A small number is that of the exception in [the last table](#what-is-raised). Bold: the outage passes unnoticed,
or for ever. A structured or tool answer is *whole* when its arguments parse and have all fields.
"""
_SILENT = {"hangs", "part", "empty"}
_KIND = {
    "plain": "An answer in one piece, of prose.",
    "stream": "Server-sent events; instructor asks for a partial object.",
    "tools": "One tool, `tool_choice: required`; instructor and pydantic-ai: their tool mode.",
    "structured": "A JSON Schema for the answer, parsed by the client where it does so (curl, Go and Java do not).",
}


def page(table: Mapping[str, Seen]) -> str:
    """docs/clients.md."""
    clients = [client for client in CLIENTS if client.name in table]
    numbers = {client.name: _numbered(table[client.name]) for client in clients}
    parts = [_HEAD]
    for kind in KINDS:
        rows = [
            [fault, *(_cell(table[client.name].cells[kind, fault], numbers[client.name]) for client in clients)]
            for fault in FAULTS
        ]
        parts.append(f"## {kind.capitalize()}\n\n{_KIND[kind]}\n\n{_table(['fault', *_titles(clients)], rows)}")
    raised = [
        [client.title, ", ".join(table[client.name].versions), _classes(numbers[client.name])] for client in clients
    ]
    parts.append(f"## What is raised\n\n{_table(['client', 'versions', 'exceptions'], raised)}")
    return "\n".join(parts)


def _titles(clients: list[Client]) -> list[str]:
    return [client.title for client in clients]


def _numbered(seen: Seen) -> dict[str, int]:
    """A client's exceptions, in the order in which the page shows them."""
    names = dict.fromkeys(seen.cells[kind, fault][1] for kind in KINDS for fault in FAULTS)
    return {name: number for number, name in enumerate(filter(None, names), 1)}


def _classes(numbers: Mapping[str, int]) -> str:
    return "<br>".join(f"{number} `{name}`" for name, number in numbers.items()) or "none"


def _cell(outcome: Outcome, numbers: Mapping[str, int]) -> str:
    word, name = outcome
    text = f"**{word}**" if word in _SILENT else word
    return f"{text} <sup>{numbers[name]}</sup>" if name else text


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"
