"""A private folder with what clients need to trust a run's CA: its public certificate in, two files out.

The folder is deleted by the process that made it, at its end, and by that process's parent: whichever of them is
killed, the other deletes it.
"""

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import certifi

from mockbot.interception.environment import BUNDLE, CERTIFICATE, TRUST


@contextmanager
def trust_folder(certificate_pem: bytes, environment: Mapping[str, str]) -> Iterator[Path]:
    """CERTIFICATE, and BUNDLE: that one, the public CAs, and those that the user's environment trusts by TRUST.

    A bundle, because most of these variables replace a client's own list.
    """
    folder = Path(tempfile.mkdtemp(prefix="mockbot-tls-"))
    try:
        (folder / CERTIFICATE).write_bytes(certificate_pem)
        own = {Path(environment[name]) for name in TRUST if name in environment}
        trusted = [Path(certifi.where()), *sorted(file for file in own if file.is_file())]
        (folder / BUNDLE).write_bytes(b"\n".join([certificate_pem, *(file.read_bytes() for file in trusted)]))
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
