"""What a client's program printed, as the cell that the table shows. Pure."""

import base64
import json
import re
from collections.abc import Mapping
from typing import Any

from tests.clients_in_the_wild.matrix.cells import WORDS

HANGS = "hangs"
# What the name of an exception says, the first that fits: some carry a status that no server sent.
_NAMES: Mapping[str, re.Pattern[str]] = {
    "timeout": re.compile(r"timeout|timed ?out|abort|^exit 28$", re.I),
    "lost": re.compile(
        r"connection|connect|remoteprotocol|readerror|terminated|refused|reset|socket|EOF|IOException|^TypeError$"
        r"|^exit (7|18|52|56)$",
        re.I,
    ),
}
_GARBLED = re.compile(r"json|decode|parse|syntax|validation|malformed|UnknownApiResponse", re.I)


def shown(seen: Mapping[str, Any], kind: str) -> tuple[str, str]:
    """The word for a cell, and the class of what was raised ("" for an answer that was taken)."""
    if "raised" in seen:
        name, status = str(seen["raised"]), seen.get("status")
        if name == HANGS:
            return HANGS, ""
        for word, pattern in _NAMES.items():
            if pattern.search(name):
                return word, name
        if status is not None:
            return str(status), name
        return "garbled" if _GARBLED.search(name) else "error", name
    if seen.get("status", 200) != 200:
        return str(seen["status"]), ""
    text = seen["took"] if "took" in seen else _text_in(base64.b64decode(seen["body64"]).decode(), kind)
    return _how_much(text, kind), ""


def _how_much(text: str, kind: str) -> str:
    if not text:
        return "empty"
    if kind in {"plain", "stream"} and not text.startswith("{"):
        return "whole" if len(text.split()) == WORDS else "part"
    try:
        given = json.loads(text)
    except ValueError:
        return "part"
    return "whole" if {"city", "degrees"} <= {key for key, value in given.items() if value is not None} else "part"


def _text_in(body: str, kind: str) -> str:
    """The answer in a body, as a program that reads no more than it needs would find it; half a body is itself."""
    try:
        if kind == "stream":
            events = [json.loads(data) for data in re.findall(r"^data: (\{.*)$", body, re.M)]
            return "".join(choice["delta"].get("content") or "" for each in events for choice in each["choices"])
        message = json.loads(body)["choices"][0]["message"]
    except (ValueError, KeyError):
        return body.strip()[: len("half")]
    calls = message.get("tool_calls") or [{"function": {"arguments": ""}}]
    return str(calls[0]["function"]["arguments"] if kind == "tools" else message["content"] or "")
