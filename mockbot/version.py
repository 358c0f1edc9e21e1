"""The version of mockbot, read here by the build, the reports and `mockbot --version`."""

__version__ = "0.1.0"
