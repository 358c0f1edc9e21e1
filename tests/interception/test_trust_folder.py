"""What clients trust is in a private folder that lives no longer than it is needed."""

import ssl
from pathlib import Path

from mockbot.interception.certificate_authority import CertificateAuthority
from mockbot.interception.environment import BUNDLE, CERTIFICATE
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
