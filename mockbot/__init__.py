"""Rehearse the outage of a chatbot API: a scenario file in, an outage on real sockets, a verdict out."""

__version__ = "0.1.0"
