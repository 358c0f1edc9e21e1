"""What clients trust is in a private folder that lives no longer than it is needed."""

import ssl
from pathlib import Path

import psutil
from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12
from cryptography.x509 import load_pem_x509_certificate

from mockbot.interception.certificate_authority import CertificateAuthority
from mockbot.interception.environment import BUNDLE, CERTIFICATE, JAVA_STORE
from mockbot.interception.trust_folder import trust_folder
from tests.interception.inside import HOSTS


def test_the_bundle_has_the_public_cas_the_users_own_and_the_runs(tmp_path: Path) -> None:
    """So that whoever reads only one of the variables still reaches every other host."""
    run, corporate = (CertificateAuthority(HOSTS).certificate_pem for _ in range(2))
    own = tmp_path / "corporate.pem"
    own.write_bytes(corporate)

    with trust_folder(run, {"REQUESTS_CA_BUNDLE": str(own), "SSL_CERT_FILE": "/nowhere.pem"}) as folder:
        assert folder.stat().st_mode & 0o777 == 0o700
        assert (folder / CERTIFICATE).read_bytes() == run
        trusted = ssl.create_default_context(cafile=folder / BUNDLE).get_ca_certs(binary_form=True)
    assert {ssl.PEM_cert_to_DER_cert(each.decode()) for each in (run, corporate)} <= {*trusted}
    assert len(trusted) > 100
    assert not folder.exists()


def test_java_gets_the_same_in_its_own_form(tmp_path: Path) -> None:
    """In PKCS #12 without a password, but what cryptography cannot read, as may be in a file of the user's own."""
    run = CertificateAuthority(HOSTS).certificate_pem
    own = tmp_path / "own.pem"
    own.write_bytes(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")

    with trust_folder(run, {"SSL_CERT_FILE": str(own)}) as folder:
        store = load_pkcs12((folder / JAVA_STORE).read_bytes(), None)
    assert load_pem_x509_certificate(run) in [each.certificate for each in store.additional_certs]
    assert len(store.additional_certs) > 100


def test_whoever_kills_the_shell_that_deletes_it_leaves_nothing_either() -> None:
    """It is deleted at the end in order, too."""
    with trust_folder(CertificateAuthority(HOSTS).certificate_pem, {}) as folder:
        (shell,) = [each for each in psutil.Process().children() if str(folder) in each.cmdline()]
        shell.kill()
        shell.wait()

        assert (folder / BUNDLE).exists()
    assert not folder.exists()
