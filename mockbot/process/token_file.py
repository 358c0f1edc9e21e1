"""The token of a control port in a file that only its owner can read, for two processes that share a folder."""

import os
import secrets
from pathlib import Path

from mockbot.errors import UsageError


def read_or_create_token(file: Path) -> str:
    """What the file holds; a new token is put there when there is no such file. Raises UsageError."""
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as fresh:
            fresh.write(secrets.token_urlsafe(24))
    except FileExistsError:
        pass
    except OSError as error:
        raise UsageError(f"{file}: cannot be made: {error.strerror}; name another file") from None
    return read_token(file)


def read_token(file: Path) -> str:
    """What the file holds. Raises UsageError."""
    try:
        token = file.read_text("ascii").strip()
    except (OSError, UnicodeError) as error:
        raise UsageError(f"{file}: no token can be read there: {error}; name another file") from None
    if not token:
        raise UsageError(f"{file}: is empty; write a token into it, or delete it to have one made")
    return token
