"""A private folder with what clients need to trust a run's CA: its public certificate in, three files out.

The folder goes with the process that has made it, however that ends: a shell in a session of its own, which outlives a
`kill -9` of this process, of its parent and of both, deletes it as soon as its stdin ends.
"""

import re
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import certifi
from cryptography import x509
from cryptography.hazmat.primitives.serialization import NoEncryption
from cryptography.hazmat.primitives.serialization.pkcs12 import PKCS12Certificate, serialize_java_truststore

from mockbot.interception.environment import BUNDLE, CERTIFICATE, JAVA_STORE, TRUST

_DELETES = 'read -r _; rm -rf -- "$1"'
_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


@contextmanager
def trust_folder(certificate_pem: bytes, environment: Mapping[str, str]) -> Iterator[Path]:
    """CERTIFICATE; BUNDLE: that one, the public CAs, and those that the user's environment trusts by TRUST; JAVA_STORE:
    the same for Java.

    A bundle, because most of these variables replace a client's own list.
    """
    folder = Path(tempfile.mkdtemp(prefix="mockbot-tls-"))
    try:
        with _deleted_after_us(folder):
            (folder / CERTIFICATE).write_bytes(certificate_pem)
            own = {Path(environment[name]) for name in TRUST if name in environment}
            trusted = [Path(certifi.where()), *sorted(file for file in own if file.is_file())]
            bundle = b"\n".join([certificate_pem, *(file.read_bytes() for file in trusted)])
            (folder / BUNDLE).write_bytes(bundle)
            (folder / JAVA_STORE).write_bytes(_java_store(bundle))
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)  # in case that somebody has killed the shell


def _deleted_after_us(folder: Path) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        ["/bin/sh", "-c", _DELETES, "sh", str(folder)],
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/", start_new_session=True,
        env={},  # without the mark by which a parent finds, and ends, what a killed child has started
    )  # fmt: skip


def _java_store(bundle: bytes) -> bytes:
    """PKCS #12 with the certificates of a file in PEM, but those that cryptography cannot read."""
    certificates = []
    for pem in _PEM.findall(bundle):
        with warnings.catch_warnings(action="error"), suppress(ValueError, Warning):
            certificates.append(x509.load_pem_x509_certificate(pem))
    named = [PKCS12Certificate(each, str(number).encode()) for number, each in enumerate(certificates)]
    return serialize_java_truststore(named, NoEncryption())
