"""Interception: certificates, the TLS server behind the fault-injecting proxy, the forward proxy before it."""
