"""For clients without a base URL: an HTTPS forward proxy before the fault proxy, and the TLS server behind it."""
