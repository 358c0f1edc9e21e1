"""The version of mockbot, read here by the build, the reports and `mockbot --version`; and the digest of its code."""

import hashlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

__version__ = "0.1.0"


@cache
def sources_digest() -> str:
    """Of this installation's modules: two of one version may differ, as a checkout and a release do."""
    return digest_of(sorted(Path(__file__).parent.rglob("*.py")))


def digest_of(files: Iterable[Path]) -> str:
    """SHA-256 of the files' contents in this order, in hexadecimal. Raises OSError where one cannot be read."""
    digest = hashlib.sha256()
    for file in files:
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()
