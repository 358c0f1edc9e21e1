"""The environment of an intercepted client: the proxy's address and the CA's folder in, variables out. Pure.

Programs that read none of them are intercepted by no variable; docs/interception.md lists the known ones.
"""

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

CERTIFICATE, BUNDLE, JAVA_STORE = "mockbot-ca.pem", "bundle.pem", "bundle.p12"  # files of the folder
# Where clients look for the CAs that they trust: OpenSSL, and with it Python and Go; requests; botocore; curl; Node.
TRUST = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "AWS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
JAVA = "JAVA_TOOL_OPTIONS"  # options of every JVM, which reads neither TRUST nor HTTPS_PROXY


def trust_variables(folder: str) -> Mapping[str, str]:
    """For a client that has to trust the run's CA, and goes on to trust all others."""
    return dict.fromkeys(TRUST, str(Path(folder) / BUNDLE))


def proxy_variables(forward_proxy: str) -> Mapping[str, str]:
    """For a client whose requests to https URLs are to pass the forward proxy."""
    # Node's own fetch reads HTTPS_PROXY from 22.21 and 24.0 on, when it is told to (nodejs.org/api/cli.html).
    return dict.fromkeys(("HTTPS_PROXY", "https_proxy"), forward_proxy) | {"NODE_USE_ENV_PROXY": "1"}


def java_variables(own: str, folder: str, forward_proxy: str) -> Mapping[str, str]:
    """Both for a client in Java, behind the user's `own` options; `forward_proxy`: "" without interception."""
    options = [f'"-Djavax.net.ssl.trustStore={Path(folder) / JAVA_STORE}"', "-Djavax.net.ssl.trustStoreType=PKCS12"]
    if forward_proxy:
        proxy = urlsplit(forward_proxy)
        options += [f"-Dhttps.proxyHost={proxy.hostname}", f"-Dhttps.proxyPort={proxy.port}"]
    return {JAVA: " ".join(filter(None, (own, *options)))}
