"""Every provider family, and where requests of all of them carry an API key and the number of a retry."""

import json
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import lru_cache
from urllib.parse import parse_qs, unquote

from mockbot.dialects.anthropic import ANTHROPIC
from mockbot.dialects.azure import AZURE
from mockbot.dialects.bedrock import BEDROCK
from mockbot.dialects.compatible import COMPATIBLE
from mockbot.dialects.dialect import Header, ProviderError
from mockbot.dialects.family import Family
from mockbot.dialects.gemini import GEMINI
from mockbot.dialects.openai import OPENAI

FAMILIES: Mapping[str, Family] = {
    family.name: family for family in (OPENAI, ANTHROPIC, BEDROCK, GEMINI, AZURE, *COMPATIBLE)
}

# A header that holds nothing but a key comes first, because a gateway may use Authorization for itself.
KEY_PLACES = sorted({each for family in FAMILIES.values() for each in family.key_places}, key=lambda each: each[::-1])
_IN_HEADERS = [each for each in KEY_PLACES if not each.in_query]
# name -> how a key may stand there: after which scheme, within what
_HEADERS = {
    name.encode(): tuple(
        (each.scheme.lower().encode(), each.within.encode()) for each in _IN_HEADERS if each.name.lower() == name
    )
    for name in dict.fromkeys(each.name.lower() for each in _IN_HEADERS)
}
_PARAMETERS = [each.name for each in KEY_PLACES if each.in_query]
_RETRY_HEADERS = tuple(dict.fromkeys(family.retry_header.lower().encode() for family in FAMILIES.values()))
_HOPELESS = frozenset().union(*(family.hopeless for family in FAMILIES.values()))


def hopeless_code(body: bytes) -> str | None:
    """What says in the body of an error that no retry can cure it: its code, else its type, which clients read, too."""
    with suppress(ValueError):
        error = error.get("error") if isinstance(error := json.loads(body), dict) else None
        named = [error.get("code"), error.get("type")] if isinstance(error, dict) else []
        return next((str(each) for each in named if each in _HOPELESS), None)
    return None


def key_of(headers: Mapping[bytes, bytes], query: bytes) -> str | None:
    """The API key of a request to any family, None without one. ProviderError(401) for one that cannot be used."""
    for name, ways in _HEADERS.items():
        given = headers.get(name)
        if given is not None:
            return _key_in(given, ways)
    if query and _PARAMETERS:
        parameters = parse_qs(query.decode("latin-1"))
        return next((parameters[name][0] for name in _PARAMETERS if name in parameters), None)
    return None


@lru_cache(maxsize=10_000)
def _key_in(given: bytes, ways: tuple[tuple[bytes, bytes], ...]) -> str:
    for scheme, within in ways:
        found, _, key = given.partition(b" ") if scheme else (b"", b"", given)
        if found.lower() != scheme:
            continue
        if within:
            match = re.search(within, key)
            key = match[1] if match else b""
        if key.strip():
            return key.strip().decode("latin-1")
    raise ProviderError(401)


def without_keys(headers: Iterable[Header], target: bytes) -> tuple[list[Header], bytes]:
    """A request's headers (names in lower case) and its path with the query, without the API key of any family."""
    path, _, query = target.partition(b"?")
    kept = [each for each in query.split(b"&") if unquote(each.partition(b"=")[0].decode("latin-1")) not in _PARAMETERS]
    query = b"&".join(kept)
    return [each for each in headers if each[0] not in _HEADERS], b"%b?%b" % (path, query) if query else path


def credentials_in(headers: Iterable[Header], query: bytes) -> list[bytes]:
    """What a request has where any family's API keys are: whole values, without their schemes, and the keys within."""
    found = [parameter.partition(b"=")[2] for parameter in query.split(b"&")
             if unquote(parameter.partition(b"=")[0].decode("latin-1")) in _PARAMETERS]  # fmt: skip
    for name, value in headers:
        for _, within in _HEADERS.get(name, ()):
            match = re.search(within, value) if within else None
            found += [value, value.partition(b" ")[2], *([match[1]] if match else [])]
    return found


def retry_count(headers: Mapping[bytes, bytes]) -> bytes | None:
    """The number of a retry, as the SDK that sent the request counts; None: it does not say."""
    for name in _RETRY_HEADERS:
        if name in headers:
            return headers[name]
    return None
