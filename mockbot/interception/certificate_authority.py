"""Make certificates for a run: the hosts that it intercepts in, a TLS server's context for each of their names out.

The CA's key is never written. It can sign no other CA (path length 0) and nothing but the intercepted hosts and
loopback (critical name constraints, RFC 5280 4.2.1.10), and it is valid for a day: a certificate that stays trusted by
mistake can do no harm elsewhere.
"""

import os
import ssl
import sys
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LOCAL = ("localhost", "127.0.0.1", "::1")
WRONG_HOST = "wrong-host.invalid"  # no client asks for it (RFC 2606)
VALID = timedelta(days=1)
EARLY = timedelta(hours=1)  # for clients in containers and virtual machines, whose clocks may be behind
MOST_LEAVES = 1000  # different names; a customer's own ones are without a limit


class CertificateAuthority:
    """`hosts`: names, as in `Family.hosts`, and IP addresses. `certificate_pem`: what clients have to trust."""

    def __init__(self, hosts: Iterable[str]) -> None:
        self._names = tuple(dict.fromkeys((*hosts, *LOCAL)))
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mockbot: CA of one run")])
        self._certificate = self._signed(
            self._name, self._key.public_key(), datetime.now(UTC), (
                (x509.BasicConstraints(ca=True, path_length=0), True),
                (_key_usage(signs_certificates=True), True),
                (x509.NameConstraints([_subtree(each) for each in (*self._names, WRONG_HOST)], None), True),
            )
        )  # fmt: skip
        self.certificate_pem = self._certificate.public_bytes(Encoding.PEM)
        self._context = lru_cache(MOST_LEAVES)(self._new_context)

    def server_context(
        self, host: str | None = None, *, expired: bool = False, wrong_host: bool = False
    ) -> ssl.SSLContext:
        """A TLS server's, which speaks HTTP/1.1 only; its certificate is for `host`.

        None: for the name that a client asks for (SNI), and for every intercepted name where it asks for none.
        `expired`: since yesterday. `wrong_host`: for WRONG_HOST instead.
        """
        return self._context(None if host is None else host.lower().rstrip("."), expired, wrong_host)

    def _new_context(self, host: str | None, expired: bool, wrong_host: bool) -> ssl.SSLContext:
        names = (WRONG_HOST,) if wrong_host else self._names if host is None else (host,)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_alpn_protocols(["http/1.1"])
        _load(context, self._leaf(names, datetime.now(UTC) - (2 * VALID if expired else timedelta())))
        if host is None:

            def choose(connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
                if name is not None:
                    connection.context = self.server_context(name, expired=expired, wrong_host=wrong_host)

            context.sni_callback = choose
        return context

    def _leaf(self, names: tuple[str, ...], since: datetime) -> bytes:
        """Key and certificate in PEM."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mockbot: a provider of this run")])
        certificate = self._signed(
            subject, key.public_key(), since, (
                (x509.BasicConstraints(ca=False, path_length=None), True),
                (_key_usage(signs_certificates=False), True),
                (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
                (x509.SubjectAlternativeName([_general_name(each) for each in names]), False),
            )
        )  # fmt: skip
        secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return secret + certificate.public_bytes(Encoding.PEM)

    def _signed(
        self, subject: x509.Name, key: ec.EllipticCurvePublicKey, since: datetime,
        extensions: tuple[tuple[x509.ExtensionType, bool], ...],
    ) -> x509.Certificate:  # fmt: skip
        """`extensions`: each with whether it is critical. Both key identifiers: Python 3.13 refuses a CA without."""
        builder = (
            x509.CertificateBuilder(self._name, subject, key, x509.random_serial_number())
            .not_valid_before(since - EARLY)
            .not_valid_after(since + VALID)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        return builder.sign(self._key, hashes.SHA256())


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates, key_cert_sign=signs_certificates, crl_sign=signs_certificates,
        content_commitment=False, key_encipherment=False, data_encipherment=False, key_agreement=False,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _address(name: str) -> IPv4Address | IPv6Address | None:
    with suppress(ValueError):
        return ip_address(name)
    return None


def _general_name(name: str) -> x509.GeneralName:
    return x509.DNSName(name) if (address := _address(name)) is None else x509.IPAddress(address)


def _subtree(name: str) -> x509.GeneralName:
    """What has to be permitted for a name: of one with `*` the domain behind it."""
    if (address := _address(name)) is not None:
        return x509.IPAddress(ip_network(address))
    return x509.DNSName(name.rpartition("*")[2].lstrip("."))


def _load(context: ssl.SSLContext, pem: bytes) -> None:
    """`ssl` reads a key from files only: from one in memory on Linux, elsewhere from one that is deleted at once."""
    if sys.platform == "linux":
        with os.fdopen(os.memfd_create("leaf"), "wb") as file:
            file.write(pem)
            file.flush()
            context.load_cert_chain(f"/proc/self/fd/{file.fileno()}")
    else:
        with tempfile.NamedTemporaryFile() as file:  # mode 0600
            file.write(pem)
            file.flush()
            context.load_cert_chain(file.name)
