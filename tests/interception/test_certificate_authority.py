"""A client that trusts a run's CA accepts its certificates for the intercepted hosts, and nothing else."""

import ssl
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import pytest

from mockbot.interception.certificate_authority import WRONG_HOST, CertificateAuthority
from tests.interception.inside import HOSTS, OPENAI, descriptors, trusting

AUTHORITY = CertificateAuthority(HOSTS)


def shaken(server: ssl.SSLContext, client: ssl.SSLContext, name: str) -> ssl.SSLObject:
    """The client's side of a handshake in memory; SSLError when it fails."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    near = client.wrap_bio(to_client, to_server, server_hostname=name)
    far = server.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(4):
        for side in (near, far):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    near.do_handshake()
    return near


def names(side: ssl.SSLObject) -> set[str]:
    """Those of the server's certificate."""
    certificate = side.getpeercert()
    assert certificate is not None
    found = cast("tuple[tuple[str, str], ...]", certificate["subjectAltName"])
    return {name for _, name in found}


@pytest.mark.parametrize("name", [OPENAI, "mine.openai.azure.com", "localhost", "10.1.2.3"])
def test_a_leaf_is_trusted_for_its_host(name: str) -> None:
    """The name that a client asks for, and an address, for which it asks for none; also by OpenSSL's strict rules."""
    side = shaken(AUTHORITY.server_context(), trusting(AUTHORITY), name)

    assert name in names(side)


def test_without_a_name_the_leaf_is_for_all_of_them() -> None:
    """As for a client that connects to 127.0.0.1, which sends no name."""
    side = shaken(AUTHORITY.server_context(), trusting(AUTHORITY), "127.0.0.1")

    assert {*HOSTS, "localhost", "127.0.0.1"} <= names(side)


@pytest.mark.parametrize("name", ["example.org", "openai.com", "api.openai.com.example.org", "192.0.2.1"])
def test_the_ca_cannot_sign_for_another_host(name: str) -> None:
    """Whoever steals the key gains nothing: clients refuse it by the CA's name constraints."""
    with pytest.raises(ssl.SSLCertVerificationError, match="permitted subtree violation"):
        shaken(AUTHORITY.server_context(name), trusting(AUTHORITY), name)


def test_an_expired_leaf_is_refused_as_expired() -> None:
    """The CA itself is still valid."""
    with pytest.raises(ssl.SSLCertVerificationError, match="certificate has expired"):
        shaken(AUTHORITY.server_context(expired=True), trusting(AUTHORITY), OPENAI)


def test_a_leaf_for_another_host_is_refused_as_such() -> None:
    """By its name, and not by the CA's constraints."""
    with pytest.raises(ssl.SSLCertVerificationError, match=f"certificate is not valid for '{OPENAI}'"):
        shaken(AUTHORITY.server_context(wrong_host=True), trusting(AUTHORITY), OPENAI)
    client = trusting(AUTHORITY)
    client.check_hostname = False
    side = shaken(AUTHORITY.server_context(wrong_host=True), client, OPENAI)
    assert names(side) == {WRONG_HOST}


def test_a_client_with_http_2_gets_http_1_1() -> None:
    """By ALPN, so that it sends nothing that the service does not speak."""
    client = trusting(AUTHORITY)
    client.set_alpn_protocols(["h2", "http/1.1"])

    assert shaken(AUTHORITY.server_context(), client, OPENAI).selected_alpn_protocol() == "http/1.1"


def test_the_ca_is_constrained_and_short_lived(tmp_path: Path) -> None:
    """As OpenSSL reads it."""
    file = tmp_path / "ca.pem"
    file.write_bytes(AUTHORITY.certificate_pem)

    told = subprocess.run(
        ["openssl", "x509", "-in", file, "-noout", "-ext", "basicConstraints,nameConstraints,keyUsage", "-enddate"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert "Basic Constraints: critical\n    CA:TRUE, pathlen:0" in told
    assert "Name Constraints: critical" in told
    assert "DNS:openai.azure.com\n" in told
    assert "IP:127.0.0.1/255.255.255.255" in told
    ends = datetime.strptime(told.partition("notAfter=")[2].strip(), "%b %d %H:%M:%S %Y %Z").replace(tzinfo=UTC)
    assert timedelta() < ends - datetime.now(UTC) <= timedelta(days=1)


def test_no_key_is_written_and_no_descriptor_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The public certificate is all that a run shows of its CA."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before = descriptors()

    for number in range(20):
        AUTHORITY.server_context(f"{number}.openai.azure.com")

    assert descriptors() == before
    assert list(tmp_path.iterdir()) == []
    assert b"PRIVATE" not in AUTHORITY.certificate_pem


def test_on_macos_a_leaf_is_loaded_from_a_file_that_is_gone_at_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """There is no file in memory there."""
    monkeypatch.setattr("sys.platform", "darwin")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    authority = CertificateAuthority(HOSTS)

    side = shaken(authority.server_context(), trusting(authority), OPENAI)

    assert OPENAI in names(side)
    assert list(tmp_path.iterdir()) == []
